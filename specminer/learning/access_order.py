"""In which order accesses happened, up to which of them an event tells, and which of them tell a value for good."""

from __future__ import annotations

import numpy as np

from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.history.trace import Tracer
from specminer.interaction import Interactions, Mode


def access_times(history: History) -> RowColumn:
    """Return when each access was made, 1 .. a: by transaction and position in it."""
    transaction = history.invocation_transaction.astype(np.int32)[history.access_invocation]
    position = history.access_position
    numbers = np.arange(1, len(transaction) + 1, dtype=np.int32)
    if np.all((transaction[1:] != transaction[:-1]) | (position[1:] >= position[:-1])):
        return numbers  # no call encloses another
    times = np.empty_like(numbers)
    times[np.lexsort((position, transaction))] = numbers
    return times


def event_moments(
    history: History, interactions: Interactions, times: RowColumn, rejected: BoolColumn
) -> IntColumn:
    """Return for each event the time up to which accesses tell the values behind it; shape (n,).

    That is where the interaction's next event begins, if that is in the same transaction (what a call enclosed
    may be an event of its own), else where the transaction ends. A rejected call changes nothing, so that
    it has the moment of the event before it in its interaction: 0 if there is none.
    """
    lasting = np.flatnonzero(~rejected)
    slices = interactions.slice[lasting]
    rows = interactions.invocation[lasting]
    transaction = history.invocation_transaction[rows]
    of_access = history.invocation_transaction[history.access_invocation]
    moments = np.cumsum(np.bincount(of_access, minlength=int(transaction.max(initial=-1)) + 1))[transaction]
    goes_on = (slices[1:] == slices[:-1]) & (transaction[1:] == transaction[:-1])
    begins = begin_times(history, times, apart=interactions.mode is not Mode.WHOLE)
    moments[:-1][goes_on] = begins[rows[1:][goes_on]] - 1
    last = np.cumsum(~rejected) - 1
    has_moment = last >= 0
    has_moment[has_moment] = slices[last[has_moment]] == interactions.slice[has_moment]
    result = np.zeros(len(rejected), dtype=np.int64)
    result[has_moment] = moments[last[has_moment]]
    return result


def begin_times(history: History, times: RowColumn, *, apart: bool) -> IntColumn:
    """Return for each invocation the time of the first access made by it or by what began behind it.

    Behind means in the same contract if ``apart``: where contracts are recorded one by one, positions do not
    order the accesses of two in one transaction.
    """
    begins = np.full(len(history), len(times) + 1, dtype=np.int64)
    np.minimum.at(begins, history.access_invocation, times)
    group = history.invocation_contract if apart else np.zeros(len(history), dtype=np.int64)
    order = np.argsort(group, kind="stable")[::-1]
    base = group[order] * (len(times) + 2)
    begins[order] = np.minimum.accumulate(begins[order] + base) - base
    return begins


def doubtful_accesses(history: History) -> BoolColumn:
    """Return which accesses found a value in doubt, rather than one that the tracer could not see.

    Every tracer sees what is read; re-execution sees what is overwritten, too.
    """
    unknown: BoolColumn = np.equal(history.access_before, MISSING)
    return unknown if history.tracers == (Tracer.EXECUTION,) else unknown & ~history.access_write


def tainted_accesses(history: History, slot: RowColumn) -> BoolColumn:
    """Return which accesses may show a value that did not last.

    Behind an undone write, a read of the same transaction may have seen it, and another undone write may
    have overwritten it; only a write that lasted tells what is there again.
    """
    undone = history.access_undone
    tainted = np.zeros(len(undone), dtype=np.bool_)
    mixed = np.zeros(len(history.transaction_hash), dtype=np.bool_)
    mixed[history.invocation_transaction[history.access_invocation[undone]]] = True
    rows = np.flatnonzero(mixed[history.invocation_transaction][history.access_invocation])
    transaction = history.invocation_transaction[history.access_invocation[rows]]
    order = rows[np.lexsort((history.access_position[rows], slot[rows], transaction))]
    where = np.stack([history.invocation_transaction[history.access_invocation[order]], slot[order]])
    begins = np.r_[True, (where[:, 1:] != where[:, :-1]).any(axis=0)][: len(order)]
    before: IntColumn = np.cumsum(undone[order], dtype=np.int64) - undone[order]
    start = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    tainted[order] = before > before[start]
    return tainted & ~(history.access_write & ~undone)
