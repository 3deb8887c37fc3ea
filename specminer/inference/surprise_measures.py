"""Surprise in bits: of each event, and of each interaction.

An event is as surprising as it is improbable under the weighted automaton, learned from all other units
(:mod:`.leave_one_out`). What speaks against it besides adds its own bits: its function was never accepted in this
state, though often in others; it was called while another call was running; it broke what held always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import e, log2
from typing import Final

import numpy as np

from specminer._support.scratch import columns_in_files
from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn
from specminer.inference.leave_one_out import EventUnits, FloatColumn, probability
from specminer.interaction import Interactions
from specminer.learning.history_folds import FEW
from specminer.learning.tuning_result import Tuning

NEIGHBOURS: Final = 25
"""What is usual for a length is told from at least so many interactions of about this length."""
RARE: Final = 0.01
"""A function that is in this state in a larger share of its calls is no stranger to it."""
MIN_OTHER_CALLS: Final = 5
"""Where a function belongs is told from at least so many other calls of it."""


class SurpriseKind(Enum):
    """What speaks against an event."""

    TRANSITION = "transition"
    """Its transition is improbable in this state."""
    PLACE = "place"
    """Its function is accepted elsewhere, not here."""
    BEFORE = "before"
    """Something did not hold that always held before its function was accepted."""
    NESTED = "nested"
    """It was called while another call of the contract was running."""
    BROKEN = "broken"
    """It broke what held everywhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Invocations that broke something that held everywhere else."""

    invocation: IntColumn
    """Rows of the history, ascending."""
    bits: FloatColumn
    """What each says, by all cases of other units."""
    text: str
    """What was broken: ``total = sum of accounts[].balance``."""
    held_count: int
    """In how many cases it held."""
    kind: SurpriseKind = SurpriseKind.BROKEN
    """``BROKEN``, or ``BEFORE``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredBits:
    """Bits of ``n`` events and of ``k`` interactions."""

    units: EventUnits
    whole: bool
    """Whether single events are what may be alarming, because there are too few interactions."""
    evidence: dict[SurpriseKind, FloatColumn]
    """For each kind the bits of each event; shape (n,)."""
    worst_claims: dict[SurpriseKind, IntColumn]
    """For each event the broken thing of a kind that says most, a position in ``broken_claims``, or ``MISSING``."""
    broken_claims: tuple[Broken, ...]
    event: FloatColumn
    """All bits of each event; shape (n,)."""
    expected: FloatColumn
    """What events in its state usually have; shape (n,)."""
    is_counted: BoolColumn
    """Events that count for the score: the interaction's own that the contract accepted; shape (n,)."""
    excess: FloatColumn
    """What an event has more than events in its state usually have, at least 0; shape (n,). What the contract
    itself rejected has no effect and no excess."""
    stop: FloatColumn
    """Bits of stopping where the interaction stopped; shape (k,)."""
    bits: FloatColumn
    """All bits of each interaction, stopping included; shape (k,)."""
    usual_score: FloatColumn
    """What interactions of this length usually have; shape (k,)."""
    score: FloatColumn
    """Bits of the surprising events, corrected for how many events there were; shape (k,)."""
    length: IntColumn
    """Events of each interaction; shape (k,)."""


def too_few(tuning: Tuning) -> bool:
    """Whether there are too few interactions to leave one out: then transactions are left out."""
    return len(tuning.table.starts) < FEW


