"""A history's rows as numpy columns.

The rows are fetched from the driver's own cursor: SQLAlchemy writes the queries, but its row objects would cost
more than everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from specminer._support.scratch import ColumnWriter, in_file
from specminer._support.texts import Texts, TextWriter
from specminer.history.contract_history import (
    KINDS,
    MISSING,
    OUTCOMES,
    PAYMENTS,
    BoolColumn,
    IntColumn,
    RowColumn,
)
from specminer.history.trace import InvocationKind
from specminer.store import schema
from specminer.store.code_instances import among
from specminer.store.damage import blob
from specminer.store.postgresql import server_cursor

_FETCHED: Final = 20_000
"""Rows fetched at a time."""

MAX_ID: Final = 1 << 26
"""The largest number of a row: more are not read into memory."""

Row = tuple[Any, ...]


def fetch_rows(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[list[Row]]:
    """Yield the rows of a query as the driver's bare tuples, many at a time.

    Raises:
        sqlalchemy.exc.DatabaseError: the driver cannot read them; SQLAlchemy does not see that itself.

    """
    if connection.dialect.name == "postgresql":
        with server_cursor(connection, query) as cursor:
            while rows := list(cursor.fetchmany(_FETCHED)):
                yield rows
        return
    # not streamed: SQLAlchemy would take the first rows out of a streaming cursor for itself
    result = connection.execute(query)
    with closing(result):
        cursor = result.cursor
        assert cursor is not None, "only queries are fetched"
        while rows := _some_rows(connection, cursor):
            yield rows


def _some_rows(connection: sa.Connection, cursor: Any) -> list[Row]:
    try:
        return list(cursor.fetchmany(_FETCHED))
    except connection.dialect.loaded_dbapi.Error as error:
        raise sa.exc.DatabaseError(None, None, error) from error


def index_ids(ids: IntColumn) -> IntColumn:
    """Return an array that maps a row's id to its place; 0, which is no row, and unknown ids to ``MISSING``.

    Raises:
        ValueError: an id is negative, or larger than that of any table that fits into memory.

    """
    if int(ids.min(initial=0)) < 0 or int(ids.max(initial=0)) > MAX_ID:
        raise ValueError("a row has a number that no row has")
    row_by_id = np.full(int(ids.max(initial=0)) + 1, MISSING, dtype=np.int64)
    row_by_id[ids] = np.arange(len(ids))
    return row_by_id


def look_up(row_by_id: IntColumn, ids: IntColumn) -> IntColumn:
    """Return the place of each id by what :func:`index_ids` returned."""
    inside = (ids >= 0) & (ids < len(row_by_id))
    return np.where(inside, row_by_id[np.where(inside, ids, 0)], MISSING)


class IntegerWriter:
    """Columns of integers that grow together; little of them is held in memory."""

    def __init__(self, count: int) -> None:
        self._columns = [ColumnWriter() for _ in range(count)]

    def append(self, rows: IntColumn) -> None:
        """Append rows; shape (columns, n)."""
        for column, values in zip(self._columns, rows, strict=True):
            column.append(values.tobytes())

    def columns(self) -> list[IntColumn]:
        """Return the columns, which can only be read."""
        return [column.column(np.int64) for column in self._columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationRows:
    """Where invocations stand in the columns, and how many answers belong to each."""

    row: IntColumn
    """From an invocation's id to its row, as :func:`index_ids` returns it."""
    counts: Sequence[IntColumn]
    """How many external calls, codes and answers of the environment each has; shape (n,) each."""


