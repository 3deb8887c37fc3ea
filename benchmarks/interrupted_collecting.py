"""Whether what is collected in spite of kills and reorganisations is what one quiet run collects.

    python -m benchmarks.interrupted_collecting kills [KILLS]

The history of a counter on a made-up chain (:mod:`benchmarks.counting_chain`) is collected by processes that are killed
(SIGKILL) after a time drawn by chance, one after the other on one database; whenever one comes to the end, the database
is compared table by table with that of a quiet run, and another is begun.

    python -m benchmarks.interrupted_collecting together

Two processes collect it at the same time into one database, an SQLite file and on a PostgreSQL server; each is compared
with that of a quiet run.

    python -m benchmarks.interrupted_collecting reorganisations [DEEPEST]

For each depth from 1 on, the newest blocks are replaced by others at a moment of the collection drawn by chance. The
transactions and ranges are compared with those that a fresh collection of the new chain stores.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.counting_chain import CONTRACT, CountingNode
from specminer.history.trace import Transaction
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Call
from tests.support.bytecode import COUNT
from tests.support.collecting import CHAIN, Notes, address, content, gather
from tests.support.counting import deployed
from tests.support.lying_node import LyingNode
from tests.support.postgres import PostgresServer

TRANSACTIONS: Final = 2_000
"""Ten chunks."""
KILLS: Final = 100
DEEPEST: Final = 32
BLOCKS: Final = 48
"""Of the chain that is reorganised."""


def collect_into(database: str, url: str, contract: str) -> None:
    """Collect a contract."""
    with TraceStore(database) as store, Node(Endpoint(url)) as node:
        collect(store, node, address(contract), observer=Notes())


def begin(database: str, url: str, contract: str) -> int:
    """Begin to collect in a process of its own; return its number."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            collect_into(database, url, contract)
            status = 0
        finally:
            os._exit(status)
    return child


def collected_within(seconds: float, database: str, url: str, contract: str) -> bool:
    """Collect in a process of its own, which is killed after some seconds; return whether it came to the end."""
    child = begin(database, url, contract)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if status:
                raise SystemExit("a collection failed, though it was not killed")
            return True
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def differing(database: str, expected: dict[str, list[tuple[object, ...]]]) -> list[str]:
    """Return the tables of a database that are not as expected."""
    found = content(database)
    return [name for name, rows in expected.items() if found[name] != rows]


def quiet_run(folder: str, url: str) -> tuple[float, dict[str, list[tuple[object, ...]]]]:
    """Return how long a run takes that nobody disturbs, and what it stores."""
    whole = str(Path(folder) / "whole.db")
    began = time.perf_counter()
    if not collected_within(3_600, whole, url, CONTRACT):
        raise SystemExit("the quiet run did not end")
    duration = time.perf_counter() - began
    print(f"a quiet run over {TRANSACTIONS:,} transactions takes {duration:.1f} s", flush=True)
    return duration, content(whole)


def kill(kills: int) -> None:
    """Print in how many databases something differs."""
    chance = random.Random(0)
    with CountingNode(TRANSACTIONS) as node, tempfile.TemporaryDirectory() as folder:
        duration, expected = quiet_run(folder, node.url)
        killed, compared, wrong = 0, 0, 0
        while killed < kills or not compared:
            database = str(Path(folder) / f"{compared}.db")
            rest = killed >= kills
            seconds = 3_600 if rest else chance.random() * duration / 2
            if collected_within(seconds, database, node.url, CONTRACT):
                names = differing(database, expected)
                compared, wrong = compared + 1, wrong + bool(names)
                print(
                    f"{killed:4} kills, database {compared}: differs in {', '.join(names) or 'nothing'}",
                    flush=True,
                )
            else:
                killed += 1
    print(f"{killed} kills, {compared} databases compared, {wrong} differ")
    if wrong:
        raise SystemExit(1)


def collect_together() -> None:
    """Print what differs in databases into which two processes collect at the same time."""
    wrong = 0
    with CountingNode(TRANSACTIONS) as node, tempfile.TemporaryDirectory() as folder:
        _, expected = quiet_run(folder, node.url)
        with PostgresServer() as server, server.database() as database:
            for kind, location in (("SQLite", str(Path(folder) / "both.db")), ("PostgreSQL", database.url)):
                began = time.perf_counter()
                children = [begin(location, node.url, CONTRACT) for _ in range(2)]
                failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
                names = differing(location, expected)
                wrong += bool(names) or failed > 0
                print(
                    f"{kind}: two collectors, {time.perf_counter() - began:.1f} s, {failed} failed, differs in "
                    f"{', '.join(names) or 'nothing'}",
                    flush=True,
                )
    if wrong:
        raise SystemExit(1)


def stored(store: TraceStore, contract: str) -> tuple[list[Transaction], list[tuple[int, int]]]:
    """Return the transactions and ranges of a contract."""
    return list(store.transactions(CHAIN, address(contract))), store.ranges(CHAIN, address(contract))


def extend(anvil: Anvil, contract: str, *, sender: int, blocks: int) -> None:
    """Call a counter in some blocks."""
    for _ in range(blocks):
        anvil.block([Call(sender=anvil.accounts[sender], to=contract, data="0x06661abd", gas=200_000)])


class Replacement:
    """Replaces the newest blocks of a chain once, after so many answers; to be given to a node in front of it."""

    def __init__(self, anvil: Anvil, contract: str, *, depth: int, moment: int) -> None:
        self.answers = 0
        self._anvil, self._contract = anvil, contract
        self._depth, self._moment = depth, moment

    def __call__(self, _method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        """Count an answer."""
        self.answers += 1
        if self.answers == self._moment:
            self._anvil.rpc("anvil_rollback", self._depth)
            extend(self._anvil, self._contract, sender=1, blocks=self._depth)
        return answer


def reorganise(deepest: int) -> None:
    """Print for each depth whether the database is that of the new chain."""
    chance, wrong = random.Random(0), 0
    for depth in range(1, deepest + 1):
        with Anvil() as anvil:
            contract = deployed(anvil, COUNT)
            extend(anvil, contract, sender=0, blocks=BLOCKS)
            moment = chance.randrange(20, 220)
            replacement = Replacement(anvil, contract, depth=depth, moment=moment)
            with LyingNode(anvil.url, replacement) as node, TraceStore("sqlite://") as store:
                gather(store, node.url, contract)
                found = stored(store, contract)
            with TraceStore("sqlite://") as store:
                gather(store, anvil.url, contract)
                same = found == stored(store, contract)
            wrong += not same
            said = "the same" if same else "differs"
            print(f"depth {depth:2}, after answer {moment:3} of {replacement.answers}: {said}", flush=True)
    print(f"{wrong} of {deepest} differ")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    numbers = [int(text) for text in arguments if text.isdecimal()]
    if "reorganisations" in arguments:
        reorganise(numbers[0] if numbers else DEEPEST)
    elif "together" in arguments:
        collect_together()
    else:
        kill(numbers[0] if numbers else KILLS)
