"""Tells states apart where the code does: by conditions on which it depends what can be called.

The shortest description of a short history leaves out what happened rarely; that of a long one does not. But that
nobody can execute what too few confirmed is no habit of this history: the code says it. So states in which a condition
of the code decides a call are split by it, even if that makes the description a little longer.

A condition decides a call in a state if the call was accepted on one side of it only, and either was rejected on the
other side or came too often for chance. Of a choice, such as an enum, and of a variable several of whose values are
told apart, all are, as the code compares them: a status means something to a reader even where nothing more can be
called. Where unseen parts do not bear out that all these states are split, one of them may be alone. A condition that
splits a state here splits those before it as well from which an event leads to either side, if it alone tells to which.
What is no condition of the code never splits a state here. But an automaton of a single state says nothing: there
whether something is held, or a deadline reached, is told apart at all events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.event_table import Dimension
from specminer.learning.objective import Objective, Selection
from specminer.learning.state_merging import Merging, groups_of, join_groups, without_merging
from specminer.learning.vocabulary import FALSE, TRUE, Predicate, TruthColumn
from specminer.specification.abstraction_entries import Tier

SHORT: Final = 1_000
LONG: Final = 2_000
"""The shortest description of a history leaves out the less that matters the more events there are."""
LONGER: Final = 0.2
"""Share by which the description may become longer, in all: of a history of at most ``SHORT`` events. From there on the
share falls, in proportion, to nothing at ``LONG``."""
MOST_STATES: Final = 9
"""With the initial one: more are not drawn."""
CHANCE: Final = 0.05
"""Where nobody was rejected, calls come on one side only by chance with this probability at most."""
FEW: Final = 3
"""Fewer calls than these prove nothing without rejections."""
SINGLE: Final = 2
"""So many states has an automaton that tells none apart, with the initial one."""
MIN_EVENTS: Final = 2
"""Events and ends that a state needs at least."""


class Tolerance(Enum):
    """How much may be lost of what unseen parts of a long history bear out; of a short one a little may always be."""

    NOTHING = "nothing"
    """Where a split makes the description longer."""
    ONE = "one"
    """One interaction may be refused, and halves may differ in a few: where the description becomes shorter."""
    LITTLE = "little"
    """A hundredth: where values of a choice are told apart. The code's author says that they are states."""

    @classmethod
    def of(cls, item: Merging, other: Merging) -> Self:
        """Return how much an automaton that another one is split into may lose beside it."""
        is_shorter = item.score.description_length < other.score.description_length
        return cls.ONE if is_shorter else cls.NOTHING


def split_by_enabledness(
    objective: Objective,
    start: Merging,
    accepted_as: IntColumn,
    shortest: float,
    bears_out: Callable[[Merging, Tolerance], bool],
) -> Merging:
    """Return an automaton with states told apart by what the code decides.

    Each time the condition is taken that makes the description longer by the least, and that unseen parts bear out.

    Args:
        objective: has the candidates.
        start: the automaton found.
        accepted_as: for each symbol the position of the same call accepted.
        shortest: the shortest description, which may become longer by :data:`LONGER` of it at most.
        bears_out: whether parts of the history that were not seen do not speak against an automaton, but for so much.

    """
    predicates = objective.vocabulary.predicates
    subject_counts = Counter(predicates[position].subject for position in start.score.selection)
    splitting = _Splitting(
        objective=objective,
        accepted_as=accepted_as,
        statuses=frozenset(
            subject for subject, count in subject_counts.items() if subject is not None and count > 1
        ),
        limit=(1.0 + allowance(len(objective.quotient.state_before))) * shortest,
    )
    left = [position for position, predicate in enumerate(predicates) if predicate.coded]
    current = start
    for subject in subject_counts:
        choice = splitting.split_by_choice(current, subject)
        if choice is not None and bears_out(choice, Tolerance.LITTLE):
            current = choice
    while True:
        split = {
            position: item
            for position in left
            if (item := next(splitting.splits(current, position), None)) is not None
        }
        if not split:
            single = current.score.states <= SINGLE
            return _first(objective, current, (1.0 + LONGER) * shortest) if single else current
        best = min(split, key=lambda position: split[position].score.key)
        candidates = splitting.splits(current, best)
        better = next((item for item in candidates if bears_out(item, Tolerance.of(item, current))), None)
        if better is None:
            left.remove(best)
        else:
            current = better