def invocation_columns(
    connection: sa.Connection,
    owners: Sequence[int],
    transaction_place: IntColumn,
    address_place: IntColumn,
    word_place: IntColumn,
) -> tuple[dict[str, Any], InvocationRows]:
    """Return the columns of invocations and accesses, in the order of the transactions' places."""
    table = schema.invocation
    integers = (
        table.c.id,
        table.c.transaction_id,
        table.c.contract_id,
        table.c.position,
        sa.func.coalesce(table.c.parent, MISSING),
        table.c.code_address_id,
        table.c.sender_id,
        table.c.value_id,
        sa.func.coalesce(table.c.payments, MISSING),
        sa.func.coalesce(table.c.external_calls, MISSING),
        sa.func.coalesce(table.c.frame_codes, MISSING),
        sa.func.coalesce(table.c.environment_answers, MISSING),
    )
    query = sa.select(*integers, table.c.kind, table.c.outcome, table.c.data, table.c.output)
    kinds = {kind.value: number for number, kind in enumerate(KINDS)}
    outcomes = {outcome.value: number for number, outcome in enumerate(OUTCOMES)}
    numbers = IntegerWriter(len(integers) + 2)
    data, output = TextWriter(), TextWriter()
    for rows in fetch_rows(connection, query.where(among(table.c.contract_id, owners))):
        *plain, kind, outcome, called, returned = zip(*rows, strict=True)
        coded = [*plain, [kinds[name] for name in kind], [outcomes[name] for name in outcome]]
        numbers.append(np.array(coded, dtype=np.int64))
        data.extend([blob(text) for text in called])
        output.extend([blob(text) for text in returned])
    raw = numbers.columns()
    order = _in_order(transaction_place, raw[1], raw[2], raw[3])
    ids, transactions, contracts, positions, parents, code, sender, value, *others = (
        column if order is None else in_file(column[order]) for column in raw
    )
    payments, *answered, kind_column, outcome_column = others
    transaction = in_file(look_up(transaction_place, transactions))
    contract = in_file(look_up(index_ids(np.array(owners, dtype=np.int64)), contracts))
    columns: dict[str, Any] = {
        "invocation_transaction": transaction,
        "invocation_contract": contract,
        "invocation_position": positions,
        "invocation_parent": in_file(_parents(transaction, contract, positions, parents)),
        "invocation_kind": kind_column,
        "invocation_code": in_file(look_up(address_place, code)),
        "invocation_sender": in_file(look_up(address_place, sender)),
        "invocation_value": in_file(look_up(word_place, value)),
        "invocation_outcome": outcome_column,
        "invocation_payments": payments,
        "invocation_data": _take_rows(data.texts(), order),
        "invocation_output": _take_rows(output.texts(), order),
    }
    call_place = index_ids(ids)
    columns["invocation_code_hash"] = in_file(_own_code(connection, owners, call_place, word_place, len(ids)))
    columns |= payment_columns(connection, owners, call_place, address_place, word_place)
    columns |= access_columns(connection, owners, call_place, word_place)
    return columns, InvocationRows(row=call_place, counts=answered)


def _in_order(
    transaction_place: IntColumn, transaction: IntColumn, contract: IntColumn, position: IntColumn
) -> IntColumn | None:
    """Return the rows of known transactions in chain order; ``None`` if all rows stand so already."""
    row = look_up(transaction_place, transaction)
    if len(row) and row[0] != MISSING:
        follows = row[1:] > row[:-1]
        within = (row[1:] == row[:-1]) & (position[1:] > position[:-1])
        if np.all(follows | within):
            return None
    rows = np.flatnonzero(row != MISSING)
    # calls of several contracts in one transaction: by position, then by the contract's row
    return rows[np.lexsort((contract[rows], position[rows], row[rows]))]


def _take_rows(texts: Texts, rows: IntColumn | None) -> Texts:
    return texts if rows is None else texts.take(rows)


def _own_code(
    connection: sa.Connection,
    owners: Sequence[int],
    call_place: IntColumn,
    word_place: IntColumn,
    count: int,
) -> IntColumn:
    """Return for each invocation the hash of the contract's own code, as a word's place; ``MISSING`` if not known."""
    table, calls, own = schema.frame_code, schema.invocation, schema.contract
    query = (
        sa.select(table.c.invocation_id, table.c.hash_id)
        .join(calls, calls.c.id == table.c.invocation_id)
        .join(own, own.c.id == calls.c.contract_id)
        .where(
            among(calls.c.contract_id, owners),
            table.c.address_id == own.c.address_id,
            table.c.hash_id.is_not(None),
            calls.c.kind != InvocationKind.CONSTRUCTOR.value,
        )
    )
    hashes = np.full(count, MISSING, dtype=np.int64)
    for rows in fetch_rows(connection, query):
        call, hashed = np.array(rows, dtype=np.int64).T
        row = look_up(call_place, call)
        hashes[row[row != MISSING]] = word_place[hashed[row != MISSING]]
    return hashes


