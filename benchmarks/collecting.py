"""How fast a collection is beside a bare concurrent loop that sends the same requests.

    python -m benchmarks.collecting [--transactions N] [--rounds N] [--only PART-OF-A-NAME ...]

The history of a counter is collected. Without latency, it is called on anvil. With latency, a made-up chain
(:mod:`benchmarks.counting_chain`) stands behind a proxy in a process of its own that takes 50 or 200 ms a message, that
takes 50 ms for every call of a message, or that refuses batches above 10. The proxy answers a call as it did before, so
that the work of what stands behind it does not hide what latency costs. The requests are noted, and then sent again by
a bare asynchronous loop, each alone or ten in a batch, with several concurrencies; the answers are decoded from JSON.
Which batch and concurrency are best is found out on every fourth request. Then collection and bare loop take turns, so
that both meet the same machine, and the median of the rounds' ratios counts. The ratio is that of the rates: 1 is as
fast as the bare loop. CPU is that of this process, without the proxy and anvil, in seconds (medians).

    python -m benchmarks.collecting faults [--transactions N] [--only PART-OF-A-NAME ...]

Collects the made-up chain once without faults, then with 20 % faults of all kinds and with 30 % faults of each kind
alone, and compares the databases table by table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from benchmarks.counting_chain import CONTRACT, CountingNode
from benchmarks.proxy_process import ProxyProcess
from benchmarks.recording import live
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.bytecode import COUNT
from tests.support.collecting import Notes, address, content
from tests.support.counting import deployed
from tests.support.faulty_node import Fault

TRANSACTIONS: Final = 6_000
TRACED: Final = 1_000
"""Transactions on anvil, which executes a block for each trace."""
ROUNDS: Final = 3
FAULTY_TRANSACTIONS: Final = 2_000
CONCURRENCIES: Final = (16, 64, 128)
BATCHES: Final = (1, 10)
SHARE_OF_ALL: Final = 0.2
SHARE_OF_ONE: Final = 0.3
TIMEOUT: Final = 5.0
"""Seconds after which a hanging answer is given up, where there are faults."""
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "no latency": {},
    "50 ms a message": {"delay": 0.05},
    "200 ms a message": {"delay": 0.2},
    "50 ms a call": {"call_delay": 0.05},
    "batches of 10 at most, 50 ms": {"delay": 0.05, "most": 10},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """Seconds that something took."""

    wall: float
    cpu: float
    """Of this process."""


class Stopwatch:
    """Takes the time from its making on."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Duration:
        """Return the time since."""
        return Duration(wall=time.perf_counter() - self._wall, cpu=time.process_time() - self._cpu)


def time_collection(url: str, contract: str, database: str, *, timeout: float = 600.0) -> Duration:
    """Return how long a collection takes."""
    watch = Stopwatch()
    with TraceStore(database) as store, Node(Endpoint(url), timeout=timeout) as node:
        collect(store, node, address(contract), observer=Notes())
    return watch.read()


async def _send(url: str, calls: Sequence[dict[str, Any]], concurrency: int, batch: int) -> None:
    waiting = [calls[start : start + batch] for start in range(0, len(calls), batch)]
    waiting.reverse()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            while waiting:
                part = waiting.pop()
                async with session.post(url, json=part if len(part) > 1 else part[0]) as answer:
                    json.loads(await answer.read())

        await asyncio.gather(*(work() for _ in range(concurrency)))


def time_loop(url: str, calls: Sequence[dict[str, Any]], concurrency: int, batch: int) -> Duration:
    """Return how long a bare loop takes."""
    watch = Stopwatch()
    asyncio.run(_send(url, calls, concurrency, batch))
    return watch.read()