def allowance(events: int) -> float:
    """Return the share by which the description of a history of so many events may become longer."""
    return LONGER * min(1.0, max(0, LONG - events) / (LONG - SHORT))


def _first(objective: Objective, start: Merging, limit: float) -> Merging:
    """Return the automaton that tells apart whether something is held, or a deadline reached, whichever is shorter.

    That is the automaton itself where nothing of the kind is known, or all descriptions are longer than ``limit``.
    """
    mergings = [
        without_merging(objective, tuple(sorted((*start.score.selection, position))))
        for position, predicate in enumerate(objective.vocabulary.predicates)
        if _is_telling(objective, predicate)
    ]
    return min(
        (item for item in mergings if item.score.description_length <= limit),
        key=lambda item: item.score.key,
        default=start,
    )


def _is_telling(objective: Objective, predicate: Predicate) -> bool:
    """Return whether a predicate says that something is held, or is a flag that the code computes."""
    formula = predicate.formula
    if predicate.tier is not Tier.STORAGE:
        return False
    if formula.is_symbol() or predicate.coded:
        return predicate.coded
    is_zero_comparison = (
        formula.is_equals() and formula.arg(1).is_int_constant() and not formula.arg(1).constant_value()
    )
    return (
        bool(is_zero_comparison)
        and objective.vocabulary.dimensions.get(predicate.subject or "") is Dimension.MONEY
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Splitting:
    """Splits states by conditions of the code."""

    objective: Objective
    accepted_as: IntColumn
    """For each symbol the position of the same call accepted."""
    statuses: Collection[str | None]
    """Variables of which several values are told apart: what compares one of them splits all states."""
    limit: float
    """The longest description."""

    def splits(self, item: Merging, position: int) -> Iterator[Merging]:
        """Yield automata in which a predicate splits states: all that it decides in, then each alone.

        States that are visited most stand first.
        """
        states = self._states_to_split(item, position)
        if not states:
            return
        several = len(states) > 1 and not self._is_status(position)
        often = sorted(states, key=lambda state: (-self._count_events(item, state), state))
        for apart in (states, *([state] for state in often if several)):
            split = self._split(item, (position,), apart)
            if self._is_short(split):
                yield split

    def split_by_choice(self, item: Merging, subject: str | None) -> Merging | None:
        """Return an automaton in which all values of a choice are told apart, such as an enum's, as the code has them.

        ``None`` if there are no others, or too many.
        """
        vocabulary = self.objective.vocabulary
        if subject is None or vocabulary.dimensions.get(subject) is not Dimension.NONE:
            return None
        coded = [position for position in vocabulary.groups[subject] if vocabulary.predicates[position].coded]
        positions = tuple(position for position in coded if position not in item.score.selection)
        split = self._split(item, positions, range(1, item.score.states)) if positions else None
        return split if split is not None and self._is_short(split) else None

    def _is_short(self, item: Merging) -> bool:
        return item.score.description_length <= self.limit and item.score.states <= MOST_STATES

    def _count_events(self, item: Merging, state: int) -> int:
        """Return how many events a state has behind it."""
        graph = self.objective.quotient
        return int(graph.count[np.equal(item.blocks[graph.source], state)].sum())

    def _is_status(self, position: int) -> bool:
        return self.objective.vocabulary.predicates[position].subject in self.statuses

    def _states_to_split(self, item: Merging, position: int) -> list[int]:
        """Return the states that a predicate splits: those that it decides in, or from which events lead to those."""
        column = self.objective.quotient.valuations[position]
        is_selected = position in item.score.selection
        return [
            state
            for state in range(1, item.score.states)
            if (self._is_status(position) and not is_selected)
            or _decides(self.objective, np.equal(item.blocks, state), column, self.accepted_as)
            or (is_selected and _leads_apart(self.objective, item.blocks, state, column))
        ]

    def _split(self, item: Merging, positions: Selection, apart: Collection[int]) -> Merging:
        """Return an automaton in which some predicates split some states."""
        graph = self.objective.quotient
        selection = tuple(sorted({*item.score.selection, *positions}))
        blocks, finer = graph.coarsen(selection), graph.coarsen(positions)
        finer = np.where(np.isin(item.blocks, list(apart)), finer, 0)
        groups = groups_of(blocks, item.blocks * graph.states + finer)
        return join_groups(self.objective, selection, groups)


def _leads_apart(objective: Objective, blocks: IntColumn, state: int, column: TruthColumn) -> bool:
    """Return whether the same event leads from a state to one of two others, and a predicate alone tells to which.

    It has one value in all of the one, and the other value in all of the other; on each side of it in the state, the
    event always leads to the state of the same side.
    """
    graph = objective.quotient
    inside = np.equal(blocks, state)
    if not _has_both(objective, inside, column):
        return False
    leaves = inside[graph.source] & ~graph.rejected[graph.symbol]
    for symbol in np.unique(graph.symbol[leaves]).tolist():
        edges = leaves & np.equal(graph.symbol, symbol)
        targets = [
            np.unique(blocks[graph.target[edges & np.equal(column[graph.source], value)]])
            for value in (FALSE, TRUE)
        ]
        if [len(reached) for reached in targets] == [1, 1] and all(
            (column[np.equal(blocks, reached[0])] == value).all()
            for reached, value in zip(targets, (FALSE, TRUE), strict=True)
        ):
            return True
    return False


def _has_both(objective: Objective, inside: BoolColumn, column: TruthColumn) -> bool:
    """Return whether a predicate is true and false in a state, each at enough events and ends."""
    graph = objective.quotient
    if set(column[inside].tolist()) != {TRUE, FALSE}:
        return False
    leaves = inside[graph.source] & ~graph.is_flag_change
    events = [
        int(graph.count[leaves & np.equal(column[graph.source], value)].sum())
        + int(graph.ends[inside & np.equal(column, value)].sum())
        for value in (FALSE, TRUE)
    ]
    return min(events) >= MIN_EVENTS


def _decides(objective: Objective, inside: BoolColumn, column: TruthColumn, accepted_as: IntColumn) -> bool:
    """Return whether a predicate decides what can be called in a state.

    Args:
        objective: has the events.
        inside: which finest states belong to the state.
        column: the value of the predicate in each finest state.
        accepted_as: for each symbol the position of the same call accepted.

    """
    if not _has_both(objective, inside, column):
        return False
    true = np.equal(column, TRUE)
    return is_decided_between(objective, inside & ~true, inside & true, accepted_as)


def is_decided_between(
    objective: Objective, one: BoolColumn, other: BoolColumn, accepted_as: IntColumn
) -> bool:
    """Return whether a call was accepted in one of two states only, and not by chance.

    Args:
        objective: has the events.
        one: which finest states belong to the one state.
        other: the same of the other.
        accepted_as: for each symbol the position of the same call accepted.

    """
    graph = objective.quotient
    leaves = (one | other)[graph.source] & ~graph.is_flag_change
    call = accepted_as[graph.symbol]
    refused = graph.rejected[graph.symbol]
    counts = np.zeros((2, 2, graph.symbols), dtype=np.int64)
    np.add.at(
        counts,
        (
            other[graph.source][leaves].astype(np.int64),
            refused[leaves].astype(np.int64),
            call[leaves],
        ),
        graph.count[leaves],
    )
    total = counts.sum(axis=(1, 2))
    return any(_is_decided(counts, total, own) for own in (0, 1))


def _is_decided(counts: npt.NDArray[np.int64], total: IntColumn, own: int) -> bool:
    """Return whether a call was accepted on one side only, and not by chance."""
    accepted, there, rejected = counts[own, 0], counts[1 - own, 0], counts[1 - own, 1]
    only = (accepted > 0) & (there == 0)
    share = float(total[own]) / max(1, int(total.sum()))
    is_significant = (rejected > 0) | ((accepted >= FEW) & (share ** accepted.astype(np.float64) <= CHANCE))
    return bool((only & is_significant).any())
