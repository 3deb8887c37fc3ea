"""Whether the interactions are independent, checked on the recorded reads.

An external read of an interaction's own call sees the value that some invocation was the last to write. If that was
another interaction's call, leaving the others out would have shown another value. Three kinds are told apart:
storage under the interaction's own key (written by others as a side effect), storage under another's key, and the
environment that all share (prices, totals, next ids).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.accesses import unsure_writers
from specminer.history.contract_history import CONSTRUCTOR, MISSING, BoolColumn, IntColumn, RowColumn
from specminer.interaction.interactions import Interactions
from specminer.interaction.relation import distinct, relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """How many events of interactions depend on other interactions' calls, by what they read."""

    events: int
    """Own calls of interactions; a call counts in each of its interactions."""
    independent: int
    """Those that read nothing that another interaction wrote: their effects hold without the others."""
    environment: int
    """Those that read only environment that others wrote."""
    foreign_readers: int
    """Those that read storage under another's key, written by a call that is not the interaction's."""
    own_readers: int
    """Those that read storage under their own key, written by another's call."""
    unknown_readers: int
    """Those of which it is not known, as they read a value that is not known, or that somebody may have written."""
    shared_variables: tuple[tuple[str, int], ...]
    """The environment that links interactions: variables with the number of such events, the most first."""
    changed_variables: tuple[tuple[str, int], ...]
    """The own storage that others write: variables with the number of events that read it then."""

    @property
    def share(self) -> float:
        """Share of the events that hold without the others, given the environment, for all that the reads show.

        Of those that are known.
        """
        known_events = self.events - self.unknown_readers
        return (self.independent + self.environment) / known_events if known_events else 1.0


def independence(context: HistoryContext, interactions: Interactions) -> Independence:
    """Check the recorded reads; n log n in accesses."""
    accesses = context.accesses
    members = interactions.members
    shared = np.zeros(len(context.history), dtype=np.bool_)
    shared[interactions.track] = True
    shared |= context.history.invocation_kind == CONSTRUCTOR
    unsure = unsure_writers(context.history, accesses)
    doubtful = np.flatnonzero(accesses.external_read & (unsure | (accesses.value_before == MISSING)))
    rows = np.flatnonzero((accesses.writer != MISSING) & ~unsure)
    rows = rows[~shared[accesses.writer[rows]]]
    event, row = _join_equal(members.invocation, accesses.invocation[rows])
    row = rows[row]
    interaction = members.entity[event]
    foreign = ~members.holds(accesses.writer[row], interaction)
    event, row, interaction = event[foreign], row[foreign], interaction[foreign]
    own = np.zeros(len(row), dtype=np.bool_)
    other = np.zeros(len(row), dtype=np.bool_)
    for holder in interactions.holders:
        owner = holder[accesses.slot[row]]
        own |= owner == interaction
        other |= (owner != MISSING) & (owner != interaction)
    other &= ~own
    with_own, with_other = distinct(event[own]), distinct(event[other])
    with_other = with_other[~np.isin(with_other, with_own)]
    any_foreign = distinct(event)
    unknown = distinct(_join_equal(members.invocation, accesses.invocation[doubtful])[0])
    unknown = unknown[~np.isin(unknown, any_foreign)]
    environment = len(any_foreign) - len(with_own) - len(with_other)
    return Independence(
        events=len(members),
        independent=len(members) - len(any_foreign) - len(unknown),
        environment=environment,
        foreign_readers=len(with_other),
        own_readers=len(with_own),
        unknown_readers=len(unknown),
        shared_variables=_variables(context, event, row, ~own & ~other),
        changed_variables=_variables(context, event, row, own),
    )


def _join_equal(left: IntColumn, right: IntColumn | RowColumn) -> tuple[IntColumn, IntColumn]:
    """Return the places of equal values in two ascending columns, all pairs."""
    begin = np.searchsorted(right, left, side="left")
    end = np.searchsorted(right, left, side="right")
    counts = end - begin
    one = np.repeat(np.arange(len(left)), counts)
    offset = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
    return one, begin[one] + offset


def _variables(
    context: HistoryContext, event: IntColumn, row: IntColumn, is_relevant: BoolColumn
) -> tuple[tuple[str, int], ...]:
    variable = context.locations.variable[context.accesses.slot[row[is_relevant]]]
    pairs = relation(event[is_relevant], variable, max(1, len(context.locations.variables)))
    counts = Counter(pairs.entity.tolist())
    name_counts = [(context.locations.variables[number].text(), count) for number, count in counts.items()]
    return tuple(sorted(name_counts, key=lambda item: (-item[1], item[0])))
