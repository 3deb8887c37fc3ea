"""Arguments that come a second time though they never do, and amounts far above what is usual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.calldata import ArgumentColumn, arguments, texts
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.history.words import limbs
from specminer.inference.evidence_source import (
    RARE,
    Cases,
    Part,
    SourceEvidence,
    join_parts,
    rounded_words,
    strongest,
    tail_bits,
    tail_bits_by,
)
from specminer.inference.leave_one_out import FloatColumn
from specminer.specification import EvidenceSource

UNLIKELY: Final = 3.0
"""So many equal pairs are to be expected by chance before it says something that there were none: e^-3 is one in 20."""
STRONG: Final = float(np.log2(20))
"""An argument in which nothing has so many bits is none of those looked at."""
ALL_ARGUMENTS: Final = "all its arguments together"
NUMBERS: Final = frozenset({ValueKind.UINT, ValueKind.INT, ValueKind.WORD})
"""Kinds of stored values that are amounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ArgumentValues:
    """The values that calls of one function gave to one of its arguments."""

    function: int
    name: str
    rows: IntColumn
    """Rows of the invocations, ascending; shape (c,)."""
    code: IntColumn
    """Equal for equal values; shape (c,)."""
    span: float
    """How many values there are between the smallest and the largest; infinite for texts."""


def repetition_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how improbable it is that a call has an argument which a call of an earlier transaction had.

    A voucher, a signature, the number of an order are accepted once. Among n earlier calls of the function of which k
    repeated one, the next does with (k + 1/2) / (n + 1). Where chance alone may explain that none did, because the
    values spread wide and calls are few, it is as probable as n values among all of that width are to meet it.
    Addresses are left out, as who is named twice is nothing unusual. All arguments together are looked at where one of
    them may be a voucher: a text, bytes, or an array.
    """
    history = context.history
    argument_values = list(_values(context, lasting))
    parts = [_find_repetitions(item, history.invocation_transaction[item.rows]) for item in argument_values]
    which = [np.full(len(part[0]), number) for number, part in enumerate(parts)]
    empty = np.zeros(0, dtype=np.int64)
    # arguments that are repeated in the same calls, as the halves of a signature, are one thing to look at
    different = {
        (item.function, part[0].tobytes())
        for item, part in zip(argument_values, parts, strict=True)
        if part[1].max(initial=0.0) >= STRONG
    }
    columns = np.bincount([function for function, _ in different], minlength=len(context.calls.functions))
    rows, bits, (before, earlier) = join_parts(parts, 2)
    number = np.concatenate(which).astype(np.int64) if which else empty
    looks = columns[context.calls.function[rows]] if len(rows) else empty
    cases = Cases.of(
        history, rows, np.maximum(bits - np.log2(np.maximum(looks, 1)), 0.0), before, np.zeros_like(rows)
    )

    def sentence(position: int) -> str:
        item, row = argument_values[int(number[position])], int(rows[position])
        first = history.invocation_transaction[int(earlier[position])]
        name = context.calls.name(row)
        return (
            f"{name} was given {item.name} as in transaction 0x{history.transaction_hash[int(first)].hex()}, "
            f"though hardly any of its {int(before[position]):,} earlier calls repeated one"
        )

    return strongest(EvidenceSource.REPETITION, len(history.transaction_hash), cases, sentence)


def _values(context: HistoryContext, lasting: BoolColumn) -> Iterator[_ArgumentValues]:
    """Yield the arguments of all functions, and all of a call's arguments together."""
    history, calls = context.history, context.calls
    events = lasting & context.is_event
    for column in arguments(history, calls):
        usable = column.single and column.type != "address"
        positions = np.flatnonzero(events[column.invocation]) if usable else ()
        if len(positions):
            words = column.words[positions]
            code = np.unique(words, return_inverse=True)[1].ravel().astype(np.int64)
            amounts = rounded_words(limbs(words))
            yield _ArgumentValues(
                function=column.function,
                name=f"{column.name}" if column.name else "an argument",
                rows=column.invocation[positions],
                code=code,
                span=float(amounts.max() - amounts.min()) + 1.0,
            )
    for text in texts(history, calls):
        positions = np.flatnonzero(events[text.invocation])
        if len(positions):
            code = _encode_values(text.texts[row] for row in positions.tolist())
            yield _ArgumentValues(
                function=text.function,
                name=text.name,
                rows=text.invocation[positions],
                code=code,
                span=np.inf,
            )
    function = np.where(events, calls.function, MISSING)
    for number in np.unique(calls.function[events]).tolist():
        signature = calls.interface_functions[number]
        if signature is None or (
            len(signature.types) > 1 and any(_may_be_voucher(item) for item in signature.types)
        ):
            rows = np.flatnonzero(function == number)
            code = _encode_values(history.invocation_data[row] for row in rows.tolist())
            yield _ArgumentValues(function=number, name=ALL_ARGUMENTS, rows=rows, code=code, span=np.inf)


