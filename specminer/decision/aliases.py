"""What storage held whose place a run computed otherwise: of a transfer to oneself both balances are one."""

from __future__ import annotations

from collections import ChainMap

from specminer.shadow.arena import Arena, Inputs
from specminer.shadow.evaluation import evaluate

Slots = dict[int, int]
"""What slots held when a call began."""


def slots_of(arena: Arena, inputs: Inputs) -> Slots:
    """Return what the slots held that a run read before it wrote to them."""
    slots: Slots = {}
    for node, value in inputs.items():
        key = arena.key(node)
        if key[0] == "storage" and not key[2]:
            try:
                slots[evaluate(arena, key[1], inputs)] = value
            except KeyError:
                continue
    return slots


def evaluate_by_slots(arena: Arena, node: int, inputs: Inputs, slots: Slots) -> int:
    """Return the word that a node stands for, though the run found the same slots in other ways.

    Raises:
        KeyError: it depends on something that the run did not look at.

    """
    aliases: dict[int, int] = {}
    all_inputs = ChainMap(aliases, dict(inputs))
    for item in arena.below(node):
        key = arena.key(item)
        if key[0] == "storage" and not key[2] and item not in all_inputs:
            aliases[item] = slots[evaluate(arena, key[1], all_inputs)]
    return evaluate(arena, node, all_inputs)
