"""Joins states that only a deadline tells apart, where it decides nothing.

A deadline tells *active* from *over*. Where the values of an enum are states as well, it would also tell apart *closed
before its end* and *closed, and past its end*, between which nothing changes for anybody. Such states are one: the same
calls are accepted on both sides, and they lead to the same states.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.enabling_states import SINGLE, is_decided_between
from specminer.learning.objective import Objective
from specminer.learning.state_merging import (
    MOST_STATES,
    Merging,
    choices_of,
    groups_of,
    join_groups,
    lean,
    one_conjunction_describes,
    valuations_of,
)


def join_idle_deadlines(objective: Objective, item: Merging, accepted_as: IntColumn) -> Merging:
    """Return an automaton without states that only deadlines tell apart, and between which nothing is decided.

    None is joined where that would make the description longer, or leave a single state.

    Args:
        objective: has the candidates.
        item: the automaton.
        accepted_as: for each symbol the position of the same call accepted.

    """
    current = item
    while (joined := next(_join_pairs(objective, current, accepted_as), None)) is not None:
        current = joined
    return current if current is item else lean(objective, current)


def _join_pairs(objective: Objective, item: Merging, accepted_as: IntColumn) -> Iterator[Merging]:
    """Yield the automata in which one pair of states is joined."""
    selection = item.score.selection
    timed = [row for row, position in enumerate(selection) if position in objective.deadlines]
    fixed = objective.vocabulary.fixed
    if item.score.states <= SINGLE + 1 or not timed or any(selection[row] in fixed for row in timed):
        return
    blocks = objective.quotient.coarsen(selection)
    groups = groups_of(blocks, item.blocks)
    if len(groups) > MOST_STATES:
        return
    valuations = valuations_of(objective, selection, blocks)
    timeless = np.delete(valuations, timed, axis=0)
    choices = choices_of(objective, selection, valuations)
    descriptions = [frozenset(timeless[:, state].tobytes() for state in group) for group in groups]
    for first, second in combinations(range(len(groups)), 2):
        both = tuple(sorted((*groups[first], *groups[second])))
        if descriptions[first] != descriptions[second]:
            continue
        if not one_conjunction_describes(both, valuations, choices):
            continue
        one, other = (np.isin(blocks, groups[position]) for position in (first, second))
        if is_decided_between(objective, one, other, accepted_as):
            continue
        if _lead_apart(objective, item.blocks, one, other):
            continue
        unchanged = (group for position, group in enumerate(groups) if position not in (first, second))
        joined = join_groups(objective, selection, tuple(sorted([both, *unchanged])))
        if joined.score.description_length <= item.score.description_length:
            yield joined


def _lead_apart(objective: Objective, blocks: IntColumn, one: BoolColumn, other: BoolColumn) -> bool:
    """Return whether the same event leads from one state always to a third one, from the other always to a fourth."""
    graph = objective.quotient
    inside = one | other
    for symbol in np.unique(graph.symbol[inside[graph.source] & ~graph.rejected[graph.symbol]]).tolist():
        targets = []
        for side in (one, other):
            reached = graph.target[side[graph.source] & np.equal(graph.symbol, symbol)]
            targets.append(set(np.where(inside[reached], -1, blocks[reached]).tolist()))
        if all(targets) and targets[0].isdisjoint(targets[1]):
            return True
    return False
