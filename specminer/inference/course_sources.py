"""When things happen and who is new: time between steps, first appearances, races within a block, refused payments."""

from __future__ import annotations

from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.scratch import in_file
from specminer._support.units import duration
from specminer.decoding import HistoryContext
from specminer.decoding.calldata import arguments, senders
from specminer.history.contract_history import CALLS, MISSING, BoolColumn, History, IntColumn
from specminer.history.trace import CallKind
from specminer.inference.evidence_source import (
    RARE,
    Cases,
    SourceEvidence,
    first_times,
    join_parts,
    number_codes,
    pair_codes,
    rare_codes,
    rounded_words,
    strongest,
    tail_bits_by,
)
from specminer.inference.leave_one_out import FloatColumn
from specminer.inference.surprise_measures import MeasuredBits
from specminer.learning.tuning_result import Tuning
from specminer.specification import EvidenceSource

_CALL: Final = CALLS.index(CallKind.CALL)


def duration_evidence(
    context: HistoryContext, tuning: Tuning, measured: MeasuredBits, invocation: IntColumn
) -> SourceEvidence:
    """Return how improbably soon a step follows: the same two functions, by one sender, or about one entity.

    The seconds between are compared with those of other such steps, by a Pareto tail of their inverse. Also the time
    since the first call about the entity, for each function. Steps of one transaction are left to what it combines.
    """
    history, table = context.history, tuning.table
    when = history.transaction_time[history.invocation_transaction]
    events = np.flatnonzero(measured.is_counted & ~table.switched)
    rows, symbol = invocation[events], table.symbol[events]
    parts = [_since_first(table.interaction[events], symbol, rows)] if not measured.whole else []
    if not measured.whole:
        parts.append(_steps(table.interaction[events], symbol, rows))
    calls = np.unique(invocation[measured.is_counted])
    parts.append(_steps(history.invocation_sender[calls], context.calls.function[calls], calls))
    looks = len(parts)
    chain = np.repeat(np.arange(looks, dtype=np.int8), [len(part[0]) for part in parts])
    # what the sentence asks is kept
    row, earlier, group = (in_file(np.concatenate([part[number] for part in parts])) for number in range(3))
    del parts, rows, symbol, events, calls
    # what happens within one transaction is told by which calls it combines
    usable = history.invocation_transaction[row] != history.invocation_transaction[earlier]
    usable &= when[row] != MISSING
    usable &= when[earlier] != MISSING
    row, earlier = in_file(row[usable]), in_file(earlier[usable])
    code = in_file(number_codes(pair_codes(chain[usable], group[usable])))
    del chain, group, usable
    gap = in_file(np.maximum(when[row] - when[earlier], 0))
    bits = in_file(tail_bits_by(code, 1.0 / (gap + 1.0)))
    others = in_file(np.bincount(code)[code] - 1) if len(code) else code
    cases = Cases.of(history, row, bits, others, np.zeros_like(row))

    def sentence(position: int) -> str:
        now, then = int(row[position]), int(earlier[position])
        return (
            f"{context.calls.name(now)} came {duration(int(gap[position]))} after {context.calls.name(then)}, sooner "
            f"than in its {int(others[position]):,} other cases"
        )

    return strongest(EvidenceSource.DURATION, len(history.transaction_hash), cases, sentence, looks=looks)


