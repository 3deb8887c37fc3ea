"""The one door to the database: open it, add what was collected, read it back.

A chunk of history is written in one database transaction together with the range of blocks that it
completes, so a process killed at any moment leaves whole chunks only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from specminer._support.errors import StoreError
from specminer.history.contract_history import History
from specminer.history.trace import Address, Block, ContractRecord, Gap, Hash, Tracer, Transaction
from specminer.store import code_instances as instances
from specminer.store import listed_records, schema, upkeep, writing
from specminer.store import queries as reading
from specminer.store.code_instances import Child, SharedCode
from specminer.store.database import Database
from specminer.store.listed_records import ListedRecord
from specminer.store.queries import Contract
from specminer.store.turns import Note

_CHUNK = 500
"""Transactions of a history that are held as values at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractPart:
    """One contract's part of some transactions."""

    record: ContractRecord
    transactions: Sequence[Transaction]
    complete: tuple[int, int]
    limits: tuple[str, ...] | None = None
    """Take the place of those that were noted before; ``None`` leaves these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPiece:
    """What a contract did in some blocks, all of it."""

    transactions: Sequence[Transaction]
    complete: tuple[int, int]
    tip: Block
    gaps: Sequence[Gap]
    limits: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What takes the place of one contract's history behind a block."""

    record: ContractRecord
    pieces: Sequence[RecordedPiece]


