"""How large a database is, whether it is sound, and how it is made smaller."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from specminer.pipeline import housekeeping
from specminer.pipeline.inputs import common_chain, open_existing, parse_address
from specminer.store.upkeep import DatabaseSize, Flaw


def database_size(database: str | PathLike[str]) -> DatabaseSize:
    """Return how many rows and bytes the tables of a database have.

    Raises:
        StoreError: it does not exist, or cannot be read.

    """
    with open_existing(str(database)) as store:
        return store.sizes()


def check_database(database: str | PathLike[str]) -> tuple[Flaw, ...]:
    """Return what is wrong in a database: in the file, its references, counts, ranges of blocks and values.

    Raises:
        StoreError: it does not exist, or cannot be read at all.

    """
    with open_existing(str(database)) as store:
        return tuple(housekeeping.check(store))


def prune_database(
    database: str | PathLike[str], contracts: Sequence[str] = (), *, chain_id: int | None = None
) -> dict[str, int]:
    """Remove contracts with all that was recorded of them, and what nothing refers to; return the rows that went.

    The rows are counted by table. The file becomes smaller with :func:`vacuum_database` only.

    Raises:
        UsageError: an address is malformed, or contracts are of several chains and none was given.
        StoreError: the database does not exist, cannot be written to, or does not hold one of the contracts.

    """
    addresses = [parse_address(text) for text in contracts]
    with open_existing(str(database)) as store:
        chain = common_chain(store, addresses, chain_id) if addresses else None
        return store.prune(chain, addresses)


def vacuum_database(database: str | PathLike[str]) -> tuple[DatabaseSize, DatabaseSize]:
    """Give what holds nothing back to the file system; return how large the database was and is.

    Raises:
        StoreError: the database does not exist, another process uses it, or there is no room to write it anew.

    """
    with open_existing(str(database)) as store:
        before = store.sizes()
        store.vacuum()
        return before, store.sizes()
