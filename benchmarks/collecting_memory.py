"""How much memory a long collection takes.

    python -m benchmarks.collecting_memory [--transactions N] [--server]

The history of a counter on a made-up chain (:mod:`benchmarks.counting_chain`) is collected by a process of its own into
an SQLite file, or with ``--server`` into a database on a PostgreSQL server. After a tenth, a half and all of the
transactions (10,000, 50,000 and 100,000 unless told otherwise) it prints the seconds so far, the memory that the
process holds, its peak, and the size of the file, in MB of 10^6 bytes. It fails if the peak at the end is more than
``MOST_GROWTH`` times that after a tenth.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.counting_chain import CONTRACT, CountingNode
from specminer.pipeline import collect
from specminer.pipeline.progress import ProgressEvent
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.sources.reading_progress import Progress
from specminer.store import TraceStore
from tests.support.collecting import address
from tests.support.postgres import PostgresServer

TRANSACTIONS: Final = 100_000
SHARES: Final = (0.1, 0.5, 1.0)
MOST_GROWTH: Final = 1.25

_Row = tuple[int, float, float, float, float]
"""Transactions, seconds, MB held, MB at the peak, MB of the file."""


class MemoryObserver:
    """Tells what the process holds whenever so many transactions are stored."""

    def __init__(self, marks: list[int], path: Path | None, connection: Connection[_Row, None]) -> None:
        self._marks = marks
        self._path = path
        self._connection = connection
        self._began = time.perf_counter()

    def note(self, text: str) -> None:
        """Say nothing of notes."""

    def progress(self, event: ProgressEvent) -> None:
        """Look whether a mark is reached."""
        if self._marks and isinstance(event, Progress) and event.transactions >= self._marks[0]:
            self.tell(self._marks.pop(0))

    def tell(self, transactions: int) -> None:
        """Send what the process holds."""
        size = self._path.stat().st_size if self._path else 0
        held, peak = _memory("VmRSS"), _memory("VmHWM")
        self._connection.send((transactions, time.perf_counter() - self._began, held, peak, size / 1e6))


def _memory(field: str) -> float:
    """Return a field of this process in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / 1e6
    raise LookupError(field)


def collect_all(url: str, location: str, marks: list[int], connection: Connection[_Row, None]) -> None:
    """Collect, and send what the process holds at each mark and at the end."""
    path = None if "://" in location else Path(location)
    observer = MemoryObserver(marks[:-1], path, connection)
    with TraceStore(location) as store, Node(Endpoint(url)) as node:
        collected = collect(store, node, address(CONTRACT), observer=observer)
    observer.tell(collected.added)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collecting_memory")
    parser.add_argument("--transactions", type=int, default=TRANSACTIONS)
    parser.add_argument("--server", action="store_true", help="into PostgreSQL")
    given = parser.parse_args()
    marks = [int(share * given.transactions) for share in SHARES]
    rows: list[_Row] = []
    with ExitStack() as opened:
        location = str(Path(opened.enter_context(tempfile.TemporaryDirectory())) / "history.db")
        if given.server:
            location = opened.enter_context(opened.enter_context(PostgresServer()).database()).url
        node = opened.enter_context(CountingNode(given.transactions))
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=collect_all, args=(node.url, location, marks, there))
        process.start()
        there.close()
        print(f"{'transactions':>12} {'seconds':>9} {'MB held':>9} {'MB peak':>9} {'MB file':>9}", flush=True)
        for _ in marks:
            rows.append(here.recv())
            print("{:12,} {:9.0f} {:9.0f} {:9.0f} {:9.1f}".format(*rows[-1]), flush=True)
        process.join()
    growth = rows[-1][3] / rows[0][3]
    print(f"the peak at the end is {growth:.2f} times that after a tenth (at most {MOST_GROWTH})")
    if process.exitcode or growth > MOST_GROWTH:
        raise SystemExit(os.EX_SOFTWARE)


if __name__ == "__main__":
    main()
