"""How many recorded calls are proved when they are executed alone, and why the others are not.

    python -m benchmarks.decisions                          # the shipped datasets
    python -m benchmarks.decisions --traces FOLDER          # trace files (.jsonl, .jsonl.gz) in a folder
    SPECMINER_REAL_DATA=/data python -m benchmarks.decisions --real  # re-executed imports

One line a history: its calls; how many were executed; how many of these were proved to be what was recorded, and their
share; how many others took the path of one of them; what is left; seconds. Then the reasons why calls are not proved.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from specminer.decision.runs import run_calls
from specminer.decoding.decode import decode
from specminer.history.contract_history import History
from specminer.history.trace import Address
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset, list_datasets
from specminer.store import TraceStore
from tests.support.real import AZURE, MAINNET, execute


def main() -> None:
    """Print a line for each history."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--real", action="store_true", help="the real histories beside the project")
    parser.add_argument("--traces", type=Path, help="a folder of trace files")
    arguments = parser.parse_args()
    print(
        f"{'history':26} {'calls':>7} {'executed':>8} {'proved':>7} {'share':>7} {'matched':>7} {'left':>5} "
        f"{'seconds':>7}"
    )
    for name, history in histories(arguments.real, arguments.traces):
        report(name, history)


def histories(real: bool, traces: Path | None) -> Iterator[tuple[str, History]]:
    """Yield histories with their names: of the trace files in a folder, else the real or the shipped ones."""
    if traces is not None:
        return _traces(traces)
    return _real() if real else _shipped()


def _shipped() -> Iterator[tuple[str, History]]:
    for item in list_datasets():
        yield item.name, _imported(item.trace_files)


def shipped_history(name: str) -> History:
    """Return the history of a shipped dataset."""
    return _imported(dataset(name).trace_files)


def _traces(folder: Path) -> Iterator[tuple[str, History]]:
    for path in sorted([*folder.rglob("*.jsonl"), *folder.rglob("*.jsonl.gz")]):
        name = path.name.removesuffix(".gz").removesuffix(".jsonl")
        yield path.parent.name if name == "traces" else name, _imported((path,))


def _real() -> Iterator[tuple[str, History]]:
    for name in (*AZURE, *MAINNET):
        with TraceStore("sqlite://") as store:
            execute(store, name)
            listed = store.contracts()
            yield name, store.history(listed[0].chain_id, [item.address for item in listed])


def _imported(paths: tuple[Path, ...]) -> History:
    with TraceStore("sqlite://") as store:
        records = [import_traces(store, path) for path in paths]
        contracts: list[Address] = [record.address for record in records]
        return store.history(records[0].chain_id, contracts)


def report(name: str, history: History) -> None:
    """Execute the calls of a history alone, and print how far that went."""
    context = decode(history)
    begin = time.perf_counter()
    runs = run_calls(context)
    took = time.perf_counter() - begin
    proved = sum(len(item.runs) for item in runs)
    matched = sum(len(item.matched_rows) for item in runs)
    left = sum(item.unpursued for item in runs)
    reasons: Counter[str] = Counter()
    for item in runs:
        reasons.update(item.unproved)
    executed = proved + sum(reasons.values())
    share = proved / executed if executed else 1.0
    print(
        f"{name:26} {executed + matched + left:7,} {executed:8,} {proved:7,} {share:7.1%} {matched:7,} {left:5,} "
        f"{took:7.2f}"
    )
    for reason, count in reasons.most_common():
        print(f"    {count:6,} {reason}")


if __name__ == "__main__":
    main()
