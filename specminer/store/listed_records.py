"""What imported files said of transactions and internal calls, kept as it came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from specminer.history.trace import Address, Hash
from specminer.store import schema


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRecord:
    """One record of a list."""

    list: Address
    """The contract whose list it is."""
    kind: str
    """What it is a record of, 16 characters at most."""
    hash: Hash
    """The transaction's."""
    position: int
    """Which of the records of this transaction, from 0."""
    record: bytes
    """JSON of its fields."""


def read(connection: sa.Connection, chain_id: int) -> list[ListedRecord]:
    """Return the records of a chain, by list, kind, hash and position."""
    table = schema.listed_record
    query = sa.select(table.c.list, table.c.kind, table.c.hash, table.c.position, table.c.record)
    query = query.where(table.c.chain_id == chain_id)
    rows = connection.execute(query.order_by(table.c.list, table.c.kind, table.c.hash, table.c.position))
    return [
        ListedRecord(list=Address(row[0]), kind=row[1], hash=Hash(row[2]), position=row[3], record=row[4])
        for row in rows
    ]


def write(connection: sa.Connection, chain_id: int, records: Iterable[ListedRecord]) -> None:
    """Write records in place of those with the same key; those that are equal already are not touched."""
    table = schema.listed_record
    records_by_key = {
        (item.list, item.kind, item.hash, item.position): item.record for item in read(connection, chain_id)
    }
    new = []
    for item in records:
        key = (item.list, item.kind, item.hash, item.position)
        if records_by_key.get(key) == item.record:
            continue
        row = {"chain_id": chain_id, "list": item.list, "kind": item.kind, "hash": item.hash}
        row["position"] = item.position
        if key in records_by_key:
            connection.execute(table.delete().filter_by(**row))
        new.append(row | {"record": item.record})
    if new:
        connection.execute(table.insert(), new)
