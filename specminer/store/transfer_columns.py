"""Token flows that the log entries in a database tell of, as numpy columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import sqlalchemy as sa

from specminer.history.contract_history import TOKENS, IntColumn, TransferColumns
from specminer.history.flows import TRANSFER_TOPICS, TokenFlow, read_transfers
from specminer.history.trace import Address
from specminer.history.words import from_integers
from specminer.store import schema
from specminer.store.code_instances import among
from specminer.store.damage import blob
from specminer.store.history_columns import fetch_rows

_TOPIC = 32


def transfer_columns(
    connection: sa.Connection, owners: Sequence[int], transaction_place: IntColumn, count: int
) -> TransferColumns:
    """Return the token flows of contracts' transactions; linear in log entries of the standards' kinds.

    Args:
        connection: to the database.
        owners: rows of the contracts.
        transaction_place: from a transaction's id to its row.
        count: how many transactions there are.

    """
    flows = sorted(
        (
            (int(transaction_place[row]), own, flow)
            for own, query in enumerate((_foreign_logs(owners), _own_logs(owners)))
            for row, flow in _read(connection, query)
            if 0 <= row < len(transaction_place) and transaction_place[row] >= 0
        ),
        key=lambda item: item[:2],
    )
    parties: dict[Address, int] = {}
    rows = np.array(
        [
            (
                row,
                *(
                    parties.setdefault(party, len(parties))
                    for party in (flow.token, flow.sender, flow.recipient)
                ),
                TOKENS.index(flow.standard),
                flow.amount is not None,
                flow.identifier is not None,
            )
            for row, _, flow in flows
        ],
        dtype=np.int64,
    ).reshape(-1, 7)
    return TransferColumns(
        recorded=_recorded_transactions(connection, owners, transaction_place, count),
        transaction=rows[:, 0].astype(np.int32),
        token=rows[:, 1].astype(np.int32),
        sender=rows[:, 2].astype(np.int32),
        recipient=rows[:, 3].astype(np.int32),
        standard=rows[:, 4].astype(np.int8),
        has_amount=rows[:, 5].astype(np.bool_),
        amount=from_integers(flow.amount or 0 for *_, flow in flows),
        has_identifier=rows[:, 6].astype(np.bool_),
        identifier=from_integers(flow.identifier or 0 for *_, flow in flows),
        parties=tuple(parties),
    )


def _read(
    connection: sa.Connection, query: sa.Select[tuple[int, bytes, bytes, bytes]]
) -> Iterator[tuple[int, TokenFlow]]:
    """Yield the id of the transaction and the flow, for each flow of the log entries of a query."""
    for rows in fetch_rows(connection, query):
        for row, address, text, data in rows:
            topics = blob(text)
            split = tuple(topics[at : at + _TOPIC] for at in range(0, len(topics), _TOPIC))
            for flow in read_transfers(Address(blob(address)), split, blob(data)):
                yield row, flow


def _tells_of_flows(topics: sa.ColumnElement[bytes]) -> sa.ColumnElement[bool]:
    return sa.func.substr(topics, 1, _TOPIC).in_(
        [sa.literal(topic, sa.LargeBinary) for topic in TRANSFER_TOPICS]
    )


def _foreign_logs(owners: Sequence[int]) -> sa.Select[tuple[int, bytes, bytes, bytes]]:
    """Select log entries of contracts other than ``owners``, each once, though several recordings may hold it."""
    table = schema.foreign_log
    traced = sa.select(schema.contract.c.address_id).where(among(schema.contract.c.id, owners))
    condition = sa.and_(
        among(table.c.contract_id, owners), table.c.address_id.not_in(traced), _tells_of_flows(table.c.topics)
    )
    return (
        sa.select(
            table.c.transaction_id,
            schema.address.c.bytes,
            table.c.topics,
            table.c.data,
        )
        .join(schema.address, schema.address.c.id == table.c.address_id)
        .where(condition)
        .group_by(
            table.c.transaction_id, table.c.position, schema.address.c.bytes, table.c.topics, table.c.data
        )
        .order_by(table.c.transaction_id, table.c.position)
    )


def _own_logs(owners: Sequence[int]) -> sa.Select[tuple[int, bytes, bytes, bytes]]:
    table, calls = schema.event, schema.invocation
    return (
        sa.select(calls.c.transaction_id, schema.address.c.bytes, table.c.topics, table.c.data)
        .select_from(table)
        .join(calls, calls.c.id == table.c.invocation_id)
        .join(schema.contract, schema.contract.c.id == calls.c.contract_id)
        .join(schema.address, schema.address.c.id == schema.contract.c.address_id)
        .where(
            among(calls.c.contract_id, owners),
            table.c.undone == sa.false(),
            _tells_of_flows(table.c.topics),
        )
        .order_by(calls.c.transaction_id, table.c.position, table.c.invocation_id)
    )


def _recorded_transactions(
    connection: sa.Connection, owners: Sequence[int], transaction_place: IntColumn, count: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which transactions have the log entries of others in every contract's recording."""
    table = schema.recording
    query = sa.select(table.c.transaction_id).where(
        among(table.c.contract_id, owners), table.c.logs.is_(None)
    )
    has_logs = np.ones(count, dtype=np.bool_)
    for rows in fetch_rows(connection, query):
        for (row,) in rows:
            if 0 <= row < len(transaction_place) and transaction_place[row] >= 0:
                has_logs[transaction_place[row]] = False
    return has_logs
