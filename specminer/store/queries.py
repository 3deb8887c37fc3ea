"""What is read from the database; each function works inside its caller's transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import numpy as np
import sqlalchemy as sa

from specminer._support.scratch import ColumnWriter, in_file
from specminer._support.texts import TextWriter
from specminer.history.contract_history import MISSING, TRACERS, History, IntColumn
from specminer.history.hashing import keccak_all
from specminer.history.trace import (
    AccessKind,
    Address,
    Block,
    ContractRecord,
    Creation,
    Event,
    Fidelity,
    Gap,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Payment,
    PaymentKind,
    StorageAccess,
    Tracer,
    Transaction,
    Word,
)
from specminer.history.words import Words, to_integers
from specminer.store import code_instances as instances
from specminer.store import history_columns as columns
from specminer.store import notes, schema
from specminer.store import stored_answers as answers
from specminer.store.answer_columns import answer_columns, block_columns
from specminer.store.code_instances import among
from specminer.store.damage import blob, check_history, pad_words
from specminer.store.newborn_callers import newborn_callers
from specminer.store.stored_blocks import stored_block
from specminer.store.transfer_columns import transfer_columns

RecordedRow: TypeAlias = tuple[int, bytes, str]
"""Block, hash and tracer of a transaction."""
_TRANSACTIONS = 500
"""Transactions read at a time when they are wanted as values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract in the database, in short."""

    chain_id: int
    address: Address
    transactions: int


def contract_id(connection: sa.Connection, chain_id: int, address: Address) -> int | None:
    """Return the row of a contract, ``None`` if it is not there."""
    return connection.scalar(
        sa.select(schema.contract.c.id)
        .join(schema.address, schema.address.c.id == schema.contract.c.address_id)
        .where(schema.contract.c.chain_id == chain_id, schema.address.c.bytes == address)
    )


def contracts(connection: sa.Connection) -> list[Contract]:
    """Return every contract, by chain and address."""
    query = (
        sa.select(
            schema.contract.c.chain_id,
            schema.address.c.bytes,
            sa.func.count(schema.recording.c.transaction_id).label("transactions"),
        )
        .join(schema.address, schema.address.c.id == schema.contract.c.address_id)
        .outerjoin(schema.recording, schema.recording.c.contract_id == schema.contract.c.id)
        .group_by(schema.contract.c.id, schema.contract.c.chain_id, schema.address.c.bytes)
        .order_by(schema.contract.c.chain_id, schema.address.c.bytes)
    )
    return [
        Contract(chain_id=row.chain_id, address=Address(row.bytes), transactions=row.transactions)
        for row in connection.execute(query)
    ]


def record(connection: sa.Connection, owner: int) -> ContractRecord:
    """Return what is known of a contract apart from its transactions."""
    row = connection.execute(
        sa.select(
            schema.contract.c.chain_id,
            schema.contract.c.created_in_block,
            schema.address.c.bytes.label("address"),
            schema.code.c.bytes.label("code"),
            schema.artifact.c.json,
        )
        .join(schema.address, schema.address.c.id == schema.contract.c.address_id)
        .outerjoin(schema.code, schema.code.c.id == schema.contract.c.code_id)
        .outerjoin(schema.artifact, schema.artifact.c.id == schema.contract.c.artifact_id)
        .where(schema.contract.c.id == owner)
    ).one()
    implementations = connection.execute(
        sa.select(schema.address.c.bytes, schema.code.c.bytes.label("code"))
        .select_from(schema.implementation)
        .join(schema.address, schema.address.c.id == schema.implementation.c.address_id)
        .outerjoin(schema.code, schema.code.c.id == schema.implementation.c.code_id)
        .where(schema.implementation.c.contract_id == owner)
        .order_by(schema.address.c.bytes)
    )
    return ContractRecord(
        address=Address(row.address),
        chain_id=row.chain_id,
        code=row.code or b"",
        created_in_block=row.created_in_block,
        implementations=tuple((Address(item.bytes), item.code or b"") for item in implementations),
        artifact=row.json,
        codes=answers.read_codes(connection, owner),
    )


def chain_ids(connection: sa.Connection) -> list[int]:
    """Return the chains that were read from, ascending."""
    return list(connection.scalars(sa.select(schema.chain.c.id).order_by(schema.chain.c.id)))


def genesis(connection: sa.Connection, chain_id: int) -> Hash | None:
    """Return the hash of a chain's first block, ``None`` if it is not known."""
    digest = connection.scalar(sa.select(schema.chain.c.genesis).where(schema.chain.c.id == chain_id))
    return None if digest is None else Hash(digest)


