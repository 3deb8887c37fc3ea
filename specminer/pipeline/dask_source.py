"""A source whose node is asked by Dask workers, or whose lists are executed by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from specminer._support.errors import UsageError
from specminer.pipeline.cluster import DaskOptions
from specminer.pipeline.explorer_source import ExplorerOptions
from specminer.pipeline.node_source import NodeOptions, OpenNode


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskSource:
    """A node or an explorer that Dask workers read; this process orders, checks and stores what they read of a node.

    What an explorer lists is executed contract by contract: that takes :func:`specminer.collect_contracts`.
    """

    source: NodeOptions | ExplorerOptions
    workers: DaskOptions

    @property
    def noun(self) -> str:
        """What messages call the source."""
        return self.source.noun

    @property
    def from_creation(self) -> bool:
        """Whether it can only give histories from the creation of the contract on."""
        return self.source.from_creation

    @contextmanager
    def open(self, chain_id: int | None) -> Iterator[OpenNode]:
        """Open the node, and connect to the workers; ``chain_id`` is compared with the node's.

        Raises:
            UsageError: the source is an explorer; a URL, a header or the scheduler's address is malformed.
            ClusterError: no scheduler answers, or it has no workers.

        """
        if not isinstance(self.source, NodeOptions):
            raise UsageError(
                "--executor dask executes what an explorer lists contract by contract: it takes --contracts FILE; one "
                "contract's transactions are executed one after another"
            )
        self.source.endpoints()  # is checked before anything is connected
        from specminer.pipeline.node_helpers import DaskHelpers

        with self.workers.open() as cluster, self.source.open(chain_id) as opened:
            opened.node.helpers = DaskHelpers(cluster, self.source)
            yield opened
