"""Collects into a database of its own and tells what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from specminer.history.trace import Address, Transaction
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.sources.traffic import TIMEOUT
from specminer.store import TraceStore
from specminer.store.schema import metadata

CHAIN: Final = 31337


class Notes:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.told: list[object] = []

    def note(self, text: str) -> None:
        """Remember a note."""
        self.notes.append(text)

    def progress(self, event: object) -> None:
        """Remember progress."""
        self.told.append(event)


def address(text: str) -> Address:
    """Read an address from hexadecimal text."""
    return Address(bytes.fromhex(text[2:]))


def gather(
    store: TraceStore,
    url: str,
    contract: str,
    *others: str,
    first: int | None = None,
    last: int | None = None,
    pause: float = 0.01,
    timeout: float = TIMEOUT,
) -> Notes:
    """Collect a contract's history into an open store; return what was said.

    ``others`` are the URLs of nodes that stand in for the first. A test has no time for the usual pauses between tries.
    """
    heard = Notes()
    with Node(*map(Endpoint, (url, *others)), pause=pause, timeout=timeout) as node:
        collect(store, node, address(contract), first=first, last=last, observer=heard)
    return heard


def collected(url: str, contract: str, *others: str) -> tuple[list[Transaction], list[str]]:
    """Collect into a fresh database and return the transactions and what was said."""
    with TraceStore("sqlite://") as store:
        heard = gather(store, url, contract, *others)
        return list(store.transactions(CHAIN, address(contract))), heard.notes


@contextmanager
def database(location: str) -> Iterator[sa.Connection]:
    """Open a database, a file or on a PostgreSQL server, behind specminer's back."""
    url = sa.make_url(location if "://" in location else f"sqlite:///{location}")
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def content(location: str) -> dict[str, list[tuple[object, ...]]]:
    """Return every table's rows, sorted."""
    with database(location) as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for name, table in metadata.tables.items()
        }
