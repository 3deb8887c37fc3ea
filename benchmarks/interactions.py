"""How long splitting a history takes, and how it grows: from the store to named interactions.

    python -m benchmarks.interactions [SIZE ...]

Makes histories of 1,000, 10,000, 100,000 and 1,000,000 calls with 8 storage accesses each in SQLite (see
``benchmarks.market``). Each is then read twice in processes of their own: the bare rows into arrays with SQLite's own
cursor, and everything that ``specminer interactions`` does before it prints: history, locations, dependencies, sorts,
roles, scores, slices, names. Prints the ratio of the two in CPU seconds, the peak of memory, and the growth in units
of n log n.
"""

from __future__ import annotations

import sqlite3
from math import log2
from pathlib import Path

import numpy as np

from benchmarks.market import CHAIN, CONTRACT, SIZES, make
from benchmarks.steps import PEAK, Numbers, Stopwatch, main, measured, scratch
from specminer.history.contract_history import CONSTRUCTOR
from specminer.pipeline import inspect
from specminer.store import TraceStore

_NAME = "benchmarks.interactions"


def read_rows(path: Path) -> Numbers:
    """Read all rows into arrays and lists, with nothing between SQLite and numpy; count the accesses."""
    watch = Stopwatch()
    with watch.timing("read"):
        arrays = _rows(path)
    return watch.seconds | {"count": len(arrays["access"])}


def _rows(path: Path) -> dict[str, np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
    database = sqlite3.connect(path)
    columns = {
        "access": "invocation_id, position, write, slot_id, before_id, after_id, undone",
        "invocation": "id, transaction_id, contract_id, code_address_id, position, sender_id, value_id",
        "transaction_": "id, block, position, sender_id",
    }
    arrays = {}
    for table, names in columns.items():
        cursor = database.execute(f"SELECT {names} FROM {table}")
        parts = []
        while rows := cursor.fetchmany(100_000):
            parts.append(np.array(rows, dtype=np.int64))
        arrays[table] = np.concatenate(parts)
    for query in (
        "SELECT bytes FROM word",
        "SELECT bytes FROM preimage",
        "SELECT kind, data, outcome, output FROM invocation",
        "SELECT hash FROM transaction_",
    ):
        database.execute(query).fetchall()
    database.close()
    return arrays


def split_all(path: Path) -> Numbers:
    """Do what ``specminer interactions`` does before it prints; count the interactions."""
    watch = Stopwatch()
    with watch.timing("split"):
        with TraceStore(str(path)) as store:
            history = store.history(CHAIN, [CONTRACT])
        found = inspect(history)
    assert found.interactions.sort is not None
    assert found.interactions.sort.name == "itemId", found.interactions.explanation
    assert not np.any(history.invocation_kind == CONSTRUCTOR)
    return watch.seconds | {"count": len(found.interactions.names)}


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print a table."""
    print("calls      items    rows/s   read s  split s  ratio  peak MB  s per n log n, relative")
    first = 0.0
    for size in sizes:
        with scratch("market.db") as path:
            items = make(path, size)
            read = measured(_NAME, "read", path)
            split = measured(_NAME, "split", path)
        assert split["count"] == items
        unit = split["split"] / (size * log2(size))
        first = first or unit
        print(
            f"{size:<9}  {items:<7}  {read['count'] / read['read']:<7.0f}  {read['read']:6.2f}  "
            f"{split['split']:7.2f}  {split['split'] / read['read']:5.2f}  {split[PEAK]:7.0f}  {unit / first:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main({"read": read_rows, "split": split_all}, run, SIZES)
