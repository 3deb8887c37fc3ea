"""All templates over one history; what is a claim, ranked, the most telling first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from specminer.interaction import Interactions
from specminer.invariant.changes import Cells, Ground
from specminer.invariant.claim import Invariant, Template
from specminer.invariant.courses import courses
from specminer.invariant.effects import effects
from specminer.invariant.states import Moments, befores, orders, states
from specminer.invariant.totals import conserved, totals
from specminer.tuning import Tuning

RANKED: Final = tuple(Template)
"""Templates in the order in which they are told."""
MAX_FIELDS: Final = 512
"""Fields looked at: those touched most often."""
MAX_TOLD: Final = 300
"""Invariants written down at most."""


def search(ground: Ground, tuning: Tuning, interactions: Interactions) -> list[Invariant]:
    """Return what held, by template and the number of cases.

    Fields that hardly any call touches say nothing, so that a history of hostile storage costs no more than another.
    """
    found = {item.text: item for item in _all(ground, tuning, interactions) if item.tolerable(ground.history)}
    return sorted(found.values(), key=lambda item: (RANKED.index(item.template), -len(item.cases), item.text))


def _all(ground: Ground, tuning: Tuning, interactions: Interactions) -> Iterator[Invariant]:
    calls = _largest(ground.calls())
    yield from totals(ground, _largest(ground.transactions()))
    yield from conserved(ground, calls)
    for cells in calls:
        yield from courses(ground, cells)
    yield from effects(ground, calls)
    moments = Moments(tuning, interactions)
    yield from states(moments)
    yield from befores(moments)
    yield from orders(moments)


def _largest(cells: Iterable[Cells]) -> list[Cells]:
    """Return the fields that are touched most, in their order."""
    found = list(cells)
    ranked = sorted(range(len(found)), key=lambda row: (-len(found[row].invocation), row))[:MAX_FIELDS]
    return [found[row] for row in sorted(ranked)]
