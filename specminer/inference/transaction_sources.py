"""What speaks against a transaction: sources of evidence, each in bits, each learned from other transactions alone.

A source compares every transaction with all others (callers: with all before it). What it says at first is that of the
most improbable thing that it finds in the transaction, less the logarithm of how many it looked at. No source may say
more than its own history allows: where k of the n others have as many bits, that happens with probability k / n
(:func:`.evidence_source.bounded`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer._support.mixing import GOLDEN_GAMMA, Hashes, finalise
from specminer.decoding import HistoryContext
from specminer.decoding.calldata import arguments, senders
from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.inference.evidence_source import (
    RARE,
    Cases,
    SourceEvidence,
    first_time_bits,
    first_times,
    number_codes,
    pair_codes,
    rare_codes,
    strongest,
)
from specminer.inference.leave_one_out import FloatColumn, probability
from specminer.inference.surprise_measures import MeasuredBits, SurpriseKind
from specminer.learning.tuning_result import Tuning
from specminer.specification import EvidenceSource

MAX_ROLES: Final = 64
"""Functions that one account alone called until somebody else did; of further ones only their own calls count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What held in nearly all cases."""

    text: str
    cases: IntColumn | RowColumn
    """Rows of the invocations in which it could have failed; shape (c,)."""
    holds: BoolColumn
    """In which of them it did hold; shape (c,)."""
    before: bool = False
    """Whether it is about what a call found: the state in which it was accepted, then, not what it did."""
    waits: bool = False
    """Whether it held only because nobody called what breaks it: who does, is judged by the other calls of the same
    function alone. That a function is hardly ever called is told elsewhere."""


def evidence_of(
    context: HistoryContext, tuning: Tuning, measured: MeasuredBits, claims: Sequence[Claim]
) -> tuple[SourceEvidence, ...]:
    """Return what each source says; its bits are not bounded yet. Cost n log n in calls and accesses."""
    history = context.history
    lasting = np.flatnonzero(lasting_calls(context))
    events = lasting[context.is_event[lasting]]
    function = context.calls.function
    through = history.invocation_sender != history.transaction_origin[history.invocation_transaction]
    nested = history.invocation_parent != MISSING
    return (
        _paths(history, measured, tuning.table.symbol),
        _broken(context, [item for item in claims if item.before], EvidenceSource.BEFORE),
        _broken(context, [item for item in claims if not item.before], EvidenceSource.BROKEN),
        _callers(context, events),
        _novel(EvidenceSource.ORIGIN, history, events, function * 2 + through, function),
        _newborns(history, events, function * 2 + through),
        *_combinations(history, function, lasting),
        _novel(
            EvidenceSource.CHANGES, history, events, _changes(context), function * 2 + _names_caller(context)
        ),
        _novel(EvidenceSource.NESTED, history, lasting, function * 2 + nested, function),
    )


def lasting_calls(context: HistoryContext) -> BoolColumn:
    """Return the calls whose effects lasted, views among them; no constructors, none of a contract that was gone."""
    return context.history.accepted & ~context.is_in_vain & ~context.is_constructor


def _novel(
    source: EvidenceSource, history: History, rows: IntColumn, code: IntColumn, group: IntColumn
) -> SourceEvidence:
    """Return how improbable each call's code is in its group; ``code`` and ``group`` are of all invocations."""
    cases = rare_codes(history, rows, number_codes(pair_codes(group[rows], code[rows])), group[rows])
    return strongest(source, len(history.transaction_hash), cases)


def _newborns(history: History, rows: IntColumn, group: IntColumn) -> SourceEvidence:
    """Return how improbable it is, among calls by contracts, that the caller was created by the same transaction.

    That it was not is never known, and says nothing.
    """
    newborn = history.invocation_newborn[rows]
    of = group[rows]
    cases = rare_codes(history, rows, number_codes(of * 2 + newborn), of)
    cases = replace(cases, bits=np.where(newborn, cases.bits, 0.0))
    return strongest(EvidenceSource.NEWBORN, len(history.transaction_hash), cases)


