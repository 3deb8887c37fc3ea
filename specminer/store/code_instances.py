"""Several contracts of one chain: their code, and the order in which they were created."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from specminer.history.trace import Address, ContractRecord, InvocationKind, OutcomeKind
from specminer.store import schema
from specminer.store.damage import blob

_NEVER: Final = 1 << 63
"""Behind every block: the creation is not known."""
_MAX_EXAMPLES: Final = 3
"""Contracts that a sentence names as examples."""


def among(column: sa.ColumnElement[int], rows: Sequence[int]) -> sa.ColumnElement[bool]:
    """Return the condition that a column is one of ``rows``, of which there may be more than parameters may be."""
    return column.in_(sa.bindparam(None, list(rows), expanding=True, literal_execute=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCode:
    """The contracts that have the same code to the last byte."""

    code: bytes
    contracts: tuple[Address, ...]
    """By address."""


def group_by_code(connection: sa.Connection, chain_id: int) -> Iterator[SharedCode]:
    """Yield each code on a chain once, with its contracts; contracts without known code are left out."""
    table = schema.contract
    query = (
        sa.select(table.c.code_id, schema.address.c.bytes)
        .join(schema.address, schema.address.c.id == table.c.address_id)
        .where(table.c.chain_id == chain_id, table.c.code_id.is_not(None))
        .order_by(table.c.code_id, schema.address.c.bytes)
    )
    holders: dict[int, list[Address]] = defaultdict(list)
    for row in connection.execute(query):
        holders[row.code_id].append(Address(row.bytes))
    for code_id, contracts in holders.items():
        code = connection.scalar(sa.select(schema.code.c.bytes).where(schema.code.c.id == code_id))
        yield SharedCode(code=code or b"", contracts=tuple(contracts))


def implementations(connection: sa.Connection, chain_id: int) -> dict[Address, dict[Address, bytes]]:
    """Return the code that ran in place of contracts' own, by contract and by the address of that code."""
    table = schema.implementation
    proxy, target = schema.address.alias(), schema.address.alias()
    query = (
        sa.select(proxy.c.bytes.label("proxy"), target.c.bytes.label("target"), schema.code.c.bytes)
        .select_from(table)
        .join(schema.contract, schema.contract.c.id == table.c.contract_id)
        .join(proxy, proxy.c.id == schema.contract.c.address_id)
        .join(target, target.c.id == table.c.address_id)
        .outerjoin(schema.code, schema.code.c.id == table.c.code_id)
        .where(schema.contract.c.chain_id == chain_id)
        .order_by(proxy.c.bytes, target.c.bytes)
    )
    code_by_target: dict[Address, dict[Address, bytes]] = defaultdict(dict)
    for row in connection.execute(query):
        code_by_target[Address(row.proxy)][Address(row.target)] = row.bytes or b""
    return code_by_target


def creation_code(connection: sa.Connection, owner: int) -> bytes:
    """Return what created a contract, code and arguments; empty if its history does not hold that."""
    table = schema.invocation
    query = (
        sa.select(table.c.data)
        .where(
            table.c.contract_id == owner,
            table.c.kind == InvocationKind.CONSTRUCTOR.value,
            table.c.outcome == OutcomeKind.RETURNED.value,
        )
        .order_by(table.c.id)
        .limit(1)
    )
    return connection.scalar(query) or b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A contract that was created inside another's invocation."""

    address: Address
    position: tuple[int, int, int]
    """Block, index of the transaction, and place among what the transaction created."""


def _created_children(connection: sa.Connection, chain_id: int, creator: int | None = None) -> list[Child]:
    table = schema.creation
    query = (
        sa.select(
            schema.address.c.bytes,
            schema.transaction.c.block,
            schema.transaction.c.position.label("place"),
            table.c.position,
        )
        .select_from(table)
        .join(schema.address, schema.address.c.id == table.c.created_id)
        .join(schema.transaction, schema.transaction.c.id == table.c.transaction_id)
        .where(schema.transaction.c.chain_id == chain_id)
        .order_by(schema.transaction.c.block, schema.transaction.c.position, table.c.position)
    )
    if creator is not None:
        query = query.where(table.c.contract_id == creator)
    return [
        Child(address=Address(row.bytes), position=(row.block, row.place, row.position))
        for row in connection.execute(query)
    ]


def children(connection: sa.Connection, chain_id: int, owner: int) -> list[Child]:
    """Return what was created inside a contract's invocations and stayed, each once, in the chain's order."""
    child_by_address: dict[Address, Child] = {}
    for child in _created_children(connection, chain_id, owner):
        child_by_address.setdefault(child.address, child)
    return list(child_by_address.values())


def factory(connection: sa.Connection, owner: int) -> Address | None:
    """Return the contract that created another; ``None`` if a transaction did, or if that is not known."""
    table = schema.invocation
    query = (
        sa.select(schema.address.c.bytes)
        .join(table, table.c.sender_id == schema.address.c.id)
        .where(
            table.c.contract_id == owner,
            table.c.kind == InvocationKind.CONSTRUCTOR.value,
            table.c.outcome == OutcomeKind.RETURNED.value,
            table.c.depth > 0,
        )
        .order_by(table.c.id)
        .limit(1)
    )
    creator = connection.scalar(query)
    return None if creator is None else Address(creator)


