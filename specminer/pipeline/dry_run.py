"""What a collection would take, estimated from a few samples; nothing is stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.text import count_of
from specminer.history.trace import Address
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.source import BlockRange
from specminer.sources import finder
from specminer.sources.chain_blocks import check_ends, check_range, creation_block
from specminer.sources.lookahead import Lookahead
from specminer.sources.node import Node
from specminer.sources.transaction_reading import Notes, TransactionKey, TransactionReader
from specminer.sources.way import Way

WINDOWS: Final = 4
"""Parts of the chain that are searched."""
_WIDEST: Final = {Way.TRACE_FILTER: 10_000, Way.BLOCK_TRACES: 25, Way.SCAN: 100}
"""Blocks of one of them at most."""
GROUPS: Final = 4
"""Groups of transactions that are read, at the same time."""
GROUP: Final = 16
"""Transactions in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What collecting a contract's history from a node takes, about."""

    contract: Address
    chain_id: int
    first: int
    last: int
    way: Way
    searched: int
    """Blocks that were searched for transactions."""
    found_transactions: int
    """Transactions found there."""
    read: int
    """Transactions that were read and traced."""
    transactions: int
    requests: int
    received: int
    """Bytes of the answers, unpacked."""
    seconds: float

    @property
    def blocks(self) -> int:
        """Blocks from the first to the last."""
        return self.last - self.first + 1

    @property
    def text(self) -> str:
        """Return the estimate for a terminal."""
        about = "" if self.searched == self.blocks else "about "
        transactions = count_of(self.found_transactions, "transaction")
        samples = (
            f"Estimated from {count_of(self.searched, 'block')} with {transactions}, {self.read:,} of which were read; "
            "what the database may hold already is not left out."
        )
        rows = {
            "contract": f"{checksum_address(self.contract)} on chain {self.chain_id}",
            "blocks": f"{self.blocks:,} ({self.first:,} to {self.last:,}), searched by {self.way.value}",
            "transactions": f"{about}{self.transactions:,}",
            "requests": f"about {self.requests:,}",
            "bytes": f"about {self.received:,} of answers",
            "time": f"about {_duration(self.seconds)}"
            if self.read
            else "not known: no transaction was found",
        }
        lines = [f"{name:<13} {value}" for name, value in rows.items()]
        return "\n".join([*lines, f"{samples} Nothing was written."])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return count_of(max(1, round(seconds)), "second")
    if seconds < 5_400:
        return count_of(round(seconds / 60), "minute")
    return count_of(round(seconds / 3_600), "hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """What something took."""

    requests: int
    received: int
    seconds: float

    def times(self, factor: float) -> _Cost:
        """Return the cost of so many times as much."""
        return _Cost(
            requests=round(self.requests * factor),
            received=round(self.received * factor),
            seconds=self.seconds * factor,
        )


class _Meter:
    """Measures what a node is asked from its making on."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._requests, self._received_before, self._start_time = (
            node.requests,
            node.received,
            time.monotonic(),
        )

    def cost(self) -> _Cost:
        """Return what it took so far."""
        return _Cost(
            requests=self._node.requests - self._requests,
            received=self._node.received - self._received_before,
            seconds=time.monotonic() - self._start_time,
        )


def estimate_collection(
    node: Node,
    contract: Address,
    *,
    chain_id: int | None = None,
    blocks: BlockRange | None = None,
    observer: Observer = SILENT,
) -> DryRun:
    """Estimate what collecting a contract's history takes; see :func:`specminer.pipeline.collecting.collect`.

    Raises:
        ChainError: the node failed, traces nothing, or serves another chain.
        UsageError: the range is empty or beyond the chain.

    """
    whole = _Meter(node)
    blocks = blocks or BlockRange()
    found_chain, head, oldest = check_ends(node, chain_id, observer.note)
    last = head.number if blocks.last is None else blocks.last
    check_range(blocks.first or 0, last, head.number)
    first = creation_block(node, contract, last, oldest.number) if blocks.first is None else blocks.first
    first = max(first, oldest.number)
    check_range(first, last, head.number)
    way = finder.choose(node, contract, first, observer.note)
    start = whole.cost()
    meter = _Meter(node)
    windows = _windows(first, last, _WIDEST[way[0]])
    searched = sum(end - begin + 1 for begin, end in windows)
    transactions = [
        (number, item)
        for begin, end in windows
        for _, _, hits in finder.find(node, way, contract, begin, end)
        for number, rows in hits.items()
        for item in rows
    ]
    share = (last - first + 1) / searched
    finding = meter.cost().times(share)
    sample = _spread(transactions, GROUP * GROUPS)
    meter = _Meter(node)
    _read(node, contract, sample, observer)
    reading = meter.cost().times(len(transactions) * share / len(sample)) if sample else meter.cost()
    return DryRun(
        contract=contract,
        chain_id=found_chain,
        first=first,
        last=last,
        way=way[0],
        searched=searched,
        found_transactions=len(transactions),
        read=len(sample),
        transactions=round(len(transactions) * share),
        requests=start.requests + finding.requests + reading.requests,
        received=start.received + finding.received + reading.received,
        seconds=start.seconds + max(finding.seconds, reading.seconds),  # both go on at the same time
    )


def _windows(first: int, last: int, widest: int) -> list[tuple[int, int]]:
    """Return parts of a range, evenly spread; all of it if they would cover it."""
    total = last - first + 1
    if total <= WINDOWS * widest:
        return [(first, last)]
    step = (total - widest) / (WINDOWS - 1)
    starts = [first + round(step * number) for number in range(WINDOWS)]
    return [(start, start + widest - 1) for start in starts]


def _spread(transactions: Sequence[TransactionKey], most: int) -> list[TransactionKey]:
    """Return some transactions, evenly spread."""
    if len(transactions) <= most:
        return list(transactions)
    return [transactions[round(number * (len(transactions) - 1) / (most - 1))] for number in range(most)]


def _read(node: Node, contract: Address, sample: Sequence[TransactionKey], observer: Observer) -> None:
    """Read transactions as a collection does, some groups at the same time."""
    reader = TransactionReader(node, contract, Notes(observer.note))

    with Lookahead(GROUPS) as ahead:
        pieces = [
            ahead.begin(partial(reader.read, sample[start : start + GROUP], patient=False))
            for start in range(0, len(sample), GROUP)
        ]
        for piece in pieces:
            for text in ahead.take(piece, lambda: None).notes:
                observer.note(text)
