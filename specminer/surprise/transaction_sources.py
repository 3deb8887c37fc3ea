"""What speaks against a transaction: sources of evidence, each in bits, each learned from other transactions alone.

A source compares every transaction with all others (callers: with all before it). What it says at first is that of the
most improbable thing that it finds in the transaction, less the logarithm of how many it looked at. No source may say
more than its own history allows: where k of the n others have as many bits, that happens with probability k / n
(:func:`bounded`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.history import MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.specification import EvidenceSource
from specminer.surprise.left_out import FloatColumn, Units, probability
from specminer.surprise.measures import Kind, Measured

RARE: Final = 0.01
"""What more of the other cases have is no evidence."""
MAX_ROLES: Final = 64
"""Functions that one account alone called until somebody else did; of further ones only their own calls count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What held in nearly all cases."""

    text: str
    cases: IntColumn | RowColumn
    """Rows of the invocations in which it could have failed; shape (c,)."""
    held: BoolColumn
    """In which of them it did hold; shape (c,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one source says of each of ``t`` transactions."""

    source: EvidenceSource
    bits: FloatColumn
    """Shape (t,), as all columns; 0 where nothing speaks against a transaction."""
    case: IntColumn
    """What says most: a row of the history's invocations (of the events, for paths), or ``MISSING``."""
    others: IntColumn
    """How many cases of other transactions it was compared with; 0 where there is nothing to compare."""
    claim: IntColumn | None = None
    """The broken claim, a position in those given."""


def bounded(bits: FloatColumn, judged: BoolColumn) -> FloatColumn:
    """Return the bits, but no more than the share of the other judged transactions that have as many allows.

    Source: the rank of a case among its like is uniform if it is one of them (conformal prediction, Vovk 2005); the
    half a case that everything has is that of Krichevsky and Trofimov 1981.
    """
    ascending = np.sort(bits[judged])
    as_many = len(ascending) - np.searchsorted(ascending, bits, side="left") - 1
    allowed = -np.log2((np.maximum(as_many, 0) + 0.5) / max(len(ascending), 1))
    return np.where(judged & (bits > 0), np.clip(np.minimum(bits, allowed), 0.0, None), 0.0)


def evidence_of(context: HistoryContext, measured: Measured, claims: Sequence[Claim]) -> tuple[Evidence, ...]:
    """Return what each source says; its bits are not bounded yet. Cost n log n in calls and accesses."""
    history = context.history
    lasting = np.flatnonzero(lasting_calls(context))
    events = lasting[context.is_event[lasting]]
    function = context.calls.function
    through = history.invocation_sender != history.transaction_origin[history.invocation_transaction]
    nested = history.invocation_parent != MISSING
    return (
        _paths(history, measured),
        _broken(history, claims),
        _callers(history, function, events),
        _novel(EvidenceSource.ORIGIN, history, events, function * 2 + through, function),
        _combinations(history, function, lasting),
        _novel(EvidenceSource.CHANGES, history, events, _changes(context), function),
        _novel(EvidenceSource.NESTED, history, lasting, function * 2 + nested, function),
    )


def lasting_calls(context: HistoryContext) -> BoolColumn:
    """Return the calls whose effects lasted, views among them; no constructors, none of a contract that was gone."""
    return context.history.accepted & ~context.is_in_vain & ~context.is_constructor


def _novel(
    source: EvidenceSource, history: History, rows: IntColumn, code: IntColumn, group: IntColumn
) -> Evidence:
    """Return how improbable each call's code is in its group; ``code`` and ``group`` are of all invocations."""
    transaction = history.invocation_transaction[rows]
    _, both = np.unique(np.stack([group[rows], code[rows]]), axis=1, return_inverse=True)
    return _rare(source, history, rows, transaction, both.ravel().astype(np.int64), group[rows])


def _rare(
    source: EvidenceSource,
    history: History,
    rows: IntColumn,
    transaction: IntColumn,
    code: IntColumn,
    group: IntColumn,
) -> Evidence:
    units = Units(interaction=None, transaction=transaction)
    seen, total = units.others(code), units.others(group)
    chance = probability(seen, total, units.once(code, group))
    bits = np.where((seen <= RARE * total) & (total > 0), -np.log2(chance), 0.0)
    return _most(source, len(history.transaction_hash), transaction, rows, bits, total, code)


def _most(
    source: EvidenceSource,
    count: int,
    transaction: IntColumn,
    case: IntColumn,
    bits: FloatColumn,
    others: IntColumn,
    code: IntColumn,
    claim: IntColumn | None = None,
) -> Evidence:
    """Return what says most in each transaction, less the logarithm of how many different cases there were."""
    most, which = np.zeros(count), np.full(count, MISSING, dtype=np.int64)
    compared, broken = np.zeros(count, dtype=np.int64), np.full(count, MISSING, dtype=np.int64)
    if len(case):
        width = int(code.max()) + 1
        kinds = np.bincount(np.unique(transaction * width + code) // width, minlength=count)
        order = np.lexsort((-case, bits))  # the last assignment stays: the most bits, of equal ones the first
        at = transaction[order]
        most[at], which[at], compared[at] = bits[order], case[order], others[order]
        if claim is not None:
            broken[at] = claim[order]
        most = np.maximum(most - np.log2(np.maximum(kinds, 1)), 0.0)
    return Evidence(
        source=source,
        bits=most,
        case=np.where(most > 0, which, MISSING),
        others=compared,
        claim=None if claim is None else broken,
    )


def _paths(history: History, measured: Measured) -> Evidence:
    """Return how unusual the states are in which a transaction's calls were accepted."""
    path = measured.evidence[Kind.TRANSITION] + measured.evidence[Kind.PLACE]
    bits = np.where(measured.counted, np.maximum(path - measured.expected, 0.0), 0.0)
    transaction = measured.units.transaction
    events = np.arange(len(bits))
    others = len(bits) - np.bincount(transaction, minlength=len(history.transaction_hash))[transaction]
    return _most(
        EvidenceSource.PATH, len(history.transaction_hash), transaction, events, bits, others, events
    )


def _broken(history: History, claims: Sequence[Claim]) -> Evidence:
    """Return what a transaction broke that hardly any other breaks."""
    parts = list(_failures(history, claims))
    rows, bits, held, claim = (
        np.concatenate([part[place] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
        for place in range(4)
    )
    transaction = history.invocation_transaction[rows]
    nothing = np.zeros(len(rows), dtype=np.int64)  # of a claim others said already how often it fails
    return _most(
        EvidenceSource.BROKEN,
        len(history.transaction_hash),
        transaction,
        rows,
        bits.astype(np.float64),
        held,
        nothing,
        claim,
    )


def _failures(
    history: History, claims: Sequence[Claim]
) -> Iterator[tuple[IntColumn, FloatColumn, IntColumn, IntColumn]]:
    """Yield the rows that broke a claim, their bits by other transactions, how often it held there, and which it is."""
    for number, item in enumerate(claims):
        if item.held.all():
            continue
        transaction = history.invocation_transaction[item.cases]
        count = len(history.transaction_hash)
        own = np.bincount(transaction, minlength=count)
        own_failures = np.bincount(transaction[~item.held], minlength=count)
        rows = item.cases[~item.held].astype(np.int64)
        at = history.invocation_transaction[rows]
        total, wrong = len(item.cases) - own[at], int((~item.held).sum()) - own_failures[at]
        bits = np.where(wrong <= RARE * total, np.log2((total + 1) / (wrong + 0.5)), 0.0)
        yield rows, bits, total - wrong, np.full(len(rows), number, dtype=np.int64)


def _callers(history: History, function: IntColumn, rows: IntColumn) -> Evidence:
    """Return how improbable it was that somebody new called a function, by all calls of it before.

    Later calls say nothing: whoever is new comes back, and then seems to belong there. Of n earlier calls by c callers
    c - 1 were made by somebody new, the first aside, which has to be: the next is with (c - 1/2) / n. What one account
    alone called is a role: all functions that this account alone called by then are taken together.
    """
    of, sender = function[rows], history.invocation_sender[rows]
    new, before, callers = _newcomers(of, sender)
    known = before.copy()
    for place in np.flatnonzero(new & (callers == 1))[:MAX_ROLES].tolist():
        known[place] = _alone(of[:place], sender[:place], int(of[place]))
    strange = new & (before > 0)
    chance = np.minimum((callers - 0.5) / np.maximum(known, 1), 0.5)
    bits = np.where(strange, -np.log2(np.where(strange, chance, 1.0)), 0.0)
    transaction = history.invocation_transaction[rows]
    return _most(EvidenceSource.CALLER, len(history.transaction_hash), transaction, rows, bits, known, of)


def _newcomers(of: IntColumn, sender: IntColumn) -> tuple[BoolColumn, IntColumn, IntColumn]:
    """Return which calls are their sender's first of the function, how many were before, by how many senders."""
    count = len(of)
    new = np.zeros(count, dtype=np.bool_)
    new[np.unique(np.stack([of, sender]), axis=1, return_index=True)[1] if count else []] = True
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], of[order], side="left")
    arrived = np.r_[0, np.cumsum(new[order])]
    before, callers = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    before[order] = np.arange(count) - starts
    callers[order] = arrived[:-1] - arrived[starts]
    return new, before, callers


def _alone(of: IntColumn, sender: IntColumn, function: int) -> int:
    """Return how many calls were made of functions that only the sole caller of one had called."""
    owner = int(sender[np.argmax(of == function)])
    others = np.unique(of[sender != owner])
    return int((~np.isin(of, others)).sum())


def _combinations(history: History, function: IntColumn, rows: IntColumn) -> Evidence:
    """Return how improbable the calls of a transaction are together: which functions, how often in powers of two."""
    transaction = history.invocation_transaction[rows]
    width = int(function.max(initial=0)) + 1
    pairs, first, times = np.unique(
        transaction * width + function[rows], return_index=True, return_counts=True
    )
    kind = (pairs % width) * 64 + np.ceil(np.log2(times)).astype(np.int64)
    owner = pairs // width
    starts = np.flatnonzero(np.r_[True, np.diff(owner) != 0][: len(owner)])
    code = np.unique(np.add.reduceat(_mixed(kind), starts), return_inverse=True)[1] if len(starts) else starts
    case = rows[np.minimum.reduceat(first, starts)] if len(starts) else starts
    return _rare(
        EvidenceSource.COMBINATION,
        history,
        case,
        owner[starts],
        code.ravel().astype(np.int64),
        np.zeros(len(starts), dtype=np.int64),
    )


def _changes(context: HistoryContext) -> IntColumn:
    """Return a number for the set of variables that each invocation changed; shape (n,)."""
    accesses, count = context.accesses, len(context.history)
    touched = np.flatnonzero(accesses.effective_write)
    width = len(context.locations.variables) + 1
    variable = context.locations.variable[accesses.slot[touched]].astype(np.int64)
    pairs = np.unique(accesses.invocation[touched].astype(np.int64) * width + variable)
    total = np.zeros(count, dtype=np.uint64)
    np.add.at(total, pairs // width, _mixed(pairs % width))
    return np.unique(total, return_inverse=True)[1].ravel().astype(np.int64)


def _mixed(values: IntColumn) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Return numbers whose sums tell sets apart. Source: the finaliser of SplitMix64, Steele et al. 2014."""
    mixed = (values.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
