"""PostgreSQL: a server, on which writers take turns by an advisory lock.

The driver is psycopg 3, which comes with the extra ``postgres``. Rows are written by ``COPY`` and read by a cursor on
the server, so that a large history is never held by the driver as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

import sqlalchemy as sa

from specminer._support.errors import StoreError
from specminer.store.turns import FULL_DISK, Turns

_DRIVER: Final = "postgresql+psycopg"
_CONNECT: Final = 10
"""Seconds to wait for a connection, unless the URL says ``connect_timeout``."""
_LOCK: Final = (sa.func.hashtext(sa.func.concat("specminer ", sa.func.current_schema())), 0)
"""The key of the lock. Advisory locks belong to a database; two schemas of it are written to apart."""
_numbers = count(1)
"""Names cursors apart."""


def open_postgresql(url: sa.URL, turns: Turns) -> PostgresqlServer:
    """Return the database at a URL; nothing is connected yet.

    Raises:
        StoreError: psycopg is not installed, or the URL asks for another driver.

    """
    if url.drivername not in ("postgres", "postgresql", _DRIVER):
        raise StoreError(
            "PostgreSQL is reached by psycopg 3 only: write postgresql://USER@HOST/NAME, without another driver's name"
        )
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT}
    try:
        engine = sa.create_engine(url.set(drivername=_DRIVER), connect_args=arguments, pool_pre_ping=True)
    except ImportError:
        raise StoreError(
            "PostgreSQL needs the driver psycopg, which is not installed: pip install 'specminer[postgres]'"
        ) from None
    except (TypeError, ValueError, sa.exc.ArgumentError):
        raise StoreError("the database URL cannot be read; write postgresql://USER@HOST:PORT/NAME") from None
    return PostgresqlServer(engine, turns)


class PostgresqlServer:
    """A database on a PostgreSQL server and how its lock is taken."""

    def __init__(self, engine: sa.Engine, turns: Turns) -> None:
        self.engine = engine
        self.turns = turns

    def begin_reading(self, connection: sa.Connection) -> None:
        """Begin a transaction that sees the database as it is now, and needs the right to SELECT only."""
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        connection.begin()

    def begin_writing(self, connection: sa.Connection) -> None:
        """Begin a transaction that alone writes; wait for others that do.

        The lock is released when the transaction ends, however that is, be it that the process is killed.
        """
        connection.begin()
        if connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(*_LOCK))):
            return
        self.turns.announce()
        # 0 would mean to wait without limit
        connection.execute(sa.text(f"SET LOCAL lock_timeout = {max(1, round(1000 * self.turns.seconds))}"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(*_LOCK)))
        connection.execute(sa.text("SET LOCAL lock_timeout = 0"))

    def finish_creation(self) -> None:
        """Nothing is left to do once the tables are there."""

    def advice(self, cause: str) -> str:
        """Return what to do about an error."""
        if "lock timeout" in cause:
            return self.turns.advice
        if "No space left" in cause:
            return FULL_DISK
        if "permission denied" in cause or "read-only transaction" in cause:
            return (
                "; a role that may only SELECT can mine what is there, but not add to it: give --db a role that may "
                "write, or ask for the rights"
            )
        if "connection" in cause:
            return "; check that the server runs, and host, port, user, password and name of the database in --db"
        return ""


def copy_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, which all have the same columns, at some ten times the speed of single inserts.

    Raises:
        sqlalchemy.exc.DBAPIError: the server refused a row.

    """
    quote = connection.dialect.identifier_preparer
    columns = [table.c[name] for name in rows[0]]
    names = ", ".join(quote.format_column(column) for column in columns)
    statement = f"COPY {quote.format_table(table)} ({names}) FROM STDIN"
    keys = [column.key for column in columns]
    with _driver_errors(connection), _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[key] for key in keys])


@contextmanager
def server_cursor(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Any]:
    """Give a cursor on the server that holds the rows of a query; its values are the driver's."""
    # lists are written out as single parameters, as SQLAlchemy does before it hands a query to the driver
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    name = f"specminer_{next(_numbers)}"
    with _driver_errors(connection), _driver(connection).cursor(name=name, binary=True) as cursor:
        cursor.execute(str(compiled), compiled.params)
        yield cursor


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection


@contextmanager
def _driver_errors(connection: sa.Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy would, which does not see what is done behind it."""
    driver = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.DataError as error:
        raise sa.exc.DataError(None, None, error) from error
    except driver.Error as error:
        raise sa.exc.DatabaseError(None, None, error) from error
