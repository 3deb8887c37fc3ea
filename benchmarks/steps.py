"""Runs a step of a benchmark in a process of its own, so that its peak of memory is its own.

A benchmark's module ends with ``main({"split": split, ...}, run)``: called with the name of a step and a path, it does
that step and prints its numbers as JSON; called with sizes or nothing, it prints its table.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

Numbers: TypeAlias = dict[str, float]
Step: TypeAlias = Callable[[Path], Numbers]

PEAK: Final = "peak"
"""What the peak of memory is called among a step's numbers; in MB of 10^6 bytes."""


@dataclass(slots=True)
class Stopwatch:
    """The CPU seconds of the parts of a step, by their names; other work on the machine disturbs these least."""

    seconds: Numbers = field(default_factory=dict)

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Add what happens inside to a part."""
        begun = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - begun


def peak() -> float:
    """Return the most memory that this process has had so far, in MB of 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what Linux tells as maximum elsewhere is at least what the parent had
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6


def measured(module: str, step: str, path: Path) -> Numbers:
    """Run a step of a benchmark's module in a process of its own; return its numbers and its peak of memory."""
    done = subprocess.run(
        [sys.executable, "-m", module, step, str(path)], stdout=subprocess.PIPE, text=True, check=True
    )
    found: Numbers = json.loads(done.stdout)
    return found


@contextmanager
def limited(most: int | None) -> Iterator[None]:
    """Let processes that are started inside have so many bytes of memory of their own; ``None`` for no limit.

    What they map from files does not count (``RLIMIT_DATA``; since Linux 4.7). Memory that is reserved counts, though
    it was never touched, so that the limit is reached earlier than by what is in use.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    if most is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Give a path for a file that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="specminer-benchmark-") as folder:
        yield Path(folder) / name


def main(steps: Mapping[str, Step], run: Callable[[tuple[int, ...]], None], sizes: tuple[int, ...]) -> None:
    """Do what the command line says: one step, or the whole table for the sizes given."""
    given = sys.argv[1:]
    if given and given[0] in steps:
        found = steps[given[0]](Path(given[1]))
        print(json.dumps(found | {PEAK: peak()}))
    else:
        run(tuple(map(int, given)) or sizes)
