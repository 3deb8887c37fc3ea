"""The numbers in a contract's code: what its conditions may compare with.

No number is learned from a history: between what was accepted and what was rejected lie many, and only one that the
code knows can be the condition's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Final

_PUSH1: Final = 0x60
_PUSH32: Final = 0x7F
_JUMPDEST: Final = 0x5B
_COMPARING: Final = frozenset({0x10, 0x11, 0x12, 0x13, 0x14})
"""LT, GT, SLT, SGT, EQ."""
_LEAVING: Final = frozenset({0x56, 0x57, _JUMPDEST})
"""JUMP, JUMPI and where they lead: what was pushed before is another matter."""
NEAR: Final = 6
"""A number is compared if such an instruction follows within so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Numbers in code, ascending."""

    compared: tuple[int, ...]
    """Those that are soon compared."""
    others: tuple[int, ...]
    """The rest; places in the code that are jumped to are left out."""

    def __contains__(self, number: int) -> bool:
        return number in self.compared or number in self.others

    def between(self, inside: int, outside: int) -> int | None:
        """Return the number that tells ``inside`` from ``outside``: the nearest to what was accepted."""
        least, most = min(inside, outside), max(inside, outside)
        for numbers in (self.compared, self.others):
            low, high = bisect_left(numbers, least), bisect_right(numbers, most)
            if low < high:
                return numbers[low] if inside < outside else numbers[high - 1]
        return None


NONE: Final = Constants(compared=(), others=())


def constants(code: bytes) -> Constants:
    """Return the numbers that code pushes."""
    targets: set[int] = set()
    pushed: list[tuple[int, int]] = []
    instructions: list[int] = []
    at = 0
    while at < len(code):
        opcode = code[at]
        if opcode == _JUMPDEST:
            targets.add(at)
        if _PUSH1 <= opcode <= _PUSH32:
            size = opcode - _PUSH1 + 1
            pushed.append((int.from_bytes(code[at + 1 : at + 1 + size], "big"), len(instructions)))
            at += size
        instructions.append(opcode)
        at += 1
    pushed_at = {number for number, _ in pushed}
    near: set[int] = set()
    for number, place in pushed:
        for opcode in instructions[place + 1 : place + 1 + NEAR]:
            if opcode in _LEAVING:
                break
            if opcode in _COMPARING:
                near.add(number)
    return Constants(compared=tuple(sorted(near)), others=tuple(sorted(pushed_at - targets - near)))
