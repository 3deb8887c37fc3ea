"""Which calls come from a contract that their own transaction created, as far as a database tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from specminer._support.creation_addresses import creation_address
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.store import schema
from specminer.store.code_instances import among
from specminer.store.damage import blob, check_sizes
from specminer.store.history_columns import fetch_rows, look_up


def newborn_callers(
    connection: sa.Connection,
    owners: Sequence[int],
    transaction_place: IntColumn,
    address_place: IntColumn,
    caller: tuple[IntColumn, IntColumn],
) -> BoolColumn:
    """Return which of ``n`` invocations were called by a contract that was created in the same transaction.

    Known are the contract that a transaction itself creates, whose address follows from sender and nonce, and those
    that were created while a traced contract's invocation was open.

    Args:
        connection: to the database.
        owners: rows of the contracts.
        transaction_place: from a transaction's id to its row.
        address_place: from an address's id to its row.
        caller: for each invocation the row of its transaction and that of its caller; shape (n,), both.

    """
    creations = [*_by_transactions(connection, owners), *_inside(connection, owners)]
    pairs = np.array(creations, dtype=np.int64).reshape(-1, 2)
    transaction = look_up(transaction_place, pairs[:, 0])
    created = look_up(address_place, pairs[:, 1])
    is_known = (transaction >= 0) & (created >= 0)
    span = len(address_place) + 1
    return np.isin(caller[0] * span + caller[1], transaction[is_known] * span + created[is_known])


def _inside(connection: sa.Connection, owners: Sequence[int]) -> list[tuple[int, int]]:
    """Return the ids of transactions, and of what was created inside the contracts' invocations."""
    table = schema.creation
    query = sa.select(table.c.transaction_id, table.c.created_id).where(among(table.c.contract_id, owners))
    return [(int(row), int(created)) for rows in fetch_rows(connection, query) for row, created in rows]


def _by_transactions(connection: sa.Connection, owners: Sequence[int]) -> list[tuple[int, int]]:
    """Return the ids of transactions that create a contract, and of its address where the database holds it."""
    table, recording = schema.transaction, schema.recording
    query = (
        sa.select(table.c.id, schema.address.c.bytes, table.c.nonce)
        .join(recording, recording.c.transaction_id == table.c.id)
        .join(schema.address, schema.address.c.id == table.c.sender_id)
        .where(among(recording.c.contract_id, owners), table.c.to_id.is_(None))
        .distinct()
    )
    address_by_transaction: dict[int, bytes] = {}
    for rows in fetch_rows(connection, query):
        for row, text, nonce in rows:
            sender = blob(text)
            check_sizes([sender], "an address", 20, 20)
            if int(nonce) >= 0:
                created = creation_address(int.from_bytes(sender, "big"), int(nonce))
                address_by_transaction[int(row)] = created.to_bytes(20, "big")
    numbers = _numbers(connection, sorted(set(address_by_transaction.values())))
    return [(row, numbers[address]) for row, address in address_by_transaction.items() if address in numbers]


def _numbers(connection: sa.Connection, addresses: Sequence[bytes], together: int = 500) -> dict[bytes, int]:
    """Return the ids of those addresses that the database holds."""
    table = schema.address
    number_by_address: dict[bytes, int] = {}
    for start in range(0, len(addresses), together):
        some = addresses[start : start + together]
        query = sa.select(table.c.id, table.c.bytes).where(table.c.bytes.in_(some))
        number_by_address |= {blob(text): int(number) for number, text in connection.execute(query)}
    return number_by_address
