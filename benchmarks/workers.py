"""How much faster two local Dask workers mine a list of contracts than one.

    python -m benchmarks.workers [--rounds N] [--contracts N]

Mines the first N contracts of the dataset ``single_auction``, by default all, as ``specminer mine --contracts
--executor dask`` does: with one worker and with two, each a process of one thread, in turn, after a round that counts
on neither side. Prints the wall seconds of each round and, on Linux, the CPU seconds of the busiest process: the time
it takes where every process has a processor of its own. The last line has the ratios of the best rounds, by either
clock, and the load of the machine, which the wall clock needs to be read with.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specminer import DaskOptions, MineOptions, dataset, import_history, mine_contracts
from specminer._support.text import count_of
from tests.support.dask_cluster import DaskCluster

WORKERS: Final = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTimes:
    """What mining the list took."""

    wall: float
    """Seconds."""
    busiest: float
    """CPU seconds of the process that used most, be it this one; 0 where the system does not tell."""


def measure(rounds: int, count: int | None) -> dict[int, RoundTimes]:
    """Mine the list in some rounds; return the best times by the number of workers."""
    with tempfile.TemporaryDirectory(prefix="specminer-workers-") as scratch:
        folder = Path(scratch)
        contracts = [
            import_history(folder / "h.db", path).contracts[0]
            for path in dataset("single_auction").trace_files[:count]
        ]
        listed = folder / "list.txt"
        listed.write_text("\n".join(contracts))
        with DaskCluster(workers=1) as single, DaskCluster(workers=2) as double:
            clusters = dict(zip(WORKERS, (single, double), strict=True))
            best: dict[int, RoundTimes] = {}
            for number in range(rounds + 1):
                for workers, cluster in clusters.items():
                    times = _mine(folder, listed, cluster)
                    if number:
                        label = f"{len(contracts)} contracts, {count_of(workers, 'worker')}"
                        used = f"the busiest process used {times.busiest:.2f} s of a processor"
                        print(f"{label}: {times.wall:.2f} s; {used}", flush=True)
                        best[workers] = _better(times, best.get(workers, times))
    return best


def _mine(folder: Path, listed: Path, cluster: DaskCluster) -> RoundTimes:
    processes = [os.getpid(), *(worker.pid for worker in cluster.workers)]
    before, begun = _used(processes), time.monotonic()
    mine_contracts(
        folder / "h.db",
        listed,
        folder / "out",
        options=MineOptions(workers=DaskOptions(scheduler=cluster.address)),
    )
    wall = time.monotonic() - begun
    used = [after - earlier for after, earlier in zip(_used(processes), before, strict=True)]
    return RoundTimes(wall=wall, busiest=max(used))


def _used(processes: Sequence[int]) -> list[float]:
    """Return the CPU seconds that processes have used, with those of their children that have ended."""
    if not Path("/proc/self/stat").exists():
        return [0.0] * len(processes)
    tick = os.sysconf("SC_CLK_TCK")
    fields = [Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split() for number in processes]
    return [sum(map(int, row[11:15])) / tick for row in fields]


def _better(one: RoundTimes, other: RoundTimes) -> RoundTimes:
    return RoundTimes(wall=min(one.wall, other.wall), busiest=min(one.busiest, other.busiest))


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--contracts", type=int, metavar="N")
    given = parser.parse_args()
    best = measure(given.rounds, given.contracts)
    single, double = (best[count] for count in WORKERS)
    by_cpu = f"{single.busiest / double.busiest:.2f}" if double.busiest else "unknown"
    print(
        f"two workers against one: {single.wall / double.wall:.2f} by the wall clock, {by_cpu} by the busiest process; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )


if __name__ == "__main__":
    main()
