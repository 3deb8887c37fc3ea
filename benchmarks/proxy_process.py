"""A faulty or slow proxy in a process of its own, so that it takes no time of the process that is measured."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.server_process import ServerProcess
from tests.support.faulty_node import Fault, FaultyNode


class ProxyProcess(ServerProcess):
    """The proxy; as a context manager it runs inside the block.

    Args:
        upstream: the HTTP URL of the node behind it.
        options: those of :class:`FaultyNode`.
    """

    def __init__(self, upstream: str, **options: Any) -> None:
        super().__init__(serve, upstream, options)

    def stop(self) -> None:
        """Let the process end by itself."""
        self._here.send("end")

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