def _paths(history: History, measured: MeasuredBits, symbol: IntColumn) -> SourceEvidence:
    """Return how unusual the states are in which a transaction's calls were accepted.

    That a function is hardly ever called is not the state's to say: what it is improbable by alone is left out.
    """
    one = np.zeros(len(symbol), dtype=np.int64)
    units = measured.units
    function = -np.log2(probability(units.others(symbol), units.others(one), units.once(symbol, one)))
    path = (
        np.maximum(measured.evidence[SurpriseKind.TRANSITION] - function, 0.0)
        + measured.evidence[SurpriseKind.PLACE]
    )
    bits = np.where(measured.is_counted, path, 0.0)
    transaction = measured.units.transaction
    events = np.arange(len(bits))
    others = len(bits) - np.bincount(transaction, minlength=len(history.transaction_hash))[transaction]
    cases = Cases(invocation=events, transaction=transaction, bits=bits, comparisons=others, kind=events)
    return strongest(EvidenceSource.PATH, len(history.transaction_hash), cases)


def _broken(context: HistoryContext, claims: Sequence[Claim], source: EvidenceSource) -> SourceEvidence:
    """Return what a transaction broke that hardly any other breaks."""
    history = context.history
    parts = list(_failures(context, claims))
    rows, bits, held_count, claim = (
        np.concatenate([part[column] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
        for column in range(4)
    )
    nothing = np.zeros(len(rows), dtype=np.int64)  # of a claim others said already how often it fails
    cases = Cases.of(history, rows, bits.astype(np.float64), held_count, nothing)

    def sentence(position: int) -> str:
        name = context.calls.name(int(rows[position]))
        text = claims[int(claim[position])].text
        return f"{name} broke what held in {int(held_count[position]):,} cases of other transactions, {text}"

    return strongest(source, len(history.transaction_hash), cases, sentence)


def _failures(
    context: HistoryContext, claims: Sequence[Claim]
) -> Iterator[tuple[IntColumn, FloatColumn, IntColumn, IntColumn]]:
    """Yield the rows that broke a claim, their bits by other transactions, how often it held there, and which it is."""
    history, function, lasting = context.history, context.calls.function, lasting_calls(context)
    for number, item in enumerate(claims):
        if item.holds.all():
            continue
        transaction = history.invocation_transaction[item.cases]
        count = len(history.transaction_hash)
        own = np.bincount(transaction, minlength=count)
        own_failures = np.bincount(transaction[~item.holds], minlength=count)
        rows = item.cases[~item.holds].astype(np.int64)
        at = history.invocation_transaction[rows]
        total, wrong = len(item.cases) - own[at], int((~item.holds).sum()) - own_failures[at]
        bits = np.where(wrong <= RARE * total, np.log2((total + 1) / (wrong + 0.5)), 0.0)
        if item.waits:
            calls = np.bincount(function, weights=lasting)[function[rows]] - 1
            bits = np.minimum(bits, np.log2(2.0 * np.maximum(calls, 0.0) + 2.0))
        yield rows, bits, total - wrong, np.full(len(rows), number, dtype=np.int64)


def _callers(context: HistoryContext, rows: IntColumn) -> SourceEvidence:
    """Return how improbable it was that somebody new called a function, by all calls of it before.

    Later calls say nothing: whoever is new comes back, and then seems to belong there. Of n earlier calls by c callers
    c - 1 were made by somebody new, the first aside, which has to be: the next is with (c - 1/2) / n. What one account
    alone called is a role: all functions that this account alone called by then are taken together. Of a function that
    nobody called before, the functions are counted instead, unless somebody calls it who has such a role or deployed
    the contract: administrators do what was never done.
    """
    history = context.history
    of, sender = context.calls.function[rows], history.invocation_sender[rows]
    new, before, callers = first_times(of, sender)
    earlier_cases, different = before.copy(), callers.copy()
    for row in np.flatnonzero(new & (callers == 1))[:MAX_ROLES].tolist():
        earlier_cases[row] = _alone(of[:row], sender[:row], int(of[row]))
    deployers = set(history.invocation_sender[context.is_constructor].tolist())
    for row in np.flatnonzero(before == 0)[:MAX_ROLES].tolist():
        if sender[row] not in deployers | _role_holders(of[:row], sender[:row]):
            earlier_cases[row], different[row] = row, len(np.unique(of[:row]))
    bits = first_time_bits(new, earlier_cases, different)
    return strongest(
        EvidenceSource.CALLER, len(history.transaction_hash), Cases.of(history, rows, bits, earlier_cases, of)
    )


def _role_holders(of: IntColumn, sender: IntColumn) -> set[int]:
    """Return who alone called some function, twice or more."""
    holders = set()
    for function in np.unique(of).tolist():
        callers = sender[of == function]
        if len(callers) > 1 and (callers == callers[0]).all():
            holders.add(int(callers[0]))
    return holders


def _alone(of: IntColumn, sender: IntColumn, function: int) -> int:
    """Return how many calls were made of functions that only the sole caller of one had called."""
    owner = int(sender[np.argmax(of == function)])
    others = np.unique(of[sender != owner])
    return int((~np.isin(of, others)).sum())


def _combinations(
    history: History, function: IntColumn, rows: IntColumn
) -> tuple[SourceEvidence, SourceEvidence]:
    """Return how improbable the calls of a transaction are together, and, among those with the same, their order.

    The calls are which functions, how often in powers of two. One call alone is no combination: that a function is
    hardly ever called is told by who calls it. Their order is which function follows which, in the order of entry, and
    which is the first: who repeats steps more often than others does not do them in another order.
    """
    transaction = history.invocation_transaction[rows]
    width = int(function.max(initial=0)) + 1
    pairs, first, times = np.unique(
        transaction * width + function[rows], return_index=True, return_counts=True
    )
    owner = pairs // width
    code, starts = _set_codes(owner, (pairs % width) * 64 + np.ceil(np.log2(times)).astype(np.int64))
    case = rows[np.minimum.reduceat(first, starts)] if len(starts) else starts
    cases = rare_codes(history, case, code, np.zeros(len(starts), dtype=np.int64))
    calls = np.add.reduceat(times, starts) if len(starts) else starts
    cases = replace(cases, bits=np.where(calls > 1, cases.bits, 0.0))
    # of each transaction the steps from one function to another; a transaction's first call has none before it
    begins = np.r_[True, np.diff(transaction) != 0][: len(rows)]
    before = np.where(begins, width, np.roll(function[rows], 1))
    steps = np.unique((transaction * (width + 1) + before) * width + function[rows])
    order, _ = _set_codes(steps // (width * (width + 1)), steps % (width * (width + 1)))
    orders = rare_codes(history, case, number_codes(pair_codes(code, order)), code)
    count = len(history.transaction_hash)
    return strongest(EvidenceSource.COMBINATION, count, cases), strongest(EvidenceSource.ORDER, count, orders)


def _set_codes(owner: IntColumn, member: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Return a number for the set of members of each owner, equal for equal sets, and where each owner begins.

    The owners are ascending.
    """
    starts = np.flatnonzero(np.r_[True, np.diff(owner) != 0][: len(owner)])
    if not len(starts):
        return starts, starts
    code = np.unique(np.add.reduceat(_mix_bits(member), starts), return_inverse=True)[1]
    return code.ravel().astype(np.int64), starts


def _changes(context: HistoryContext) -> IntColumn:
    """Return a number for the set of variables that each invocation changed; shape (n,)."""
    accesses, count = context.accesses, len(context.history)
    touched = np.flatnonzero(accesses.effective_write)
    width = len(context.locations.variables) + 1
    variable = context.locations.variable[accesses.slot[touched]].astype(np.int64)
    pairs = np.unique(accesses.invocation[touched].astype(np.int64) * width + variable)
    total = np.zeros(count, dtype=np.uint64)
    np.add.at(total, pairs // width, _mix_bits(pairs % width))
    return np.unique(total, return_inverse=True)[1].ravel().astype(np.int64)


def _names_caller(context: HistoryContext) -> BoolColumn:
    """Return which invocations name their own caller: whoever pays themselves changes less than others; shape (n,)."""
    history = context.history
    word = senders(history)
    is_named = np.zeros(len(history), dtype=np.bool_)
    for column in arguments(history, context.calls):
        if column.single and column.type == "address":
            is_named[column.invocation] |= column.words == word[history.invocation_sender[column.invocation]]
    return is_named


def _mix_bits(values: IntColumn) -> Hashes:
    """Return numbers whose sums tell sets apart."""
    return finalise((values.astype(np.uint64) + np.uint64(1)) * GOLDEN_GAMMA)
