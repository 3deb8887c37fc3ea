"""What guards cost, against reading and splitting the same history.

    python -m benchmarks.guards [SIZE ...]

Makes the market of ``benchmarks.interactions`` with 1,000 to 1,000,000 calls of 8 storage accesses each. In a process
of its own for each size, the history is read from SQLite and split, an abstraction is tuned (which counts on neither
side), the guards of all functions are learned and proved, then those of all transitions, with what follows from what.
Prints the CPU seconds of each, the ratio of the guards to reading and splitting, the peak of memory, and how many
rejections are explained.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.interactions import CHAIN, CONTRACT, SIZES, make
from specminer.abstraction import default
from specminer.abstraction.context import with_calls
from specminer.abstraction.table import build
from specminer.guard import Kind, learn
from specminer.guard.entity import Entities
from specminer.guard.passage import ways
from specminer.guard.proving import obligations
from specminer.interaction import split
from specminer.pipeline.guarding import causes
from specminer.pipeline.understanding import understand
from specminer.reasoning import Asked, Claims, Frames, Known, StateSpace, passable, siblings
from specminer.store import TraceStore
from specminer.tuning import tune


def step(path: Path) -> None:
    """Do all for one database; print seconds, the peak in MB, rejected and explained calls."""
    times = [time.process_time()]
    with TraceStore(str(path)) as store:
        history = store.history(CHAIN, [CONTRACT])
    given = understand(history)
    interactions = split(given.analysis, None)
    times.append(time.process_time())
    functions = [given.called.functions[row] for row in given.called.function.tolist()]
    table = build(history, given.touched, given.found.locations, interactions, functions)
    tuning = tune(with_calls(table, history, interactions), default())
    times.append(time.process_time())
    entities = Entities(given.analysis.evidence, interactions)
    learned = learn(given.analysis.evidence, causes(history, given.interface), 0, entities)
    found = learned.guards
    times.append(time.process_time())
    obligations(found)
    times.append(time.process_time())
    space = StateSpace(tuning)
    frames, asked, known = Frames(space, entities), Asked(), Known(())
    taken = ways(learned, tuning, interactions, entities)
    siblings(space, passable(frames, known, taken, asked), asked)
    Claims(space, frames, learned, taken, known, asked).observed()
    times.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    required = [guard for guard in found if guard.kind is Kind.REQUIRED]
    print(
        times[1] - times[0],
        times[3] - times[2],
        times[4] - times[3],
        times[5] - times[4],
        peak,
        sum(guard.rejected for guard in required),
        sum(guard.explained for guard in required),
    )


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print a table."""
    print("calls      read+split s  guards s  proofs s  transitions s  ratio  peak MB  rejected  explained")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.db"
            make(path, size)
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.guards", "step", str(path)],
                capture_output=True,
                text=True,
                check=True,
            )
            reading, learning, proving, passing, peak, rejected, explained = map(float, done.stdout.split())
            print(
                f"{size:<9}  {reading:12.2f}  {learning:8.2f}  {proving:8.2f}  {passing:13.2f}  "
                f"{(learning + proving + passing) / reading:5.2f}  {peak:7.0f}  {rejected:8.0f}  {explained:9.0f}",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    given_ = sys.argv[1:]
    if given_ and given_[0] == "step":
        step(Path(given_[1]))
    else:
        run(tuple(map(int, given_)) or SIZES)
