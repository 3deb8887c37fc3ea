"""Climbs from one set of predicates to better ones.

Exhaustive over at most ten candidates. Else it adds or drops the predicate that lowers the objective most,
swaps one where neither helps, and starts from nothing, from each of the two best single predicates, and from
two random pairs drawn by the seed.

Ties are broken by the sum of prices, then by the order of the candidates, which is the order of the
table's variables and not of their names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations
from typing import Final

from specminer.tuning.objective import Objective, Score

EXHAUSTIVE: Final = 10
"""At most so many candidates are tried in all combinations."""
RESTARTS: Final = 2
"""How many random pairs the search also starts from."""
SWAPPED: Final = 64
"""Swaps bring in one of at most so many candidates: those that alone are the best."""

Rate = Callable[[Iterable[int]], Score]


def search(objective: Objective, seed: int) -> Score:
    """Return the best selection found; fixed predicates are in all of them."""
    fixed = frozenset(objective.vocabulary.fixed)
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
    return min((_climb(rate, start, fixed, free, swapped) for start in starts), key=lambda score: score.key)


def _climb(
    rate: Rate, start: Score, fixed: frozenset[int], free: Sequence[int], swapped: Sequence[int]
) -> Score:
    """Add, drop and, where neither helps, swap, as long as the score falls."""
    current = start
    while True:
        selected = frozenset(current.selection)
        best = current
        for moves in (_single_moves(selected, free), _swaps(selected, fixed, swapped)):
            best = min(map(rate, moves), key=lambda score: score.key, default=current)
            if best.key < current.key:
                break
        if best.key >= current.key:
            return current
        current = best


def _single_moves(selected: frozenset[int], free: Sequence[int]) -> Iterator[frozenset[int]]:
    return (selected ^ {position} for position in free)


def _swaps(
    selected: frozenset[int], fixed: frozenset[int], swapped: Sequence[int]
) -> Iterator[frozenset[int]]:
    for out in sorted(selected - fixed):
        for into in swapped:
            if into not in selected:
                yield selected - {out} | {into}
