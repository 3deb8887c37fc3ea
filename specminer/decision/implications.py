"""Which conditions say less than others: comparisons of one expression with constants, as sets of its values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from specminer.decision.paths import PathCondition
from specminer.shadow.arena import MASK, UNKNOWN, Arena

Ranges = tuple[tuple[int, int], ...]
"""Values from the first to the last of each pair."""
_ALL: Final[Ranges] = ((0, MASK),)


def values_of(arena: Arena, condition: PathCondition) -> tuple[int, Ranges]:
    """Return an expression, and the values of it with which a condition holds."""
    node = condition.node
    if node == UNKNOWN:
        return node, _ALL
    key, constants = arena.key(node), arena.constants
    if key[0] == "lt" and key[2] in constants:
        ranges = _between(0, constants[key[2]] - 1)
        return key[1], ranges if condition.holds else _except(ranges)
    if key[0] == "lt" and key[1] in constants:
        ranges = _between(constants[key[1]] + 1, MASK)
        return key[2], ranges if condition.holds else _except(ranges)
    if key[0] == "eq" and key[2] in constants:
        ranges = _between(constants[key[2]], constants[key[2]])
        return key[1], ranges if condition.holds else _except(ranges)
    return node, _between(1, MASK) if condition.holds else ((0, 0),)


def implies(arena: Arena, first: PathCondition, second: PathCondition) -> bool:
    """Return whether the second condition holds wherever the first one does, as far as constants tell."""
    if first == second:
        return True
    if first.node == UNKNOWN or second.node == UNKNOWN:
        return False
    if _orders_sides_of(arena, first, second):
        return True
    left, values = values_of(arena, first)
    right, others = values_of(arena, second)
    return left == right and all(any(low >= a and high <= b for a, b in others) for low, high in values)


def _orders_sides_of(arena: Arena, first: PathCondition, second: PathCondition) -> bool:
    """Return whether one condition says how two expressions are related, and what the other says follows from that."""
    one, other = arena.key(first.node), arena.key(second.node)
    kinds = one[0], other[0]
    if kinds == ("lt", "eq") and first.holds:  # x < y: they are not equal
        return not second.holds and {*one[1:3]} == {*other[1:3]}
    if kinds == ("eq", "lt") and first.holds:  # x = y: none is less
        return not second.holds and {*one[1:3]} == {*other[1:3]}
    return kinds == ("lt", "lt") and first.holds and not second.holds and one[1:3] == other[2:0:-1]


def is_tautology(arena: Arena, conditions: Sequence[PathCondition]) -> bool:
    """Return whether one of some conditions always holds: the opposite of one implies another one."""
    return any(
        implies(arena, one.negation, other)
        for number, one in enumerate(conditions)
        for other in conditions[number + 1 :]
    )


def without_implied(arena: Arena, conditions: Sequence[PathCondition]) -> tuple[PathCondition, ...]:
    """Return a disjunction without the conditions that others in it follow from."""
    rest = list(conditions)
    for condition in reversed(conditions[1:]):
        if any(other != condition and implies(arena, condition, other) for other in rest):
            rest.remove(condition)
    return tuple(rest)


def all_imply(arena: Arena, strong: Iterable[PathCondition], weak: Sequence[PathCondition]) -> bool:
    """Return whether a disjunction follows from another one: each condition of that implies one of its own."""
    return all(any(implies(arena, one, other) for other in weak) for one in strong)


def _between(low: int, high: int) -> Ranges:
    return ((low, high),) if low <= high else ()


def _except(ranges: Ranges) -> Ranges:
    gaps, start = [], 0
    for low, high in ranges:
        if low > start:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= MASK:
        gaps.append((start, MASK))
    return tuple(gaps)
