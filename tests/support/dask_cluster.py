"""A Dask cluster of processes on this machine: a scheduler, and workers that a test may kill."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from tests.support.command import environment
from tests.support.extras import require

_SECONDS: Final = 120.0
"""To wait for a process to say that it is ready: much more than it takes on a machine that has other work."""


class DaskCluster:
    """The running processes; use it as a context manager. Workers run in a folder of their own."""

    def __init__(self, workers: int = 2) -> None:
        require("distributed")
        self._wanted = workers
        self._scratch = tempfile.TemporaryDirectory(prefix="specminer-dask-")
        self.folder = Path(self._scratch.name)
        self.address = ""
        self.workers: list[subprocess.Popen[bytes]] = []
        self._scheduler: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            scheduler = self._begin(
                "scheduler", "dask_scheduler", ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
            )
            self._scheduler = scheduler
            self.address = self._await("scheduler", scheduler, r"Scheduler at:\s+(tcp://127\.0\.0\.1:\d+)")
            self.add_workers(self._wanted)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_workers(self, count: int) -> None:
        """Start so many workers of one thread, and wait until the scheduler knows them."""
        options = [self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        names = [f"worker-{len(self.workers) + row}" for row in range(count)]
        added = [self._begin(name, "dask_worker", options) for name in names]
        self.workers += added
        for name, process in zip(names, added, strict=True):
            self._await(name, process, r"(Registered to)")

    def log(self) -> str:
        """Return what all processes have said."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        """End all processes."""
        processes = [*self.workers, *([] if self._scheduler is None else [self._scheduler])]
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        self._scratch.cleanup()

    def _begin(self, name: str, module: str, options: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *options],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _await(self, name: str, process: subprocess.Popen[bytes], pattern: str) -> str:
        """Return what a process says of itself once it is ready."""
        until = time.monotonic() + _SECONDS
        path = self.folder / f"{name}.log"
        while time.monotonic() < until and process.poll() is None:
            match = re.search(pattern, path.read_text(errors="replace"))
            if match is not None:
                return match[1]
            time.sleep(0.05)
        raise AssertionError(f"{name} did not begin: {path.read_text(errors='replace')[-2_000:]}")
