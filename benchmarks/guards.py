"""What guards cost, against reading and splitting the same history.

    python -m benchmarks.guards [SIZE ...]

Makes the market of ``benchmarks.interactions`` with 1,000 to 1,000,000 calls of 8 storage accesses each. In a process
of its own for each size, the history is read from SQLite and split, and the guards of all functions are learned and
proved. Prints the CPU seconds of each, their ratio, the peak of memory, and how many rejections are explained.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.interactions import CHAIN, CONTRACT, SIZES, make
from specminer.guard import Kind, guards
from specminer.guard.proving import obligations
from specminer.interaction import split
from specminer.pipeline.guarding import causes
from specminer.pipeline.understanding import understand
from specminer.store import TraceStore


def step(path: Path) -> None:
    """Do all for one database; print seconds, the peak in MB, rejected and explained calls."""
    times = [time.process_time()]
    with TraceStore(str(path)) as store:
        history = store.history(CHAIN, [CONTRACT])
    given = understand(history)
    split(given.analysis, None)
    times.append(time.process_time())
    found = guards(given.analysis.evidence, causes(history, given.interface))
    times.append(time.process_time())
    obligations(found)
    times.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    required = [guard for guard in found if guard.kind is Kind.REQUIRED]
    print(
        times[1] - times[0],
        times[2] - times[1],
        times[3] - times[2],
        peak,
        sum(guard.rejected for guard in required),
        sum(guard.explained for guard in required),
    )


def run(sizes: tuple[int, ...]) -> None:
    """Measure all sizes and print a table."""
    print("calls      read+split s  guards s  proofs s  ratio  peak MB  rejected  explained")
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
            reading, learning, proving, peak, rejected, explained = map(float, done.stdout.split())
            print(
                f"{size:<9}  {reading:12.2f}  {learning:8.2f}  {proving:8.2f}  "
                f"{(learning + proving) / reading:5.2f}  {peak:7.0f}  {rejected:8.0f}  {explained:9.0f}",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    given_ = sys.argv[1:]
    if given_ and given_[0] == "step":
        step(Path(given_[1]))
    else:
        run(tuple(map(int, given_)) or SIZES)
