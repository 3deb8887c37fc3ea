"""Adds to a table of events what is known of each call: who sent it, when, what it paid, which contract it met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specminer.abstraction.events import EventTable, Variable
from specminer.history import MISSING, History, IntColumn
from specminer.interaction import Interactions
from specminer.location import ValueKind

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
    address = words.coded([int.from_bytes(item, "big") for item in history.addresses])
    contract = words.coded([int.from_bytes(item.address, "big") for item in history.contracts])
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
    keys = frozenset(words.coded([key for key in interactions.entities if key is not None]).tolist())
    return replace(
        table,
        words=words.all(),
        keys=keys,
        calls=tuple(Variable(name=name, kind=_KINDS[name]) for name in names),
        call_values=np.array([columns[name] for name in names], dtype=np.int64).reshape(
            len(names), len(table)
        ),
    )


class _Words:
    """A table of words that grows."""

    def __init__(self, words: tuple[int, ...]) -> None:
        self._row_of = {word: row for row, word in enumerate(words)}

    def all(self) -> tuple[int, ...]:
        return tuple(self._row_of)

    def coded(self, words: list[int]) -> IntColumn:
        return np.array([self._row_of.setdefault(word, len(self._row_of)) for word in words], dtype=np.int64)

    def numbers(self, column: IntColumn) -> IntColumn:
        distinct, inverse = np.unique(column, return_inverse=True)
        return self.coded(distinct.tolist())[inverse.ravel()] if len(column) else column

    def looked_up(self, column: IntColumn, history: History) -> IntColumn:
        """Return the rows here of rows of ``History.words``."""
        distinct, inverse = np.unique(column, return_inverse=True)
        return self.coded([history.words[row] for row in distinct.tolist()])[inverse.ravel()]
