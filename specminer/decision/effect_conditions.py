"""When an effect happens: the decisions that the paths with it have in common, and the others have not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from specminer.decision.checks import shape_of
from specminer.decision.paths import Check, Path, PathCondition, PathStep
from specminer.decision.sites import Facts, facts_of
from specminer.shadow.arena import UNKNOWN, Arena

MAX_CHOICES: Final = 4
"""Ways to an effect that are told; one with more has no condition."""
MAX_JOINED: Final = 4
"""Decisions that lead to an effect together."""

Conjunction = tuple[PathCondition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A path that leads to an effect, as far as the effect."""

    steps: tuple[PathStep, ...]
    facts: Facts
    calls: int

    def meets(self, conditions: Sequence[PathCondition]) -> bool:
        """Return whether its calls decided all of some conditions this way before the effect."""
        return all(self.facts.get(item.node) is item.holds for item in conditions)


def conditions_of(
    arena: Arena, paths: Sequence[Path], happened: Mapping[int, int], calls: Sequence[int]
) -> tuple[Conjunction, ...] | None:
    """Return the conditions of an effect, as a disjunction of conjunctions.

    Args:
        arena: holds the nodes.
        paths: those of accepted calls.
        happened: by position of the path on which all calls have the effect: how many decisions they took before.
        calls: how many calls took each path.

    Returns:
        ``None`` if the decisions do not tell, or in too many words.

    """
    others = [facts_of(path.steps) for number, path in enumerate(paths) if number not in happened]
    ways = [_way(paths[number], decided, calls[number]) for number, decided in happened.items()]
    ways.sort(key=lambda way: -way.calls)
    conjunctions: list[Conjunction] = []
    while ways:
        if len(conjunctions) == MAX_CHOICES:
            return None
        conjunction = _conjunction(arena, ways, others)
        if conjunction is None:
            return None
        conjunctions.append(conjunction)
        ways = [way for way in ways if not way.meets(conjunction)]
    return tuple(conjunctions)


def _way(path: Path, decided: int, calls: int) -> _Way:
    steps = tuple(step for step in path.steps if step.position < decided and step.condition.node != UNKNOWN)
    return _Way(steps=steps, facts=facts_of(steps), calls=calls)


def _conjunction(arena: Arena, ways: Sequence[_Way], others: Sequence[Facts]) -> Conjunction | None:
    """Return what the first way decided that none of the others did, in as few words as possible."""
    way = ways[0]
    left, indices = list(others), list[int]()
    while left:
        if len(indices) == MAX_JOINED:
            return None
        ranks = {}
        for index, step in enumerate(way.steps):
            excluded = sum(_excludes(step.condition, facts) for facts in left)
            if excluded:
                own = shape_of(arena, step.condition) is Check.OWN
                shared = sum(item.calls for item in ways if item.meets([step.condition]))
                ranks[index] = (own, excluded, shared, index)
        if not ranks:
            return None
        best = max(ranks, key=ranks.__getitem__)
        indices.append(best)
        left = [facts for facts in left if not _excludes(way.steps[best].condition, facts)]
    for index in list(indices):
        rest = [other for other in indices if other != index]
        if all(any(_excludes(way.steps[other].condition, facts) for other in rest) for facts in others):
            indices = rest
    return tuple(way.steps[index].condition for index in sorted(indices))


def _excludes(condition: PathCondition, facts: Facts) -> bool:
    return facts.get(condition.node) is (not condition.holds)
