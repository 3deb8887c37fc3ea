"""What is written to the database; each function works inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from specminer.history.trace import (
    AccessKind,
    Address,
    Block,
    ContractRecord,
    Gap,
    Hash,
    Invocation,
    Tracer,
    Transaction,
)
from specminer.store import queries as reading
from specminer.store import schema
from specminer.store import stored_answers as answers
from specminer.store.dictionary_coding import address_ids, artifact_id, code_id, word_ids
from specminer.store.inserting import insert_rows, storable_text
from specminer.store.stored_blocks import block_values, merged_block, stored_block

_OF_INVOCATIONS = (schema.access, schema.event, schema.payment, *answers.CALL_TABLES)
_OF_TRANSACTIONS = (
    *(schema.invocation, schema.preimage, schema.creation, schema.foreign_log, schema.recording),
)
"""Tables with a contract's part of a transaction."""


def chain(connection: sa.Connection, chain_id: int, genesis: Hash | None) -> bool:
    """Note a chain; return whether it is the one that is known, as far as can be told."""
    table = schema.chain
    row = connection.execute(sa.select(table.c.genesis).where(table.c.id == chain_id)).one_or_none()
    if row is None:
        connection.execute(table.insert().values(id=chain_id, genesis=genesis))
    elif genesis is not None and row.genesis is None:
        connection.execute(table.update().where(table.c.id == chain_id).values(genesis=genesis))
    return row is None or genesis is None or row.genesis is None or row.genesis == genesis


def contract(connection: sa.Connection, record: ContractRecord) -> None:
    """Add a contract or complete what is known of it."""
    values: dict[str, Any] = {}
    if record.code:
        values["code_id"] = code_id(connection, record.code)
    if record.artifact is not None:
        values["artifact_id"] = artifact_id(connection, record.artifact)
    if record.created_in_block is not None:
        values["created_in_block"] = record.created_in_block
    table = schema.contract
    number = reading.contract_id(connection, record.chain_id, record.address)
    if number is None:
        values |= {
            "chain_id": record.chain_id,
            "address_id": address_ids(connection, [record.address])[record.address],
        }
        number = connection.scalar(table.insert().values(**values).returning(table.c.id))
    elif values:
        connection.execute(table.update().where(table.c.id == number).values(**values))
    addresses = address_ids(connection, (address for address, _ in record.implementations))
    for address, code in record.implementations:
        key = {"contract_id": number, "address_id": addresses[address]}
        connection.execute(schema.implementation.delete().filter_by(**key))
        connection.execute(
            schema.implementation.insert().values(**key, code_id=code_id(connection, code) if code else None)
        )
    answers.write_codes(connection, number, record.codes)


def blocks(connection: sa.Connection, chain_id: int, new_blocks: Iterable[Block]) -> None:
    """Add blocks that are not there yet; a hash or a timestamp that is learned later is filled in.

    Raises:
        StoreError: a block is known with another hash or timestamp.

    """
    table = schema.block
    rows: dict[int, Block] = {}
    for block in new_blocks:
        rows[block.number] = merged_block(rows.get(block.number), block)
    numbers = list(rows)
    stored_blocks: dict[int, Block] = {}
    for start in range(0, len(numbers), 500):
        part = numbers[start : start + 500]
        query = sa.select(table).where(table.c.chain_id == chain_id, table.c.number.in_(part))
        for row in connection.execute(query):
            stored_blocks[row.number] = stored_block(row)
    for number, old in stored_blocks.items():
        merged = merged_block(old, rows[number])
        if merged != old:
            connection.execute(
                table.update()
                .where(table.c.chain_id == chain_id, table.c.number == number)
                .values(**block_values(merged))
            )
    insert_rows(
        connection,
        table,
        [
            {"chain_id": chain_id, "number": number} | block_values(block)
            for number, block in sorted(rows.items())
            if number not in stored_blocks
        ],
    )


def transactions(
    connection: sa.Connection, chain_id: int, owner: int, contract: Address, parts: Sequence[Transaction]
) -> None:
    """Add one contract's part of transactions; what is recorded already is left as it is."""
    table = schema.transaction
    recording = schema.recording
    hashes = [transaction.hash for transaction in parts]
    ids: dict[bytes, int] = {}
    recorded: set[bytes] = set()
    for start in range(0, len(hashes), 500):
        query = (
            sa.select(table.c.hash, table.c.id, recording.c.contract_id)
            .outerjoin(
                recording, sa.and_(recording.c.transaction_id == table.c.id, recording.c.contract_id == owner)
            )
            .where(table.c.chain_id == chain_id, table.c.hash.in_(hashes[start : start + 500]))
        )
        for row in connection.execute(query):
            ids[row.hash] = row.id
            if row.contract_id is not None:
                recorded.add(row.hash)
    fresh = [transaction for transaction in parts if transaction.hash not in recorded]
    _Batch(connection, chain_id, owner, contract, fresh).write(ids)


