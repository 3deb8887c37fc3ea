"""A server in a process of its own, so that it takes no time of the process that is measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


class ServerProcess:
    """The process; as a context manager it runs inside the block.

    Args:
        serve: what runs there. It gets one end of a pipe and the rest of the arguments, and first sends its URL.
        arguments: what it gets; they have to be pickled.
    """

    def __init__(self, serve: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=serve, args=(there, *arguments), daemon=True)
        self.url = ""
        """Where it listens."""

    def __enter__(self) -> Self:
        self._process.start()
        self.url = self._here.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._process.join()

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
