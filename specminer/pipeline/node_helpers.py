"""Dask workers that find and read transactions: each asks the node by itself, and opens it once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from specminer._support.errors import ClusterError
from specminer.history.trace import Address, Hash
from specminer.pipeline.cluster import Cluster
from specminer.pipeline.node_source import NodeOptions
from specminer.sources import finder
from specminer.sources.node import Node
from specminer.sources.transaction_reading import Notes, Reading, TransactionKey, TransactionReader
from specminer.sources.way import BlockHits, Way

BLOCKS: Final = 500
"""Blocks of a piece of the chain in which a worker looks for transactions."""
_OPEN: Final = 4
"""Nodes, and readers of each, that a worker holds open at most."""

Spans = list[tuple[int, int, dict[Address, BlockHits]]]
"""First and last block of a span, and what was found in it of each contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPiece:
    """Blocks in which transactions of some contracts are looked for."""

    node: NodeOptions
    way: tuple[Way, str | None]
    contracts: tuple[Address, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingPiece:
    """Transactions of a contract that are to be read and traced."""

    node: NodeOptions
    contract: Address
    keys: tuple[TransactionKey, ...]
    patient: bool
    suspected_hashes: frozenset[Hash]


class DaskHelpers:
    """Workers of a cluster that ask a node; see :class:`specminer.sources.helper_processes.Helpers`."""

    def __init__(self, cluster: Cluster, node: NodeOptions) -> None:
        self._cluster = cluster
        rate = None if node.rate is None else node.rate / (cluster.processes + 1)
        self._node = replace(node, rate=rate)
        """With the share of the permitted requests that one process may send; this process sends some, too."""

    def find_each(
        self, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
    ) -> Iterator[tuple[int, int, dict[Address, BlockHits]]]:
        """Yield consecutive spans that cover the blocks ``first .. last``, with what was found of each contract.

        Raises:
            NodeRefused: even a single block is refused.
            InvalidNodeResponse: an answer is malformed.
            ClusterError: the workers failed.

        """
        # a node that filters is asked for many blocks at a time: more pieces would be more requests
        size = BLOCKS * (20 if way[0] is Way.TRACE_FILTER else 1)
        pieces = (
            SearchPiece(
                node=self._node,
                way=way,
                contracts=tuple(contracts),
                first=start,
                last=min(last, start + size - 1),
            )
            for start in range(first, last + 1, size)
        )
        for spans in self._cluster.in_order(find_piece, pieces):
            if isinstance(spans, ClusterError):
                raise spans
            yield from spans

    def read(
        self, contract: Address, keys: Sequence[TransactionKey], *, patient: bool, suspected: Collection[Hash]
    ) -> Reading:
        """Read transactions of one contract and trace them; what cannot be read is a gap.

        Raises:
            TipChanged: a transaction moved, and the caller is ``patient`` enough to look for it again.
            NodeRefused: the node traces nothing.
            ClusterError: the workers failed.

        """
        hashes = {name for _, name in keys}
        piece = ReadingPiece(
            node=self._node,
            contract=contract,
            keys=tuple(keys),
            patient=patient,
            suspected_hashes=frozenset(hashes.intersection(suspected)),
        )
        return self._cluster.run(read_piece, piece)


class _OpenNodes:
    """Nodes that a worker has open, with a reader for each contract that it read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._nodes: OrderedDict[NodeOptions, Node] = OrderedDict()
        self._readers: OrderedDict[tuple[NodeOptions, Address], TransactionReader] = OrderedDict()

    def node(self, options: NodeOptions) -> Node:
        """Return a node, opened if it is not."""
        with self._lock:
            return self._open(options)

    def reader(self, options: NodeOptions, contract: Address) -> TransactionReader:
        """Return what reads a contract's transactions, and knows which tracer works."""
        with self._lock:
            node, key = self._open(options), (options, contract)
            if key not in self._readers:
                self._readers[key] = TransactionReader(node, contract, Notes(_ignore))
            self._readers.move_to_end(key)
            while len(self._readers) > _OPEN:
                self._readers.popitem(last=False)
            return self._readers[key]

    def _open(self, options: NodeOptions) -> Node:
        if options not in self._nodes:
            self._nodes[options] = options.connect()
        self._nodes.move_to_end(options)
        while len(self._nodes) > _OPEN:
            oldest, node = self._nodes.popitem(last=False)
            for key in [key for key in self._readers if key[0] == oldest]:
                del self._readers[key]
            node.close()
        return self._nodes[options]


_OPEN_NODES: Final = _OpenNodes()
"""Those of this process, if it is a worker."""


def find_piece(piece: SearchPiece) -> Spans:
    """Look for transactions in some blocks; called on a worker."""
    node = _OPEN_NODES.node(piece.node)
    return list(finder.find_each(node, piece.way, piece.contracts, piece.first, piece.last))


def read_piece(piece: ReadingPiece) -> Reading:
    """Read transactions and trace them; called on a worker."""
    reader = _OPEN_NODES.reader(piece.node, piece.contract)
    return reader.read(piece.keys, patient=piece.patient, suspected=piece.suspected_hashes)


def _ignore(_: str) -> None:
    """Hear nothing: what a reader notes while it reads stands in its reading."""