class _Batch:
    """One set of transactions on its way into the tables."""

    def __init__(
        self,
        connection: sa.Connection,
        chain_id: int,
        owner: int,
        contract: Address,
        transactions: Sequence[Transaction],
    ) -> None:
        self.connection = connection
        self.chain_id = chain_id
        self.owner = owner
        self.parts = [
            (item, [call for call in item.invocations if call.contract == contract]) for item in transactions
        ]
        self.addresses = address_ids(connection, self._addresses())
        self.words = word_ids(connection, self._words())

    def _addresses(self) -> Iterable[Address]:
        for item, calls in self.parts:
            yield item.sender
            if item.to is not None:
                yield item.to
            for call in calls:
                yield call.sender
                yield call.code
                yield from (payment.to for payment in call.payments or ())
                yield from answers.addresses_of(call)
            for creation in item.creations:
                yield creation.creator
                yield creation.created
            yield from answers.log_addresses(item)

    def _words(self) -> Iterable[int]:
        for item, calls in self.parts:
            yield item.value
            for call in calls:
                yield call.value
                for access in call.accesses:
                    yield access.slot
                    if access.before is not None:
                        yield access.before
                    if access.after is not None:
                        yield access.after
                yield from (payment.value for payment in call.payments or () if payment.value is not None)
                yield from answers.words_of(call)

    def write(self, ids: dict[bytes, int]) -> None:
        """Insert everything; ``ids`` are transactions that stand there for another contract."""
        following = _next_id(self.connection, schema.transaction)
        rows, recordings, preimages, creations, logs = [], [], [], [], []
        for item, _ in self.parts:
            if item.hash not in ids:
                ids[item.hash] = following
                following += 1
                rows.append(self._transaction(item, ids[item.hash]))
            key: dict[str, Any] = {"transaction_id": ids[item.hash], "contract_id": self.owner}
            fidelity = None if item.fidelity is None else item.fidelity.value
            amount = None if item.logs is None else len(item.logs)
            recordings.append(key | {"tracer": item.tracer.value, "fidelity": fidelity, "logs": amount})
            logs += answers.log_rows(item, key, self.addresses)
            preimages += [
                key | {"position": index, "bytes": data} for index, data in enumerate(item.preimages)
            ]
            creations += [
                key
                | {
                    "position": index,
                    "creator_id": self.addresses[creation.creator],
                    "created_id": self.addresses[creation.created],
                }
                for index, creation in enumerate(item.creations)
            ]
        insert_rows(self.connection, schema.transaction, rows)
        insert_rows(self.connection, schema.recording, recordings)
        insert_rows(self.connection, schema.preimage, preimages)
        insert_rows(self.connection, schema.creation, creations)
        insert_rows(self.connection, schema.foreign_log, logs)
        self._invocations(ids)

    def _transaction(self, item: Transaction, row: int) -> dict[str, Any]:
        return {
            "id": row,
            "chain_id": self.chain_id,
            "hash": item.hash,
            "block": item.block.number,
            "position": item.index,
            "sender_id": self.addresses[item.sender],
            "to_id": None if item.to is None else self.addresses[item.to],
            "value_id": self.words[item.value],
            "gas": item.gas,
            "gas_used": item.gas_used,
            "nonce": item.nonce,
            "succeeded": item.succeeded,
        }

    def _invocations(self, ids: dict[bytes, int]) -> None:
        following = _next_id(self.connection, schema.invocation)
        calls, accesses, events, payments = [], [], [], []
        external, codes, environment = [], [], []
        for item, own_calls in self.parts:
            for call in own_calls:
                calls.append(self._invocation(call, following, ids[item.hash]))
                accesses += self._accesses(call, following)
                events += [
                    {
                        "invocation_id": following,
                        "position": event.position,
                        "topics": b"".join(event.topics),
                        "data": event.data,
                        "undone": event.undone,
                    }
                    for event in call.events
                ]
                payments += self._payments(call, following)
                external += answers.call_rows(call, following, self.addresses, self.words)
                codes += answers.code_rows(call, following, self.addresses, self.words)
                environment += answers.environment_rows(call, following)
                following += 1
        insert_rows(self.connection, schema.invocation, calls)
        insert_rows(self.connection, schema.access, accesses)
        insert_rows(self.connection, schema.event, events)
        insert_rows(self.connection, schema.payment, payments)
        for table, rows in zip(answers.CALL_TABLES, (external, codes, environment), strict=True):
            insert_rows(self.connection, table, rows)

    def _invocation(self, call: Invocation, row: int, transaction: int) -> dict[str, Any]:
        return {
            "id": row,
            "transaction_id": transaction,
            "contract_id": self.owner,
            "code_address_id": self.addresses[call.code],
            "position": call.position,
            "parent": call.parent,
            "depth": call.depth,
            "kind": call.kind.value,
            "sender_id": self.addresses[call.sender],
            "value_id": self.words[call.value],
            "data": call.data,
            "outcome": call.outcome.kind.value,
            "output": call.outcome.data,
            "gas": call.gas,
            "gas_used": call.gas_used,
            "payments": None if call.payments is None else len(call.payments),
            **answers.counts(call),
        }

    def _payments(self, call: Invocation, row: int) -> list[dict[str, Any]]:
        return [
            {
                "invocation_id": row,
                "place": index,
                "position": payment.position,
                "kind": payment.kind.value,
                "to_id": self.addresses[payment.to],
                "value_id": None if payment.value is None else self.words[payment.value],
                "undone": payment.undone,
            }
            for index, payment in enumerate(call.payments or ())
        ]

    def _accesses(self, call: Invocation, row: int) -> list[dict[str, Any]]:
        words = self.words
        return [
            {
                "invocation_id": row,
                "position": access.position,
                "write": access.kind is AccessKind.WRITE,
                "slot_id": words[access.slot],
                "before_id": None if access.before is None else words[access.before],
                "after_id": None if access.after is None else words[access.after],
                "undone": access.undone,
            }
            for access in call.accesses
        ]


