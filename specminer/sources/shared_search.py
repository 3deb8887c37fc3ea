"""Several contracts' transactions, found in one pass over some blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from specminer.history.trace import Address, Block
from specminer.sources import finder
from specminer.sources.chain_blocks import block_at
from specminer.sources.node import Node
from specminer.sources.way import BlockHits, Way

_Spans = list[tuple[int, int, BlockHits]]


class SharedSearch:
    """What was found of several contracts in the blocks ``first .. last``; held until each contract has taken its part.

    What a contract asks for again is searched anew: its blocks have changed since, or an answer was wrong.
    """

    def __init__(self, node: Node, contracts: Sequence[Address], first: int, last: int) -> None:
        self._node = node
        self._contracts = tuple(contracts)
        self._range = (first, last)
        self._anchor: Block | None = None
        self._spans: dict[Address, _Spans] = {}
        self._way: tuple[Way, str | None] | None = None

    @property
    def anchor(self) -> Block:
        """The last block, read before anything was searched: while it stands, what was found stands."""
        if self._anchor is None:
            self._anchor = block_at(self._node, self._range[1])
        return self._anchor

    def forget(self) -> None:
        """Search all of it anew, on a chain that has been reorganised."""
        self._anchor, self._way = None, None
        self._spans.clear()

    def find(
        self, node: Node, way: tuple[Way, str | None], contract: Address, first: int, last: int
    ) -> Iterator[tuple[int, int, BlockHits]]:
        """Yield what :func:`finder.find` does, of one contract in a part of the blocks."""
        if self._way is None:
            self._search(way)
        spans = self._spans.pop(contract, None) if self._way == way else None
        if spans is None or first < self._range[0] or last > self._range[1]:
            yield from finder.find(node, way, contract, first, last)
            return
        for start, end, hits in spans:
            low, high = max(start, first), min(end, last)
            if low <= high:
                yield low, high, {block: rows for block, rows in hits.items() if low <= block <= high}

    def _search(self, way: tuple[Way, str | None]) -> None:
        _ = self.anchor  # read before anything else
        spans: dict[Address, _Spans] = {contract: [] for contract in self._contracts}
        for start, end, hits_by_contract in finder.find_each(self._node, way, self._contracts, *self._range):
            for contract, hits in hits_by_contract.items():
                spans[contract].append((start, end, hits))
        self._spans, self._way = spans, way
