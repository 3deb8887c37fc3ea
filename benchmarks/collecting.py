"""How fast a collection is beside a bare concurrent loop that sends the same requests.

    python -m benchmarks.collecting [TRANSACTIONS]

A counter is called so often on anvil. Its history is collected through a proxy that is quick, that takes 50 or 200 ms a
message, that takes 50 ms for every call of a message, or that refuses batches above 10. The requests are kept, and then
sent again by a bare asynchronous loop, each alone or ten in a batch, with several concurrencies; the answers are
decoded from JSON. The fastest of these counts. The ratio is that of the rates: 1 is as fast as the bare loop.

    python -m benchmarks.collecting faults [TRANSACTIONS]

Collects once without faults and once with 20 % faults of all kinds, and compares the databases table by table.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from benchmarks.recording import live
from specminer.chain.endpoint import Endpoint
from specminer.chain.node import Node
from specminer.pipeline import collect
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.bytecode import COUNT
from tests.support.collecting import Notes, address, content
from tests.support.counting import deployed
from tests.support.faulty_node import FaultyNode

TRANSACTIONS: Final = 1_000
CONCURRENCIES: Final = (16, 64, 128)
SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "no latency": {},
    "50 ms a message": {"delay": 0.05},
    "200 ms a message": {"delay": 0.2},
    "50 ms a call": {"call_delay": 0.05},
    "batches of 10 at most, 50 ms": {"delay": 0.05, "most": 10},
}


def seconds_to_collect(url: str, contract: str, database: str) -> float:
    """Return the wall time of a collection."""
    began = time.perf_counter()
    with TraceStore(database) as store, Node(Endpoint(url)) as node:
        collect(store, node, address(contract), observer=Notes())
    return time.perf_counter() - began


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


def seconds_of_bare_loop(url: str, calls: Sequence[dict[str, Any]]) -> float:
    """Return the wall time of the fastest bare loop."""
    best = float("inf")
    for batch in (1, 10):
        for concurrency in CONCURRENCIES:
            began = time.perf_counter()
            asyncio.run(_send(url, calls, concurrency, batch))
            best = min(best, time.perf_counter() - began)
    return best


def compare(count: int) -> None:
    """Print the ratio of each setting."""
    print(f"{'':30} {'collected s':>12} {'bare loop s':>12} {'ratio':>7} {'requests':>9}")
    with Anvil() as anvil:
        contract = deployed(anvil, COUNT)
        live(anvil, contract, count)
        for name, options in SETTINGS.items():
            with FaultyNode(anvil.url, **options) as node:
                collected = seconds_to_collect(node.url, contract, "sqlite://")
                calls = list(node.calls)
                bare = seconds_of_bare_loop(node.url, calls)
            print(
                f"{name:30} {collected:12.2f} {bare:12.2f} {bare / collected:7.2f} {len(calls):9,}",
                flush=True,
            )


def compare_databases(count: int) -> None:
    """Collect with and without faults and print whether the databases agree."""
    with Anvil() as anvil, tempfile.TemporaryDirectory() as folder:
        contract = deployed(anvil, COUNT)
        live(anvil, contract, count)
        whole, faulty = str(Path(folder) / "whole.db"), str(Path(folder) / "faulty.db")
        print(f"without faults {seconds_to_collect(anvil.url, contract, whole):.1f} s", flush=True)
        with FaultyNode(anvil.url, share=0.2) as node:
            print(f"with 20 % faults {seconds_to_collect(node.url, contract, faulty):.1f} s")
            print(dict(sorted((fault.value, number) for fault, number in node.failed.items())))
        differing = [name for name, rows in content(whole).items() if content(faulty)[name] != rows]
        print("tables that differ:", ", ".join(differing) or "none")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    numbers = [int(text) for text in arguments if text.isdecimal()]
    (compare_databases if "faults" in arguments else compare)(numbers[0] if numbers else TRANSACTIONS)
