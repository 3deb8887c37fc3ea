"""What invariants, confidence and surprise cost, against reading and splitting the same history.

    python -m benchmarks.confidence [SIZE ...]

Makes the market of ``benchmarks.interactions`` with 1,000 to 1,000,000 calls of 8 storage accesses each. In a process
of its own for each size, the history is read from SQLite and split, an abstraction is tuned (which counts on neither
side), and then invariants are searched, halves compared, and all events and interactions measured and ranked. Prints
the seconds of each, the ratio of the last three to reading and splitting, and the peak of memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.interactions import CHAIN, CONTRACT, SIZES, make
from specminer.abstraction import default
from specminer.abstraction.context import with_calls
from specminer.abstraction.table import build
from specminer.confidence import agreement, reached
from specminer.interaction import split
from specminer.invariant import Ground, search
from specminer.pipeline.judging import broken, units
from specminer.pipeline.understanding import understand
from specminer.store import TraceStore
from specminer.surprise import Ranking, measure
from specminer.tuning import tune


def step(path: Path) -> None:
    """Do all for one database; print seconds, the peak in MB, and what was found."""
    times = [time.perf_counter()]
    with TraceStore(str(path)) as store:
        history = store.history(CHAIN, [CONTRACT])
    given = understand(history)
    interactions = split(given.analysis, None)
    times.append(time.perf_counter())
    functions = [given.called.functions[row] for row in given.called.function.tolist()]
    table = build(history, given.touched, given.found.locations, interactions, functions)
    tuning = tune(with_calls(table, history, interactions), default())
    times.append(time.perf_counter())
    ground = Ground(
        history=history, touched=given.touched, locations=given.found.locations, called=given.called
    )
    held = search(ground, tuning, interactions)
    times.append(time.perf_counter())
    halves = agreement(tuning, 0)
    for point in tuning.front:
        reached(tuning, point)
    times.append(time.perf_counter())
    measured = measure(history, interactions, tuning, broken(held, history, units(history, interactions)))
    ranked = Ranking(history=history, interactions=interactions, tuning=tuning, measured=measured).to_dict()
    times.append(time.perf_counter())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    spans = [after - before for before, after in pairwise(times)]
    assert halves is not None
    print(*spans, peak, len(held), ranked["flagged"])


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print a table."""
    print("calls      read+split s  tune s  invariants s  halves s  surprise s  ratio  peak MB  invariants")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.db"
            make(path, size)
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.confidence", "step", str(path)],
                capture_output=True,
                text=True,
                check=True,
            )
            reading, tuned, held, halves, surprise, peak, found, _ = map(float, done.stdout.split())
            print(
                f"{size:<9}  {reading:12.2f}  {tuned:6.2f}  {held:12.2f}  {halves:8.2f}  {surprise:10.2f}  "
                f"{(held + halves + surprise) / reading:5.2f}  {peak:7.0f}  {found:10.0f}",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    given_ = sys.argv[1:]
    if given_ and given_[0] == "step":
        step(Path(given_[1]))
    else:
        run(tuple(map(int, given_)) or SIZES)
