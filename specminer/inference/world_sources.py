"""What a transaction heard from other contracts, whose code ran in it, and which tokens it moved."""

from __future__ import annotations

from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.history.contract_history import (
    ENVIRONMENT,
    MISSING,
    AnswerColumns,
    BoolColumn,
    History,
    IntColumn,
)
from specminer.history.trace import EnvironmentKind
from specminer.history.words import limbs
from specminer.inference.evidence_source import (
    Cases,
    Part,
    SourceEvidence,
    first_time_bits,
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
from specminer.specification import EvidenceSource

MAX_VALUES: Final = 4
"""Words of an answer that are looked at."""
NO_NUMBER: Final = 2.0**128
"""If half of the answers are larger, they are no amounts, but hashes, addresses or texts."""
NEARLY: Final = 1e-6
"""A share of a balance that rounding may make up."""
_BALANCE: Final = ENVIRONMENT.index(EnvironmentKind.BALANCE)
_SELF: Final = ENVIRONMENT.index(EnvironmentKind.SELF_BALANCE)


def answer_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how far answers of other contracts are from their history: much larger, much smaller, or of another form.

    Answers to one selector within one function are compared: a price, a balance, a rate. Two Pareto tails tell how
    improbable a number is, above and below; the forms (nothing, zero, one, more; failed)
    count like changes of variables.
    """
    history, answers = context.history, context.history.answers
    count = len(history.transaction_hash)
    if answers is None or not len(answers.call_invocation):
        return strongest(EvidenceSource.ANSWER, count, _no_cases(history))
    calls = np.flatnonzero(
        lasting[answers.call_invocation] & ~answers.call_undone & (answers.call_selector != MISSING)
    )
    rows = answers.call_invocation[calls].astype(np.int64)
    group = number_codes(pair_codes(context.calls.function[rows], answers.call_selector[calls]))
    values, width = _answer_numbers(answers)
    output = answers.call_output[calls]
    form = np.where(answers.call_succeeded[calls], _forms(values, width)[output], 0)
    rare = rare_codes(history, rows, group * 8 + form, group)
    others = np.bincount(group)[group] - 1 if len(group) else group
    parts: list[Part] = [(rows, rare.bits, others, calls, np.full(len(rows), MISSING))]
    for column in range(MAX_VALUES):
        present = np.flatnonzero((width[output] > column) & answers.call_succeeded[calls])
        amounts = values[output[present], column]
        bits = _two_tails(group[present], amounts)
        parts.append((rows[present], bits, others[present], calls[present], np.full(len(present), column)))
    row, bits, (others, call, place_of) = join_parts(parts, 3)
    cases = Cases.of(history, row, bits, others, np.zeros_like(row))

    def sentence(position: int) -> str:
        name, item = context.calls.name(int(row[position])), int(call[position])
        who = checksum_address(history.addresses[int(answers.call_to[item])])
        heard = f"{name} heard from {who}"
        if place_of[position] == MISSING:
            return f"{heard} an answer of a form that hardly any of {int(others[position]):,} other calls got"
        amount = values[int(answers.call_output[item]), int(place_of[position])]
        return f"{heard} {amount:.4g}, far from the answers to {int(others[position]):,} other calls"

    return strongest(EvidenceSource.ANSWER, count, cases, sentence, looks=2)


def _answer_numbers(answers: AnswerColumns) -> tuple[FloatColumn, IntColumn]:
    """Return the first words of each different output, as rounded numbers, and how many of them there are."""
    size = 32 * MAX_VALUES
    text = b"".join(item[:size].ljust(size, b"\0") for item in answers.outputs)
    words = np.frombuffer(text, dtype="S32")
    width = np.array([len(item) // 32 for item in answers.outputs], dtype=np.int64)
    return rounded_words(limbs(words)).reshape(-1, MAX_VALUES), width


def _forms(values: FloatColumn, width: IntColumn) -> IntColumn:
    """Return of which form each output is: 1 nothing, 2 zero, 3 one, 4 more."""
    first = values[:, 0]
    form: IntColumn = np.where(width == 0, 1, np.where(first == 0, 2, np.where(first == 1, 3, 4)))
    return form


def _two_tails(group: IntColumn, amounts: FloatColumn) -> FloatColumn:
    """Return the bits of being far above or below the others of a group; none where they are no amounts."""
    if not len(group):
        return np.zeros(0)
    large = np.bincount(group, weights=amounts >= NO_NUMBER)
    usable = (large <= np.bincount(group) / 2)[group] & (amounts > 0)
    positive = np.where(usable, amounts, 0.0)
    inverse = np.divide(1.0, positive, out=np.zeros(len(positive)), where=positive > 0)
    both = np.maximum(tail_bits_by(group, positive), tail_bits_by(group, inverse))
    return np.maximum(both - 1.0, 0.0)


def code_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how improbable it was that code ran in the contract's place, or was called by a function, that was new.

    Who is called is compared with earlier calls of the same selector; for one that the function never used, with all
    that the function called.
    """
    history, answers = context.history, context.history.answers
    count = len(history.transaction_hash)
    if answers is None:
        return strongest(EvidenceSource.CODE, count, _no_cases(history))
    code_calls = np.flatnonzero(lasting & (answers.invocation_codes != MISSING))
    row_owners = [
        (int(row), owner)
        for row in code_calls.tolist()
        for owner in dict.fromkeys(item[0] for item in answers.code_lists[answers.invocation_codes[row]])
    ]
    pairs = np.array(row_owners, dtype=np.int64).reshape(-1, 2)
    calls = np.flatnonzero(
        lasting[answers.call_invocation] & answers.call_succeeded & (answers.call_selector != MISSING)
    )
    rows = answers.call_invocation[calls].astype(np.int64)
    group = number_codes(pair_codes(context.calls.function[rows], answers.call_selector[calls]))
    receiver, function = (
        answers.call_to[calls].astype(np.int64),
        context.calls.function[rows].astype(np.int64),
    )
    unused = first_times(group, receiver)[1] == 0
    by_function = _new_addresses(function + int(group.max(initial=0)) + 2, rows, receiver, unused)
    parts = [
        _new_addresses(np.zeros(len(pairs), dtype=np.int64), pairs[:, 0], pairs[:, 1]),
        _new_addresses(group + 1, rows, receiver),
        by_function,
    ]
    row, bits, (earlier_count, who, kind) = join_parts(parts, 3)
    cases = Cases.of(history, row, bits, earlier_count, kind)

    def sentence(position: int) -> str:
        name = context.calls.name(int(row[position]))
        address = checksum_address(history.addresses[int(who[position])])
        earlier = f"after {int(earlier_count[position]):,} calls without it"
        if kind[position] == 0:
            return f"{name} ran the code of {address} in the contract's place for the first time, {earlier}"
        return f"{name} called {address} for the first time, {earlier}"

    return strongest(EvidenceSource.CODE, count, cases, sentence, looks=2)


def _new_addresses(
    group: IntColumn, row: IntColumn, who: IntColumn, only: BoolColumn | None = None
) -> tuple[IntColumn, FloatColumn, IntColumn, IntColumn, IntColumn]:
    """Return the rows in which somebody is new in a group: bits, how many cases were before, who, and the group.

    ``only`` some of the cases are told.
    """
    new, before, different = first_times(group, who)
    bits = first_time_bits(new, before, different)
    strange = np.flatnonzero(bits > 0 if only is None else (bits > 0) & only)
    return row[strange], bits[strange], before[strange], who[strange], group[strange]


def token_evidence(history: History) -> SourceEvidence:
    """Return how improbable the amounts of tokens are that left the contracts, came to them, or moved elsewhere."""
    count, transfers = len(history.transaction_hash), history.transfers
    none = np.full(count, MISSING, dtype=np.int32)
    nothing = np.zeros(count)
    if transfers is None or not len(transfers.transaction):
        return SourceEvidence(
            source=EvidenceSource.TOKENS, bits=nothing, case=none, comparisons=none * 0, position=none
        )
    own = np.isin(
        np.arange(len(transfers.parties)),
        [index for index, party in enumerate(transfers.parties) if party in set(history.accounts)],
    )
    leaves, comes = own[transfers.sender], own[transfers.recipient]
    way = np.where(leaves & ~comes, 0, np.where(comes & ~leaves, 1, 2))
    kind = transfers.token.astype(np.int64) * 3 + way
    with_amount = np.flatnonzero(transfers.has_amount)
    amount = rounded_words(limbs(transfers.amount[with_amount]))
    width = int(kind.max()) + 1
    pair, inverse = np.unique(
        transfers.transaction[with_amount].astype(np.int64) * width + kind[with_amount], return_inverse=True
    )
    largest = np.zeros(
        len(pair)
    )  # not their sum: that there are many is told by the calls that the transaction combines
    np.maximum.at(largest, inverse.ravel(), amount)
    transaction, group = pair // width, pair % width
    first = _first_calls(history)
    bits = tail_bits_by(group, largest)
    others = np.bincount(group)[group] - 1 if len(group) else group
    present = np.flatnonzero(first[transaction] != MISSING)
    cases = Cases(
        invocation=first[transaction[present]],
        transaction=transaction[present],
        bits=bits[present],
        comparisons=others[present],
        kind=group[present],
    )
    directions = ("left the contract", "came to the contract", "moved between others")

    def sentence(position: int) -> str:
        row = int(present[position])
        token = checksum_address(transfers.parties[int(group[row]) // 3])
        return (
            f"{largest[row]:.4g} units of token {token} {directions[int(group[row]) % 3]}, more than the "
            f"{int(others[row]):,} other transactions that move it so lead to expect"
        )

    return strongest(EvidenceSource.TOKENS, count, cases, sentence)


def _first_calls(history: History) -> IntColumn:
    """Return for each transaction the row of its first invocation."""
    first = np.full(len(history.transaction_hash), MISSING, dtype=np.int64)
    rows = np.arange(len(history))[::-1]
    first[history.invocation_transaction[rows]] = rows
    return first


def _no_cases(history: History) -> Cases:
    empty = np.zeros(0, dtype=np.int64)
    return Cases.of(history, empty, np.zeros(0), empty, empty)


def unseen_ether(context: HistoryContext, lasting: BoolColumn) -> tuple[IntColumn, BoolColumn]:
    """Return the calls that read the contract's own balance, and in which it was no more than what came and stayed.

    Ether that was forced in, by a self-destruction or a block's reward, shows the first time that the code looks; what
    it sees later is compared with that. Nothing is told where some payments are not known, or of several contracts.
    """
    history, answers = context.history, context.history.answers
    empty = np.zeros(0, dtype=np.int64)
    accepted = history.accepted
    if (
        answers is None
        or len(history.contracts) != 1
        or (history.invocation_payments[accepted] == MISSING).any()
        or (history.payment_value[~history.payment_undone] == MISSING).any()
    ):
        return empty, empty.astype(np.bool_)
    own = np.frombuffer(bytes(12) + history.contracts[0].address, dtype="S32")[0]
    queries = np.flatnonzero(
        (answers.environment_kind == _SELF)
        | ((answers.environment_kind == _BALANCE) & (answers.environment_subject == own))
    )
    queries = queries[lasting[answers.environment_invocation[queries]]]
    rows = answers.environment_invocation[queries].astype(np.int64)
    word = rounded_words(context.word_limbs)
    income = np.cumsum(np.where(accepted, word[history.invocation_value], 0.0))
    left = ~history.payment_undone
    transaction = history.invocation_transaction[history.payment_invocation[left]]
    paid = np.bincount(
        transaction, weights=word[history.payment_value[left]], minlength=len(history.transaction_hash)
    )
    before = (
        np.r_[0.0, np.cumsum(paid)[:-1]][history.invocation_transaction[rows]] if len(rows) else income[:0]
    )
    balance = rounded_words(limbs(answers.environment_value[queries]))
    surplus = balance - (income[rows] - before)
    # what was there before the history began is nothing that was forced in
    begin = 0.0 if context.has_creations or not len(rows) else surplus[0]
    largest = np.r_[begin, np.maximum.accumulate(surplus)[:-1]] if len(rows) else surplus
    return rows, surplus <= np.maximum(largest, 0.0) + balance * NEARLY