def gaps(connection: sa.Connection, owner: int) -> list[Gap]:
    """Return the transactions that could not be recorded, in the order of their blocks."""
    table = schema.gap
    query = sa.select(table).where(table.c.contract_id == owner).order_by(table.c.block, table.c.hash)
    return [Gap(hash=Hash(row.hash), block=row.block, reason=row.reason) for row in connection.execute(query)]


def recorded_by(
    connection: sa.Connection, owner: int, tracers: Sequence[Tracer]
) -> dict[Hash, tuple[int, Tracer]]:
    """Return block and tracer of the transactions that some tracers recorded, by hash."""
    table, own = schema.transaction, schema.recording
    query = (
        sa.select(table.c.hash, table.c.block, own.c.tracer)
        .join(own, own.c.transaction_id == table.c.id)
        .where(own.c.contract_id == owner, own.c.tracer.in_([tracer.value for tracer in tracers]))
        .order_by(table.c.block, table.c.position, table.c.hash)
    )
    return {Hash(row.hash): (row.block, Tracer(row.tracer)) for row in connection.execute(query)}


def recorded_rows(connection: sa.Connection, owner: int) -> list[RecordedRow]:
    """Return block, hash and tracer of the transactions of a contract, by block and hash."""
    table, own = schema.transaction, schema.recording
    query = (
        sa.select(table.c.block, table.c.hash, own.c.tracer)
        .join(own, own.c.transaction_id == table.c.id)
        .where(own.c.contract_id == owner)
        .order_by(table.c.block, table.c.hash)
    )
    return [
        row if (type(row[0]), type(row[1])) == (int, bytes) else (int(row[0]), blob(row[1]), str(row[2]))
        for rows in columns.fetch_rows(connection, query)
        for row in rows
    ]


def ranges(connection: sa.Connection, owner: int) -> list[tuple[int, int]]:
    """Return the complete ranges of blocks of a contract, ascending."""
    table = schema.complete_range
    query = sa.select(table.c.first, table.c.last).where(table.c.contract_id == owner).order_by(table.c.first)
    return [(row.first, row.last) for row in connection.execute(query)]


def transaction_count(connection: sa.Connection, owner: int) -> int:
    """Return how many transactions of a contract are stored."""
    table = schema.recording
    query = sa.select(sa.func.count()).select_from(table).where(table.c.contract_id == owner)
    return int(connection.scalar(query) or 0)


def implementations(connection: sa.Connection, owner: int) -> list[Address]:
    """Return the addresses whose code ran in place of a contract's own."""
    table = schema.invocation
    query = (
        sa.select(schema.address.c.bytes)
        .join(table, table.c.code_address_id == schema.address.c.id)
        .join(schema.contract, schema.contract.c.id == table.c.contract_id)
        .where(table.c.contract_id == owner, table.c.code_address_id != schema.contract.c.address_id)
        .distinct()
        .order_by(schema.address.c.bytes)
    )
    return [Address(data) for data in connection.scalars(query)]


def limits(connection: sa.Connection, owner: int) -> list[str]:
    """Return what the way of collecting may have missed."""
    table = schema.limit
    return list(
        connection.scalars(sa.select(table.c.text).where(table.c.contract_id == owner).order_by(table.c.text))
    )


def blocks(connection: sa.Connection, chain_id: int) -> list[Block]:
    """Return the stored blocks of a chain, the newest first."""
    table = schema.block
    query = sa.select(table).where(table.c.chain_id == chain_id).order_by(table.c.number.desc())
    return [stored_block(row) for row in connection.execute(query)]


def replay(connection: sa.Connection, chain_id: int, first: Hash) -> tuple[int, bytes, bytes] | None:
    """Return how many records of an export were executed again, their digest, and the state after them."""
    table = schema.replay
    query = sa.select(table.c.done, table.c.digest, table.c.state)
    row = connection.execute(query.where(table.c.chain_id == chain_id, table.c.first == first)).one_or_none()
    return None if row is None else (row.done, row.digest, row.state)


def holds(connection: sa.Connection, chain_id: int, hashes: Sequence[Hash]) -> bool:
    """Return whether all of these transactions are there."""
    table = schema.transaction
    count = 0
    for start in range(0, len(hashes), _TRANSACTIONS):
        part = hashes[start : start + _TRANSACTIONS]
        query = sa.select(sa.func.count()).select_from(table)
        count += connection.scalar(query.where(table.c.chain_id == chain_id, table.c.hash.in_(part))) or 0
    return count == len(set(hashes))


