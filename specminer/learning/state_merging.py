"""Joins states of an automaton where a reader loses little, and only into states with a plain description.

A block of states may become one only if a single conjunction describes it, which holds in no other state: of the chosen
predicates on which its states agree, and of choices between values of a variable (``status = 1 or status = 2``).
(Joining freely gives unreadable unions, and gains nothing.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import comb, log2
from typing import Final, TypeAlias

import numpy as np

from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.learning.objective import Objective, Selection, SelectionScore
from specminer.learning.quotient import ROOT
from specminer.learning.vocabulary import TRUE, TruthColumn

MOST_STATES: Final = 24
"""Automata with more states are not merged: a reader is lost anyway, and pairs grow with the square."""


Groups: TypeAlias = tuple[tuple[int, ...], ...]
"""States of the unmerged automaton that are joined, ascending; the root is in none."""
Clause: TypeAlias = tuple[tuple[int, int], ...]
"""(position of a predicate, value): one of them holds. Several are values of one variable."""
Cube: TypeAlias = tuple[Clause, ...]
"""A conjunction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """An automaton over a selection of predicates, some of whose states are joined."""

    score: SelectionScore
    blocks: IntColumn
    """State of each finest state; shape (s,)."""
    cubes: tuple[Cube, ...] = ()
    """For each joined state what its conjunction says."""
    conjunction_bits: float = 0.0
    """Bits to tell these conjunctions, before weighting."""


def without_merging(objective: Objective, selection: Selection) -> Merging:
    """Return the automaton of a selection as it is, but that ends which only deadlines tell apart are one state.

    Where no call is ever accepted again, it means nothing that a deadline passes.
    """
    blocks = objective.quotient.coarsen(selection)
    as_it_is = Merging(score=objective.score(selection), blocks=blocks)
    timed = [row for row, position in enumerate(selection) if position in objective.deadlines]
    if not timed:
        return as_it_is
    valuations = valuations_of(objective, selection, blocks)
    if valuations.shape[1] > MOST_STATES + 1:
        return as_it_is
    ends = np.flatnonzero(~objective.counts(selection, blocks).alive)
    choices = choices_of(objective, selection, valuations)
    joined = _ends_joined(ends[ends != ROOT], np.delete(valuations, timed, axis=0), valuations, choices)
    if not joined:
        return as_it_is
    alone = set(range(1, valuations.shape[1])).difference(*joined)
    groups = tuple(sorted([*joined, *((state,) for state in alone)]))
    return _build_merging(objective, selection, blocks, groups, valuations, choices)


def _ends_joined(
    ends: IntColumn, timeless: TruthColumn, valuations: TruthColumn, choices: Sequence[ValueChoice]
) -> list[tuple[int, ...]]:
    """Return the ends that ``timeless`` predicates do not tell apart, where one conjunction describes them."""
    alike: dict[bytes, list[int]] = {}
    for state in ends.tolist():
        alike.setdefault(timeless[:, state].tobytes(), []).append(state)
    return [
        tuple(states)
        for states in alike.values()
        if len(states) > 1 and one_conjunction_describes(states, valuations, choices)
    ]


def without(objective: Objective, point: Merging, position: int) -> SelectionScore:
    """Return the score of an automaton that is told one predicate less: what only it told apart is joined."""
    selection = tuple(other for other in point.score.selection if other != position)
    coarse = objective.quotient.coarsen(selection)
    parent = list(range(int(point.blocks.max()) + 1))
    first: dict[int, int] = {}
    for state, group in zip(point.blocks.tolist(), coarse.tolist(), strict=True):
        if state != ROOT:
            one, other = _root(parent, first.setdefault(group, state)), _root(parent, state)
            parent[max(one, other)] = min(one, other)
    roots = np.array([_root(parent, state) for state in range(len(parent))], dtype=np.int64)
    return objective.score_merging(selection, np.unique(roots, return_inverse=True)[1].ravel()[point.blocks])


def _root(parent: list[int], state: int) -> int:
    while parent[state] != state:
        state = parent[state]
    return state


def steps(objective: Objective, start: Merging) -> Iterator[Merging]:
    """Yield ever smaller automata, each by the joining that costs least, down to a single state.

    What the definition fixes stays told apart. The objective may rise before it falls; who asks decides where to stop.
    """
    selection = start.score.selection
    blocks = objective.quotient.coarsen(selection)
    valuations = valuations_of(objective, selection, blocks)
    fixed_rows = [row for row, position in enumerate(selection) if position in objective.vocabulary.fixed]
    groups = groups_of(blocks, start.blocks)
    choices = choices_of(objective, selection, valuations)
    if len(groups) > MOST_STATES:
        return
    while len(groups) > 1:
        candidates = {
            joined: _build_merging(objective, selection, blocks, joined, valuations, choices)
            for joined in sorted(set(_joinable(groups, valuations, choices, fixed_rows)))
        }
        if not candidates:
            return
        groups = min(candidates, key=lambda key: (candidates[key].score.key, key))
        yield candidates[groups]


