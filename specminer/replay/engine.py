"""Which machine executes: the engine, the executable specification, or both, one checking the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, Final

from specminer._support.errors import UsageError
from specminer.replay.limits import MAX_GAS, MAX_STEPS

if TYPE_CHECKING:  # loading a machine takes time
    from specminer.replay.machine_calls import AccountSource, VirtualMachine
    from specminer.replay.reference_machine import Machine

_SEED: Final = 0
"""Of the executions that are compared with the specification's; the same export has the same ones."""


class Engine(Enum):
    """What executes transactions."""

    FAST = "fast"
    """Specminer's own engine. Where the specification is installed, a few executions are compared with it."""
    REFERENCE = "reference"
    """The executable specification of Ethereum: some twenty times slower."""
    BOTH = "both"
    """Both execute everything; where they differ, the specification counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineMaker:
    """Makes machines of one engine with the same limits."""

    engine: Engine = Engine.FAST
    max_steps: int = MAX_STEPS
    """Opcodes in one transaction at most."""
    max_gas: int = MAX_GAS
    """Gas of one transaction at most."""

    def make(self, source: AccountSource | None, note: Callable[[str], None]) -> VirtualMachine:
        """Return a machine for a history.

        Args:
            source: tells of accounts that the history did not create.
            note: hears of a difference between the two engines.

        Raises:
            UsageError: the specification is asked for and not installed.

        """
        from specminer.replay.checked_machine import CheckedMachine
        from specminer.replay.fast_machine import FastMachine

        if self.engine is Engine.REFERENCE:
            return self._reference(source)
        fast = FastMachine(source, max_steps=self.max_steps, max_gas=self.max_gas)
        if self.engine is Engine.BOTH:
            return CheckedMachine(fast, self._reference(source), note=note)
        if source is not None:  # what it tells is not the state of the machine alone
            return fast
        return CheckedMachine(fast, None, note=note, sample=Random(_SEED))

    def _reference(self, source: AccountSource | None) -> Machine:
        kind = load_reference()
        if kind is None:
            raise UsageError(
                f"--engine {self.engine.value} needs the executable specification of Ethereum, which is not installed; "
                "run pip install 'specminer[reference]'"
            )
        return kind(source, max_steps=self.max_steps, max_gas=self.max_gas)


def load_reference() -> type[Machine] | None:
    """Load the specification's machine; ``None`` if it is not installed."""
    try:
        from specminer.replay.reference_machine import Machine
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("ethereum", "ethereum_types"):
            raise
        return None
    return Machine
