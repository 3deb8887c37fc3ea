"""An open database and its transactions, whichever server or file it is.

Both kinds keep the same promises: one process writes at a time and the others wait for it, readers see the database
as it was when they began and wait for nobody, and what is interrupted leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, Self

import sqlalchemy as sa

from specminer._support.errors import StoreError, plain
from specminer.store import postgresql, sqlite
from specminer.store.damage import READING_ERRORS
from specminer.store.turns import Note, Turns

WAIT: Final = 300.0
"""Seconds to wait for another process to release a lock, unless the URL says ``?timeout=``."""
MAX_WAIT: Final = 1e6
_KINDS: Final = "give the path of a file, sqlite:///FILE, or postgresql://USER@HOST/NAME"


class DatabaseKind(Protocol):
    """What differs between kinds of databases."""

    engine: sa.Engine
    turns: Turns

    def begin_reading(self, connection: sa.Connection) -> None:
        """Begin a transaction that sees the database as it is now."""

    def begin_writing(self, connection: sa.Connection) -> None:
        """Begin a transaction that alone writes; wait for others that do."""

    def finish_creation(self) -> None:
        """Do what follows once the tables are there."""

    def advice(self, cause: str) -> str:
        """Return what to do about an error, as the end of a sentence; empty if that is not known."""


def open_kind(location: str, note: Note) -> DatabaseKind:
    """Return the database at a path or URL; nothing is connected yet.

    Raises:
        StoreError: the location cannot be read, or there is no driver for it.

    """
    url = _url(location)
    name = url.get_backend_name()
    turns = Turns(label=_label(url), seconds=_seconds(url), note=note)
    url = url.difference_update_query(["timeout"])
    if name == "sqlite":
        return sqlite.open_sqlite(url, turns)
    if name in ("postgresql", "postgres"):
        return postgresql.open_postgresql(url, turns)
    raise StoreError(
        f"the database URL is of kind '{plain(name, 40)}'; specminer keeps histories in SQLite and PostgreSQL: {_KINDS}"
    )


def path_of(location: str) -> Path | None:
    """Return the whole path of the file that a database is; ``None`` for one on a server or in memory.

    Raises:
        StoreError: the location cannot be read.

    """
    url = _url(location)
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name).resolve()


def _url(location: str) -> sa.URL:
    if not sqlite.is_url(location):
        return sqlite.url_of_path(location)
    try:
        url = sa.make_url(location)
        url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError(f"the database URL cannot be read; {_KINDS}") from None
    return url


def _seconds(url: sa.URL) -> float:
    """Return how long a lock is waited for."""
    text = url.query.get("timeout", WAIT)
    try:
        seconds = float(text) if isinstance(text, str | float) else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise StoreError(
            f"'timeout' in the database URL is no number of seconds from 0 to {MAX_WAIT:,.0f}; leave it out to wait "
            f"{WAIT:.0f} s for other processes"
        )
    return seconds


class Database:
    """An open database; close it after use or use it as a context manager."""

    def __init__(self, location: str, note: Note | None = None) -> None:
        """Open the database at a path or URL; nothing is connected before the first transaction.

        Raises:
            StoreError: the location cannot be read, or there is no driver for it.

        """
        self._kind = open_kind(location, note or _ignore)
        self._engine = self._kind.engine
        self.label = self._kind.turns.label
        """The database's address without its password, for messages."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """One read transaction: a consistent view of the database."""
        with self._translating_errors(), self._engine.connect() as connection:
            self._kind.begin_reading(connection)
            yield connection
            connection.rollback()

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One write transaction, which no other process writes beside."""
        with self._translating_errors(), self._engine.connect() as connection:
            self._kind.begin_writing(connection)
            yield connection
            connection.commit()

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        """Turn what the driver raises into errors for people, without anything secret."""
        try:
            yield
        except (OverflowError, sa.exc.DataError) as error:
            if isinstance(error, sa.exc.DataError) and "out of range" not in str(error.orig):
                raise self._failure(error) from None
            raise StoreError(
                f"a number is negative or too large for the database {self.label}; numbers may have 63 bits, words 256"
            ) from None
        except sa.exc.SQLAlchemyError as error:
            raise self._failure(error) from None
        except READING_ERRORS as error:
            raise StoreError(
                f"the database {self.label} is damaged: it holds what specminer does not write "
                f"({plain(error, 120) or type(error).__name__}); restore it from a copy, or collect the history anew "
                "into another --db"
            ) from error

    def _failure(self, error: sa.exc.SQLAlchemyError) -> StoreError:
        cause: Any = getattr(error, "orig", None) or type(error).__name__
        text = " ".join(str(cause).split())
        return StoreError(f"the database {self.label} failed: {plain(text)}{self._kind.advice(text)}")


def _ignore(_: str) -> None:
    """Hear nothing."""


def _label(url: sa.URL) -> str:
    """Return a URL without password, options and the driver's name."""
    name = url.get_backend_name()
    bare_url = url.set(query={}, drivername="postgresql" if name == "postgres" else name)
    return plain(bare_url.render_as_string(hide_password=True))