def lean(objective: Objective, item: Merging) -> Merging:
    """Return the same automaton without the predicates that tell none of its states apart any more.

    One of many values stays where naming all of them is shorter than naming some.
    """
    while True:
        free = [position for position in item.score.selection if position not in objective.vocabulary.fixed]
        shorter = [
            candidate
            for position in free
            if (candidate := _untold(objective, item, position)) is not None
            and candidate.score.key < item.score.key
        ]
        if not shorter:
            return item
        item = min(shorter, key=lambda candidate: candidate.score.key)


def _untold(objective: Objective, item: Merging, position: int) -> Merging | None:
    """Return the same automaton without a predicate; ``None`` if it is needed to say what a state is."""
    selection = tuple(other for other in item.score.selection if other != position)
    blocks = objective.quotient.coarsen(selection)
    pairs = np.unique(blocks * (int(item.blocks.max()) + 1) + item.blocks)
    if len(pairs) != int(blocks.max()) + 1:
        return None
    valuations = valuations_of(objective, selection, blocks)
    groups = groups_of(blocks, item.blocks)
    choices = choices_of(objective, selection, valuations)
    if not all(one_conjunction_describes(group, valuations, choices) for group in groups):
        return None
    return _build_merging(objective, selection, blocks, groups, valuations, choices)


def groups_of(blocks: IntColumn, merged: IntColumn) -> Groups:
    """Return which states of an unmerged automaton are already joined.

    Args:
        blocks: the unmerged automaton's state of each finest state; shape (s,).
        merged: equal for two finest states exactly if they belong to one state; shape (s,).

    """
    groups: dict[int, set[int]] = {}
    for state, block in zip(blocks.tolist(), merged.tolist(), strict=True):
        if state != ROOT:
            groups.setdefault(block, set()).add(state)
    return tuple(sorted(tuple(sorted(states)) for states in groups.values()))


def follow(objective: Objective, selection: Selection, cubes: Sequence[Cube]) -> Merging:
    """Return the automaton of a selection with the states joined that satisfy one of the conjunctions."""
    blocks = objective.quotient.coarsen(selection)
    valuations = valuations_of(objective, selection, blocks)
    left = list(range(1, valuations.shape[1]))
    groups: list[tuple[int, ...]] = []
    for cube in cubes:
        rows = [[(selection.index(position), value) for position, value in clause] for clause in cube]
        inside = tuple(
            state
            for state in left
            if all(any(valuations[row, state] == value for row, value in clause) for clause in rows)
        )
        if inside:
            groups.append(inside)
            left = [state for state in left if state not in inside]
    joined = tuple(sorted([*groups, *((state,) for state in left)]))
    choices = choices_of(objective, selection, valuations)
    return _build_merging(objective, selection, blocks, joined, valuations, choices)


def join_groups(objective: Objective, selection: Selection, groups: Groups) -> Merging:
    """Return the automaton of a selection whose states are joined in groups, each told by one conjunction."""
    blocks = objective.quotient.coarsen(selection)
    valuations = valuations_of(objective, selection, blocks)
    return _build_merging(
        objective, selection, blocks, groups, valuations, choices_of(objective, selection, valuations)
    )


def valuations_of(objective: Objective, selection: Selection, blocks: IntColumn) -> TruthColumn:
    """Return the value of each chosen predicate in each state; shape (len(selection), b)."""
    valuations = np.zeros((len(selection), int(blocks.max()) + 1), dtype=np.int8)
    valuations[:, blocks] = objective.quotient.valuations[list(selection)]
    return valuations


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChoice:
    """A variable of which several values are chosen predicates."""

    rows: tuple[int, ...]
    """These predicates' places in the selection."""
    values: IntColumn
    """Which of them holds in each state; ``MISSING`` is none; shape (b,)."""

    def among(self, states: IntColumn) -> IntColumn:
        """Return the values that some states have, ascending; none if one of them has another one."""
        distinct = np.unique(self.values[states])
        return distinct[:0] if distinct[0] == MISSING else distinct

    def shown_rows(self, among: IntColumn) -> tuple[int, ...]:
        """Return the rows of values to choose between; none if it is shorter to say which ones are excluded."""
        complete = bool((np.delete(self.values, ROOT) != MISSING).all())
        if complete and len(self.rows) - len(among) < len(among):
            return ()
        return tuple(self.rows[value] for value in among.tolist())


