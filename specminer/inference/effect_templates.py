"""What a call of a function leaves behind: ``accounts[sender].balance' = accounts[sender].balance + value``.

Of each function and each variable that it changes, the entries are told apart by where their keys come from: an
argument, the sender. For each the simplest expression is sought that gives the new value in all calls: a constant, an
input of the call, the value found in another variable, the old value plus or minus one of these, time plus a
constant or an argument. Inputs are arguments, sender, origin, value, time and block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.calldata import arguments, senders
from specminer.decoding.location_columns import Field
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.history.words import LimbArray, WordArray, from_limbs, integer_limbs, limbs
from specminer.inference.field_changes import Cells, DoubtfulChanges
from specminer.inference.invariant_claim import MIN_CASES, Invariant
from specminer.inference.limb_arithmetic import minus, plus, same, to_integer
from specminer.predicate.syntax import apply, number, symbol
from specminer.specification import Template, function_scope

GLANCE: Final = 64
"""So many calls are looked at before all are."""
LIKELY: Final = 0.8
"""An expression that gives fewer of these is dropped."""
MAX_INPUTS: Final = 16
"""Arguments of one function looked at."""
SMALL: Final = 1 << 64
"""Constants from here on are no amounts, steps or choices: they are addresses, hashes, texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Input:
    """Something that a call brings with it; a row for each invocation of the function."""

    name: str
    read: Callable[[IntColumn], LimbArray]
    """Returns the values at some of these rows; a column of words for each input of each call would take much room."""
    time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChangeGroup:
    """The changes that calls of one function made to entries whose keys come from the same places."""

    name: str
    calls: IntColumn
    """Rows of invocations."""
    value_before: LimbArray
    value_after: LimbArray
    field: Field
    unknown: int
    """In how many more calls such an entry may have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expression:
    """A right side, with its values."""

    text: str
    smt: str
    values: LimbArray


def effects(by_function: InputsByFunction, cells: Cells) -> Iterator[Invariant]:
    """Find what the calls of each function leave in one field."""
    context = by_function.context
    rows = np.flatnonzero(cells.changed & ~context.is_constructor[cells.invocation])
    function = context.calls.function[cells.invocation[rows]]
    order = np.argsort(function, kind="stable")
    bounds = np.searchsorted(function[order], np.arange(len(context.calls.functions) + 1))
    doubts = cells.doubts.by_calls
    doubtful = np.where(
        context.is_constructor[doubts.invocation], MISSING, context.calls.function[doubts.invocation]
    )
    for number_ in np.flatnonzero(np.diff(bounds) >= MIN_CASES).tolist():
        own_rows = rows[order[bounds[number_] : bounds[number_ + 1]]]
        inputs = by_function.inputs(number_)
        for group in _groups(context, cells, own_rows, doubts.of(doubtful == number_), inputs):
            yield from _explain_group(context, number_, group, inputs)


class InputsByFunction:
    """The inputs of all calls, by function; each function's are made once."""

    def __init__(self, context: HistoryContext) -> None:
        self.context = context
        self._inputs: dict[int, Inputs] = {}
        self._arguments: dict[int, list[tuple[str, IntColumn, WordArray]]] = {}
        for column in arguments(context.history, context.calls):
            if column.single:
                columns = self._arguments.setdefault(column.function, [])
                columns.append((column.name, column.invocation, column.words))

    def inputs(self, function: int) -> Inputs:
        """Return the inputs of the calls of one function."""
        if function not in self._inputs:
            self._inputs[function] = self._gather(function)
        return self._inputs[function]

    def _gather(self, function: int) -> Inputs:
        context, history = self.context, self.context.history
        rows = np.flatnonzero(context.calls.function == function)
        inputs: list[_Input] = []
        keys: list[tuple[str, IntColumn]] = []
        for name, invocation, words in self._arguments.get(function, [])[:MAX_INPUTS]:
            if len(invocation) == len(rows):
                inputs.append(_Input(name=name, read=partial(_words, words)))
                keys.append((name, context.locations.key_table.find(words)))
        address = senders(history)
        sender = address[history.invocation_sender[rows]]
        argument_names = {item.name for item in inputs}
        transaction = history.invocation_transaction[rows]
        inputs.append(_Input(name=_free("sender", argument_names), read=partial(_words, sender)))
        keys.append((_free("sender", argument_names), context.locations.key_table.find(sender)))
        value = partial(_of_table, context.word_limbs, history.invocation_value[rows])
        inputs.append(_Input(name=_free("value", argument_names), read=value))
        times = history.transaction_time[transaction]
        if len(times) and (times != MISSING).all():
            inputs.append(_Input(name=_free("now", argument_names), read=partial(_small, times), time=True))
        block = partial(_small, history.transaction_block[transaction])
        inputs.append(_Input(name=_free("block", argument_names), read=block))
        return Inputs(calls=rows, values=inputs, keys=keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The inputs of the calls of one function."""

    calls: IntColumn
    """Rows of the function's invocations, ascending; all columns have a row for each."""
    values: list[_Input]
    keys: list[tuple[str, IntColumn]]
    """What may be a key, as codes of the key table."""

    def at(self, calls: IntColumn) -> IntColumn:
        """Return the place of each of some calls among the function's."""
        return np.searchsorted(self.calls, calls)


def _free(name: str, used_names: set[str]) -> str:
    return f"msg.{name}" if name in used_names else name


def _words(words: WordArray, at: IntColumn) -> LimbArray:
    return limbs(words[at])


def _of_table(table: LimbArray, rows: IntColumn, at: IntColumn) -> LimbArray:
    return table[rows[at]]


def _small(column: IntColumn, at: IntColumn) -> LimbArray:
    values = np.zeros((len(at), 4), dtype=np.uint64)
    values[:, 3] = column[at]
    return values


def _groups(
    context: HistoryContext, cells: Cells, rows: IntColumn, doubts: DoubtfulChanges, inputs: Inputs
) -> Iterator[_ChangeGroup]:
    """Tell a function's changes of one field apart by where their keys come from; ``doubts`` are the function's."""
    calls = cells.invocation[rows]
    depths = len(cells.variable.ports)
    source = _sources(context, cells.slot[rows], inputs.at(calls), depths, inputs)
    code = _encode_sources(source, depths, inputs)
    doubtful = _encode_sources(
        _sources(context, doubts.slot, inputs.at(doubts.invocation), depths, inputs), depths, inputs
    )
    kinds, first = np.unique(code, return_index=True)
    for kind_code, kind in zip(kinds.tolist(), source[first].tolist(), strict=True):
        members = np.flatnonzero(code == kind_code)
        # a call that changed several such entries says nothing of either
        single = np.bincount(calls[members] - calls.min())[calls[members] - calls.min()] == 1
        members = members[single]
        if len(members) < MIN_CASES:
            continue
        names = tuple("·" if position == MISSING else inputs.keys[position][0] for position in kind[:depths])
        yield _ChangeGroup(
            name=cells.variable.text(names if depths else None, cells.field_index),
            calls=calls[members],
            value_before=cells.value_before[rows[members]],
            value_after=cells.value_after[rows[members]],
            field=cells.field,
            unknown=int((doubtful == kind_code).sum()),
        )


def _sources(
    context: HistoryContext, slot: IntColumn, at: IntColumn, depths: int, inputs: Inputs
) -> IntColumn:
    """Return which input each key of some slots equals, ``MISSING`` for none; shape (slots, at least 1).

    ``at`` is the place of each one's call among the function's.
    """
    source = np.full((len(slot), max(1, depths)), MISSING, dtype=np.int64)
    for depth in range(depths):
        key = context.locations.keys[slot, depth]
        for position, (_, codes) in reversed(list(enumerate(inputs.keys))):
            source[codes[at] == key, depth] = position
    return source


def _encode_sources(source: IntColumn, depths: int, inputs: Inputs) -> IntColumn:
    """Return the sources of all keys as one number."""
    width = len(inputs.keys) + 1
    code = np.zeros(len(source), dtype=np.int64)
    for depth in range(min(depths, 12)):
        code = code * width + source[:, depth] + 1
    return code


def _explain_group(
    context: HistoryContext, function: int, group: _ChangeGroup, inputs: Inputs
) -> Iterator[Invariant]:
    """Yield the first expression, in order of simplicity, that gives what was left."""
    glance = np.unique(np.linspace(0, len(group.calls) - 1, min(GLANCE, len(group.calls))).astype(np.int64))
    few = _ChangeGroup(
        name=group.name,
        calls=group.calls[glance],
        value_before=group.value_before[glance],
        value_after=group.value_after[glance],
        field=group.field,
        unknown=0,
    )
    best: tuple[float, int] | None = None
    for index, expression in enumerate(_expressions(few, few, inputs)):
        share = float(np.mean(_equal(expression.values, few)))
        if share >= LIKELY and (best is None or share > best[0]):
            best = (share, index)
            if share == 1.0:
                break
    if best is None:
        return
    expression = next(item for index, item in enumerate(_expressions(group, few, inputs)) if index == best[1])
    name = context.calls.functions[function]
    order = np.argsort(group.calls, kind="stable")
    yield Invariant(
        scope=function_scope(name),
        template=Template.EFFECT,
        text=f"{name}: {group.name}' = {expression.text}",
        smt=apply("=", symbol(group.name, after=True), expression.smt),
        cases=group.calls[order],
        holds=_equal(expression.values, group)[order],
        unknown=group.unknown,
    )


def _equal(values: LimbArray, group: _ChangeGroup) -> BoolColumn:
    """Return where values, cut to the field's width as the EVM does, are what was left."""
    width = group.field.width
    if width < 256 and group.field.kind is not ValueKind.INT:
        mask = integer_limbs([(1 << width) - 1])
        return same(values & mask, group.value_after)
    return same(values, group.value_after)


def _expressions(group: _ChangeGroup, few: _ChangeGroup, inputs: Inputs) -> Iterator[_Expression]:
    """Yield right sides, the simplest first; constants are those of ``few``, so that both runs have the same."""
    at = inputs.at(group.calls)
    few_at = inputs.at(few.calls)
    constant, share = _most_common(few.value_after)
    choice = to_integer(constant) < SMALL
    if share >= LIKELY and choice:
        yield _constant(constant, len(at), group)
    for item in inputs.values:
        yield _Expression(text=item.name, smt=symbol(item.name), values=item.read(at))
    if share >= LIKELY and not choice:  # an argument that never varied says more
        yield _constant(constant, len(at), group)
    old = symbol(group.name)
    if group.field.kind is ValueKind.BOOL or group.field.kind is ValueKind.ADDRESS:
        return
    for sign, operator, combine, step in (
        ("+", "+", plus, minus(few.value_after, few.value_before)),
        ("-", "-", minus, minus(few.value_before, few.value_after)),
    ):
        constant, share = _most_common(step)
        if share >= LIKELY and to_integer(constant) < SMALL:
            value = to_integer(constant)
            yield _Expression(
                text=f"{group.name} {sign} {value}",
                smt=apply(operator, old, number(value)),
                values=combine(group.value_before, np.broadcast_to(constant, group.value_before.shape)),
            )
        for item in inputs.values:
            yield _Expression(
                text=f"{group.name} {sign} {item.name}",
                smt=apply(operator, old, symbol(item.name)),
                values=combine(group.value_before, item.read(at)),
            )
    for item in inputs.values:
        constant, share = _most_common(minus(few.value_after, item.read(few_at)))
        if share >= LIKELY and 0 < to_integer(constant) < SMALL:
            value = to_integer(constant)
            yield _Expression(
                text=f"{item.name} + {value}",
                smt=apply("+", symbol(item.name), number(value)),
                values=plus(item.read(at), np.broadcast_to(constant, group.value_before.shape)),
            )
        if item.time:
            for other in inputs.values:
                if not other.time:
                    yield _Expression(
                        text=f"{item.name} + {other.name}",
                        smt=apply("+", symbol(item.name), symbol(other.name)),
                        values=plus(item.read(at), other.read(at)),
                    )


def _constant(constant: LimbArray, count: int, group: _ChangeGroup) -> _Expression:
    value = to_integer(constant)
    text = str(value) if value < SMALL else hex(value)
    if group.field.kind is ValueKind.BOOL:
        text = "true" if value else "false"
    if value < len(group.field.members):
        text = group.field.members[value]
    return _Expression(text=text, smt=number(value), values=np.broadcast_to(constant, (count, 4)))


def _most_common(column: LimbArray) -> tuple[LimbArray, float]:
    """Return the most frequent word and its share."""
    words, count = np.unique(from_limbs(column), return_counts=True)
    at = int(np.argmax(count))
    return limbs(words[at : at + 1])[0], float(count[at] / len(column))
