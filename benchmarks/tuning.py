"""How the cost of tuning grows with a history: search and description apart from what is done once an event.

    python -m benchmarks.tuning [EVENTS ...]

makes tables of auctions of one behaviour (a life cycle beside a price, a counter and an owner), by default with
10,000, 100,000 and 1,000,000 events, and prints for each the CPU seconds of evaluating the predicates, of building the
quotient, and of all that comes after (search, joining, folds, front, names), the last also as a ratio to that of the
first table; and the peak of the process's memory. Reading the rows of as many invocations from SQLite is measured
beside them, as one integer row an access, eight accesses an invocation.
"""

from __future__ import annotations

import importlib
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from specminer.abstraction import Definition, EventTable, ValueKind, Variable

SIZES: Final = (10_000, 100_000, 1_000_000)
ACCESSES: Final = 8
"""Storage accesses of an invocation, as in the mainnet histories."""
BIDS: Final = 6
"""Most bids of one auction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one table cost, in CPU seconds."""

    events: int
    evaluated: float
    quotiented: float
    everything: float
    read: float
    """Reading as many invocations' rows from SQLite."""

    @property
    def searched(self) -> float:
        """All that is left of tuning."""
        return max(1e-9, self.everything - self.evaluated - self.quotiented)


def auctions(events: int, seed: int = 1) -> EventTable:
    """Return a table of about so many events: auctions are created, bid for, closed, and paid out."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(3, 4 + BIDS, max(1, events // 6))
    n = int(lengths.sum())
    interaction = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    place = np.arange(n) - starts[interaction]
    last = lengths[interaction] - 1
    symbol = np.where(place == 0, 2, np.where(place == last, 3, np.where(place == last - 1, 1, 0)))
    phase = np.array([1, 2, 0, 2])[symbol]
    price = np.where(place == 0, 0, 3 + (place * 7 + interaction) % 500)
    owner = np.where(place == 0, 0, 600 + interaction % 200)
    return EventTable(
        symbols=("bid", "close", "create", "pay"),
        symbol=symbol.astype(np.int64),
        interaction=interaction.astype(np.int64),
        rejected=np.zeros(n, dtype=np.bool_),
        variables=(
            Variable(name="phase", kind=ValueKind.ENUM, members=("Open", "Bidding", "Closed")),
            Variable(name="price", kind=ValueKind.UINT),
            Variable(name="bids", kind=ValueKind.UINT),
            Variable(name="owner", kind=ValueKind.ADDRESS),
        ),
        values=np.array([phase, price, np.minimum(place, last - 1), owner], dtype=np.int64),
        words=(*range(3), *(10**15 * amount for amount in range(1, 598)), *range(1 << 100, (1 << 100) + 300)),
        accepted_as=(0, 1, 2, 3),
    )


def measured(events: int) -> Row:
    """Tune one table and read one database of its size."""
    events_table = auctions(events)
    module = importlib.import_module("specminer.tuning.tune")
    spent = dict.fromkeys(("vocabulary", "quotient", "folds"), 0.0)
    whole = {name: getattr(module, name) for name in spent}
    for name in spent:
        setattr(module, name, _timed(whole[name], name, spent))
    begun = time.process_time()
    try:
        module.tune(events_table, Definition())
    finally:
        for name, function in whole.items():
            setattr(module, name, function)
    return Row(
        events=len(events_table),
        evaluated=spent["vocabulary"],
        quotiented=spent["quotient"] + spent["folds"],
        everything=time.process_time() - begun,
        read=_reading(len(events_table)),
    )


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any) -> Any:
        begun = time.process_time()
        try:
            return function(*arguments)
        finally:
            spent[name] += time.process_time() - begun

    return timed


def _reading(invocations: int) -> float:
    """Return the CPU seconds to read the accesses of so many invocations into columns."""
    database = sqlite3.connect(":memory:")
    database.execute(
        "create table access (invocation integer, write integer, slot integer, before integer, after integer, "
        "undone integer, position integer)"
    )
    rows = (
        (row // ACCESSES, row % 2, row % 5000, row, row + 1, 0, row) for row in range(ACCESSES * invocations)
    )
    database.executemany("insert into access values (?, ?, ?, ?, ?, ?, ?)", rows)
    begun = time.process_time()
    cursor = database.execute("select * from access")
    parts = []
    while batch := cursor.fetchmany(100_000):
        parts.append(np.array(batch, dtype=np.int64))
    np.concatenate(parts)
    seconds = time.process_time() - begun
    database.close()
    return seconds


def table(sizes: Sequence[int]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield (
        f"{'events':>10}  {'evaluate':>8}  {'quotient':>8}  {'the rest':>8}  {'ratio':>6}  {'tuning/reading':>14}"
    )
    measured(min(sizes))  # warms caches and imports
    first: Row | None = None
    for events in sizes:
        row = measured(events)
        first = first or row
        yield (
            f"{row.events:>10,}  {row.evaluated:>8.3f}  {row.quotiented:>8.3f}  {row.searched:>8.3f}  "
            f"{row.searched / first.searched:>6.2f}  {row.everything / row.read:>14.2f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield f"peak of memory: {peak:,.0f} MB"


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    for line in table([int(text) for text in arguments] or SIZES):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
