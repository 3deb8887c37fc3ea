"""Tells states apart where the code does: by conditions on which it depends what can be called.

The shortest description of a short history leaves out what happened rarely; that of a long one does not. But that
nobody can execute what too few confirmed is no habit of this history: the code says it. So states in which a condition
of the code decides a call are split by it, even if that makes the description a little longer.

A condition decides a call in a state if the call was accepted on one side of it only, and either was rejected on the
other side or came too often for chance. Of a variable several of whose values are told apart, as the code compares
them, all are: a status means something to a reader even where nothing more can be called. What is no condition of the
code never splits a state here. But an automaton of a single state says nothing: there whether something is held, or a
deadline reached, is told apart at all events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.abstraction import FALSE, TRUE, Dimension, Predicate, Tier, TruthColumn
from specminer.history import BoolColumn, IntColumn
from specminer.tuning.merging import Groups, Merging, groups_of, join_groups, without_merging
from specminer.tuning.objective import Objective

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
SEEN: Final = 2
"""Events and ends that a state needs at least."""


def split_by_enabledness(
    objective: Objective,
    start: Merging,
    accepted_as: IntColumn,
    shortest: float,
    bears_out: Callable[[Merging], bool],
) -> Merging:
    """Return an automaton with states told apart by what the code decides.

    Each time the condition is taken that makes the description longer by the least, and that unseen parts bear out.

    Args:
        objective: has the candidates.
        start: the automaton found.
        accepted_as: for each symbol the position of the same call accepted.
        shortest: the shortest description, which may become longer by :data:`LONGER` of it at most.
        bears_out: whether parts of the history that were not seen do not speak against an automaton.

    """
    limit = (1.0 + allowance(len(objective.quotient.state_before))) * shortest
    predicates = objective.vocabulary.predicates
    named = Counter(predicates[position].subject for position in start.score.selection)
    statuses = {subject for subject, count in named.items() if subject is not None and count > 1}
    left = [position for position, predicate in enumerate(predicates) if predicate.coded]
    current = start
    while True:
        split = {
            position: item
            for position in left
            if position not in current.score.selection
            and (item := _split(objective, current, position, accepted_as, statuses)) is not None
            and item.score.description_length <= limit
            and item.score.states <= MOST_STATES
        }
        if not split:
            single = current.score.states <= SINGLE
            return _first(objective, current, (1.0 + LONGER) * shortest) if single else current
        best = min(split, key=lambda position: split[position].score.key)
        left.remove(best)
        if bears_out(split[best]):
            current = split[best]


def allowance(events: int) -> float:
    """Return the share by which the description of a history of so many events may become longer."""
    return LONGER * min(1.0, max(0, LONG - events) / (LONG - SHORT))


def _first(objective: Objective, start: Merging, limit: float) -> Merging:
    """Return the automaton that tells apart whether something is held, or a deadline reached, whichever is shorter.

    That is the automaton itself where nothing of the kind is known, or all descriptions are longer than ``limit``.
    """
    told = [
        without_merging(objective, tuple(sorted((*start.score.selection, position))))
        for position, predicate in enumerate(objective.vocabulary.predicates)
        if _is_telling(objective, predicate)
    ]
    return min(
        (item for item in told if item.score.description_length <= limit),
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
    held = formula.is_equals() and formula.arg(1).is_int_constant() and not formula.arg(1).constant_value()
    return bool(held) and objective.vocabulary.dimensions.get(predicate.subject or "") is Dimension.MONEY


def _split(
    objective: Objective,
    item: Merging,
    position: int,
    accepted_as: IntColumn,
    statuses: Collection[str | None],
) -> Merging | None:
    """Return an automaton in which a predicate splits the states that it decides in; ``None`` if there are none.

    What compares one of the ``statuses`` with a value splits all states.
    """
    column = objective.quotient.valuations[position]
    known = objective.vocabulary.predicates
    apart = [
        state
        for state in range(1, item.score.states)
        if known[position].subject in statuses
        or _decides(objective, np.equal(item.blocks, state), column, accepted_as)
    ]
    if not apart:
        return None
    selection = tuple(sorted((*item.score.selection, position)))
    blocks = objective.quotient.coarsen(selection)
    finer = np.where(np.isin(item.blocks, apart), column, 0)
    return join_groups(objective, selection, _groups(blocks, item.blocks, finer))


def _groups(blocks: IntColumn, states: IntColumn, finer: IntColumn) -> Groups:
    """Return which of ``blocks`` belong together: those of one state that ``finer`` does not tell apart."""
    return groups_of(blocks, states * 3 + finer)


def _decides(objective: Objective, inside: BoolColumn, column: TruthColumn, accepted_as: IntColumn) -> bool:
    """Return whether a predicate decides what can be called in a state.

    Args:
        objective: has the events.
        inside: which finest states belong to the state.
        column: the value of the predicate in each finest state.
        accepted_as: for each symbol the position of the same call accepted.

    """
    graph = objective.quotient
    values = set(column[inside].tolist())
    if values != {TRUE, FALSE}:
        return False
    leaves = inside[graph.source] & ~graph.given
    side = np.equal(column[graph.source], TRUE)
    call = accepted_as[graph.symbol]
    refused = graph.rejected[graph.symbol]
    counts = np.zeros((2, 2, graph.symbols), dtype=np.int64)
    np.add.at(
        counts,
        (side[leaves].astype(np.int64), refused[leaves].astype(np.int64), call[leaves]),
        graph.count[leaves],
    )
    ends = [int(graph.ends[inside & np.equal(column, value)].sum()) for value in (FALSE, TRUE)]
    total = counts.sum(axis=(1, 2))
    if min(int(total[0]) + ends[0], int(total[1]) + ends[1]) < SEEN:
        return False
    return any(_is_decided(counts, total, own) for own in (0, 1))


def _is_decided(counts: npt.NDArray[np.int64], total: IntColumn, own: int) -> bool:
    """Return whether a call was accepted on one side only, and not by chance."""
    accepted, there, rejected = counts[own, 0], counts[1 - own, 0], counts[1 - own, 1]
    only = (accepted > 0) & (there == 0)
    share = float(total[own]) / max(1, int(total.sum()))
    told = (rejected > 0) | ((accepted >= FEW) & (share ** accepted.astype(np.float64) <= CHANCE))
    return bool((only & told).any())
