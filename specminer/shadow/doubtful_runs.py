"""A recorded call that read values which are not known: it follows its recording, whatever is forced.

Which slots it accessed is recorded, one after another; what it found in some of them is not. Such a value is taken to
be zero, and slots that are computed from it need not be the recorded ones. Whoever forces the decisions that depend on
such values sees each way that the call may have gone.
"""

from __future__ import annotations

from typing import Final

from specminer.evm.execution_events import SlotRead, SlotWrite
from specminer.evm.taped_instructions import UNKNOWN_VALUE, TapeContradicted
from specminer.shadow.forced_calls import ForcedTape

ASSUMED_VALUE: Final = 0
"""What a value is taken to be that is not known."""


class DoubtfulTape(ForcedTape):
    """A recording whose accesses are followed by their order and kind; each is told what was found there."""

    def leave(self) -> None:
        """Stay with the recording."""

    def read(self, slot: int) -> int:
        """Return what was read next, wherever that was."""
        return _assume_value(self._next(SlotRead, slot).value)

    def before(self, slot: int) -> int:
        """Return what was there before the write that comes next."""
        access = self._accesses[self._access] if self._access < len(self._accesses) else None
        return _assume_value(access.before) if isinstance(access, SlotWrite) else ASSUMED_VALUE

    def write(self, slot: int, value: int) -> None:
        """Take in a write; its value may depend on what is not known."""
        self._next(SlotWrite, slot)

    def _next(self, kind: type[SlotRead | SlotWrite], slot: int) -> SlotRead | SlotWrite:
        access = self._accesses[self._access] if self._access < len(self._accesses) else None
        if type(access) is not kind:
            raise TapeContradicted(f"it accesses slot {slot:#x} where the recording has no such access")
        self._access += 1
        return access


def _assume_value(value: int) -> int:
    return ASSUMED_VALUE if value == UNKNOWN_VALUE else value
