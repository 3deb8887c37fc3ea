"""Which conditions only choose the function that is called."""

from __future__ import annotations

from typing import Final

from specminer.shadow.arena import SOURCES, UNKNOWN, Arena, operands_of

_SELECTOR_SHIFT: Final = 224
_SELECTOR_SIZE: Final = 4


def selects_only(arena: Arena, node: int) -> bool:
    """Return whether an expression depends on the selector that begins the calldata and on nothing else.

    Besides, dispatchers ask whether there is a selector at all, and proxies compare the whole first word with a
    selector of their own that no arguments follow.
    """
    return node != UNKNOWN and (
        _asks_for_selector(arena, node) or _is_bare_selector(arena, node) or _is_of_selector(arena, node)
    )


def _asks_for_selector(arena: Arena, node: int) -> bool:
    """Return whether an expression says that the calldata is too short for a selector."""
    key = arena.key(node)
    if key[0] == "iszero":
        return _asks_for_selector(arena, key[1])
    return (
        key[0] == "lt"
        and arena.key(key[1]) == ("data_size",)
        and 0 < arena.constants.get(key[2], 0) <= _SELECTOR_SIZE
    )


def _is_bare_selector(arena: Arena, node: int) -> bool:
    """Return whether an expression compares the first word of the calldata with a selector and zeros."""
    key = arena.key(node)
    if key[0] == "iszero":
        return _is_bare_selector(arena, key[1])
    if key[0] not in ("eq", "sub", "xor") or arena.key(key[1]) != ("calldata", 0):
        return False
    value = arena.constants.get(key[2], 0)
    return value > 0 and value % (1 << _SELECTOR_SHIFT) == 0


def _is_of_selector(arena: Arena, node: int) -> bool:
    pending, visited, reached = [node], {node}, False
    while pending:
        key = arena.key(pending.pop())
        if key[0] == "field" and key[2] >= _SELECTOR_SHIFT and arena.key(key[1]) == ("calldata", 0):
            reached = True
            continue
        operands = operands_of(key)
        if key[0] in SOURCES or UNKNOWN in operands or (not operands and key[0] != "constant"):
            return False
        for operand in operands:  # expressions share parts: each is looked at once
            if operand not in visited:
                visited.add(operand)
                pending.append(operand)
    return reached
