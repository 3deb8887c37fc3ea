"""What `watch` adds to fetching the traces of new blocks, on anvil.

    python -m benchmarks.watch_cost [--blocks N] [--calls N] [--rounds N] [--delay MS]

A contract of boxes is used on anvil in N blocks (by default 500) of so many calls (4), and mined. Then as many blocks
come again, and a watch reads and judges them in one round, as after an outage; and so many rounds (10) follow with one
block each, as while it follows the chain. With ``--delay`` a proxy takes so many milliseconds for each message of the
node, as a node in the network does.

Prints, for each kind of round, the seconds a block that fetching takes (finding, tracing and storing), those that the
watch adds (judging, the journal, delivery), and their ratio. It should be at most 0.1. What is added has a part that
does not depend on the number of blocks: it is paid once a round.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.proxy_process import ProxyProcess
from specminer.contracts.artifact import parse
from specminer.monitoring.journal import DeliveryJournal, Message
from specminer.monitoring.state_file import StateFile
from specminer.pipeline.inputs import parse_address
from specminer.pipeline.mining import mine
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.source import OpenSource, Update, UpdateRequest
from specminer.pipeline.state import MineOptions
from specminer.pipeline.watching import Watch, WatchOptions
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Deployed
from tests.support.boxes import SOURCE
from tests.support.solc import compile_sources


class Silence:
    """A receiver that takes everything."""

    def deliver(self, message: Message) -> None:
        """Take a message."""


@dataclass
class TimedSource:
    """A source that notes how long it takes to bring a history up to date."""

    source: Any
    seconds: float = 0.0

    def update(self, store: TraceStore, request: UpdateRequest, observer: Observer = SILENT) -> Update:
        """Read what is new."""
        began = time.perf_counter()
        try:
            found: Update = self.source.update(store, request, observer)
        finally:
            self.seconds += time.perf_counter() - began
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


def used(anvil: Anvil, boxes: Deployed, first: int, blocks: int, calls: int) -> int:
    """Put into boxes and take out again, in so many blocks; return the number of the next box."""
    sender, number = anvil.accounts[1], first
    for _ in range(blocks):
        sent = []
        for _ in range(max(1, calls // 2)):
            sent += [boxes.call(sender, "put", number, 5), boxes.call(sender, "take", number)]
            number += 1
        anvil.block(sent)
    return number


def timed_round(watch: Watch, source: TimedSource, blocks: int) -> tuple[float, float]:
    """Return the seconds a block that a round fetches, and those that it takes besides."""
    source.seconds = 0.0
    began = time.perf_counter()
    watch.round()
    whole = time.perf_counter() - began
    return source.seconds / blocks, (whole - source.seconds) / blocks


def main() -> None:
    """Print the costs."""
    parser = argparse.ArgumentParser(description="What watch adds to fetching the traces of blocks.")
    parser.add_argument("--blocks", type=int, default=500)
    parser.add_argument("--calls", type=int, default=4, help="a block")
    parser.add_argument("--rounds", type=int, default=10, help="of one block each")
    parser.add_argument("--delay", type=int, default=0, help="milliseconds a message")
    given = parser.parse_args()
    output = compile_sources({"Boxes.sol": SOURCE})["Boxes"]
    artifact = parse(_artifact(output), "Boxes")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="specminer-watch-")))
        anvil = stack.enter_context(Anvil())
        boxes = anvil.deploy(anvil.accounts[0], output)
        number = used(anvil, boxes, 1, given.blocks, given.calls)
        url = anvil.url
        if given.delay:
            url = stack.enter_context(ProxyProcess(anvil.url, delay=given.delay / 1000)).url
        store = stack.enter_context(TraceStore(str(folder / "h.db")))
        opened: OpenSource = stack.enter_context(NodeOptions(url=url).open(None))
        source = TimedSource(opened)
        contract = parse_address(boxes.address)
        update = opened.update(store, UpdateRequest(contract=contract, artifact=artifact))
        specification = mine(store.history(update.chain_id, [contract]), MineOptions()).specification
        watch = Watch(
            specification=specification,
            store=store,
            source=source,
            journal=stack.enter_context(DeliveryJournal(folder / "automaton.watch")),
            receivers=[Silence()],
            options=WatchOptions(once=True),
            state=stack.enter_context(StateFile(folder / "automaton.state")),
        )
        number = used(anvil, boxes, number, 1, given.calls)
        watch.round()  # compiling the engine's instructions and starting the solver are no cost of a block
        print(f"{'round':<28}{'fetching':>14}{'added':>14}{'ratio':>8}")
        number = used(anvil, boxes, number, given.blocks, given.calls)
        _print(f"{given.blocks:,} blocks at once", *timed_round(watch, source, given.blocks))
        costs = []
        for _ in range(given.rounds):
            number = used(anvil, boxes, number, 1, given.calls)
            costs.append(timed_round(watch, source, 1))
        fetching, added = (sum(values) / len(values) for values in zip(*costs, strict=True))
        _print("one block", fetching, added)


def _artifact(output: dict[str, Any]) -> bytes:
    return json.dumps({"contractName": "Boxes", "abi": output["abi"]}).encode()


def _print(name: str, fetching: float, added: float) -> None:
    print(f"{name:<28}{fetching * 1000:>11.1f} ms{added * 1000:>11.1f} ms{added / fetching:>8.2f}")


if __name__ == "__main__":
    main()
