"""Adds to a table of events what is known of each call: who sent it, when, what it paid, which contract it met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specminer._support.scratch import ColumnWriter, in_file
from specminer.decoding.calldata import Calls, arguments
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, History, IntColumn
from specminer.interaction import Interactions
from specminer.learning.event_table import EntityVariable, EventArgument, EventTable
from specminer.learning.table_building import REJECTED

_KINDS = {
    "sender": ValueKind.ADDRESS,
    "origin": ValueKind.ADDRESS,
    "value": ValueKind.UINT,
    "now": ValueKind.UINT,
    "block": ValueKind.UINT,
    "this": ValueKind.ADDRESS,
}


def with_calls(table: EventTable, history: History, interactions: Interactions) -> EventTable:
    """Return the table with its calls; ``interactions`` are what it was built from.

    Without timestamps there is no ``now``: predicates about time are off.
    """
    rows = interactions.invocation
    transaction = history.invocation_transaction[rows]
    words = _Words(table.words)
    address = words.encode([int.from_bytes(item, "big") for item in history.addresses])
    contract = words.encode([int.from_bytes(item.address, "big") for item in history.contracts])
    columns = {
        "sender": address[history.invocation_sender[rows]],
        "origin": address[history.transaction_origin[transaction]],
        "value": words.looked_up(history.invocation_value[rows], history),
        "block": words.numbers(history.transaction_block[transaction]),
        "this": contract[history.invocation_contract[rows]],
    }
    times = history.transaction_time[transaction]
    if len(times) and (times != MISSING).all():
        columns["now"] = words.numbers(times)
    names = [name for name in _KINDS if name in columns]
    keys = frozenset(words.encode([key for key in interactions.entities if key is not None]).tolist())
    return replace(
        table,
        words=words.all(),
        keys=keys,
        accepted_as=_accepted_as(table),
        calls=tuple(EntityVariable(name=name, kind=_KINDS[name]) for name in names),
        call_values=_stack_columns([columns.pop(name) for name in names], len(table)),
    )


def _stack_columns(columns: list[IntColumn], count: int) -> IntColumn:
    """Return columns as one of shape (columns, count); the list is emptied, so that not all of it is held twice."""
    writer, shape = ColumnWriter(), (len(columns), count)
    for position in range(len(columns)):
        writer.append(columns[position].astype(np.int64, copy=False).tobytes())
        columns[position] = columns[position][:0]
    return writer.column(np.int64).reshape(shape)


def _accepted_as(table: EventTable) -> tuple[int, ...]:
    """Return for each symbol the one of the same call accepted; its own where that never was."""
    positions = {symbol: row for row, symbol in enumerate(table.symbols)}
    refused = np.zeros(len(table.symbols), dtype=np.bool_)
    refused[table.symbol[table.rejected]] = True
    return tuple(
        positions.get(symbol.removesuffix(REJECTED), row) if refused[row] else row
        for row, symbol in enumerate(table.symbols)
    )


def with_arguments(
    table: EventTable, history: History, interactions: Interactions, called: Calls
) -> EventTable:
    """Return the table with the arguments of static types; ``interactions`` are what it was built from."""
    words = _Words(table.words)
    event_arguments: list[EventArgument] = []
    rows = interactions.invocation
    own = ~interactions.passive
    for column in arguments(history, called):
        if not column.single:
            continue
        events = np.flatnonzero(own & (called.function[rows] == column.function))
        if not len(events):
            continue
        at = np.searchsorted(column.invocation, rows[events])
        distinct, inverse = np.unique(column.words, return_inverse=True)
        coded = words.encode([int.from_bytes(item.ljust(32, b"\0"), "big") for item in distinct.tolist()])
        values = np.full(len(table), MISSING, dtype=np.int64)
        values[events] = coded[inverse.ravel()[at]]
        event_arguments.append(
            EventArgument(
                symbols=tuple(np.unique(table.symbol[events]).tolist()),
                variable=EntityVariable(name=column.name, kind=_kind(column.type)),
                values=in_file(values),
            )
        )
    return replace(table, words=words.all(), arguments=tuple(event_arguments))


def _kind(type_: str) -> ValueKind:
    if type_ in ("address", "bool"):
        return ValueKind(type_)
    for start, kind in (("uint", ValueKind.UINT), ("int", ValueKind.INT), ("bytes", ValueKind.BYTES)):
        if type_.startswith(start):
            return kind
    return ValueKind.WORD


class _Words:
    """A table of words that grows."""

    def __init__(self, words: tuple[int, ...]) -> None:
        self._row_of = {word: row for row, word in enumerate(words)}

    def all(self) -> tuple[int, ...]:
        return tuple(self._row_of)

    def encode(self, words: list[int]) -> IntColumn:
        return np.array([self._row_of.setdefault(word, len(self._row_of)) for word in words], dtype=np.int64)

    def numbers(self, column: IntColumn) -> IntColumn:
        distinct, inverse = np.unique(column, return_inverse=True)
        return self.encode(distinct.tolist())[inverse.ravel()] if len(column) else column

    def looked_up(self, column: IntColumn, history: History) -> IntColumn:
        """Return the rows here of rows of ``History.words``."""
        distinct, inverse = np.unique(column, return_inverse=True)
        return self.encode([history.words[row] for row in distinct.tolist()])[inverse.ravel()]
