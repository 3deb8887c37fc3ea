"""Bisimulation: comparing automata state by state, and merging states that are alike."""

from __future__ import annotations

from specminer.automaton.partition import bisimulation_classes
from specminer.automaton.product import reachable, side_by_side
from specminer.automaton.weighted_automaton import Automaton, from_edges


def quotient(automaton: Automaton) -> Automaton:
    """Return the automaton with bisimilar states merged, without unreachable ones.

    It accepts the same words and is bisimilar to the original; no smaller automaton is. A state's id is the
    smallest of those merged; counts of transitions that fall together add up.
    """
    reachable_part = reachable(automaton)
    columns = reachable_part.columns
    classes = bisimulation_classes(columns).tolist()
    smallest: dict[int, int] = {}
    for state, block in zip(columns.ids, classes, strict=True):
        smallest.setdefault(block, state)
    representative = {state: smallest[block] for state, block in zip(columns.ids, classes, strict=True)}
    return from_edges(
        (
            (representative[edge.source], edge.symbol, representative[edge.target], edge.count)
            for edge in reachable_part.transitions
        ),
        representative[reachable_part.initial_state],
    )


def bisimilar(left: Automaton, right: Automaton) -> bool:
    """Whether the initial states are bisimilar; then both accept the same words."""
    both, one, other = side_by_side(left, right)
    classes = bisimulation_classes(both.columns)
    return bool(classes[one] == classes[other])