def _steps(chain: IntColumn, symbol: IntColumn, rows: IntColumn) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Return calls that follow another of the same chain, that other one, and which two functions they are."""
    order = np.lexsort((rows, chain))
    follows = np.flatnonzero(np.diff(chain[order]) == 0) + 1
    now, then = order[follows], order[follows - 1]
    width = int(symbol.max(initial=0)) + 1
    return rows[now], rows[then], symbol[then] * width + symbol[now]


def _since_first(
    chain: IntColumn, symbol: IntColumn, rows: IntColumn
) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Return calls that are not the first of their chain, that first one, and which function they are."""
    first = np.full(int(chain.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, chain, rows)
    later = np.flatnonzero(rows != first[chain]) if len(chain) else chain
    return rows[later], first[chain[later]], symbol[later]


def newcomer_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how improbable it was that a caller who is new to a function had never been seen in the whole history.

    Of n earlier first calls of functions k were made by somebody who had never been seen: the next is with (k + 1/2) /
    (n + 1). Contracts are counted apart from accounts. As only those who are new to a function are looked at, this
    comes on top of how improbable they are. The same is told, less the logarithm of their number, of the transactions
    that this caller makes later.
    """
    history = context.history
    rows = np.flatnonzero(lasting & context.is_event)
    transaction = history.invocation_transaction[rows]
    origin, sender = history.transaction_origin[transaction], history.invocation_sender[rows]
    first_seen = np.full(len(history.addresses), np.iinfo(np.int64).max)
    everybody = history.invocation_transaction
    np.minimum.at(first_seen, history.invocation_sender, everybody)
    np.minimum.at(first_seen, history.transaction_origin[everybody], everybody)
    first, _, _ = first_times(context.calls.function[rows], sender)
    rows, transaction, sender = rows[first], transaction[first], sender[first]
    contract = (sender != origin[first]).astype(np.int64)
    new = first_seen[sender] == transaction
    bits, earlier_count = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
    before = np.searchsorted(transaction, transaction, side="left")
    for kind in (0, 1):
        of_kind = new & (contract == kind)
        earlier = np.r_[0, np.cumsum(of_kind)][before[of_kind]]
        earlier_count[of_kind] = before[of_kind]
        bits[of_kind] = -np.log2((earlier + 0.5) / (earlier_count[of_kind] + 1.0))
    bits = np.where(earlier_count > 0, bits, 0.0)
    later, arrival, turn = _later_calls(history, np.flatnonzero(lasting & context.is_event), rows, bits)
    parts = [
        (rows, bits, earlier_count, contract, np.ones_like(rows), rows),
        (
            later,
            bits[arrival] - np.log2(turn),
            earlier_count[arrival],
            contract[arrival],
            turn,
            rows[arrival],
        ),
    ]
    rows, bits, (earlier_count, contract, turn, first_call) = join_parts(parts, 4)
    cases = Cases.of(history, rows, np.maximum(bits, 0.0), earlier_count, contract)

    def sentence(position: int) -> str:
        first = int(first_call[position])
        who = checksum_address(history.addresses[int(history.invocation_sender[first])])
        what = "a contract" if contract[position] else "an account"
        since = "before" if turn[position] == 1 else _before_previous(int(turn[position]) - 1)
        return (
            f"{who}, {what} that was never seen {since}, called {context.calls.name(int(rows[position]))}; most "
            f"of {int(earlier_count[position]):,} earlier first calls were made by somebody who was known"
        )

    return strongest(EvidenceSource.NEWCOMER, len(history.transaction_hash), cases, sentence)


def _later_calls(
    history: History, calls: IntColumn, arrivals: IntColumn, bits: FloatColumn
) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Return calls in later transactions of somebody who was new, the position of the arrival, and which one it is.

    Whoever came improbably is as improbable in their second transaction: that it is one of m costs log2 m bits.
    """
    strange = np.flatnonzero(bits > 0)
    order = strange[np.lexsort((-bits[strange], history.invocation_sender[arrivals[strange]]))]
    who, first = np.unique(history.invocation_sender[arrivals[order]], return_index=True)
    best = order[first]
    sender, transaction = history.invocation_sender[calls], history.invocation_transaction[calls]
    newcomer = np.minimum(np.searchsorted(who, sender), max(len(who) - 1, 0))
    by_newcomer = who[newcomer] == sender if len(who) else np.zeros(len(calls), dtype=np.bool_)
    newcomer_calls, newcomer = calls[by_newcomer], newcomer[by_newcomer]
    width = len(history.transaction_hash) + 1
    pairs, which = np.unique(newcomer * width + transaction[by_newcomer], return_inverse=True)
    author = pairs // width
    # transactions of each stand in order: counted from their own first
    turn = (np.arange(len(pairs)) - np.searchsorted(author, author, side="left") + 1)[which.ravel()]
    later = history.invocation_transaction[arrivals[best[newcomer]]] < transaction[by_newcomer]
    return newcomer_calls[later], best[newcomer[later]], turn[later]


def relation_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how improbable it is that an address among the arguments is, or is not, the caller or the origin."""
    history = context.history
    events = lasting & context.is_event
    senders_ = senders(history)
    names: list[str] = []
    parts = []
    for column in arguments(history, context.calls):
        if not column.single or column.type != "address":
            continue
        positions = np.flatnonzero(events[column.invocation])
        rows, words = column.invocation[positions], column.words[positions]
        origin = history.transaction_origin[history.invocation_transaction[rows]]
        code = (words == senders_[history.invocation_sender[rows]]) * 1 + (words == senders_[origin]) * 2
        cases = rare_codes(history, rows, code.astype(np.int64), np.zeros(len(rows), dtype=np.int64))
        parts.append((rows, cases.bits, cases.comparisons, code, np.full(len(rows), len(names))))
        names.append(column.name or "an argument")
    row, bits, (others, code, number) = join_parts(parts, 3)
    cases = Cases.of(history, row, bits, others, number)

    def sentence(position: int) -> str:
        name = context.calls.name(int(row[position]))
        which = names[int(number[position])]
        how = (
            "neither the caller nor who sent the transaction",
            "the calling contract",
            "who sent the transaction, though a contract called",
            "the caller",
        )[int(code[position])]
        return f"{which} of {name} was {how}, as in hardly any of its {int(others[position]):,} other calls"

    return strongest(EvidenceSource.RELATION, len(history.transaction_hash), cases, sentence)


def race_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how improbable it is that different senders change one entry of a variable within a block.

    Both the one that changed it and the one that overwrote it take part. Entries are what stands under a key: a total
    is everybody's.
    """
    history, accesses = context.history, context.accesses
    keyed = np.array([bool(item.ports) for item in context.locations.variables], dtype=np.bool_)
    entry = keyed[context.locations.variable[accesses.slot]] if len(keyed) else accesses.effective_write
    rows = np.flatnonzero(accesses.effective_write & lasting[accesses.invocation] & entry)
    call = accesses.invocation[rows].astype(np.int64)
    transaction = history.invocation_transaction[call]
    slot = accesses.slot[rows].astype(np.int64)
    order = np.lexsort((call, slot))
    first, second = order[:-1], order[1:]
    races = (
        (slot[first] == slot[second])
        & (history.transaction_block[transaction[first]] == history.transaction_block[transaction[second]])
        & (history.transaction_origin[transaction[first]] != history.transaction_origin[transaction[second]])
    )
    raced = np.zeros(len(rows), dtype=np.int64)
    raced[first[races]] = raced[second[races]] = 1
    variable = context.locations.variable[accesses.slot[rows]].astype(np.int64)
    total = np.bincount(variable)[variable] if len(rows) else variable
    other_races = np.bincount(variable, weights=raced)[variable] - raced if len(rows) else raced
    strange = (raced == 1) & (other_races - 1 <= RARE * total)
    bits = np.where(strange, -np.log2(np.maximum(other_races, 0.5) / (total + 1.0)), 0.0)
    call, slot, total = (in_file(column) for column in (call, slot, total))
    cases = Cases.of(history, call, np.maximum(bits, 0.0), total - 1, np.zeros_like(call))

    def sentence(position: int) -> str:
        name = context.locations.text(int(slot[position]))
        return (
            f"{context.calls.name(int(call[position]))} changed {name} in the same block as somebody else's call, "
            f"which hardly any of {int(total[position]) - 1:,} other changes of the kind did"
        )

    return strongest(EvidenceSource.RACE, len(history.transaction_hash), cases, sentence)


def refusal_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how improbable it is that whoever called refuses the ether that the contract pays them afterwards.

    Payments to nearly all receivers succeed. The last transaction before a refused one in which the receiver called is
    the one that brought the contract to pay there.
    """
    history, answers = context.history, context.history.answers
    count = len(history.transaction_hash)
    empty = np.zeros(0, dtype=np.int64)
    if answers is None:
        return strongest(EvidenceSource.REFUSAL, count, Cases.of(history, empty, np.zeros(0), empty, empty))
    word = rounded_words(context.word_limbs)
    paid = np.flatnonzero((answers.call_kind == _CALL) & (word[answers.call_value] > 0))
    who = answers.call_to[paid].astype(np.int64)
    refused = ~answers.call_succeeded[paid]
    receivers, inverse = np.unique(who, return_inverse=True)
    failed = np.bincount(inverse.ravel(), weights=refused) if len(receivers) else np.zeros(0)
    bad = receivers[failed > 0]
    when = {
        int(item): int(answers.call_invocation[paid[np.flatnonzero(refused & (who == item))[0]]])
        for item in bad
    }
    calls = np.flatnonzero(lasting & context.is_event)
    causes = {
        item: calls[(history.invocation_sender[calls] == item) & (calls < row)][-1:]
        for item, row in when.items()
    }
    calls_and_receivers = [(int(row[0]), item) for item, row in causes.items() if len(row)]
    rows = np.array([row for row, _ in calls_and_receivers], dtype=np.int64)
    receiver = np.array([item for _, item in calls_and_receivers], dtype=np.int64)
    receiver_index = np.searchsorted(receivers, receiver)
    payments = np.bincount(inverse.ravel(), minlength=len(receivers))
    others: IntColumn = (len(paid) - payments[receiver_index]).astype(np.int64)
    elsewhere = failed.sum() - failed[receiver_index]
    strange = elsewhere <= RARE * others
    bits: FloatColumn = np.where(strange, -np.log2((elsewhere + 0.5) / (others + 1.0)), 0.0)
    cases = Cases.of(history, rows, bits, others, rows)

    def sentence(position: int) -> str:
        address = checksum_address(history.addresses[int(receiver[position])])
        return (
            f"{address}, which called {context.calls.name(int(rows[position]))}, refuses to be paid, unlike the "
            f"receivers of {int(others[position]):,} other payments"
        )

    return strongest(EvidenceSource.REFUSAL, count, cases, sentence)


def _before_previous(transactions: int) -> str:
    """Return before how many transactions of its own somebody was never seen."""
    return "before its previous " + ("transaction" if transactions == 1 else f"{transactions:,} transactions")