def _ordered_transactions(owners: Sequence[int]) -> sa.Select[Any]:
    """Select the transactions of contracts in chain order, each once, with block and tracer."""
    table, own = schema.transaction, schema.recording
    return (
        sa.select(
            table,
            schema.block.c.hash.label("block_hash"),
            schema.block.c.timestamp,
            sa.func.min(own.c.tracer).label("tracer"),
            sa.func.max(own.c.fidelity).label("fidelity"),
            sa.func.min(own.c.logs).label("logs"),
        )
        .join(own, own.c.transaction_id == table.c.id)
        .join(
            schema.block,
            sa.and_(schema.block.c.chain_id == table.c.chain_id, schema.block.c.number == table.c.block),
        )
        .where(among(own.c.contract_id, owners))
        .group_by(table.c.id, schema.block.c.hash, schema.block.c.timestamp)
        .order_by(table.c.block, table.c.position, table.c.id)
    )


def transactions(
    connection: sa.Connection, owner: int, hashes: Collection[Hash] | None = None
) -> Iterator[Transaction]:
    """Yield the transactions of one contract in chain order, as values; of those with some hashes if given."""
    addresses = _addresses(connection)
    words = _words(connection)
    address = record(connection, owner).address
    ordered = _ordered_transactions([owner])
    if hashes is not None and len(hashes) <= _TRANSACTIONS:
        ordered = ordered.where(schema.transaction.c.hash.in_(hashes))
    rows = [row for row in connection.execute(ordered) if hashes is None or bytes(row.hash) in hashes]
    for start in range(0, len(rows), _TRANSACTIONS):
        part = rows[start : start + _TRANSACTIONS]
        ids = [row.id for row in part]
        calls = _invocations(connection, owner, address, ids, addresses, words)
        hashed: dict[int, list[bytes]] = defaultdict(list)
        table = schema.preimage
        query = sa.select(table).where(table.c.contract_id == owner, table.c.transaction_id.in_(ids))
        for item in connection.execute(query.order_by(table.c.transaction_id, table.c.position)):
            hashed[item.transaction_id].append(item.bytes)
        creations = _creations(connection, owner, ids, addresses)
        logs = answers.read_logs(connection, owner, ids, addresses)
        blocks_by_number = _blocks(connection, part)
        for row in part:
            yield Transaction(
                hash=Hash(row.hash),
                block=blocks_by_number[row.block],
                index=row.position,
                sender=addresses[row.sender_id],
                to=None if row.to_id is None else addresses[row.to_id],
                value=words[row.value_id],
                gas=row.gas,
                gas_used=row.gas_used,
                nonce=row.nonce,
                succeeded=row.succeeded,
                tracer=Tracer(row.tracer),
                invocations=tuple(calls[row.id]),
                preimages=tuple(hashed[row.id]),
                creations=tuple(creations[row.id]),
                fidelity=None if row.fidelity is None else Fidelity(row.fidelity),
                logs=None if row.logs is None else tuple(logs[row.id]),
            )


