"""SQLite: a file, whose lock is the one that SQLite takes on it."""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from specminer._support.errors import StoreError, plain
from specminer.store.turns import FULL_DISK, Turns

_URL: Final = re.compile(r"://|^[a-zA-Z][a-zA-Z0-9+_.-]+:/")
"""What is no path; a single slash is a slip, and the text behind it may hold a password."""
_HEADER: Final = 19
"""Bytes of a file up to the one that says which log it has. Source: https://www.sqlite.org/fileformat2.html"""
_WRITE_AHEAD: Final = b"\x02"
_STEP: Final = 0.5
"""Seconds that SQLite itself waits for a lock at a time: while it does, no interruption is heard."""


def is_url(location: str) -> bool:
    """Return whether a location is a URL rather than a path."""
    return _URL.search(location) is not None


def sqlite_path(location: str) -> Path | None:
    """Return the file that a location names; ``None`` if it is in memory, on a server, or cannot be read."""
    if not is_url(location):
        return Path(location).expanduser()
    try:
        url = sa.make_url(location)
        file = url.database if url.get_backend_name() == "sqlite" else None
    except (sa.exc.ArgumentError, ValueError):
        return None
    in_file = file and file != ":memory:" and not file.startswith("file:")
    return Path(file) if file and in_file else None


def url_of_path(location: str) -> sa.URL:
    """Return the URL of the file at a path.

    Raises:
        StoreError: its folder does not exist, or it is a folder itself.

    """
    try:
        path = Path(location).expanduser()
        if path.is_dir():
            raise StoreError(f"the database {plain(path)} is a folder; give --db the path of a file")
        if "\0" in location or not path.parent.is_dir():
            raise StoreError(
                f"the folder {plain(path.parent)} of the database does not exist; create it first"
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise StoreError(f"the database {plain(location)} cannot be opened: {plain(error)}") from None
    return sa.URL.create("sqlite", database=str(path))


def open_sqlite(url: sa.URL, turns: Turns) -> SqliteFile:
    """Return the file at a URL, which need not be there yet.

    Raises:
        StoreError: the URL has options that the driver does not know.

    """
    if _needs_immutable(url):
        quoted = (
            str(Path(url.database or "").resolve())
            .replace("%", "%25")
            .replace("?", "%3f")
            .replace("#", "%23")
        )
        url = url.set(database=f"file:{quoted}", query={"immutable": "1", "mode": "ro", "uri": "true"})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", sa.exc.SAWarning)  # an option that the driver would ignore
            engine = sa.create_engine(url, connect_args={"timeout": turns.seconds})
    except sa.exc.ArgumentError:
        raise StoreError(
            "the database URL cannot be read; a file is given as a path, or as sqlite:///relative/h.db or "
            "sqlite:////absolute/h.db"
        ) from None
    except (TypeError, ValueError, sa.exc.SAWarning):
        raise StoreError(
            "the options behind '?' in the database URL cannot be read; leave them out"
        ) from None
    sa.event.listen(engine, "connect", _set_up)
    sa.event.listen(engine, "begin", _begin)
    return SqliteFile(engine, turns)


def _needs_immutable(url: sa.URL) -> bool:
    """Return whether a file can only be read if SQLite is told that nobody changes it.

    While a file with a write-ahead log is open, SQLite keeps two more beside it. Where it may not make them and
    nobody else has, it opens the file only so. Nothing is lost by that: no changes wait in a log that is not there.
    """
    if url.query or not url.database or url.database == ":memory:":
        return False
    path = Path(url.database)
    try:
        if not path.is_file() or os.access(path.parent, os.W_OK):
            return False
        with path.open("rb") as file:
            logged = file.read(_HEADER)[-1:] == _WRITE_AHEAD
    except OSError:
        return False  # SQLite says what is wrong
    return logged and not any(path.with_name(path.name + ending).exists() for ending in ("-wal", "-shm"))


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is issued by _begin, so that writers can take the lock
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("writing") else "BEGIN")


class SqliteFile:
    """An SQLite database and how its lock is taken."""

    def __init__(self, engine: sa.Engine, turns: Turns) -> None:
        self.engine = engine
        self.turns = turns

    def begin_reading(self, connection: sa.Connection) -> None:
        """Begin a transaction that sees the database as it is now."""
        self._wait(connection, lambda: self._look(connection))

    def begin_writing(self, connection: sa.Connection) -> None:
        """Begin a transaction that alone writes; wait for others that do."""
        connection.info["writing"] = True
        try:
            self._wait(connection, lambda: self._take(connection))
        finally:
            connection.info.pop("writing", None)

    def finish_creation(self) -> None:
        """Turn on SQLite's write-ahead log, which the file remembers."""
        with self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.close()

    def advice(self, cause: str) -> str:
        """Return what to do about an error."""
        if "locked" in cause:
            return self.turns.advice
        if "is full" in cause:
            return FULL_DISK
        if "not a database" in cause:
            return "; give --db the path of another file"
        if "readonly" in cause:
            return "; it can be read and mined, but not added to: give --db the path of a copy that may be written"
        if "unable to open" in cause:
            return (
                "; check that the folder exists and may be read. In a folder that may not be written, SQLite cannot "
                "read a file beside which there is one that ends in -wal: copy both"
            )
        return ""

    def _look(self, connection: sa.Connection) -> None:
        """Begin to read: only the first query takes the lock."""
        transaction = connection.begin()
        try:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        except BaseException:
            transaction.rollback()
            raise

    def _take(self, connection: sa.Connection) -> None:
        """Begin to write. The first setting reads the file, so it may have to wait as well."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute("PRAGMA synchronous=NORMAL")
        except connection.dialect.loaded_dbapi.OperationalError as error:
            raise sa.exc.OperationalError(None, None, error) from error
        finally:
            cursor.close()
        connection.begin()

    def _wait(self, connection: sa.Connection, attempt: Callable[[], object]) -> None:
        """Try until nobody else holds the lock, in steps between which an interruption is heard."""
        end = time.monotonic() + self.turns.seconds
        is_announced = False
        cursor = connection.connection.cursor()
        try:
            while True:
                left = end - time.monotonic()
                cursor.execute(f"PRAGMA busy_timeout={max(0, round(1000 * min(_STEP, left)))}")
                try:
                    attempt()
                    break
                except sa.exc.OperationalError as error:
                    if "locked" not in str(error.orig) or left <= _STEP:
                        raise
                if not is_announced:
                    self.turns.announce()
                    is_announced = True
            cursor.execute(f"PRAGMA busy_timeout={round(1000 * self.turns.seconds)}")
        finally:
            cursor.close()
