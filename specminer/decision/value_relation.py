"""Conditions as comparisons that people read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from specminer._support.addresses import checksum_address
from specminer.decision.constant_names import digits
from specminer.decision.phrases import Strength
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING


class Sign(Enum):
    """How the sides of a comparison are related."""

    EQUAL = "="
    DIFFERENT = "!="
    AT_MOST = "<="
    AT_LEAST = ">="
    LESS = "<"
    GREATER = ">"


TURNED: Final = {
    Sign.AT_MOST: Sign.AT_LEAST,
    Sign.AT_LEAST: Sign.AT_MOST,
    Sign.LESS: Sign.GREATER,
    Sign.GREATER: Sign.LESS,
}
"""The sign of the same comparison with the sides exchanged, where it is another one."""
OPPOSITE: Final = {
    Sign.EQUAL: Sign.DIFFERENT,
    Sign.DIFFERENT: Sign.EQUAL,
    Sign.LESS: Sign.AT_LEAST,
    Sign.AT_LEAST: Sign.LESS,
    Sign.AT_MOST: Sign.GREATER,
    Sign.GREATER: Sign.AT_MOST,
}
"""The sign of what holds exactly where the comparison does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTerm:
    """What a reader calls an expression that has a value in calls."""

    node: int
    """In the arena of the function's runs."""
    name: str
    """``owner[_tokenId]``, ``token.balanceOf(this)``, ``price * amount / 100``."""
    kind: ValueKind
    members: tuple[str, ...] = ()
    """Names of an enum's values; empty if they are not known."""
    variable: int = MISSING
    """Row in ``Locations.variables`` if it is storage, else ``MISSING``."""
    field: int = 0
    keys: tuple[str, ...] = ()
    """Names of the keys of storage, the outermost first."""
    key: int = MISSING
    """The node of its only key; ``MISSING`` if it has none, or several, or the code does not compute it."""
    cut: bool = False
    """Whether the expression is too long to be read: the name lists its sources."""
    strength: Strength = Strength.ATOM
    """How tightly the name holds together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRelation:
    """A condition as a comparison of two things, or of one with a constant.

    A truth value holds if it is different from the constant 0, and does not if it equals it.
    """

    left: NamedTerm
    sign: Sign
    right: NamedTerm | int
    """A constant is a word: negative numbers in two's complement."""
    signed: bool
    """Whether both sides are compared as signed numbers."""

    @property
    def readable(self) -> bool:
        """Whether both sides could be named, and not only what they depend on."""
        return not self.left.cut and (isinstance(self.right, int) or not self.right.cut)

    @property
    def text(self) -> str:
        """Return it for people: ``value >= price[_tokenId]``, ``not paused``."""
        left, right = self.left, self.right
        if right == 0 and left.kind is ValueKind.BOOL and self.sign in (Sign.EQUAL, Sign.DIFFERENT):
            if self.sign is Sign.DIFFERENT:
                return left.name
            return f"not {left.name}" if left.strength is Strength.ATOM else f"not ({left.name})"
        if isinstance(right, int):
            bound = self._constant(right)
        else:
            bound = right.name if right.strength > Strength.COMPARISON else f"({right.name})"
        name = left.name if left.strength > Strength.COMPARISON else f"({left.name})"
        return f"{name} {self.sign.value} {bound}"

    def _constant(self, value: int) -> str:
        left = self.left
        if left.members and value < len(left.members):
            return left.members[value]
        if self.signed and value >> 255:
            return str(value - (1 << 256))
        if left.kind is ValueKind.BOOL and value < 2:
            return "true" if value else "false"
        if left.kind is ValueKind.BYTES and value:
            return hex(value)
        if left.kind is ValueKind.ADDRESS and 0 < value < 1 << 160 and value.bit_count() > 1:
            return checksum_address(value.to_bytes(20, "big"))
        return digits(value)
