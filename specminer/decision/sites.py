"""What accepted calls did at places in the code: which ways they left them, and which of them are the heads of loops.

A *site* is a conditional jump with the places to which the functions around it return. The same check has one site,
whatever it compares on a path: an array of another length, the next round of a loop, a value that was computed
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from specminer.decision.paths import Path, PathCondition, PathStep, Site
from specminer.shadow.arena import UNKNOWN

Facts = Mapping[int, bool]
"""What a path decided: nodes, and whether they were not zero."""

_NOWHERE: frozenset[bool] = frozenset()
_MAX_NESTING = 8
"""Loops inside one another that are told apart."""


def facts_of(steps: Sequence[PathStep]) -> dict[int, bool]:
    """Return the facts of some steps."""
    return {step.condition.node: step.condition.holds for step in steps if step.condition.node != UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedPath:
    """A path that returned."""

    facts: Facts
    runs: tuple[int, ...]
    """Positions of the runs that took it."""
    steps: tuple[PathStep, ...] = ()
    """Its decisions, each fact once: where a choice (``a or b``) ends, code decides once more upon what sufficed."""
    visits: tuple[PathStep, ...] = ()
    """All its decisions."""
    _steps_by_site: dict[Site, list[PathStep]] = field(default_factory=dict)

    def decides(self, condition: PathCondition) -> bool:
        """Return whether its calls decided that a condition holds."""
        return self.facts.get(condition.node) is condition.holds

    def at(self, site: Site) -> Sequence[PathStep]:
        """Return its decisions at a site, in order."""
        if not self._steps_by_site:
            for step in self.steps:
                self._steps_by_site.setdefault(step.site, []).append(step)
        return self._steps_by_site.get(site, ()) if site[0] else ()

    def ways(self, site: Site) -> frozenset[bool]:
        """Return the ways that its calls left a site."""
        return frozenset(step.way for step in self.at(site)) or _NOWHERE

    def leaves_otherwise(self, step: PathStep) -> bool:
        """Return whether its calls left the site of another path's step by the other way only."""
        return self.ways(step.site) == {not step.way}

    def has_no_choice(self, step: PathStep, facts: Facts) -> bool:
        """Return whether its calls left the site of another path's step by the other way, as they had decided before.

        Of a transfer to oneself, what is added again is what was taken away.

        Args:
            step: the step of the other path.
            facts: what the other path decided; where it decided the opposite of what is repeated there, that is the
                end of a choice, and a call that chose otherwise never came to the step.

        """
        if not step.site[0]:
            return False
        ways: set[bool] = set()
        for visit in self.visits:
            if visit.site == step.site:
                if facts.get(visit.condition.node) is not visit.condition.holds:
                    return False
                ways.add(visit.way)
        return ways == {not step.way}


@dataclass(slots=True, kw_only=True)
class Loops:
    """The loops of a function's code, as far as calls went round them."""

    bodies: dict[Site, frozenset[Site]] = field(default_factory=dict)
    """Of each site that ends a loop: those that calls came to between two visits of it."""

    def repeats(self, site: Site) -> bool:
        """Return whether a site lies in a loop, or ends one."""
        return site in self.bodies or any(site in body for body in self.bodies.values())

    def is_around(self, head: Site, site: Site) -> bool:
        """Return whether one site ends a loop in which another one lies."""
        return site in self.bodies.get(head, ())


def find_loops(paths: Iterable[Sequence[PathStep]]) -> Loops:
    """Return the loops that calls went round.

    A site ends a loop if calls that came to it again always left it one way, and the last time the other way. Of the
    sites that calls came to again it is the first one; inner loops are looked for between two visits of it.

    Args:
        paths: all visits of each path.

    """
    bodies: dict[Site, set[Site]] = {}
    ends: set[Site] = set()
    others: set[Site] = set()
    for visits in paths:
        pieces = [list(visits)]
        for _ in range(_MAX_NESTING):
            pieces = [item for piece in pieces for item in _rounds(piece, bodies, ends, others)]
    return Loops(bodies={site: frozenset(bodies[site]) for site in ends - others})


def _rounds(
    visits: list[PathStep], bodies: dict[Site, set[Site]], ends: set[Site], others: set[Site]
) -> list[list[PathStep]]:
    """Note the loops in a piece of a path that lie in no other one; return the rounds of each as pieces."""
    visits_of_site: dict[tuple[Site, int], list[int]] = {}
    for index, step in enumerate(visits):
        if step.site[0]:
            visits_of_site.setdefault((step.site, step.frame), []).append(index)
    rounds: list[list[PathStep]] = []
    covered = -1
    for (site, _), indices in sorted(visits_of_site.items(), key=lambda item: item[1][0]):
        if len(indices) < 2 or indices[0] < covered:
            continue
        ways = [visits[index].way for index in indices]
        if len(set(ways[:-1])) > 1:
            others.add(site)
            continue
        if ways[-1] != ways[0]:
            ends.add(site)
        elif any(step.site != site for step in visits[indices[-1] + 1 :]):
            continue  # it went on from there, the way it always went: a check in a loop whose end comes later
        first, last = indices[0], indices[-1]
        bodies.setdefault(site, set()).update(step.site for step in visits[first + 1 : last])
        bodies[site].discard(site)
        rounds += [visits[low + 1 : high] for low, high in pairwise(indices)]
        covered = last
    return rounds


def accepted_path(path: Path) -> AcceptedPath:
    """Return a path that returned, for questions about its sites."""
    return AcceptedPath(facts=facts_of(path.steps), runs=path.runs, steps=path.steps, visits=path.visits)
