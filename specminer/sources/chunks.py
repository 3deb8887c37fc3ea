"""Pieces of a contract's history that are complete in themselves, and how found transactions are cut into them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from specminer.history.trace import Block, Gap, Hash, Transaction
from specminer.sources.way import BlockHits, Way

CHUNK: Final = 200
"""Transactions after which a chunk ends, at the next block."""

ChainPart = tuple[int, int, BlockHits]
"""First and last block of a part of the chain, and what was found there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The contract's transactions in the blocks ``first .. last``, all of them."""

    first: int
    last: int
    tip: Block
    """The block ``last``, by whose hash a replaced chain is noticed."""
    transactions: tuple[Transaction, ...]
    gaps: tuple[Gap, ...]
    """Transactions that could not be recorded."""
    way: Way
    limits: tuple[str, ...] = ()
    """What the way of finding missed, as sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryResult:
    """What came of transactions that are tried again."""

    transactions: tuple[Transaction, ...]
    """Recorded now, or with a tracer that sees more than the one before."""
    gaps: tuple[Gap, ...]
    """Those that could still not be recorded."""
    unconcerned: tuple[Hash, ...]
    """Those that turned out not to concern the contract."""


def suspected_hashes(hits: BlockHits) -> frozenset[Hash]:
    """Return the transactions of which nothing says yet whether they touch the contract."""
    return frozenset(hash_ for rows in hits.values() for hash_, only in rows.items() if only)


def cut_span(first: int, last: int, hits: BlockHits) -> Iterator[ChainPart]:
    """Cut a span at block boundaries so that no part holds much more than ``CHUNK`` transactions."""
    start, part, size = first, BlockHits(), 0
    for number, rows in hits.items():
        part[number] = rows
        size += len(rows)
        if size >= CHUNK and number < last:
            yield start, number, part
            start, part, size = number + 1, BlockHits(), 0
    yield start, last, part