def best_loop(url: str, calls: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return the concurrency and the size of batches that are the fastest on every fourth request."""
    sample = calls[::4]
    choices = [(concurrency, batch) for concurrency in CONCURRENCIES for batch in BATCHES]
    return min(choices, key=lambda choice: time_loop(url, sample, *choice).wall)


def compare(count: int | None, rounds: int, wanted: Collection[str]) -> None:
    """Print the ratio of each setting."""
    print(
        f"{'':30} {'collected s':>12} {'bare loop s':>12} {'ratio':>6} {'least':>6} {'most':>6} {'CPU s':>6} "
        f"{'bare':>6} {'requests':>9}  best loop",
        flush=True,
    )
    for name, pace in paces(count, rounds, wanted):
        ratios, median = pace.ratios, statistics.median(pace.ratios)
        print(
            f"{name:30} {pace.collected.wall:12.2f} {pace.bare.wall:12.2f} {median:6.2f} {ratios[0]:6.2f} "
            f"{ratios[-1]:6.2f} {pace.collected.cpu:6.2f} {pace.bare.cpu:6.2f} {pace.requests:9,}  "
            f"{pace.concurrency} messages of {pace.batch}",
            flush=True,
        )


def _chain(opened: ExitStack, count: int | None, *, traced: bool) -> tuple[str, str]:
    """Return where a chain is served and the counter's address; ``traced`` if a node executes it."""
    if not traced:
        return opened.enter_context(CountingNode(count or TRANSACTIONS)).url, CONTRACT
    anvil = opened.enter_context(Anvil())
    contract = deployed(anvil, COUNT)
    live(anvil, contract, count or TRACED)
    return anvil.url, contract


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopComparison:
    """A collection beside a bare loop, the medians of several rounds."""

    collected: Duration
    bare: Duration
    ratios: tuple[float, ...]
    """Of the rates, in each round; ascending."""
    requests: int
    concurrency: int
    """Of the bare loop."""
    batch: int


def _beside_loop(url: str, contract: str, calls: Sequence[dict[str, Any]], rounds: int) -> LoopComparison:
    concurrency, batch = best_loop(url, calls)
    collected: list[Duration] = []
    bare: list[Duration] = []
    for _ in range(rounds):
        collected.append(time_collection(url, contract, "sqlite://"))
        bare.append(time_loop(url, calls, concurrency, batch))
    return LoopComparison(
        collected=_median(collected),
        bare=_median(bare),
        ratios=tuple(sorted(loop.wall / own.wall for own, loop in zip(collected, bare, strict=True))),
        requests=len(calls),
        concurrency=concurrency,
        batch=batch,
    )


def _median(durations: Sequence[Duration]) -> Duration:
    return Duration(
        wall=statistics.median(item.wall for item in durations),
        cpu=statistics.median(item.cpu for item in durations),
    )


def paces(
    count: int | None, rounds: int, wanted: Collection[str] = ()
) -> Iterator[tuple[str, LoopComparison]]:
    """Yield each setting with what a collection takes there."""
    for name, options in SETTINGS.items():
        if wanted and not any(part in name for part in wanted):
            continue
        with ExitStack() as opened:
            url, contract = _chain(opened, count, traced=not options)
            proxy = opened.enter_context(ProxyProcess(url, remembering=True, **options))
            time_collection(proxy.url, contract, "sqlite://")
            calls = proxy.calls()
            yield name, _beside_loop(proxy.url if options else url, contract, calls, rounds)


def compare_databases(count: int, wanted: Collection[str]) -> None:
    """Collect with and without faults and print whether the databases agree."""
    runs: dict[str, tuple[float, Collection[Fault]]] = {"all kinds": (SHARE_OF_ALL, tuple(Fault))}
    runs |= {fault.value: (SHARE_OF_ONE, [fault]) for fault in Fault}
    wrong = 0
    with CountingNode(count) as chain, tempfile.TemporaryDirectory() as folder:
        whole = str(Path(folder) / "whole.db")
        print(f"without faults {time_collection(chain.url, CONTRACT, whole).wall:.1f} s", flush=True)
        expected = content(whole)
        for row, (name, (share, faults)) in enumerate(runs.items()):
            if wanted and not any(part in name for part in wanted):
                continue
            faulty = str(Path(folder) / f"{row}.db")
            with ProxyProcess(chain.url, share=share, faults=tuple(faults)) as node:
                seconds = time_collection(node.url, CONTRACT, faulty, timeout=TIMEOUT).wall
                failed: Counter[Fault] = node.failed()
            found = content(faulty)
            differing = [table for table, rows in expected.items() if found[table] != rows]
            wrong += bool(differing)
            print(
                f"{share:4.0%} {name:16} {seconds:7.1f} s, {failed.total():6,} faults of {len(failed)} kinds, differs "
                f"in {', '.join(differing) or 'nothing'}",
                flush=True,
            )
    if wrong:
        raise SystemExit(1)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collecting")
    parser.add_argument("what", nargs="?", choices=("speed", "faults"), default="speed")
    parser.add_argument("--transactions", type=int)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", action="append", default=[], help="part of a setting's or a fault's name")
    given = parser.parse_args()
    if given.what == "faults":
        compare_databases(given.transactions or FAULTY_TRANSACTIONS, given.only)
    else:
        compare(given.transactions, given.rounds, given.only)


if __name__ == "__main__":
    main()
