"""What `check` costs beside reading and splitting the same stored history, in one run.

    python -m benchmarks.check_cost [--calls N] [--rounds N] [DATASET ...]

The market with bytecode (``benchmarks.coded_market``, N calls, by default 20,000) and shipped datasets are stored in a
database; the first 70 % of the blocks are mined. Then all stored invocations are read, split and checked, in this
process, each step as often as there are rounds (by default 3, the first of which only warms up: compiling the engine's
instructions and starting the solver are no cost of an invocation). Times are CPU seconds; the best round counts.

Prints for each history the microseconds an invocation that reading and splitting take, those that checking takes
besides, and their ratio. The last line is the ratio of the market; it should be at most 1.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import coded_market
from benchmarks.market import CHAIN, CONTRACT
from specminer._support.statistics import TRAINING_SHARE
from specminer.history.trace import Address
from specminer.pipeline.checking import CheckOptions, check_history
from specminer.pipeline.datasets import dataset
from specminer.pipeline.division import decode_history, divide
from specminer.pipeline.following import execute_calls, follow_decisions
from specminer.pipeline.mining import mine
from specminer.pipeline.state import MineOptions, Mining, options_of
from specminer.pipeline.traces import import_traces
from specminer.store import TraceStore

CALLS: Final = 20_000
ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of CPU."""

    calls: int
    reading: float
    """Reading the history from the database, decoding and splitting it."""
    checking: float
    """All else that a check does."""

    @property
    def ratio(self) -> float:
        """How much checking costs beside reading and splitting."""
        return self.checking / self.reading


def cost_of(database: Path, chain: int, contracts: list[Address], rounds: int) -> Cost:
    """Return what a check of all that a database holds of some contracts costs."""
    with TraceStore(str(database)) as store:
        history = store.history(chain, contracts)
        blocks = sorted(set(history.transaction_block.tolist()))
        cut = blocks[round(TRAINING_SHARE * len(blocks)) - 1]
        specification = mine(store.history(chain, contracts, last=cut), MineOptions()).specification
        start = Mining(history=history, options=options_of(specification), name=specification.name)
        followed = follow_decisions(execute_calls(decode_history(start)))
        options = CheckOptions(first_block=0)
        reading, splitting, whole = (
            min(_seconds(step) for _ in range(rounds))
            for step in (
                lambda: store.history(chain, contracts),
                lambda: (decode_history(start), divide(followed)),
                lambda: check_history(specification, history, options),
            )
        )
    return Cost(calls=len(history), reading=reading + splitting, checking=whole - splitting)


def _seconds(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


def market(folder: Path, calls: int, rounds: int) -> Cost:
    """Return the cost of the market."""
    path = folder / "market.db"
    coded_market.make_coded(path, calls)
    return cost_of(path, CHAIN, [CONTRACT], rounds)


def shipped(folder: Path, name: str, rounds: int) -> Cost:
    """Return the cost of a dataset."""
    path = folder / f"{name}.db"
    with TraceStore(str(path)) as store:
        records = [import_traces(store, file) for file in dataset(name).trace_files]
    return cost_of(path, records[0].chain_id, [record.address for record in records], rounds)


def main() -> None:
    """Print the costs."""
    parser = argparse.ArgumentParser(description="What check costs beside reading and splitting.")
    parser.add_argument("datasets", nargs="*", metavar="DATASET")
    parser.add_argument("--calls", type=int, default=CALLS, help="of the market")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    print(f"{'history':<16}{'calls':>9}{'reading, splitting':>20}{'checking':>12}{'ratio':>8}")
    with tempfile.TemporaryDirectory(prefix="specminer-check-") as text:
        folder = Path(text)
        for name in given.datasets:
            _print(name, shipped(folder, name, given.rounds))
        cost = market(folder, given.calls, given.rounds)
        _print("market", cost)
    print(f"checking costs {cost.ratio:.2f} times what reading and splitting the stored market costs")


def _print(name: str, cost: Cost) -> None:
    micro = 1e6 / cost.calls
    print(
        f"{name:<16}{cost.calls:>9,}{cost.reading * micro:>17.0f} us{cost.checking * micro:>9.0f} us"
        f"{cost.ratio:>8.2f}"
    )


if __name__ == "__main__":
    main()