def measure(
    history: History, interactions: Interactions, tuning: Tuning, broken: Sequence[Broken] = ()
) -> MeasuredBits:
    """Measure all events and interactions at the chosen point; cost n log n."""
    table = tuning.table
    starts = table.starts
    whole = too_few(tuning)
    transaction = history.invocation_transaction[interactions.invocation]
    units = EventUnits(interaction=None if whole else table.interaction, transaction=transaction)
    before, after = tuning.state_before, tuning.state_after
    counted = ~table.rejected & ~interactions.passive
    last = np.append(starts[1:], len(table)) - 1 if len(starts) else starts
    # that a flag of the whole contract changes befalls an interaction: it is no outcome of its state
    # and what is not known is judged by nothing
    unknown = tuning.uncertain(tuning.chosen_point)
    judged_events = np.flatnonzero(~table.switched & ~unknown)
    edges, expected = np.zeros(len(table)), np.zeros(len(table) + len(last))
    stop = np.zeros(len(last))
    ended = np.flatnonzero(~tuning.uncertain_after(tuning.chosen_point)[last])
    edges[judged_events], stop[ended], expected[np.r_[judged_events, len(table) + ended]] = _transitions(
        before, after, table.symbol, judged_events, last[ended], units
    )
    place_bits = np.where(counted & ~unknown, _rare_state_bits(before, table.symbol, units), 0.0)
    early, unmet = _broken(broken, SurpriseKind.BEFORE, interactions, counted, len(history))
    late, failed = _broken(broken, SurpriseKind.BROKEN, interactions, counted, len(history))
    evidence = {
        SurpriseKind.TRANSITION: edges,
        # what did not hold before mostly is what tells the place from where the function belongs: told once
        SurpriseKind.PLACE: np.where(place_bits >= early, place_bits, 0.0),
        SurpriseKind.BEFORE: np.where(early > place_bits, early, 0.0),
        SurpriseKind.NESTED: np.where(
            counted, _nesting_bits(history, interactions, table.symbol, units), 0.0
        ),
        SurpriseKind.BROKEN: late,
    }
    event = np.sum(list(evidence.values()), axis=0) if len(table) else np.zeros(0)
    length = np.diff(np.append(starts, len(table)))
    total = np.add.reduceat(event, starts) + stop if len(starts) else stop
    excess = np.where(counted, np.maximum(event - expected[: len(table)], 0.0), 0.0)
    score = _scan(excess, np.maximum(stop - expected[len(table) :], 0.0), table.interaction, starts)
    measured = MeasuredBits(
        units=columns_in_files(units),
        whole=whole,
        evidence=evidence,
        worst_claims={SurpriseKind.BEFORE: unmet, SurpriseKind.BROKEN: failed},
        broken_claims=tuple(broken),
        event=event,
        expected=expected[: len(table)],
        is_counted=counted,
        excess=excess,
        stop=stop,
        bits=total,
        usual_score=_usual(total, length),
        score=score,
        length=length,
    )
    return columns_in_files(measured)


def _transitions(
    before: IntColumn,
    after: IntColumn,
    symbol: IntColumn,
    events: IntColumn,
    last: IntColumn,
    units: EventUnits,
) -> tuple[FloatColumn, FloatColumn, FloatColumn]:
    """Return the bits of the transitions of some events, and of stopping behind interactions' ``last`` events.

    Stopping is one of the outcomes of a state, so that its transitions and it sum to 1. The third column is what
    outcomes of the state usually have, for both: shape (events told + ends,).
    """
    states = int(max(before.max(initial=0), after.max(initial=0))) + 1
    symbols = int(symbol.max(initial=0)) + 2
    source = np.concatenate([before[events], after[last]])
    outcome = np.concatenate([symbol[events], np.full(len(last), symbols - 1)])
    target = np.concatenate([after[events], after[last]])
    extended_units = units.of(np.concatenate([events, last]))
    _, code = np.unique((source * symbols + outcome) * states + target, return_inverse=True)
    code = code.ravel().astype(np.int64)
    chance = probability(
        extended_units.others(code), extended_units.others(source), extended_units.once(code, source)
    )
    bits = -np.log2(chance)
    usual = np.bincount(source, weights=bits) / np.maximum(np.bincount(source), 1)
    return bits[: len(events)], bits[len(events) :], usual[source]


