"""Reads histories of some of a database's transactions, again and again, of which most are the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from specminer.history.contract_history import History
from specminer.history.excerpt import excerpt
from specminer.history.trace import Address, Hash, Transaction
from specminer.store import TraceStore

_MAX_PARTS: Final = 4
"""So many times the transactions asked for are kept at most; more would take longer to read than they save."""


class PartReader:
    """Holds what it read in a database in memory, until it is told to forget it or that is much more than is asked for.

    Whoever uses it has to say when what it read has changed.
    """

    def __init__(self, store: TraceStore, chain_id: int, contracts: Sequence[Address]) -> None:
        self._store = store
        self._chain = chain_id
        self._contracts = contracts
        self._memory: TraceStore | None = None
        self._hashes: set[Hash] = set()
        self._fresh: dict[Address, dict[Hash, Transaction]] = {}
        """What was read last as values, by contract and hash."""

    def forget(self) -> None:
        """Read everything anew from now on."""
        if self._memory is not None:
            self._memory.close()
        self._memory, self._hashes, self._fresh = None, set(), {}

    def transactions(self, contract: Address, hashes: Collection[Hash]) -> list[Transaction]:
        """Return transactions of a contract; the next history is made of these, as far as it needs them."""
        parts = list(self._store.transactions(self._chain, contract, hashes))
        self._fresh[contract] = {item.hash: item for item in parts}
        return parts

    def read(self, hashes: Collection[Hash]) -> History:
        """Return a history of some transactions.

        Raises:
            StoreError: the database does not hold the contracts.

        """
        requested = set(hashes)
        if len(self._hashes | requested) > _MAX_PARTS * len(requested):
            self.forget()
        try:
            self._add(requested - self._hashes)
        except BaseException:
            self.forget()
            raise
        assert self._memory is not None, "it was opened"
        whole = self._memory.history(self._chain, self._contracts)
        positions = np.flatnonzero([name in requested for name in whole.transaction_hash])
        if len(positions) == len(whole.transaction_hash):
            return whole
        return excerpt(whole, np.flatnonzero(np.isin(whole.invocation_transaction, positions)), positions)

    def _add(self, hashes: Collection[Hash]) -> None:
        if self._memory is None:
            self._memory = TraceStore("sqlite://")
        for address in self._contracts:
            spans = self._store.ranges(self._chain, address)
            transactions = self._fresh.pop(address, {})
            more = set(hashes) - set(transactions)
            if more:
                transactions |= {
                    item.hash: item for item in self._store.transactions(self._chain, address, more)
                }
            self._memory.add_history(
                self._store.record(self._chain, address),
                (item for name, item in transactions.items() if name in hashes),
                complete=(spans[0][0], spans[-1][1]),
            )
        self._hashes |= set(hashes)
