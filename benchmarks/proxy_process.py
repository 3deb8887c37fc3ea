"""A faulty or slow proxy in a process of its own, so that it takes no time of the process that is measured."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from types import TracebackType
from typing import Any, Self

from tests.support.faulty_node import Fault, FaultyNode


class ProxyProcess:
    """The proxy; as a context manager it runs inside the block.

    Args:
        upstream: the HTTP URL of the node behind it.
        options: those of :class:`FaultyNode`.
    """

    def __init__(self, upstream: str, **options: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=serve, args=(there, upstream, options), daemon=True)
        self.url = ""
        """Where it listens."""

    def __enter__(self) -> Self:
        self._process.start()
        self.url = self._here.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._here.send("end")
        self._process.join()

    def calls(self) -> list[dict[str, Any]]:
        """Return all calls that came so far."""
        self._here.send("calls")
        calls: list[dict[str, Any]] = self._here.recv()
        return calls

    def failed(self) -> Counter[Fault]:
        """Return how often it failed so far in which way."""
        self._here.send("failed")
        failed: Counter[Fault] = self._here.recv()
        return failed


def serve(connection: Any, upstream: str, options: dict[str, Any]) -> None:
    """Run a proxy, and answer what is asked about it, until the end is wanted."""
    with FaultyNode(upstream, **options) as node:
        connection.send(node.url)
        while (wanted := connection.recv()) != "end":
            connection.send(getattr(node, wanted))