class TraceStore(Database):
    """An open database of histories; close it after use or use it as a context manager."""

    def __init__(self, location: str, note: Note | None = None, *, existing: bool = False) -> None:
        """Open or create the database at a path or URL; ``sqlite://`` lives in memory.

        ``note`` hears that another process is waited for. With ``existing``, an empty database stays empty.

        Raises:
            StoreError: it cannot be opened, is not specminer's, or is of a newer version; or it is empty, but is to be
                ``existing``.

        """
        super().__init__(location, note)
        try:
            with self._reading() as connection:
                ready = schema.is_current(connection)
                if existing and schema.is_empty(connection):
                    raise StoreError(
                        f"the database {self.label} is empty: no history was stored in it; give --db the path of "
                        "another one, fill it with `specminer collect` or `specminer import`, or give --rpc URL"
                    )
            if not ready:  # only now may a file that is perhaps another program's be written to
                self._prepare()
                with self._translating_errors():
                    self._kind.finish_creation()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        """Make the tables, or bring them up to date.

        Raises:
            StoreError: they are of another version, or the database may not be written to.

        """
        with self._reading() as connection:
            empty = schema.is_empty(connection)
        try:
            with self._writing() as connection:
                schema.prepare(connection)
        except StoreError as error:
            if empty:
                raise
            raise StoreError(
                f"the database {self.label} is of an older version: open it once where it may be written, which brings "
                f"it up to date. {error.message[0].upper()}{error.message[1:]}"
            ) from None

    def register_chain(self, chain_id: int, genesis: Hash | None = None) -> None:
        """Note a chain, and by its first block which of that id it is.

        Raises:
            StoreError: the database holds another chain of the same id.

        """
        with self._writing() as connection:
            self._register_chain(connection, chain_id, genesis)

    def _register_chain(self, connection: sa.Connection, chain_id: int, genesis: Hash | None) -> None:
        if not writing.chain(connection, chain_id, genesis):
            raise StoreError(
                f"the database {self.label} holds another chain with id {chain_id}: its first block differs. "
                "Development chains begin anew at each start; give each its own --db"
            )

    def register_contract(self, record: ContractRecord) -> None:
        """Add a contract, or what is newly known of it; nothing known is forgotten."""
        with self._writing() as connection:
            writing.chain(connection, record.chain_id, None)
            writing.contract(connection, record)

    def add(
        self,
        chain_id: int,
        contract: Address,
        transactions: Sequence[Transaction],
        *,
        complete: tuple[int, int],
        tip: Block | None = None,
        limits: Iterable[str] = (),
        gaps: Iterable[Gap] = (),
    ) -> None:
        """Add one contract's part of transactions, and that the blocks ``complete`` are now all there.

        Transactions that are there already are left as they are. ``gaps`` are those of these blocks that could not
        be recorded.

        Raises:
            StoreError: the contract is not registered, or a block is stored with another hash.

        """
        with self._writing() as connection:
            owner = self._require(connection, chain_id, contract)
            _add(connection, chain_id, owner, contract, transactions, complete, tip, limits)
            writing.gaps(connection, owner, gaps)

    def mend(
        self,
        chain_id: int,
        contract: Address,
        transactions: Sequence[Transaction],
        *,
        gaps: Iterable[Gap] = (),
        unconcerned: Iterable[Hash] = (),
    ) -> None:
        """Put transactions in the place of gaps, or of what a tracer that sees less recorded of them.

        ``gaps`` could still not be recorded; ``unconcerned`` turned out not to concern the contract.

        Raises:
            StoreError: the contract is not registered, or a block is stored with another hash.

        """
        with self._writing() as connection:
            owner = self._require(connection, chain_id, contract)
            hashes = [item.hash for item in transactions]
            writing.close_gaps(connection, owner, [*hashes, *unconcerned])
            writing.forget_recorded(connection, chain_id, owner, [*hashes, *unconcerned])
            writing.blocks(connection, chain_id, (item.block for item in transactions))
            writing.transactions(connection, chain_id, owner, contract, transactions)
            writing.limits(
                connection, owner, sorted({item.tracer.blind_spots for item in transactions} - {""})
            )
            writing.gaps(connection, owner, gaps)
            writing.forget_blind_spots(connection, owner)

    def replace_after(self, chain_id: int, block: int, parts: Sequence[Replacement]) -> int:
        """Put what another chain holds behind a block in the place of what is stored there; return how many blocks go.

        All of it happens at once: what is stored gives way only to what is complete.
        """
        with self._writing() as connection:
            removed = writing.forget_after(connection, chain_id, block)
            for part in parts:
                writing.contract(connection, part.record)
                owner = self._require(connection, chain_id, part.record.address)
                for piece in part.pieces:
                    _add(
                        connection,
                        chain_id,
                        owner,
                        part.record.address,
                        piece.transactions,
                        piece.complete,
                        piece.tip,
                        piece.limits,
                    )
                    writing.gaps(connection, owner, piece.gaps)
        return removed

    def add_history(
        self,
        record: ContractRecord,
        transactions: Iterable[Transaction],
        *,
        complete: tuple[int, int],
        tip: Block | None = None,
        limits: Iterable[str] = (),
        genesis: Hash | None = None,
        gaps: Iterable[Gap] = (),
    ) -> None:
        """Register a contract and add its transactions, all or nothing; they are never held all at once.

        ``genesis`` is the hash of the chain's first block, as far as known.

        Raises:
            StoreError: the chain's first block, or another, is stored with another hash: it is of another chain with
                the same id.

        """
        with self._writing() as connection:
            self._register_chain(connection, record.chain_id, genesis)
            writing.contract(connection, record)
            owner = self._require(connection, record.chain_id, record.address)
            remaining = iter(transactions)
            while chunk := list(islice(remaining, _CHUNK)):
                writing.blocks(connection, record.chain_id, (item.block for item in chunk))
                writing.transactions(connection, record.chain_id, owner, record.address, chunk)
            _add(connection, record.chain_id, owner, record.address, (), complete, tip, limits)
            writing.gaps(connection, owner, gaps)

    def add_replayed(
        self,
        chain_id: int,
        parts: Sequence[ContractPart],
        *,
        first: Hash,
        done: int,
        digest: bytes,
        state: bytes,
        forgetting: Iterable[Address] = (),
        replacing: Iterable[Hash] = (),
    ) -> None:
        """Add several contracts' parts of transactions that were executed again, and how far that is; at once.

        What of the contracts ``forgetting`` was executed before gives way in the same moment; those not known are
        passed over. So do the states of the exports that begin with the transactions ``replacing``.

        Raises:
            StoreError: a block is stored with another hash: it is of another chain with the same id.

        """
        with self._writing() as connection:
            writing.chain(connection, chain_id, None)
            for contract in forgetting:
                number = reading.contract_id(connection, chain_id, contract)
                if number is not None:
                    writing.forget_replayed(connection, number)
            for part in parts:
                writing.contract(connection, part.record)
                owner = self._require(connection, chain_id, part.record.address)
                if part.limits is not None:
                    writing.forget_limits(connection, owner)
                _add(
                    connection,
                    chain_id,
                    owner,
                    part.record.address,
                    part.transactions,
                    part.complete,
                    None,
                    part.limits or (),
                )
            for other in replacing:
                connection.execute(schema.replay.delete().filter_by(chain_id=chain_id, first=other))
            writing.replay(connection, chain_id, first, done, digest, state)

    def replay(self, chain_id: int, first: Hash) -> tuple[int, bytes, bytes] | None:
        """Return how many records of the export that begins with transaction ``first`` were executed again,
        a digest of them, and the machine's state after them; ``None`` if none was.
        """  # noqa: D205
        with self._reading() as connection:
            return reading.replay(connection, chain_id, first)

    def pages(self, chain_id: int, address: Address, listing: str) -> list[bytes]:
        """Return the pages of a list that were read from an explorer, in order."""
        table = schema.explorer_page
        with self._reading() as connection:
            query = sa.select(table.c.records).filter_by(chain_id=chain_id, address=address, list=listing)
            return list(connection.scalars(query.order_by(table.c.number)))

    def add_page(self, chain_id: int, address: Address, listing: str, number: int, records: bytes) -> None:
        """Add a page behind those that are there; ``number`` counts them from 0.

        Raises:
            StoreError: it is there already: another process reads the same list.

        """
        with self._writing() as connection:
            row = {"chain_id": chain_id, "address": address, "list": listing, "number": number}
            connection.execute(schema.explorer_page.insert().values(**row, records=records))

    def forget_pages(self, chain_id: int, address: Address, listing: str) -> None:
        """Remove the pages of a list, because the explorer no longer tells the same."""
        with self._writing() as connection:
            row = {"chain_id": chain_id, "address": address, "list": listing}
            connection.execute(schema.explorer_page.delete().filter_by(**row))

    def list_records(self, chain_id: int) -> list[ListedRecord]:
        """Return what imported files said of a chain's transactions and internal calls, by list, kind and hash."""
        with self._reading() as connection:
            return listed_records.read(connection, chain_id)

    def keep_listed(self, chain_id: int, records: Iterable[ListedRecord]) -> None:
        """Keep what files said, in place of what was kept under the same list, kind, hash and position."""
        with self._writing() as connection:
            listed_records.write(connection, chain_id, records)

    def replays(self, chain_id: int) -> dict[Hash, bytes]:
        """Return the machine's state after each export that was executed again, by its first transaction's hash."""
        table = schema.replay
        with self._reading() as connection:
            rows = connection.execute(sa.select(table.c.first, table.c.state).filter_by(chain_id=chain_id))
            return {Hash(first): state for first, state in rows}

    def holds(self, chain_id: int, hashes: Sequence[Hash]) -> bool:
        """Return whether all of these transactions are in the database."""
        with self._reading() as connection:
            return reading.holds(connection, chain_id, hashes)

    def _require(self, connection: sa.Connection, chain_id: int, contract: Address) -> int:
        owner = reading.contract_id(connection, chain_id, contract)
        if owner is None:
            raise StoreError(
                f"the database {self.label} holds nothing of 0x{contract.hex()} on chain {chain_id}; collect "
                "it first (--rpc), or import a trace file"
            )
        return owner

    def contracts(self) -> list[Contract]:
        """Return every contract in the database, by chain and address."""
        with self._reading() as connection:
            return reading.contracts(connection)

    def record(self, chain_id: int, contract: Address) -> ContractRecord:
        """Return what is known of a contract apart from its transactions.

        Raises:
            StoreError: nothing is.

        """
        with self._reading() as connection:
            return reading.record(connection, self._require(connection, chain_id, contract))

    def chain_ids(self) -> list[int]:
        """Return the chains that were read from, ascending."""
        with self._reading() as connection:
            return reading.chain_ids(connection)

    def genesis(self, chain_id: int) -> Hash | None:
        """Return the hash of a chain's first block, ``None`` if it is not known."""
        with self._reading() as connection:
            return reading.genesis(connection, chain_id)

    def gaps(self, chain_id: int, contract: Address) -> list[Gap]:
        """Return the transactions of a contract that could not be recorded, in the order of their blocks."""
        with self._reading() as connection:
            owner = reading.contract_id(connection, chain_id, contract)
            return [] if owner is None else reading.gaps(connection, owner)

    def recorded_by(
        self, chain_id: int, contract: Address, tracers: Sequence[Tracer]
    ) -> dict[Hash, tuple[int, Tracer]]:
        """Return block and tracer of the transactions of a contract that some tracers recorded, by hash."""
        with self._reading() as connection:
            owner = reading.contract_id(connection, chain_id, contract)
            return {} if owner is None else reading.recorded_by(connection, owner, tracers)

    def recorded_rows(self, chain_id: int, contract: Address) -> list[reading.RecordedRow]:
        """Return block, hash and tracer of a contract's transactions, by block and hash; none of an unknown one."""
        with self._reading() as connection:
            owner = reading.contract_id(connection, chain_id, contract)
            return [] if owner is None else reading.recorded_rows(connection, owner)

    def ranges(self, chain_id: int, contract: Address) -> list[tuple[int, int]]:
        """Return the ranges of blocks that are complete for a contract, ascending."""
        with self._reading() as connection:
            owner = reading.contract_id(connection, chain_id, contract)
            return [] if owner is None else reading.ranges(connection, owner)

    def blocks(self, chain_id: int) -> list[Block]:
        """Return the stored blocks of a chain, the newest first."""
        with self._reading() as connection:
            return reading.blocks(connection, chain_id)

    def limits(self, chain_id: int, contract: Address) -> list[str]:
        """Return what the way of collecting may have missed, as sentences."""
        with self._reading() as connection:
            return reading.limits(connection, self._require(connection, chain_id, contract))

    def note_limit(self, chain_id: int, contract: Address, text: str, *, replacing: str) -> None:
        """Note what a reader of a contract's history should know, in place of sentences that contain ``replacing``.

        An empty text only takes these away.
        """
        with self._writing() as connection:
            owner = self._require(connection, chain_id, contract)
            writing.forget_limits(connection, owner, replacing)
            writing.limits(connection, owner, [text] if text else [])

    def transaction_count(self, chain_id: int, contract: Address) -> int:
        """Return how many transactions of a contract are stored."""
        with self._reading() as connection:
            return reading.transaction_count(connection, self._require(connection, chain_id, contract))

    def implementations(self, chain_id: int, contract: Address) -> list[Address]:
        """Return the other contracts whose code ran in place of a contract's own, by address."""
        with self._reading() as connection:
            return reading.implementations(connection, self._require(connection, chain_id, contract))

    def group_by_code(self, chain_id: int) -> Iterator[SharedCode]:
        """Yield each runtime code on a chain once, with the contracts that have it."""
        with self._reading() as connection:
            yield from instances.group_by_code(connection, chain_id)

    def implementations_of(self, chain_id: int) -> dict[Address, dict[Address, bytes]]:
        """Return, for each contract that handed whole calls on, the code that ran instead, by its address."""
        with self._reading() as connection:
            return instances.implementations(connection, chain_id)

    def creation_code(self, chain_id: int, contract: Address) -> bytes:
        """Return what created a contract, code and arguments; empty if its history does not hold that."""
        with self._reading() as connection:
            return instances.creation_code(connection, self._require(connection, chain_id, contract))

    def children(self, chain_id: int, contract: Address) -> list[Child]:
        """Return what was created inside a contract's invocations and stayed, in the chain's order.

        Raises:
            StoreError: nothing of the contract is there.

        """
        with self._reading() as connection:
            return instances.children(connection, chain_id, self._require(connection, chain_id, contract))

    def factory(self, chain_id: int, contract: Address) -> Address | None:
        """Return the contract that created another; ``None`` if a transaction did, or if that is not known."""
        with self._reading() as connection:
            return instances.factory(connection, self._require(connection, chain_id, contract))

    def by_creation(self, chain_id: int, contracts: Sequence[Address]) -> list[Address]:
        """Return contracts, each once, in the order in which the chain created them; unknown ones come last."""
        with self._reading() as connection:
            return instances.by_creation(connection, chain_id, contracts)

    def transactions(
        self, chain_id: int, contract: Address, hashes: Collection[Hash] | None = None
    ) -> Iterator[Transaction]:
        """Yield the transactions of a contract in chain order, as values; of those with some hashes if given."""
        with self._reading() as connection:
            yield from reading.transactions(connection, self._require(connection, chain_id, contract), hashes)

    def history(
        self,
        chain_id: int,
        contracts: Sequence[Address],
        *,
        first: int | None = None,
        last: int | None = None,
    ) -> History:
        """Return the contracts' history as columns, in chain order; of the blocks ``first .. last`` if given.

        Raises:
            StoreError: one of them is not in the database.

        """
        with self._reading() as connection:
            owners = [self._require(connection, chain_id, contract) for contract in contracts]
            return reading.history(connection, owners, first, last)

    # -- upkeep -----------------------------------------------------------------------------------

    def sizes(self) -> upkeep.DatabaseSize:
        """Return how large the database and its tables are."""
        with self._reading() as connection:
            return upkeep.table_sizes(connection)

    def flaws(self) -> list[upkeep.Flaw]:
        """Return what is wrong in the file, in references between tables, in counts, and in ranges of blocks."""
        with self._reading() as connection:
            return list(upkeep.flaws(connection))

    def count_unused(self) -> dict[str, int]:
        """Return how many rows of each table nobody refers to."""
        with self._reading() as connection:
            return upkeep.count_unused(connection)

    def prune(self, chain_id: int | None, contracts: Sequence[Address]) -> dict[str, int]:
        """Remove contracts with all that was recorded of them, and what nobody refers to then; at once.

        Return how many rows of each table went.

        Raises:
            StoreError: one of the contracts is not in the database.

        """
        with self._writing() as connection:
            before = upkeep.row_counts(connection)
            for contract in contracts:
                assert chain_id is not None, "contracts are of a chain"
                upkeep.forget_contract(connection, self._require(connection, chain_id, contract))
            upkeep.remove_unused(connection)
            after = upkeep.row_counts(connection)
        return {name: rows - after[name] for name, rows in before.items() if rows > after[name]}

    def vacuum(self) -> None:
        """Give what holds nothing back to the file system, and put the rest in order.

        Raises:
            StoreError: there is no room for it, another process uses the database, or it may not be written to.

        """
        with self._translating_errors(), self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            try:
                upkeep.vacuum(cursor, self._engine.dialect.name)
            except self._engine.dialect.loaded_dbapi.Error as error:
                raise sa.exc.DBAPIError("VACUUM", None, error) from None
            finally:
                cursor.close()


def _add(
    connection: sa.Connection,
    chain_id: int,
    owner: int,
    contract: Address,
    transactions: Sequence[Transaction],
    complete: tuple[int, int],
    tip: Block | None,
    limits: Iterable[str],
) -> None:
    blocks = [transaction.block for transaction in transactions]
    writing.blocks(connection, chain_id, blocks if tip is None else [*blocks, tip])
    writing.transactions(connection, chain_id, owner, contract, transactions)
    writing.extend(connection, chain_id, owner, complete)
    writing.limits(connection, owner, limits)