def _rare_state_bits(before: IntColumn, symbol: IntColumn, units: EventUnits) -> FloatColumn:
    """Return the bits of each event's state given its symbol, where it is rare."""
    code = symbol * (int(before.max(initial=0)) + 1) + before
    here, calls = units.others(code), units.others(symbol)
    chance = probability(here, calls, units.once(code, symbol))
    strange = ((chance < RARE) | (here == 0)) & (calls >= MIN_OTHER_CALLS)
    return np.where(strange, -np.log2(chance), 0.0)


def _nesting_bits(
    history: History, interactions: Interactions, symbol: IntColumn, units: EventUnits
) -> FloatColumn:
    """Return the bits of being called while another call was running, where that is so."""
    nested = (history.invocation_parent[interactions.invocation] != MISSING).astype(np.int64)
    if not nested.any():
        return np.zeros(len(symbol))
    total = units.others(symbol)
    nested_count = units.others(symbol * 2 + nested)
    bits = -np.log2((nested_count + 0.5) / (total + 1.0))
    return np.where((nested == 1) & (nested_count < RARE * total), np.maximum(bits, 0.0), 0.0)


def _broken(
    broken: Sequence[Broken],
    kind: SurpriseKind,
    interactions: Interactions,
    counted: BoolColumn,
    invocations: int,
) -> tuple[FloatColumn, IntColumn]:
    """Return each event's bits by the broken thing of a kind that says most, and which that is.

    Several broken things mostly tell the same twice, so they do not add up.
    """
    bits = np.zeros(invocations)
    worst = np.full(invocations, MISSING, dtype=np.int64)
    for index, item in enumerate(broken):
        if item.kind is not kind:
            continue
        more = item.bits > bits[item.invocation]
        rows = item.invocation[more]
        bits[rows], worst[rows] = item.bits[more], index
    rows = interactions.invocation
    return np.where(counted, bits[rows], 0.0), np.where(counted, worst[rows], MISSING)


def _scan(event: FloatColumn, stop: FloatColumn, interaction: IntColumn, starts: IntColumn) -> FloatColumn:
    """Return the score of each interaction: its most surprising events, however many they are.

    That some k of L events have together b bits happens with probability 2^-b times the number of ways to
    choose them, at most (e L / k)^k. The score is the largest b - k log2(e L / k) over k, at least 0: no
    interaction is surprising because it is long. Source: the union bound; Donoho and Jin 2004 for scanning
    over k.
    """
    count = len(starts)
    if not count:
        return np.zeros(0)
    owner = np.concatenate([interaction, np.arange(count)])
    bits = np.concatenate([event, stop])
    order = np.lexsort((-bits, owner))
    begins = np.searchsorted(owner[order], np.arange(count))
    length = np.diff(np.append(begins, len(order)))
    total = np.cumsum(bits[order])
    so_far = total - np.repeat(total[begins] - bits[order][begins], length)
    rank = np.arange(len(order)) - np.repeat(begins, length) + 1.0
    corrected = so_far - rank * (log2(e) + np.log2(np.repeat(length, length) / rank))
    return np.maximum(np.maximum.reduceat(corrected, begins), 0.0)


def _usual(total: FloatColumn, length: IntColumn) -> FloatColumn:
    """Return the median bits of the interactions of about each one's length."""
    if not len(total):
        return total
    order = np.argsort(length, kind="stable")
    sizes = np.maximum(1, np.round(np.log2(np.maximum(length[order], 1)) * 4)).astype(np.int64)
    cuts = [0]
    for cut in (np.flatnonzero(np.diff(sizes)) + 1).tolist():
        if cut - cuts[-1] >= NEIGHBOURS and len(order) - cut >= NEIGHBOURS:
            cuts.append(cut)
    usual = np.empty(len(total))
    for first, behind in zip(cuts, [*cuts[1:], len(order)], strict=True):
        rows = order[first:behind]
        usual[rows] = np.median(total[rows])
    return usual