def _blocks(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> dict[int, Block]:
    """Return the blocks of some transactions, by number."""
    table = schema.block
    numbers = sorted({row.block for row in rows})
    query = sa.select(table).where(table.c.chain_id == rows[0].chain_id, table.c.number.in_(numbers))
    return {row.number: stored_block(row) for row in connection.execute(query)}


def _creations(
    connection: sa.Connection, owner: int, ids: Sequence[int], addresses: dict[int, Address]
) -> dict[int, list[Creation]]:
    table = schema.creation
    query = sa.select(table).where(table.c.contract_id == owner, table.c.transaction_id.in_(ids))
    creations: dict[int, list[Creation]] = defaultdict(list)
    for row in connection.execute(query.order_by(table.c.transaction_id, table.c.position)):
        creations[row.transaction_id].append(
            Creation(creator=addresses[row.creator_id], created=addresses[row.created_id])
        )
    return creations


def _addresses(connection: sa.Connection) -> dict[int, Address]:
    query = sa.select(schema.address.c.id, schema.address.c.bytes)
    return {row.id: Address(row.bytes) for row in connection.execute(query)}


def _words(connection: sa.Connection) -> dict[int, int]:
    query = sa.select(schema.word.c.id, schema.word.c.bytes)
    return {row.id: int.from_bytes(row.bytes, "big") for row in connection.execute(query)}


def _invocations(
    connection: sa.Connection,
    owner: int,
    contract: Address,
    ids: Sequence[int],
    addresses: dict[int, Address],
    words: dict[int, int],
) -> dict[int, list[Invocation]]:
    table = schema.invocation
    own = sa.and_(table.c.contract_id == owner, table.c.transaction_id.in_(ids))
    accesses: dict[int, list[StorageAccess]] = defaultdict(list)
    query = sa.select(schema.access).join(table, table.c.id == schema.access.c.invocation_id).where(own)
    for row in connection.execute(query.order_by(schema.access.c.invocation_id, schema.access.c.position)):
        accesses[row.invocation_id].append(
            StorageAccess(
                position=row.position,
                kind=AccessKind.WRITE if row.write else AccessKind.READ,
                slot=Word(words[row.slot_id]),
                before=None if row.before_id is None else Word(words[row.before_id]),
                after=None if row.after_id is None else Word(words[row.after_id]),
                undone=row.undone,
            )
        )
    events: dict[int, list[Event]] = defaultdict(list)
    query = sa.select(schema.event).join(table, table.c.id == schema.event.c.invocation_id).where(own)
    for row in connection.execute(query.order_by(schema.event.c.invocation_id, schema.event.c.position)):
        topics = tuple(row.topics[at : at + 32] for at in range(0, len(row.topics), 32))
        events[row.invocation_id].append(
            Event(position=row.position, topics=topics, data=row.data, undone=row.undone)
        )
    payments = _payments(connection, own, addresses, words)
    recorded = answers.Answers(connection, own, addresses, words)
    invocations: dict[int, list[Invocation]] = defaultdict(list)
    query = sa.select(table).where(own).order_by(table.c.transaction_id, table.c.position)
    for row in connection.execute(query):
        invocations[row.transaction_id].append(
            Invocation(
                contract=contract,
                code=addresses[row.code_address_id],
                position=row.position,
                parent=row.parent,
                depth=row.depth,
                kind=InvocationKind(row.kind),
                sender=addresses[row.sender_id],
                value=words[row.value_id],
                data=row.data,
                outcome=Outcome(kind=OutcomeKind(row.outcome), data=row.output),
                gas=row.gas,
                gas_used=row.gas_used,
                accesses=tuple(accesses[row.id]),
                events=tuple(events[row.id]),
                payments=None if row.payments is None else tuple(payments[row.id]),
                calls=recorded.calls(row),
                codes=recorded.codes(row),
                environment=recorded.environment(row),
            )
        )
    return invocations


def _payments(
    connection: sa.Connection,
    own: sa.ColumnElement[bool],
    addresses: dict[int, Address],
    words: dict[int, int],
) -> dict[int, list[Payment]]:
    """Return what the invocations that ``own`` selects paid, by their rows."""
    table, calls = schema.payment, schema.invocation
    query = sa.select(table).join(calls, calls.c.id == table.c.invocation_id).where(own)
    payments: dict[int, list[Payment]] = defaultdict(list)
    for row in connection.execute(query.order_by(table.c.invocation_id, table.c.place)):
        payments[row.invocation_id].append(
            Payment(
                position=row.position,
                kind=PaymentKind(row.kind),
                to=addresses[row.to_id],
                value=None if row.value_id is None else words[row.value_id],
                undone=row.undone,
            )
        )
    return payments


def history(connection: sa.Connection, owners: Sequence[int], first: int | None, last: int | None) -> History:
    """Return contracts' history as columns, in chain order; of the blocks ``first .. last`` if given."""
    query = _ordered_transactions(owners)
    if first is not None:
        query = query.where(schema.transaction.c.block >= first)
    if last is not None:
        query = query.where(schema.transaction.c.block <= last)
    numbers, hashes, fidelity = _list_transactions(connection, query)
    ids, block, index, sender, time, tracer, gas_used = numbers
    records = tuple(instances.records(connection, owners))
    complete = list(instances.ranges(connection, owners, first, last).values())
    spans = _join_ranges(span for spans in complete for span in spans)
    missing = instances.incomplete([item.address for item in records], complete)
    address_ids, addresses = _dictionary(connection, schema.address)
    word_ids, words = _words_of(connection)
    address_place, word_place = columns.index_ids(address_ids), columns.index_ids(word_ids)
    called, rows = columns.invocation_columns(
        connection, owners, columns.index_ids(ids), address_place, word_place
    )
    result = History(
        contracts=records,
        first_block=spans[0][0] if spans else 0,
        last_block=spans[-1][1] if spans else 0,
        ranges=tuple(spans),
        tracers=_tracers(connection, owners, ids),
        fidelity={mark: fidelity[mark] for mark in Fidelity if fidelity[mark]},
        limits=(*sorted(instances.limits(connection, owners)), *missing),
        words=words,
        addresses=tuple(map(Address, addresses)),
        preimages=_preimages(connection, owners),
        transaction_hash=hashes,
        transaction_block=block,
        transaction_index=index,
        transaction_time=time,
        transaction_origin=in_file(columns.look_up(address_place, sender)),
        transaction_gas_used=gas_used,
        **called,
        invocation_newborn=newborn_callers(
            connection,
            owners,
            columns.index_ids(ids),
            address_place,
            (called["invocation_transaction"], called["invocation_sender"]),
        ),
        answers=answer_columns(
            connection,
            owners,
            call_place=rows.row,
            counts=rows.counts,
            tracers=tracer.astype(np.int8),
            address_place=address_place,
            words=(word_place, words),
        ),
        blocks=block_columns(connection, records[0].chain_id, first, last) if records else None,
        transfers=transfer_columns(connection, owners, columns.index_ids(ids), len(ids)),
    )
    check_history(result)
    remarks = notes.remarks(connection, result, owners)
    return replace(result, limits=(*result.limits, *remarks))


def _list_transactions(
    connection: sa.Connection, query: sa.Select[Any]
) -> tuple[Sequence[IntColumn], Sequence[Hash], Counter[Fidelity]]:
    """Return ordered transactions as columns, their hashes, and how many have each mark of fidelity.

    The columns are id, block, position, sender, time, tracer, gas used; shape (t,) each.
    """
    table = schema.transaction
    narrow = query.with_only_columns(
        table.c.id,
        table.c.block,
        table.c.position,
        table.c.sender_id,
        sa.func.coalesce(schema.block.c.timestamp, MISSING),
        sa.func.min(schema.recording.c.tracer),
        sa.func.max(schema.recording.c.fidelity),
        table.c.hash,
        table.c.gas_used,
    )
    tracers = {tracer.value: position for position, tracer in enumerate(TRACERS)}
    numbers = columns.IntegerWriter(7)
    hashes = TextWriter()
    fidelity: Counter[Fidelity] = Counter()
    for rows in columns.fetch_rows(connection, narrow):
        fidelity.update(Fidelity(row[6]) for row in rows if row[6] is not None)
        coded = [(*row[:5], tracers[row[5]], row[8]) for row in rows]
        numbers.append(np.array(coded, dtype=np.int64).reshape(-1, 7).T)
        hashes.extend([blob(row[7]) for row in rows])
    return numbers.columns(), cast("Sequence[Hash]", hashes.texts()), fidelity


def _words_of(connection: sa.Connection) -> tuple[IntColumn, Words]:
    """Return the ids of all words, ascending, and the words."""
    table = schema.word
    ids = columns.IntegerWriter(1)
    words = ColumnWriter()
    for rows in columns.fetch_rows(connection, sa.select(table.c.id, table.c.bytes).order_by(table.c.id)):
        numbers, values = zip(*rows, strict=True)
        ids.append(np.array([numbers], dtype=np.int64))
        words.append(pad_words([blob(value) for value in values]))
    return ids.columns()[0], Words(words.column(np.dtype("S32")))


def _dictionary(connection: sa.Connection, table: sa.Table) -> tuple[IntColumn, list[bytes]]:
    """Return the ids of a dictionary's rows, ascending, and their bytes."""
    query = sa.select(table.c.id, table.c.bytes).order_by(table.c.id)
    ids: list[int] = []
    texts: list[bytes] = []
    for rows in columns.fetch_rows(connection, query):
        numbers, values = zip(*rows, strict=True)
        ids += numbers
        texts += map(blob, values)
    return np.array(ids, dtype=np.int64), texts


def _preimages(connection: sa.Connection, owners: Sequence[int]) -> dict[int, bytes]:
    """Return what was hashed, by its hash."""
    table = schema.preimage
    query = sa.select(table.c.bytes).where(among(table.c.contract_id, owners)).distinct()
    query = query.order_by(table.c.bytes)
    texts = [blob(text) for rows in columns.fetch_rows(connection, query) for (text,) in rows]
    return dict(zip(to_integers(keccak_all(texts)), texts, strict=True))


def _join_ranges(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges of blocks joined where they touch or overlap, ascending."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _tracers(connection: sa.Connection, owners: Sequence[int], transactions: IntColumn) -> tuple[Tracer, ...]:
    table = schema.recording
    query = sa.select(table.c.tracer).where(among(table.c.contract_id, owners))
    names = set(connection.scalars(query.distinct())) if len(transactions) else set()
    if len(names) > 1:  # some may have recorded only what was not asked for
        transaction_ids = set(transactions.tolist())
        pairs = columns.fetch_rows(connection, query.add_columns(table.c.transaction_id))
        names = {name for rows in pairs for name, row in rows if row in transaction_ids}
    return tuple(Tracer(name) for name in sorted(names))
