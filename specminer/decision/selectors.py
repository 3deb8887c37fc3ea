"""Which conditions only choose the function that is called."""

from __future__ import annotations

from typing import Final

from specminer.evm.shadow.arena import UNKNOWN, Arena, operands_of

_SELECTOR_SHIFT: Final = 224


def selects_only(arena: Arena, node: int) -> bool:
    """Return whether an expression depends on the selector that begins the calldata and on nothing else."""
    pending, seen, reached = [node], {node}, False
    while pending:
        item = pending.pop()
        if item == UNKNOWN:
            return False
        key = arena.key(item)
        if key[0] == "field" and key[2] >= _SELECTOR_SHIFT and arena.key(key[1]) == ("calldata", 0):
            reached = True
            continue
        operands = operands_of(key)
        if not operands and item not in arena.constants:
            return False
        for operand in operands:  # expressions share parts: each is looked at once
            if operand not in seen:
                seen.add(operand)
                pending.append(operand)
    return reached