def by_creation(connection: sa.Connection, chain_id: int, contracts: Sequence[Address]) -> list[Address]:
    """Return contracts in the order in which the chain created them; those not known to be created come last.

    Those that one transaction created stand as the factory made them where its history is there, else by address.
    """
    born: dict[Address, tuple[int, int, int]] = {}
    table, own = schema.invocation, schema.contract
    for child in _created_children(connection, chain_id):
        born[child.address] = min(child.position, born.get(child.address, child.position))
    query = (
        sa.select(schema.address.c.bytes, schema.transaction.c.block, schema.transaction.c.position)
        .join(own, own.c.id == table.c.contract_id)
        .join(schema.address, schema.address.c.id == own.c.address_id)
        .join(schema.transaction, schema.transaction.c.id == table.c.transaction_id)
        .where(
            own.c.chain_id == chain_id,
            table.c.kind == InvocationKind.CONSTRUCTOR.value,
            table.c.outcome == OutcomeKind.RETURNED.value,
        )
    )
    for row in connection.execute(query):
        address = Address(row.bytes)
        born.setdefault(address, (row.block, row.position, 0))
        born[address] = min(born[address], (row.block, row.position, born[address][2]))
    noted = (
        sa.select(schema.address.c.bytes, own.c.created_in_block)
        .join(own, own.c.address_id == schema.address.c.id)
        .where(own.c.chain_id == chain_id, own.c.created_in_block.is_not(None))
    )
    for item in connection.execute(noted):
        born.setdefault(Address(item.bytes), (item.created_in_block, _NEVER, 0))
    return sorted(dict.fromkeys(contracts), key=lambda item: (born.get(item, (_NEVER, _NEVER, 0)), item))


def records(connection: sa.Connection, owners: Sequence[int]) -> list[ContractRecord]:
    """Return what is known of contracts apart from their transactions, in the order given.

    Code and artifacts that several have are read, and held, once.
    """
    table = schema.contract
    query = (
        sa.select(table, schema.address.c.bytes.label("address"))
        .join(schema.address, schema.address.c.id == table.c.address_id)
        .where(among(table.c.id, owners))
    )
    rows = {row.id: row for row in connection.execute(query)}
    target = schema.implementation
    handed: dict[int, list[tuple[Address, int | None]]] = defaultdict(list)
    for item in connection.execute(
        sa.select(target.c.contract_id, target.c.code_id, schema.address.c.bytes)
        .join(schema.address, schema.address.c.id == target.c.address_id)
        .where(among(target.c.contract_id, owners))
        .order_by(schema.address.c.bytes)
    ):
        handed[item.contract_id].append((Address(item.bytes), item.code_id))
    ran: dict[int, list[int]] = defaultdict(list)
    noted = schema.contract_code
    for item in connection.execute(sa.select(noted).where(among(noted.c.contract_id, owners))):
        ran[item.contract_id].append(item.code_id)
    used = {row.code_id for row in rows.values()} | {number for numbers in ran.values() for number in numbers}
    used |= {code_id for items in handed.values() for _, code_id in items}
    codes = _texts(connection, schema.code, schema.code.c.bytes, used)
    artifacts = _texts(
        connection, schema.artifact, schema.artifact.c.json, {row.artifact_id for row in rows.values()}
    )
    return [
        ContractRecord(
            address=Address(rows[owner].address),
            chain_id=rows[owner].chain_id,
            code=codes.get(rows[owner].code_id, b""),
            created_in_block=rows[owner].created_in_block,
            implementations=tuple(
                (address, codes.get(code_id, b"")) for address, code_id in handed.get(owner, ())
            ),
            artifact=artifacts.get(rows[owner].artifact_id),
            codes=tuple(sorted(codes[number] for number in ran[owner])),
        )
        for owner in owners
    ]


def _texts(
    connection: sa.Connection, table: sa.Table, column: sa.Column[Any], ids: set[int | None]
) -> dict[int | None, bytes]:
    numbers = sorted(number for number in ids if number is not None)
    rows = connection.execute(sa.select(table.c.id, column).where(among(table.c.id, numbers)))
    return {int(row[0]): blob(row[1]) for row in rows}


def ranges(
    connection: sa.Connection, owners: Sequence[int], first: int | None, last: int | None
) -> dict[int, list[tuple[int, int]]]:
    """Return the complete ranges of blocks of each contract, ascending, cut to ``first .. last`` if given."""
    table = schema.complete_range
    query = sa.select(table).where(among(table.c.contract_id, owners)).order_by(table.c.first)
    ranges_by_owner: dict[int, list[tuple[int, int]]] = {owner: [] for owner in owners}
    for row in connection.execute(query):
        low = row.first if first is None else max(row.first, first)
        high = row.last if last is None else min(row.last, last)
        if low <= high:
            ranges_by_owner[row.contract_id].append((low, high))
    return ranges_by_owner


def limits(connection: sa.Connection, owners: Sequence[int]) -> set[str]:
    """Return what the way of collecting any of the contracts may have missed."""
    table = schema.limit
    return set(connection.scalars(sa.select(table.c.text).where(among(table.c.contract_id, owners))))


def incomplete(contracts: Sequence[Address], complete: Sequence[list[tuple[int, int]]]) -> list[str]:
    """Return a sentence if some of several contracts are not complete to the last block of all.

    ``complete`` holds the ranges of each; a contract may begin when it likes, but has one range to the end.
    """
    end = max((spans[-1][1] for spans in complete if spans), default=0)
    short = [
        (contract, spans)
        for contract, spans in zip(contracts, complete, strict=True)
        if len(spans) != 1 or spans[0][1] != end
    ]
    if not short or len(contracts) == 1:
        return []
    examples = "; ".join(
        f"0x{contract.hex()} "
        + (f"blocks {', '.join(f'{low:,} to {high:,}' for low, high in spans[:3])}" if spans else "no block")
        for contract, spans in short[:_MAX_EXAMPLES]
    )
    more = "; …" if len(short) > _MAX_EXAMPLES else ""
    return [
        f"{len(short):,} of {len(contracts):,} contracts are not complete up to block {end:,}, the last of all; of "
        f"them are complete: {examples}{more}"
    ]
