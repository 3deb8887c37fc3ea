"""Compares the transactions that a way of finding found with those in which the contract logged something.

A node whose index of traces has holes answers ``trace_filter`` without an error, and so do nodes that leave frames out
of the traces of blocks. Logs come from another index: what they name and the way omits is found after all, and shows
that the way cannot be relied upon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Final

from specminer._support.errors import InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address, Gap, Hash, Transaction
from specminer.sources import contract_logs
from specminer.sources.lookahead import Lookahead
from specminer.sources.node import Node, octets
from specminer.sources.way import BlockHits, Way

MAX_QUESTIONS: Final = 64
"""Requests for the logs of one span of blocks, at most; more mean that the node gives logs only block by block."""


class LogCheck:
    """Checks what was found of one contract; ``note`` hears what a user should know."""

    def __init__(self, node: Node, contract: Address, note: Callable[[str], None]) -> None:
        self._node = node
        self._contract = contract
        self._note = note
        self._has_logs = True
        self._omitted_hashes: set[Hash] = set()
        self._has_noted = False
        self._pending_logs: dict[tuple[int, int], Future[dict[int, list[str]]]] = {}
        """Logs of ranges of blocks that are being asked for."""

    def begin(self, ahead: Lookahead, first: int, last: int) -> None:
        """Begin to ask for the logs of blocks, because transactions will be looked for in just these."""
        self._pending_logs = {}
        if self._has_logs:
            work = partial(contract_logs.find_logging_transactions, self._node, self._contract, first, last)
            self._pending_logs[first, last] = ahead.begin(work)
            ahead.abandon(self._pending_logs.values())

    def forget(self) -> None:
        """Ask for all anew: the chain may have changed."""
        self._pending_logs = {}

    def complete(self, way: Way, first: int, last: int, hits: BlockHits) -> BlockHits:
        """Return what a way found in the blocks ``first .. last`` together with what only logs name."""
        if way is Way.SCAN or not self._has_logs:
            return hits
        added = {number: dict(rows) for number, rows in hits.items()}
        try:
            for number, hash_ in self._logging_transactions(first, last):
                rows = added.setdefault(number, {})
                if hash_ not in rows:
                    self._omitted_hashes.add(hash_)
                rows[hash_] = False
        except (InvalidNodeResponse, NodeRefused) as error:
            self._has_logs = False
            self._note(
                f"whether {way.value} finds all transactions is not compared with the contract's logs from block "
                f"{first} on, because the node does not give them ({error})"
            )
        return {number: added[number] for number in sorted(added)}

    def limits(self, way: Way, transactions: Iterable[Transaction], gaps: Iterable[Gap]) -> tuple[str, ...]:
        """Return what to say of recorded transactions and gaps of which some were found by logs alone; say it once."""
        concerned = [item.hash for item in transactions] + [gap.hash for gap in gaps]
        omitted = [hash_ for hash_ in concerned if hash_ in self._omitted_hashes]
        if not omitted:
            return ()
        limit = (
            f"the node's {way.value} omitted transactions in which the contract logged something; these were found by "
            "their logs, but calls that logged nothing may be missing: collect the history into another --db from "
            "another node"
        )
        if not self._has_noted:
            self._has_noted = True
            self._note(f"{limit} (first omitted: 0x{omitted[0].hex()})")
        return (limit,)

    def _logging_transactions(self, first: int, last: int) -> Iterator[tuple[int, Hash]]:
        """Yield block and hash of the transactions in which the contract logged something.

        Raises:
            NodeRefused: the node gives logs of no span, or only of short ones.
            InvalidNodeResponse: an answer is malformed.

        """
        start, span = first, last - first + 1
        for _ in range(MAX_QUESTIONS):
            end = min(last, start + span - 1)
            try:
                begun = self._pending_logs.pop((start, end), None)
                logged = (
                    contract_logs.find_logging_transactions(self._node, self._contract, start, end)
                    if begun is None
                    else begun.result()
                )
            except NodeRefused:
                if end == start:
                    raise
                span = max(1, (end - start + 1) // 2)
                continue
            for number, hashes in logged.items():
                for text in hashes:
                    yield number, Hash(octets(text, "the transaction hash of a log", 32))
            if end == last:
                return
            start = end + 1
        raise NodeRefused(f"it gives logs of {span:,} blocks at a time, at most")