def _next_id(connection: sa.Connection, table: sa.Table) -> int:
    return (connection.scalar(sa.select(sa.func.max(table.c.id))) or 0) + 1


def extend(connection: sa.Connection, chain_id: int, owner: int, complete: tuple[int, int]) -> None:
    """Note a range of blocks as complete, joined with the ranges that it touches.

    A block that was stored only because a range ended there is dropped when it no longer does: so the
    content does not tell in how many pieces a history was collected.
    """
    table = schema.complete_range
    first, last = complete
    ends = []
    for low, high in reading.ranges(connection, owner):
        if low <= last + 1 and first <= high + 1:
            first, last = min(first, low), max(last, high)
            ends.append(high)
            connection.execute(table.delete().filter_by(contract_id=owner, first=low))
    connection.execute(table.insert().values(contract_id=owner, first=first, last=last))
    stored_blocks = sa.select(schema.transaction.c.block).where(schema.transaction.c.chain_id == chain_id)
    owners = sa.select(schema.contract.c.id).where(schema.contract.c.chain_id == chain_id)
    for number in {*ends, complete[1]} - {last}:
        connection.execute(
            schema.block.delete().where(
                schema.block.c.chain_id == chain_id,
                schema.block.c.number == number,
                ~sa.exists(stored_blocks.where(schema.transaction.c.block == number)),
                ~sa.exists(
                    sa.select(table.c.last).where(table.c.contract_id.in_(owners), table.c.last == number)
                ),
            )
        )


def limits(connection: sa.Connection, owner: int, texts: Iterable[str]) -> None:
    """Note what the way of collecting may have missed."""
    old_texts = set(reading.limits(connection, owner))
    for text in dict.fromkeys(storable_text(text, 500) for text in texts):
        if text not in old_texts:
            connection.execute(schema.limit.insert().values(contract_id=owner, text=text))


def gaps(connection: sa.Connection, owner: int, items: Iterable[Gap]) -> None:
    """Note transactions that could not be recorded, in place of what was noted of them before."""
    rows = {item.hash: item for item in items}
    close_gaps(connection, owner, rows)
    insert_rows(
        connection,
        schema.gap,
        [
            {
                "contract_id": owner,
                "hash": item.hash,
                "block": item.block,
                "reason": storable_text(item.reason, 500),
            }
            for item in rows.values()
        ],
    )


def close_gaps(connection: sa.Connection, owner: int, hashes: Iterable[Hash]) -> None:
    """Forget that transactions could not be recorded."""
    table = schema.gap
    for part in _pieces(hashes):
        connection.execute(table.delete().where(table.c.contract_id == owner, table.c.hash.in_(part)))


def _pieces(hashes: Iterable[Hash]) -> Iterator[list[Hash]]:
    """Yield as many values at a time as every database takes in one list."""
    remaining = iter(hashes)
    while part := list(islice(remaining, 500)):
        yield part


def forget_recorded(connection: sa.Connection, chain_id: int, owner: int, hashes: Iterable[Hash]) -> None:
    """Forget one contract's part of transactions, to write what was recorded anew in its place."""
    table = schema.transaction
    for part in _pieces(hashes):
        ids = sa.select(table.c.id).where(table.c.chain_id == chain_id, table.c.hash.in_(part))
        _forget_parts(connection, owner, ids)


