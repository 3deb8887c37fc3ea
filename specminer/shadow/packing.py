"""What stands in some bits of a word that the code put together from several values by masks and shifts."""

from __future__ import annotations

from typing import Any, Final, Protocol

MAX_DEEP: Final = 8
"""How deeply words are looked into that are joined from others."""
NOTHING: Final = 0
"""Stands for bits whose value follows from the code alone."""
Piece = tuple[int, int, int]
"""(node, shift, bits): so many bits of a node, the lowest ``shift`` left away."""


class Expressions(Protocol):
    """What is looked at of an arena."""

    constants: dict[int, int]

    def key(self, node: int) -> tuple[Any, ...]:
        """Return the kind of a node, its operands and what else belongs to it."""
        ...

    def bits(self, node: int) -> int:
        """Return a number of bits that a node's value never exceeds."""
        ...


def packed_piece(arena: Expressions, key: tuple[Any, ...], shift: int, bits: int) -> Piece | None:
    """Return what stands in some bits of a word that is a disjunction, or is masked by a constant.

    Args:
        arena: holds the expressions.
        key: that of the word, of kind ``or`` or ``and``.
        shift: the lowest of the bits.
        bits: how many they are.

    Returns:
        The bits of one of the operands that they are; with the node ``NOTHING`` for a constant of the code; ``None`` if
        they are neither.

    """
    kind, first, second = key
    if kind == "and":
        mask = arena.constants.get(second)
        if mask is None:
            return None
        ones = _part(mask, shift, bits)
        if not ones:
            return NOTHING, shift, bits
        return (first, shift, bits) if ones == (1 << bits) - 1 else None
    candidates = [item for item in (first, second) if not is_empty(arena, item, shift, bits)]
    if len(candidates) > 1:
        return None
    if not candidates or candidates[0] in arena.constants:
        return NOTHING, shift, bits
    return candidates[0], shift, bits


def is_empty(arena: Expressions, node: int, shift: int, bits: int, deep: int = 0) -> bool:
    """Return whether some bits of a word are zero whatever its sources hold; ``False`` also if that is not known."""
    if node in arena.constants:
        return not _part(arena.constants[node], shift, bits)
    kind, *rest = arena.key(node)
    if shift >= arena.bits(node):
        return True
    if deep == MAX_DEEP:
        return False
    if kind == "and":
        mask = arena.constants.get(rest[1])
        if mask is not None:
            return not _part(mask, shift, bits) or is_empty(arena, rest[0], shift, bits, deep + 1)
        return any(is_empty(arena, item, shift, bits, deep + 1) for item in rest)
    if kind == "or":
        return all(is_empty(arena, item, shift, bits, deep + 1) for item in rest)
    if kind == "shifted":
        above = shift + bits - rest[1]
        low = max(0, shift - rest[1])
        return above <= 0 or is_empty(arena, rest[0], low, above - low, deep + 1)
    return False


def _part(word: int, shift: int, bits: int) -> int:
    return word >> shift & ((1 << bits) - 1)
