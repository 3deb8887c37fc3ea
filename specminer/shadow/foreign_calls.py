"""Calls that leave the contract, numbered by what they ask: the same question of several runs has one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from specminer.evm.frame import FrameKind

if TYPE_CHECKING:
    from specminer.shadow.arena import Part

MAX_DATA: Final = 4 + 32 * 16
"""Bytes of a call's data of which it is held where they came from."""


class ForeignCall(NamedTuple):
    """What a call asks of whom; what it answers is a source."""

    kind: FrameKind
    to: int
    """The node of the receiver; the constant zero for a creation."""
    value: int
    """The node of the ether."""
    data: tuple[Part, ...] | None
    """The first bytes of the calldata, at most ``MAX_DATA``; ``None`` if that is too much or not known."""
    size: int
    """Bytes of the calldata."""
    repetition: int = 0
    """How many calls of the same record asked the same before."""


class CallNumbers:
    """The numbers of foreign calls in one arena."""

    def __init__(self, limit: int = 1 << 16) -> None:
        """Prepare; calls beyond the limit are numbered, but not held."""
        self._limit = limit
        self._numbers: dict[ForeignCall, int] = {}
        self._calls: list[ForeignCall] = []
        self._overflow = 0

    def number(self, call: ForeignCall) -> int:
        """Return the number of a call, the same for the same question."""
        number = self._numbers.get(call)
        if number is None:
            number = len(self._calls)
            if number >= self._limit:
                self._overflow += 1
                return self._limit + self._overflow
            self._numbers[call] = number
            self._calls.append(call)
        return number

    @property
    def calls(self) -> Sequence[ForeignCall]:
        """The calls that are held, by their numbers."""
        return self._calls

    def call(self, number: int) -> ForeignCall | None:
        """Return the call with a number; ``None`` if it is not held."""
        return self._calls[number] if 0 <= number < len(self._calls) else None
