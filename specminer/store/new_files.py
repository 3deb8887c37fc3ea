"""Database files that a command makes and then does not fill: none is left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from specminer.store import schema
from specminer.store.database import path_of

_COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""What SQLite puts behind a file's name for the files beside it."""


@contextmanager
def removing_empty_file(location: str) -> Iterator[None]:
    """Remove the file of a database that was not there before, if an error ends the block and nothing was stored.

    A file that another process writes to is left; so is a database on a server.

    Raises:
        StoreError: the location cannot be read.

    """
    path = path_of(location)
    absent = path is not None and not path.exists()
    try:
        yield
    except BaseException:
        if absent and path is not None:
            _remove_if_empty(path)
        raise


def _remove_if_empty(path: Path) -> None:
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")  # nobody fills it meanwhile
            if any(_has_rows(connection, name) for name in schema.metadata.tables):
                return
            for name in (path.name, *(f"{path.name}{ending}" for ending in _COMPANIONS)):
                path.with_name(name).unlink(missing_ok=True)
    except (sqlite3.Error, OSError):
        return  # the error that is being raised tells more than that the file stayed


def _has_rows(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether a table of ours holds anything; each database holds the version of its schema."""
    if table == schema.schema_version.name:
        return False
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return there is not None and connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() is not None
