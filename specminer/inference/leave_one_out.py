"""What the rest of a history says of an event: counts without the event's own unit.

An event's own unit is its interaction and its transaction: both are one decision of one author, and what they
taught an automaton must not excuse them. Where there are few interactions, the unit is the transaction alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from specminer.history.contract_history import IntColumn

FloatColumn = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventUnits:
    """To which interaction and which transaction each of ``n`` events belongs."""

    interaction: IntColumn | None
    """``None`` where there are too few interactions to leave one out."""
    transaction: IntColumn

    def of(self, events: IntColumn) -> EventUnits:
        """Return the units of some of the events."""
        inside = None if self.interaction is None else self.interaction[events]
        return EventUnits(interaction=inside, transaction=self.transaction[events])

    @property
    def unit(self) -> IntColumn:
        """What is left out at the least: the interaction, or else the transaction."""
        return self.transaction if self.interaction is None else self.interaction

    def others(self, code: IntColumn) -> IntColumn:
        """Return how many events of other units have each event's code; by inclusion and exclusion."""
        total = np.bincount(code)[code] if len(code) else code
        counts = total - _counts(code, self.transaction)
        if self.interaction is None:
            return counts
        both = self.interaction * (int(self.transaction.max(initial=0)) + 1) + self.transaction
        return counts - _counts(code, self.interaction) + _counts(code, both)

    def once(self, code: IntColumn, group: IntColumn) -> IntColumn:
        """Return how many codes of each event's group only one other unit has.

        ``group`` is a function of ``code``: the state that an edge leaves.
        """
        if not len(code):
            return code
        span = int(code.max()) + 1
        pairs, first = np.unique(self.unit * span + code, return_index=True)
        units = np.bincount(pairs % span, minlength=span)
        alone = first[units[pairs % span] == 1]
        width = int(group.max()) + 1
        in_group = np.bincount(group[alone], minlength=width)
        own = self.unit[alone] * width + group[alone]
        return in_group[group] - _count_occurrences(own, self.unit * width + group)


def _counts(code: IntColumn, unit: IntColumn) -> IntColumn:
    """Return for each event how many of its unit have its code."""
    if not len(code):
        return code
    _, which, count = np.unique(unit * (int(code.max()) + 1) + code, return_inverse=True, return_counts=True)
    counts: IntColumn = count[which.ravel()]
    return counts


def _count_occurrences(values: IntColumn, queries: IntColumn) -> IntColumn:
    """Return how often each of ``queries`` occurs among some values."""
    if not len(values):
        return np.zeros(len(queries), dtype=np.int64)
    distinct, count = np.unique(values, return_counts=True)
    at = np.minimum(np.searchsorted(distinct, queries), len(distinct) - 1)
    return np.where(distinct[at] == queries, count[at], 0)


def probability(occurrences: IntColumn, total: IntColumn, once: IntColumn) -> FloatColumn:
    """Return the probability of an outcome that other units had ``occurrences`` times among ``total``.

    What they never had shares the probability of something new, which is that of what only one of them had:
    (once + 1/2) / (total + 1). Over the outcomes they had and "something new" it sums to 1.

    Source: Good 1953, for the mass of the new; Krichevsky and Trofimov 1981, for the half.
    """
    new = np.minimum((once + 0.5) / (total + 1.0), 0.5)
    share = np.divide(occurrences, total, out=np.zeros(len(occurrences)), where=total > 0)
    return np.where(occurrences > 0, (1.0 - new) * share, new)
