"""Dictionary coding: what repeats is stored once and referred to by its row."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from specminer._support.keccak import keccak
from specminer.store import schema
from specminer.store.inserting import insert_rows

_LOOKUP = 500
"""Values in one ``IN`` list; every database takes that many."""


def encode_word(value: int) -> bytes:
    """Return a word as the database keeps it: big-endian, no leading zeros, empty for zero."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _ids(connection: sa.Connection, table: sa.Table, values: Iterable[bytes]) -> dict[bytes, int]:
    """Return the rows of values, adding those that are new in the order given."""
    distinct = list(dict.fromkeys(values))
    row_by_value: dict[bytes, int] = {}
    for start in range(0, len(distinct), _LOOKUP):
        part = distinct[start : start + _LOOKUP]
        row_by_value.update(_known_rows(connection, table, part))
    missing = [value for value in distinct if value not in row_by_value]
    if missing:
        following = (connection.scalar(sa.select(sa.func.max(table.c.id))) or 0) + 1
        fresh = {value: following + offset for offset, value in enumerate(missing)}
        insert_rows(connection, table, [{"id": row, "bytes": value} for value, row in fresh.items()])
        row_by_value |= fresh
    return row_by_value


def _known_rows(connection: sa.Connection, table: sa.Table, values: list[bytes]) -> list[tuple[bytes, int]]:
    """Return the values that stand in a table already, with their rows."""
    if (
        connection.dialect.name == "sqlite"
    ):  # what SQLAlchemy does for each value costs more than to look it up
        marks = ", ".join("?" * len(values))
        query = f"SELECT bytes, id FROM {table.name} WHERE bytes IN ({marks})"
        return [(row[0], row[1]) for row in connection.exec_driver_sql(query, tuple(values))]
    rows = connection.execute(sa.select(table.c.bytes, table.c.id).where(table.c.bytes.in_(values)))
    return [(row.bytes, row.id) for row in rows]


def address_ids(connection: sa.Connection, values: Iterable[bytes]) -> dict[bytes, int]:
    """Return the rows of addresses, adding new ones."""
    return _ids(connection, schema.address, values)


def word_ids(connection: sa.Connection, values: Iterable[int]) -> dict[int, int]:
    """Return the rows of words, adding new ones."""
    coded = {value: encode_word(value) for value in dict.fromkeys(values)}
    rows = _ids(connection, schema.word, coded.values())
    return {value: rows[text] for value, text in coded.items()}


def _find_by_hash(connection: sa.Connection, table: sa.Table, column: str, value: bytes) -> int:
    digest = keccak(value)
    number = connection.scalar(sa.select(table.c.id).where(table.c.hash == digest))
    if number is None:
        row = {"hash": digest, column: value}
        number = connection.scalar(table.insert().values(**row).returning(table.c.id))
    return int(number or 0)


def code_id(connection: sa.Connection, value: bytes) -> int:
    """Return the row of runtime code, adding it if new."""
    return _find_by_hash(connection, schema.code, "bytes", value)


def artifact_id(connection: sa.Connection, value: bytes) -> int:
    """Return the row of an artifact's JSON, adding it if new."""
    return _find_by_hash(connection, schema.artifact, "json", value)
