"""Climbs from one set of predicates to better ones.

Exhaustive over at most ten candidates. Else it adds or drops the predicate that lowers the objective most,
swaps one where neither helps (all values of a variable move together, too), and starts from nothing, from each of
the two best single predicates, from two random pairs drawn by the seed, and from the two variables whose values
are worth most together.

Ties are broken by the sum of prices, then by the order of the candidates, which is the order of the
table's variables and not of their names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations
from typing import Final

from specminer.learning.history_folds import Folds, held_out_label_bits
from specminer.learning.metric import end_bits, successor_bits
from specminer.learning.objective import Objective, Selection, SelectionScore
from specminer.learning.state_merging import Merging

EXHAUSTIVE: Final = 10
"""At most so many candidates are tried in all combinations."""
RESTARTS: Final = 2
"""How many random pairs the search also starts from."""
SWAPPED: Final = 64
"""Swaps bring in one of at most so many candidates: those that alone are the best."""

PLATEAU: Final = 0.01
"""Splitting events has to make the description shorter by more than this share."""
STATE: Final = 0.004
"""A state more has to make the description shorter by this share: a reader takes in every state, and what is worth a
state does not depend on how long the history is."""
LEVEL: Final = 0.0025
"""Automata are as good as the best if they are, states priced, no more than this share longer."""
NEARBY: Final = 0.02
"""Selections are looked at once more if they are no more than this share longer than the best: joining states
may bring them onto the plateau."""

Rate = Callable[[Iterable[int]], SelectionScore]


def search(objective: Objective, seed: int, good_selections: Iterable[Selection] = ()) -> SelectionScore:
    """Return the best selection found; fixed predicates are in all of them.

    Where there are ``good_selections`` from before little changed, it climbs from these and the best single
    predicate alone.
    """
    fixed = frozenset(objective.vocabulary.fixed)
    groups = [frozenset(group) - fixed for group in objective.vocabulary.groups.values() if len(group) > 1]
    free = [position for position in range(objective.candidates) if position not in fixed]
    rate = objective.score
    if len(free) <= EXHAUSTIVE:
        subsets = chain.from_iterable(combinations(free, size) for size in range(len(free) + 1))
        return min((rate(fixed.union(subset)) for subset in subsets), key=lambda score: score.key)
    singles = sorted((rate(fixed | {position}) for position in free), key=lambda score: score.key)
    swapped = [next(iter(set(score.selection) - fixed)) for score in singles[:SWAPPED]]
    draw = random.Random(seed)
    starts = [rate(fixed), *singles[:2]]
    starts += [rate(fixed.union(draw.sample(free, 2))) for _ in range(RESTARTS)]
    starts += [rate(fixed | group) for group in groups]
    again = [rate(selection) for selection in good_selections]
    if again:
        starts = [*again, singles[0]]
    climbed = (_climb(rate, start, fixed, free, swapped, groups) for start in _best(starts))
    return min(climbed, key=lambda score: score.key)


def near(objective: Objective, best: SelectionScore) -> list[SelectionScore]:
    """Return the selections that are about as good as the best one, the best first."""
    fixed = frozenset(objective.vocabulary.fixed)
    limit = best.description_length * (1.0 + NEARBY)
    scores = (
        score
        for score in objective.scores.values()
        if score.description_length <= limit and fixed.issubset(score.selection)
    )
    return sorted(scores, key=lambda score: score.key)


def settle(objective: Objective, candidates: Sequence[Merging], cut: Folds) -> Merging:
    """Return the automaton whose description is the shortest once every state has its price.

    Among those that are about as good a few bits say little; what tells one part of the history from the others
    says more.
    """
    shortest = min(item.score.description_length for item in candidates)

    limit = min(price_of_states(item, shortest) for item in candidates) + LEVEL * shortest
    level = [item for item in candidates if price_of_states(item, shortest) <= limit]

    def rank(item: Merging) -> tuple[float, float, tuple[float, float, Selection]]:
        unseen = _unseen_bits(objective, item, cut) if cut.enough else 0.0
        return round(unseen, 6), round(price_of_states(item, shortest), 6), item.score.key

    return min(level, key=rank)


def price_of_states(item: Merging, shortest: float) -> float:
    """Return the bits of a description in which every state has its price; ``shortest`` is the least without."""
    return item.score.description_length + STATE * shortest * item.score.states


def _unseen_bits(objective: Objective, item: Merging, cut: Folds) -> float:
    counts = objective.counts(item.score.selection, item.blocks)
    label_bits = held_out_label_bits(objective.quotient, cut, item.blocks)
    return label_bits + successor_bits(counts) + end_bits(counts)


def _best(starts: list[SelectionScore]) -> list[SelectionScore]:
    """Return the starting points worth climbing from: the first few, and of the others the best."""
    own = 3 + RESTARTS
    return [*starts[:own], *sorted(starts[own:], key=lambda score: score.key)[:RESTARTS]]


def _climb(
    rate: Rate,
    start: SelectionScore,
    fixed: frozenset[int],
    free: Sequence[int],
    swapped: Sequence[int],
    groups: Sequence[frozenset[int]],
) -> SelectionScore:
    """Add, drop and, where neither helps, swap, as long as the score falls."""
    current = start
    while True:
        selected = frozenset(current.selection)
        best = current
        for moves in (_single_moves(selected, free, groups), _swaps(selected, fixed, swapped)):
            best = min(map(rate, moves), key=lambda score: score.key, default=current)
            if best.key < current.key:
                break
        if best.key >= current.key:
            return current
        current = best


def _single_moves(
    selected: frozenset[int], free: Sequence[int], groups: Sequence[frozenset[int]]
) -> Iterator[frozenset[int]]:
    """Add or drop a predicate, or all values of a variable."""
    yield from (selected ^ {position} for position in free)
    for group in groups:
        yield from (moved for moved in (selected | group, selected - group) if moved != selected)


def _swaps(
    selected: frozenset[int], fixed: frozenset[int], swapped: Sequence[int]
) -> Iterator[frozenset[int]]:
    for out in sorted(selected - fixed):
        for into in swapped:
            if into not in selected:
                yield selected - {out} | {into}
