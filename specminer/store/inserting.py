"""What every kind of database takes: many rows at once, and texts of strangers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from specminer.store.postgresql import copy_rows

_ROWS: Final = 20_000
"""Rows in one insert: bounds the memory that a chunk with many accesses takes."""


def storable_text(text: str, length: int) -> str:
    r"""Return a text that every database takes, cut: zeros and halves of characters become escapes such as ``\x00``."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")[:length]


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, which all have the same columns."""
    for start in range(0, len(rows), _ROWS):
        part = list(rows[start : start + _ROWS])
        if connection.dialect.name == "postgresql":
            copy_rows(connection, table, part)
        else:
            _insert_many(connection, table, part)


def _insert_many(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows by the driver's own means: what SQLAlchemy does for each row costs more than the insert."""
    quote = connection.dialect.identifier_preparer
    keys = list(rows[0])
    names = ", ".join(quote.format_column(table.c[key]) for key in keys)
    marks = ", ".join("?" * len(keys))
    statement = f"INSERT INTO {quote.format_table(table)} ({names}) VALUES ({marks})"
    connection.exec_driver_sql(statement, [tuple([row[key] for key in keys]) for row in rows])
