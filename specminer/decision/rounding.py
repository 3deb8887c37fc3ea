"""Quotients that are rounded up: one more where something is left over."""

from __future__ import annotations

from specminer.shadow.arena import Arena, Key


def rounded_up(arena: Arena, key: Key) -> int | None:
    """Return the quotient that a sum rounds up: ``x * y / z`` of ``(x * y % z != 0) + x * y / z``.

    The rest is that of the product without bounds (``MULMOD``), or of the word.
    """
    for increment, quotient in (key[1:3], key[2:0:-1]):
        division = arena.key(quotient)
        if division[0] == "div" and _is_rest(
            arena, _counted_node(arena, increment), division[1], division[2]
        ):
            return int(quotient)
    return None


def _counted_node(arena: Arena, node: int) -> int | None:
    """Return what it is asked of whether it is zero, where that is 1 if it is not."""
    negations = 0
    key = arena.key(node)
    while key[0] == "iszero":
        node, negations = key[1], negations + 1
        key = arena.key(node)
    if key[0] == "lt" and arena.constants.get(key[1]) == 0:
        return int(key[2]) if not negations % 2 else None
    return node if negations and not negations % 2 else None


def _is_rest(arena: Arena, node: int | None, dividend: int, divisor: int) -> bool:
    if node is None:
        return False
    rest = arena.key(node)
    if rest[0] == "mod":
        return rest[1:] == (dividend, divisor)
    product = arena.key(dividend)
    return (
        rest[0] == "mulmod"
        and rest[3] == divisor
        and product[0] == "mul"
        and sorted(rest[1:3]) == sorted(product[1:3])
    )