def choices_of(objective: Objective, selection: Selection, valuations: TruthColumn) -> list[ValueChoice]:
    """Return the variables of which several values are chosen; states are the columns of ``valuations``."""
    choices = []
    for positions in objective.vocabulary.groups.values():
        rows = tuple(row for row, position in enumerate(selection) if position in positions)
        if len(rows) > 1:
            true = valuations[list(rows)] == TRUE
            values = np.where(true.any(axis=0), true.argmax(axis=0), MISSING)
            choices.append(ValueChoice(rows=rows, values=values))
    return choices


def _joinable(
    groups: Groups, valuations: TruthColumn, choices: Sequence[ValueChoice], fixed_rows: list[int]
) -> Iterator[Groups]:
    """Yield what one joining makes of the groups; ``fixed_rows`` are rows that no joined state may leave open."""
    for first in range(len(groups)):
        for second in range(first + 1, len(groups)):
            both = np.array([*groups[first], *groups[second]])
            fixed = valuations[fixed_rows][:, both]
            if (fixed != fixed[:, :1]).any():
                continue
            inside = _covered_states(both, valuations, choices)
            joined_groups = [group for group in groups if inside[list(group)].any()]
            if all(inside[list(group)].all() for group in joined_groups):
                joined = tuple(sorted(state for group in joined_groups for state in group))
                yield tuple(sorted([joined, *(group for group in groups if group not in joined_groups)]))


def one_conjunction_describes(
    states: Collection[int], valuations: TruthColumn, choices: Sequence[ValueChoice]
) -> bool:
    """Return whether one conjunction holds in some states, and in no other."""
    return int(_covered_states(np.array(list(states)), valuations, choices).sum()) == len(states)


def _covered_states(states: IntColumn, valuations: TruthColumn, choices: Sequence[ValueChoice]) -> BoolColumn:
    """Return which states satisfy all that one conjunction can say of some states; the root never does."""
    agreed = (valuations[:, states] == valuations[:, states[:1]]).all(axis=1)
    inside: BoolColumn = (valuations[agreed] == valuations[agreed][:, states[:1]]).all(axis=0)
    for choice in choices:
        among = choice.among(states)
        if len(among):
            inside &= np.isin(choice.values, among)
    inside[ROOT] = False
    return inside


def _build_merging(
    objective: Objective,
    selection: Selection,
    blocks: IntColumn,
    groups: Groups,
    valuations: TruthColumn,
    choices: Sequence[ValueChoice],
) -> Merging:
    number = np.zeros(int(blocks.max()) + 1, dtype=np.int64)
    for state, group in enumerate(groups, start=1):  # groups stand in the order of their first states
        number[list(group)] = state
    merged = number[blocks]
    cubes = _cubes(groups, valuations, choices, selection)
    bits = told_bits(objective, selection, cubes)
    return Merging(
        score=objective.score_merging(selection, merged, bits),
        blocks=merged,
        cubes=cubes,
        conjunction_bits=bits,
    )


def told_bits(objective: Objective, selection: Selection, cubes: Sequence[Cube]) -> float:
    """Return the bits to tell which states are joined.

    For each conjunction which of the chosen variables and predicates it leaves open, and which values a choice is
    between.
    """
    candidates, groups = objective.vocabulary.predicates, objective.vocabulary.groups
    units = {candidates[position].subject or position for position in selection}
    bits = 0.0
    for cube in cubes:
        subjects = {candidates[clause[0][0]].subject or clause[0][0] for clause in cube}
        bits += log2(comb(len(units), len(subjects)))
        for clause in cube:
            subject = candidates[clause[0][0]].subject
            if len(clause) > 1 and subject is not None:
                bits += (len(clause) + 1) * log2(len(groups[subject]))
    return bits


def _cubes(
    groups: Groups, valuations: TruthColumn, choices: Sequence[ValueChoice], selection: Selection
) -> tuple[Cube, ...]:
    return tuple(_cube(np.array(group), valuations, choices, selection) for group in groups if len(group) > 1)


def _cube(
    states: IntColumn, valuations: TruthColumn, choices: Sequence[ValueChoice], selection: Selection
) -> Cube:
    """Return what some states have in common; a choice between values stands for those that it excludes."""
    agreed = (valuations[:, states] == valuations[:, states[:1]]).all(axis=1)
    clauses: dict[int, Clause] = {
        row: ((selection[row], int(valuations[row, states[0]])),) for row in np.flatnonzero(agreed).tolist()
    }
    for choice in choices:
        rows = choice.shown_rows(choice.among(states))
        if len(rows) > 1:
            for row in choice.rows:
                clauses.pop(row, None)
            clauses[rows[0]] = tuple((selection[row], TRUE) for row in rows)
    return tuple(clause for _, clause in sorted(clauses.items()))
