"""The automata from readable to precise: the best of each size among all that were compared.

One automaton dominates another if it is no worse in states, in bits to tell the events, and in bits for its
own size, and better in one. What is dominated has no place on the front.
"""

from __future__ import annotations

from typing import Final

from specminer.learning.objective import Objective, SelectionScore
from specminer.learning.state_merging import Merging, steps, without_merging

MOST_POINTS: Final = 12
"""So many points are kept: a reader chooses, and each is a whole automaton in the document."""
MOST_STATES: Final = 64
"""Automata with more states are no answer for anybody."""
TINY: Final = 1e-6
"""Bits below which two lengths are the same."""


def front(
    objective: Objective, chosen_point: Merging, *, stays: bool = False
) -> tuple[tuple[Merging, ...], Merging]:
    """Return the points by states, ascending, and the chosen one among them.

    If the chosen one is dominated, which a preset that does not minimise the objective may bring about, the
    shortest of those that dominate it takes its place; unless it ``stays``, for what it tells apart.
    """
    candidates = [
        chosen_point,
        *by_size(objective),
        *steps(objective, without_merging(objective, chosen_point.score.selection)),
    ]
    while not stays:
        better = [point for point in candidates if dominates(point.score, chosen_point.score)]
        if not better:
            break
        chosen_point = min(better, key=lambda point: point.score.key)
    best: dict[int, Merging] = {}
    for point in candidates:
        shortest = best.get(point.score.states)
        if shortest is None or point.score.key < shortest.score.key:
            best[point.score.states] = point
    best[chosen_point.score.states] = chosen_point
    points = [
        point
        for point in best.values()
        if point is chosen_point or not any(dominates(other.score, point.score) for other in best.values())
    ]
    return _thin_out(sorted(points, key=lambda point: point.score.states), chosen_point), chosen_point


def by_size(objective: Objective) -> list[Merging]:
    """Return the shortest description of each size among all that were compared."""
    fixed = frozenset(objective.vocabulary.fixed)
    sizes: dict[int, SelectionScore] = {}
    for score in objective.scores.values():
        if score.states <= MOST_STATES and fixed.issubset(score.selection):
            shortest = sizes.get(score.states)
            if shortest is None or score.key < shortest.key:
                sizes[score.states] = score
    return [without_merging(objective, score.selection) for _, score in sorted(sizes.items())]


def dominates(one: SelectionScore, other: SelectionScore) -> bool:
    """Whether an automaton is better than another in one respect and worse in none."""
    pairs = [
        (float(one.states), float(other.states)),
        (one.data_bits, other.data_bits),
        (one.model_bits, other.model_bits),
    ]
    return all(a <= b + TINY for a, b in pairs) and any(a < b - TINY for a, b in pairs)


def _thin_out(points: list[Merging], chosen_point: Merging) -> tuple[Merging, ...]:
    """Return at most ``MOST_POINTS``: those that are nearest to the one before them are left out."""
    while len(points) > MOST_POINTS:
        inner = [position for position in range(1, len(points) - 1) if points[position] is not chosen_point]
        gaps = {
            position: points[position - 1].score.data_bits - points[position].score.data_bits
            for position in inner
        }
        del points[min(inner, key=lambda position: (gaps[position], -position))]
    return tuple(points)
