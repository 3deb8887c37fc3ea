"""Where recorded transactions are read again as values, with what is known of other contracts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from specminer.contracts.artifact import Artifact, parse_stored
from specminer.history.trace import Address, Hash, Transaction
from specminer.sources.tracefile import TraceFile
from specminer.store import TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Transactions of contracts in a database or in trace files."""

    chain_id: int
    contracts: tuple[Address, ...]
    database: str | None = field(default=None, repr=False)
    """Its path or SQLAlchemy URL; ``None`` if the transactions are in ``files``."""
    files: tuple[Path, ...] = ()

    def transactions(self, hashes: Collection[Hash]) -> dict[Hash, tuple[Transaction, ...]]:
        """Return transactions by hash, each with one part a contract that took part in it.

        Raises:
            FileFormatError: a trace file is malformed.
            StoreError: the database failed.

        """
        parts: dict[Hash, list[Transaction]] = defaultdict(list)
        for item in self._parts(set(hashes)):
            parts[item.hash].append(item)
        return {name: tuple(group) for name, group in parts.items()}

    def _parts(self, hashes: set[Hash]) -> Iterable[Transaction]:
        if self.database is not None:
            with TraceStore(self.database, existing=True) as store:
                for contract in self.contracts:
                    yield from store.transactions(self.chain_id, contract, hashes)
            return
        for path in self.files:
            yield from (item for item in TraceFile(path).transactions() if item.hash in hashes)

    def artifacts(self) -> dict[Address, Artifact]:
        """Return the ABIs that are stored with contracts of the chain, whether chosen or not; malformed ones are not.

        Raises:
            FileFormatError: a trace file is malformed.
            StoreError: the database failed.

        """
        if self.database is None:
            records = [TraceFile(path).header.record for path in self.files]
        else:
            with TraceStore(self.database, existing=True) as store:
                addresses = [item.address for item in store.contracts() if item.chain_id == self.chain_id]
                records = [store.record(self.chain_id, address) for address in addresses]
        artifacts = {record.address: parse_stored(record.artifact) for record in records}
        return {address: artifact for address, artifact in artifacts.items() if artifact is not None}
