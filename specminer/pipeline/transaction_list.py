"""Which transactions of some contracts a database holds: read at each round, compared with what was there before."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from specminer.history.trace import Address, Hash
from specminer.store import RecordedRow, TraceStore


@dataclass(slots=True)
class _ContractRows:
    """The transactions of one contract, and a digest of the first of them."""

    rows: list[RecordedRow] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)
    digested_rows: int = 0
    """How many rows the digest is of."""
    accepted_rows: int = 0
    """How many rows, the first ones, were there when the list was last accepted."""

    def renew(self, rows: list[RecordedRow]) -> bool:
        """Take what the database holds now; return whether all that was there is still there, as it was."""
        grown = rows[: len(self.rows)] == self.rows
        if not grown:
            self.digest, self.digested_rows = hashlib.sha256(), 0
            self.blocks, self.accepted_rows = [], 0
        self.blocks += [row[0] for row in rows[len(self.blocks) :]]
        self.rows = rows
        return grown

    def digest_up_to(self, last: int) -> tuple[bytes, int]:
        """Return a digest of the transactions up to a block, and how many they are."""
        count = bisect_right(self.blocks, last)
        if count < self.digested_rows:
            self.digest, self.digested_rows = hashlib.sha256(), 0
        for block, name, tracer in self.rows[self.digested_rows : count]:
            self.digest.update(b"%d %b %b " % (block, name, tracer.encode()))
        self.digested_rows = count
        return self.digest.digest(), count


class TransactionList:
    """The transactions of contracts in a database, as they were at the last :meth:`renew`."""

    def __init__(self, store: TraceStore, chain_id: int, contracts: Sequence[Address]) -> None:
        self._store = store
        self._chain = chain_id
        self._rows = {address: _ContractRows() for address in contracts}
        self.replacements = 0
        """How often something that was there was no longer there."""

    def renew(self) -> bool:
        """Read what the database holds; return whether all that was there is still there, as it was."""
        grown = [
            rows.renew(self._store.recorded_rows(self._chain, address))
            for address, rows in self._rows.items()
        ]
        self.replacements += not all(grown)
        return all(grown)

    def accept(self) -> None:
        """Take all that is there now for known."""
        for item in self._rows.values():
            item.accepted_rows = len(item.rows)

    def added(self) -> dict[Hash, int]:
        """Return what came since the last :meth:`accept`, with the blocks; all of a contract whose rows were replaced.

        A contract that is read later than another one may bring blocks that the other one has long had.
        """
        return {
            Hash(name): block
            for item in self._rows.values()
            for block, name, _ in item.rows[item.accepted_rows :]
        }

    def fingerprint(self, last: int) -> tuple[str, int]:
        """Return a digest of the transactions up to a block, and how many they are.

        It tells which transactions are there, in which blocks, and who recorded them.
        """
        hasher, total = hashlib.sha256(), 0
        for rows in self._rows.values():
            digest, count = rows.digest_up_to(last)
            hasher.update(digest)
            total += count
        return hasher.hexdigest(), total

    def behind(self, last: int) -> dict[Hash, int]:
        """Return the transactions in later blocks, with their blocks."""
        return {
            Hash(name): block
            for item in self._rows.values()
            for block, name, _ in item.rows[bisect_right(item.blocks, last) :]
        }