def _may_be_voucher(type_: str) -> bool:
    """Return whether a value of this type may be a signature, a hash, or a list of such."""
    return type_.startswith(("bytes", "string", "(")) or type_.endswith("]")


def _encode_values(values: Iterable[bytes]) -> IntColumn:
    numbers: dict[bytes, int] = {}
    return np.fromiter((numbers.setdefault(value, len(numbers)) for value in values), dtype=np.int64)


def _find_repetitions(
    item: _ArgumentValues, transaction: IntColumn
) -> tuple[IntColumn, FloatColumn, IntColumn, IntColumn]:
    """Return the calls whose value an earlier transaction gave: bits, how many were earlier, the first of them."""
    _, starts, code = np.unique(item.code, return_index=True, return_inverse=True)
    first = starts[code.ravel()]
    again = transaction[first] < transaction
    before = np.searchsorted(transaction, transaction, side="left")
    repeats = np.r_[0, np.cumsum(again)][before]
    rows = np.flatnonzero(again & (repeats <= RARE * before))
    earlier_calls, earlier_repeats = before[rows], repeats[rows]
    by_rate = (earlier_repeats + 0.5) / (earlier_calls + 1.0)
    by_chance = np.where(
        earlier_calls * earlier_calls / (2.0 * item.span) < UNLIKELY, earlier_calls / item.span, 0.0
    )
    bits = -np.log2(np.minimum(np.maximum(by_rate, by_chance), 1.0))
    return item.rows[rows], bits, earlier_calls, item.rows[first[rows]]


def size_evidence(context: HistoryContext, lasting: BoolColumn) -> SourceEvidence:
    """Return how improbable amounts are, by a Pareto tail of the function's other calls.

    Amounts are ether that comes, numbers among the arguments, and by how much a variable changes.
    """
    history, calls = context.history, context.calls
    events = lasting & context.is_event
    names: list[str] = []
    parts: list[Part] = []

    def add(name: str, rows: IntColumn, bits: FloatColumn, group: IntColumn) -> None:
        others = np.bincount(group)[group] - 1 if len(group) else group
        strange = np.flatnonzero(bits > 0)
        parts.append((rows[strange], bits[strange], others[strange], np.full(len(strange), len(names))))
        names.append(name)

    for column in arguments(history, calls):
        if column.single and _is_amount(column):
            positions = np.flatnonzero(events[column.invocation])
            bits = tail_bits(rounded_words(limbs(column.words[positions])))
            add(
                f"{column.name or 'an argument'}",
                column.invocation[positions],
                bits,
                np.zeros(len(positions), dtype=np.int64),
            )
    rows = np.flatnonzero(events)
    word = rounded_words(context.word_limbs)
    function = calls.function[rows]
    add("ether", rows, tail_bits_by(function, word[history.invocation_value[rows]]), function)
    for name, changing_calls, amounts in _changes_by_variable(context, events):
        group = calls.function[changing_calls]
        add(f"a change of {name}", changing_calls, tail_bits_by(group, amounts), group)
    row, bits, (others, number) = join_parts(parts, 2)
    cases = Cases.of(history, row, bits, others, number)

    def sentence(position: int) -> str:
        name = calls.name(int(row[position]))
        return (
            f"{name} had {names[int(number[position])]} far above what its "
            f"{int(others[position]):,} other calls lead to expect"
        )

    return strongest(EvidenceSource.SIZE, len(history.transaction_hash), cases, sentence)


def _is_amount(column: ArgumentColumn) -> bool:
    return column.type.startswith("uint") and column.type not in ("uint8", "uint16")


def _changes_by_variable(
    context: HistoryContext, events: BoolColumn
) -> Iterator[tuple[str, IntColumn, FloatColumn]]:
    """Yield for each variable of one number by how much calls changed it, up or down."""
    accesses, locations = context.accesses, context.locations
    has_values = (
        accesses.effective_write & (accesses.value_before != MISSING) & (accesses.value_after != MISSING)
    )
    rows = np.flatnonzero(has_values & events[accesses.invocation])
    word = rounded_words(context.word_limbs)
    change = np.abs(word[accesses.value_after[rows]] - word[accesses.value_before[rows]])
    variable = locations.variable[accesses.slot[rows]]
    order = np.argsort(variable, kind="stable")
    bounds = np.searchsorted(variable[order], np.arange(len(locations.variables) + 1))
    for number, item in enumerate(locations.variables):
        of_variable = order[bounds[number] : bounds[number + 1]]
        if len(of_variable) and len(item.fields) == 1 and item.fields[0].kind in NUMBERS:
            yield (
                item.text(None),
                accesses.invocation[rows[of_variable]].astype(np.int64),
                change[of_variable],
            )