def _forget_parts(connection: sa.Connection, owner: int, query: sa.Select[tuple[int]]) -> None:
    """Forget one contract's part of the transactions that a query gives, and those that nobody else has a part in."""
    ids = list(connection.scalars(query))
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        calls = sa.select(schema.invocation.c.id).where(
            schema.invocation.c.contract_id == owner, schema.invocation.c.transaction_id.in_(part)
        )
        for table in _OF_INVOCATIONS:
            connection.execute(table.delete().where(table.c.invocation_id.in_(calls)))
        for table in _OF_TRANSACTIONS:
            connection.execute(
                table.delete().where(table.c.contract_id == owner, table.c.transaction_id.in_(part))
            )
        recorded_ids = sa.select(schema.recording.c.transaction_id)
        connection.execute(
            schema.transaction.delete().where(
                schema.transaction.c.id.in_(part), schema.transaction.c.id.not_in(recorded_ids)
            )
        )


def forget_limits(connection: sa.Connection, owner: int, containing: str = "") -> None:
    """Forget what the way of collecting may have missed; only sentences that contain a text, if one is given."""
    table = schema.limit
    connection.execute(
        table.delete().where(table.c.contract_id == owner, table.c.text.contains(containing, autoescape=True))
    )


def forget_replayed(connection: sa.Connection, owner: int) -> None:
    """Forget what of a contract was executed again, and that its blocks are complete, to execute it anew."""
    own = schema.recording
    ids = sa.select(own.c.transaction_id).where(
        own.c.contract_id == owner, own.c.tracer == Tracer.EXECUTION.value
    )
    _forget_parts(connection, owner, ids)
    connection.execute(schema.complete_range.delete().where(schema.complete_range.c.contract_id == owner))


def forget_recordings(connection: sa.Connection, owner: int) -> None:
    """Forget all that was recorded of a contract."""
    own = schema.recording
    _forget_parts(connection, owner, sa.select(own.c.transaction_id).where(own.c.contract_id == owner))


def forget_after(connection: sa.Connection, chain_id: int, block: int) -> int:
    """Remove blocks behind ``block`` with all that hangs on them, and cut the complete ranges there."""
    ids = sa.select(schema.transaction.c.id).where(
        schema.transaction.c.chain_id == chain_id, schema.transaction.c.block > block
    )
    calls = sa.select(schema.invocation.c.id).where(schema.invocation.c.transaction_id.in_(ids))
    for table in _OF_INVOCATIONS:
        connection.execute(table.delete().where(table.c.invocation_id.in_(calls)))
    for table in _OF_TRANSACTIONS:
        connection.execute(table.delete().where(table.c.transaction_id.in_(ids)))
    connection.execute(schema.transaction.delete().where(schema.transaction.c.id.in_(ids)))
    owners = sa.select(schema.contract.c.id).where(schema.contract.c.chain_id == chain_id)
    connection.execute(
        schema.gap.delete().where(schema.gap.c.contract_id.in_(owners), schema.gap.c.block > block)
    )
    ranges = schema.complete_range
    connection.execute(ranges.delete().where(ranges.c.contract_id.in_(owners), ranges.c.first > block))
    connection.execute(
        ranges.update().where(ranges.c.contract_id.in_(owners), ranges.c.last > block).values(last=block)
    )
    removed = connection.execute(
        schema.block.delete().where(schema.block.c.chain_id == chain_id, schema.block.c.number > block)
    )
    table = schema.contract
    connection.execute(
        table.update()
        .where(table.c.chain_id == chain_id, table.c.created_in_block > block)
        .values(created_in_block=None)
    )
    return removed.rowcount


def forget_blind_spots(connection: sa.Connection, owner: int) -> None:
    """Forget what tracers cannot see of which no recording is left."""
    own = schema.recording
    used = set(connection.scalars(sa.select(own.c.tracer).where(own.c.contract_id == owner).distinct()))
    table = schema.limit
    for tracer in Tracer:
        texts = {tracer.blind_spots, tracer.earlier_blind_spots} - {""}
        texts -= {tracer.blind_spots} if tracer.value in used else set()
        for text in texts:
            connection.execute(table.delete().where(table.c.contract_id == owner, table.c.text == text[:500]))


def replay(
    connection: sa.Connection, chain_id: int, first: Hash, done: int, digest: bytes, state: bytes
) -> None:
    """Note how far an export was executed again, in place of what was noted before."""
    table = schema.replay
    connection.execute(table.delete().filter_by(chain_id=chain_id, first=first))
    connection.execute(
        table.insert().values(chain_id=chain_id, first=first, done=done, digest=digest, state=state)
    )
