"""How much memory each stage of mining takes, and how much stays in use behind it.

    python -m benchmarks.stage_memory [--invocations N] [--no-code] [--limit MB] [--database FILE]

Makes a market with N calls (see ``benchmarks.market``), by default one with bytecode, whose calls are followed through
it. One process of its own reads the history from SQLite and runs all stages of ``mine``, one after another. Prints for
each the CPU seconds, the peak of memory while it ran, what the process holds after it, and how much of the peak is its
own, in MB of 10^6 bytes. The rest is mapped from files, and the system may drop it from memory. The process's own
memory is looked at a hundred times a second: a shorter peak may be missed. With ``--limit`` a stage that needs more of
its own fails. With ``--database`` the history is made there, or read from there if it is there already.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Self

from benchmarks.coded_market import make_coded
from benchmarks.market import CHAIN, CONTRACT, make
from benchmarks.steps import PEAK, Numbers, Stopwatch, limited, measured, peak, scratch
from specminer.pipeline.mining import STAGES, run_stage
from specminer.pipeline.state import MineOptions, Mining
from specminer.store import TraceStore

_NAME: Final = "benchmarks.stage_memory"
_STEP: Final = "stages"
_READ: Final = "read"


def run_stages(path: Path) -> Numbers:
    """Mine one database; return of each stage ``STAGE s``, ``peak``, ``held`` and ``own``: seconds and MB."""
    numbers: Numbers = {}

    def read() -> Mining:
        with TraceStore(str(path)) as store:
            return Mining(history=store.history(CHAIN, [CONTRACT]), options=MineOptions())

    mining = _measure(_READ, read, numbers)
    for stage in STAGES:
        mining = _measure(stage.__name__, partial(run_stage, mining, stage), numbers)
    return numbers


def _measure(name: str, work: Callable[[], Mining], numbers: Numbers) -> Mining:
    """Run one stage and note what it took."""
    watch = Stopwatch()
    _forget_peak()
    with watch.timing("s"), _OwnMemory() as own:
        mining = work()
    numbers[f"{name} s"] = watch.seconds["s"]
    numbers[f"{name} peak"] = peak()
    numbers[f"{name} held"] = _resident("VmRSS")
    numbers[f"{name} own"] = own.most
    return mining


class _OwnMemory:
    """Watches how much memory of the process's own is in use; 0 where the system does not tell."""

    def __init__(self) -> None:
        self.most = 0.0
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while True:
            self.most = max(self.most, _resident("RssAnon"))
            if self._done.wait(0.01):
                return


def _forget_peak() -> None:
    """Let Linux measure the peak anew; elsewhere it is that of the whole run so far."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        path.write_text("5")


def _resident(name: str) -> float:
    """Return the memory that this process has now, in MB of 10^6 bytes, by its name in ``/proc``; 0 without that."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{name}:")), 0.0)


def stage_rows(numbers: Numbers) -> list[tuple[str, float, float, float, float]]:
    """Return of each stage its name, seconds, and MB: at most, held behind it, of its own at most."""
    names = [_READ, *(stage.__name__ for stage in STAGES)]
    return [(name, *(numbers[f"{name} {part}"] for part in ("s", "peak", "held", "own"))) for name in names]  # type: ignore[misc]


def measure_stages(
    invocations: int, *, coded: bool = True, most: int | None = None, database: Path | None = None
) -> Numbers:
    """Measure a market of so many calls in a process of its own.

    Args:
        invocations: how many calls.
        coded: whether there is bytecode.
        most: bytes of its own memory that the process may have; ``None`` for no limit.
        database: where the history is kept; ``None`` for a temporary file.

    Raises:
        subprocess.CalledProcessError: the limit was too small.

    """
    with scratch("market.db") as temporary:
        path = temporary if database is None else database
        if not path.exists():
            if coded:
                make_coded(path, invocations)
            else:
                make(path, invocations)
        with limited(most):
            return measured(_NAME, _STEP, path)


def report(found: Numbers, invocations: int) -> None:
    """Print a table of what was measured."""
    print(f"{'stage':20} {'CPU s':>9} {'peak MB':>9} {'held MB':>9} {'own MB':>9}")
    for name, seconds, most, held, own in stage_rows(found):
        print(f"{name:20} {seconds:9,.2f} {most:9,.0f} {held:9,.0f} {own:9,.0f}")
    for part, noun in (("peak", "at most"), ("own", "of its own at most")):
        most = max(number for name, number in found.items() if name.endswith(f" {part}"))
        print(
            f"{invocations:,} invocations: {most:,.0f} MB {noun}, {1e6 * most / invocations:,.0f} bytes each"
        )


def main() -> None:
    """Run the benchmark from the command line, or its one step in a process of its own."""
    if sys.argv[1:2] == [_STEP]:
        print(json.dumps(run_stages(Path(sys.argv[2])) | {PEAK: peak()}))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--invocations", type=int, default=100_000, metavar="N")
    parser.add_argument("--no-code", action="store_true", help="a market without bytecode")
    parser.add_argument(
        "--limit", type=float, metavar="MB", help="how much memory of its own mining may have"
    )
    parser.add_argument("--database", type=Path, metavar="FILE", help="where the history is kept")
    given = parser.parse_args()
    most = None if given.limit is None else int(given.limit * 1e6)
    numbers = measure_stages(given.invocations, coded=not given.no_code, most=most, database=given.database)
    report(numbers, given.invocations)


if __name__ == "__main__":
    main()