def _parents(
    transaction: IntColumn, contract: IntColumn, position: IntColumn, parent: IntColumn
) -> IntColumn:
    """Return the row of each invocation's parent: the same contract's, in the same transaction."""
    parent_rows = np.full(len(parent), MISSING, dtype=np.int64)
    inner = np.flatnonzero(parent != MISSING)
    if not len(inner):
        return parent_rows
    span = int(position.max()) + 1
    group = transaction * (int(contract.max()) + 1) + contract
    key = group * span + position
    order = np.argsort(key)
    at = np.searchsorted(key[order], group[inner] * span + parent[inner])
    parent_rows[inner] = order[at]
    return parent_rows


def payment_columns(
    connection: sa.Connection,
    owners: Sequence[int],
    call_place: IntColumn,
    address_place: IntColumn,
    word_place: IntColumn,
) -> dict[str, IntColumn | BoolColumn]:
    """Return the columns of the payments, by invocation and place."""
    table = schema.payment
    query = (
        sa.select(
            table.c.invocation_id,
            table.c.place,
            table.c.to_id,
            sa.func.coalesce(table.c.value_id, 0),
            table.c.undone,
            table.c.kind,
        )
        .join(schema.invocation, schema.invocation.c.id == table.c.invocation_id)
        .where(among(schema.invocation.c.contract_id, owners))
    )
    kinds = {kind.value: code for code, kind in enumerate(PAYMENTS)}
    parts = [np.zeros((6, 0), dtype=np.int64)]
    for rows in fetch_rows(connection, query):
        parts.append(np.array([(*row[:5], kinds[row[5]]) for row in rows], dtype=np.int64).T)
    raw = np.concatenate(parts, axis=1)
    call = look_up(call_place, raw[0])
    order = np.flatnonzero(call != MISSING)
    order = order[np.lexsort((raw[1, order], call[order]))]
    return {
        "payment_invocation": call[order],
        "payment_to": look_up(address_place, raw[2, order]),
        "payment_value": look_up(word_place, raw[3, order]),
        "payment_undone": raw[4, order].astype(np.bool_),
        "payment_kind": raw[5, order],
    }


def access_columns(
    connection: sa.Connection, owners: Sequence[int], call_place: IntColumn, word_place: IntColumn
) -> dict[str, RowColumn | BoolColumn]:
    """Return the columns of the accesses, by invocation and position."""
    table = schema.access
    query = (
        sa.select(
            table.c.invocation_id,
            table.c.position,
            table.c.write,
            table.c.slot_id,
            sa.func.coalesce(table.c.before_id, 0),
            sa.func.coalesce(table.c.after_id, 0),
            table.c.undone,
        )
        .join(schema.invocation, schema.invocation.c.id == table.c.invocation_id)
        .where(among(schema.invocation.c.contract_id, owners))
    )
    parts = {name: ColumnWriter() for name in _ACCESS}
    for rows in fetch_rows(connection, query):
        raw = np.array(rows, dtype=np.int64).T
        call = look_up(call_place, raw[0])
        has_call = call != MISSING  # without the calls of other blocks
        position, write, slot, before, after, undone = raw[1:, has_call]
        slot, before, after = (look_up(word_place, ids) for ids in (slot, before, after))
        access_values = (call[has_call], position, write, slot, before, after, undone)
        for (name, kind), values in zip(_ACCESS.items(), access_values, strict=True):
            parts[name].append(values.astype(kind).tobytes())
    columns: dict[str, Any] = {name: parts.pop(name).column(kind) for name, kind in _ACCESS.items()}
    columns["access_position"] = in_file(_narrow(columns["access_position"]))
    call, position = columns["access_invocation"], columns["access_position"]
    if np.any((call[1:] < call[:-1]) | ((call[1:] == call[:-1]) & (position[1:] < position[:-1]))):
        order = np.lexsort((position, call)).astype(np.int32)
        columns = {name: in_file(column[order]) for name, column in columns.items()}
    return columns


_ACCESS: Final[dict[str, type[np.int64 | np.int32 | np.bool_]]] = {
    "access_invocation": np.int32,
    "access_position": np.int64,
    "access_write": np.bool_,
    "access_slot": np.int32,
    "access_before": np.int32,
    "access_after": np.int32,
    "access_undone": np.bool_,
}
"""The columns of accesses in the order of the query, and how they are kept while they are read."""


def _narrow(positions: IntColumn) -> RowColumn:
    """Return positions, of which only the order counts, in numbers that fit; a tracer may have used any."""
    if int(positions.max(initial=0)) < 1 << 31:
        return positions.astype(np.int32)
    return np.unique(positions, return_inverse=True)[1].astype(np.int32)
