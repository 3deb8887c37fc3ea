"""Finds the transactions that touch a contract, by the best way that the node offers (:class:`Way`).

Several spans of blocks are searched at a time where they are gone through block by block, and given in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import Final

from specminer._support.errors import InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address
from specminer.sources.block_scan import find_by_scan
from specminer.sources.block_traces import check_blocks, find_in_blocks
from specminer.sources.lookahead import Lookahead
from specminer.sources.node import Node
from specminer.sources.trace_filter import check_filter, find_by_filter
from specminer.sources.way import NOT_FOR_SIZE, BlockHits, Way

_CALM: Final = 8
"""Spans answered after a refusal, before a larger one is tried again."""
_MANY: Final = 1_000
"""Transactions in a span from which on the next one is no wider."""
_PIECES: Final = {Way.BLOCK_TRACES: 4, Way.SCAN: 50}
"""Blocks asked for at a time: whole traces of blocks are large."""
_TOGETHER: Final = {Way.BLOCK_TRACES: 8, Way.SCAN: 8}
"""Pieces that are searched at the same time."""

FoundEach = dict[Address, BlockHits]
"""What was found of each contract."""


def choose(node: Node, contract: Address, probe: int, note: Callable[[str], None]) -> tuple[Way, str | None]:
    """Return the best way, and which block method it uses.

    ``probe`` is a block that the node holds, best one with transactions: what a way answers for it is
    checked, because a way that silently finds nothing would make an empty history look complete.
    """
    try:
        check_filter(node, contract, probe)
        return Way.TRACE_FILTER, None
    except NodeRefused:
        pass
    except InvalidNodeResponse as error:
        note(f"{error.message}; transactions are found in another way")
    return choose_by_block(node, contract, probe)


def choose_by_block(node: Node, contract: Address, probe: int) -> tuple[Way, str | None]:
    """Return the best way that goes through blocks one by one, and which block method it uses.

    ``probe`` is a block that the node holds, best one with transactions.
    """
    for method in ("debug_traceBlockByNumber", "trace_block"):
        try:
            check_blocks(node, method, contract, probe)
        except (NodeRefused, InvalidNodeResponse):
            continue
        return Way.BLOCK_TRACES, method
    return Way.SCAN, None


def find(
    node: Node, way: tuple[Way, str | None], contract: Address, first: int, last: int
) -> Iterator[tuple[int, int, BlockHits]]:
    """Yield consecutive spans ``(first, last, hits)`` that cover the blocks ``first .. last``, as :func:`find_each`."""
    for start, end, hits in find_each(node, way, [contract], first, last):
        yield start, end, hits[contract]


def find_each(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> Iterator[tuple[int, int, FoundEach]]:
    """Yield consecutive spans that cover the blocks ``first .. last``, with what was found in them of each contract.

    A block is asked for, and traced, once for all contracts; ``trace_filter`` and logs are asked for each by itself.
    What the node refuses for its size is asked for in smaller spans.

    Raises:
        NodeRefused: even a single block is refused.
        InvalidNodeResponse: an answer is malformed.

    """
    if node.helpers is not None:
        yield from node.helpers.find_each(way, contracts, first, last)
    elif way[0] is Way.TRACE_FILTER:
        yield from _find_ranges(node, contracts, first, last)
    else:
        yield from _find_pieces(node, way, contracts, first, last)


def _find_ranges(
    node: Node, contracts: Sequence[Address], first: int, last: int
) -> Iterator[tuple[int, int, FoundEach]]:
    """Yield spans that grow while the node filters them easily and shrink where it refuses."""
    span = Way.TRACE_FILTER.first_span
    widest = ceiling = 100_000
    start, calm = first, 0
    while start <= last:
        end = min(last, start + span - 1)
        try:
            hits = _hits(node, (Way.TRACE_FILTER, None), contracts, start, end)
        except NodeRefused as error:
            if end == start or error.code in NOT_FOR_SIZE:
                raise
            span = ceiling = max(1, (end - start + 1) // 2)
            calm = 0
            continue
        yield start, end, hits
        start = end + 1
        calm += 1
        if calm >= _CALM:
            ceiling = widest
        if sum(len(rows) for hits_by_block in hits.values() for rows in hits_by_block.values()) < _MANY:
            span = min(span * 2, ceiling)


def _find_pieces(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> Iterator[tuple[int, int, FoundEach]]:
    """Yield spans that are put together of pieces, some of which are searched at the same time."""
    size, together = _PIECES[way[0]], _TOGETHER[way[0]]
    pieces = ((start, min(start + size - 1, last)) for start in range(first, last + 1, size))
    begun: list[tuple[int, int, Future[FoundEach]]] = []
    with Lookahead(together) as ahead:

        def begin(count: int) -> None:
            for start, end in islice(pieces, count):
                begun.append(
                    (start, end, ahead.begin(partial(_split_hits, node, way, contracts, start, end)))
                )

        begin(together)
        start, merged = first, FoundEach()
        while begun:
            _, end, piece = begun.pop(0)
            hits_by_contract = ahead.take(piece, lambda: None)
            begin(1)
            for contract, hits in hits_by_contract.items():
                merged.setdefault(contract, {}).update(hits)
            if end - start + 1 >= way[0].first_span or not begun:
                yield start, end, merged
                start, merged = end + 1, FoundEach()


def _split_hits(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> FoundEach:
    """Return what is found in some blocks, asked for in halves where the node refuses them for their size."""
    try:
        return _hits(node, way, contracts, first, last)
    except NodeRefused as error:
        if first == last or error.code in NOT_FOR_SIZE:
            raise
    middle = (first + last) // 2
    halves = (_split_hits(node, way, contracts, *half) for half in ((first, middle), (middle + 1, last)))
    merged = FoundEach()
    for half in halves:
        for contract, hits in half.items():
            merged.setdefault(contract, {}).update(hits)
    return merged


def _hits(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> FoundEach:
    hits_by_contract: FoundEach = {contract: {} for contract in contracts}
    try:
        if way[0] is Way.TRACE_FILTER:
            for contract, hits in hits_by_contract.items():
                find_by_filter(node, contract, first, last, hits)
        elif way[0] is Way.BLOCK_TRACES:
            find_in_blocks(node, way[1] or "", range(first, last + 1), hits_by_contract, alone=first == last)
        else:
            find_by_scan(node, first, last, hits_by_contract)
    except (AttributeError, TypeError, LookupError, ValueError):
        raise InvalidNodeResponse(f"what the node says of blocks {first} to {last} is malformed") from None
    return {
        contract: {block: hits[block] for block in sorted(hits)}
        for contract, hits in hits_by_contract.items()
    }
