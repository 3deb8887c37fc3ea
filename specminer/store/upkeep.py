"""What keeps a database small and sound: how large its tables are, what is wrong in it, what nobody needs.

Each function works inside its caller's transaction. All but sizes and the database's own check is plain SQL for every
database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from specminer.history.trace import Tracer
from specminer.store import schema, writing

_DICTIONARIES: Final = (schema.address, schema.word, schema.code, schema.artifact)
"""Tables of values that others refer to."""
_COUNTED: Final = (
    ("payments", schema.payment),
    ("external_calls", schema.external_call),
    ("frame_codes", schema.frame_code),
    ("environment_answers", schema.environment_answer),
)
"""Columns of an invocation that say how many rows it has in a table."""
_HASHES: Final = ("hash", "genesis", "first")
"""Columns of 32 bytes, no fewer."""
_MOST_SAID: Final = 20
"""Damages that the database's own check names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """How large a table is."""

    name: str
    rows: int
    size: int | None
    """Bytes with its indexes; ``None`` where the database does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSize:
    """How large a database is."""

    tables: tuple[TableSize, ...]
    """The largest first."""
    invocations: int
    size: int | None
    """Bytes of all; ``None`` where the database does not tell."""
    free: int | None
    """Bytes of it that hold nothing and could be given back; ``None`` where the database does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something in a database that is not as it should be."""

    text: str
    lasting: bool
    """Whether it is damage; else it is something to know, such as blocks between two ranges that are not collected."""


def table_sizes(connection: sa.Connection) -> DatabaseSize:
    """Return how large the tables are."""
    sizes = _bytes_by_table(connection)
    tables = [
        TableSize(name=table.name, rows=_count(connection, table), size=sizes.get(table.name))
        for table in schema.metadata.sorted_tables
    ]
    whole, free = _bytes_of_all(connection)
    return DatabaseSize(
        tables=tuple(sorted(tables, key=lambda item: (-(item.size or 0), -item.rows, item.name))),
        invocations=_count(connection, schema.invocation),
        size=whole,
        free=free,
    )


def row_counts(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows each table has, by its name."""
    return {table.name: _count(connection, table) for table in schema.metadata.sorted_tables}


def vacuum(cursor: Any, dialect: str) -> None:
    """Let the database put itself in order, outside any transaction."""
    if dialect == "sqlite":
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA optimize")
    elif dialect == "postgresql":
        cursor.connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        cursor.connection.autocommit = False


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def _bytes_by_table(connection: sa.Connection) -> dict[str, int]:
    """Return the bytes of each table with its indexes; nothing where the database does not tell."""
    if connection.dialect.name == "sqlite":
        query = (
            "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name "
            "GROUP BY m.tbl_name"
        )
        options = connection.scalars(sa.text("PRAGMA compile_options")).all()
        if "ENABLE_DBSTAT_VTAB" not in options:
            return {}
        return {str(name): int(size) for name, size in connection.execute(sa.text(query))}
    if connection.dialect.name == "postgresql":
        return {
            table.name: int(
                connection.scalar(
                    sa.select(
                        sa.func.pg_total_relation_size(
                            connection.dialect.identifier_preparer.quote(table.name)
                        )
                    )
                )
                or 0
            )
            for table in schema.metadata.sorted_tables
        }
    return {}


def _bytes_of_all(connection: sa.Connection) -> tuple[int | None, int | None]:
    """Return the bytes of the database, and how many of them hold nothing."""
    if connection.dialect.name == "sqlite":
        page, pages, free = (
            int(connection.scalar(sa.text(f"PRAGMA {name}")) or 0)
            for name in ("page_size", "page_count", "freelist_count")
        )
        return page * pages, page * free
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0), None
    return None, None


def flaws(connection: sa.Connection) -> Iterator[Flaw]:
    """Yield what is wrong: in the file, in references between tables, in counts, and in ranges of blocks."""
    yield from _broken_pages(connection)
    yield from _broken_references(connection)
    yield from _missing_blocks(connection)
    yield from _wrong_lengths(connection)
    yield from _wrong_counts(connection)
    yield from _range_flaws(connection)


def _broken_pages(connection: sa.Connection) -> Iterator[Flaw]:
    if connection.dialect.name != "sqlite":
        return
    for text in connection.scalars(sa.text(f"PRAGMA integrity_check({_MOST_SAID})")):
        if text != "ok":
            yield Flaw(text=f"the file is damaged: {text}", lasting=True)


def _broken_references(connection: sa.Connection) -> Iterator[Flaw]:
    for table in schema.metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                meant = sa.select(key.column).scalar_subquery()
                query = sa.select(sa.func.count()).where(column.is_not(None), column.not_in(meant))
                if count := connection.scalar(query):
                    text = f"{count:,} rows of {table.name} name a {column.name} that {key.column.table.name} lacks"
                    yield Flaw(text=text, lasting=True)


def _missing_blocks(connection: sa.Connection) -> Iterator[Flaw]:
    own, calls = schema.block, schema.transaction
    there = sa.exists().where(own.c.chain_id == calls.c.chain_id, own.c.number == calls.c.block)
    if count := connection.scalar(sa.select(sa.func.count()).select_from(calls).where(~there)):
        yield Flaw(text=f"{count:,} rows of {calls.name} lie in blocks that {own.name} lacks", lasting=True)


def _wrong_lengths(connection: sa.Connection) -> Iterator[Flaw]:
    """Yield hashes and addresses that are no such thing, and words that are too long."""
    for table in schema.metadata.sorted_tables:
        for column in table.columns:
            length = column.type.length if isinstance(column.type, sa.LargeBinary) else None
            if length is None:
                continue
            exact = length == 20 or column.name in _HASHES
            wrong = sa.func.length(column) != length if exact else sa.func.length(column) > length
            if rows := connection.scalar(sa.select(sa.func.count()).select_from(table).where(wrong)):
                expected = f"{length} bytes" if exact else f"{length} bytes at most"
                text = f"{rows:,} rows of {table.name} have a {column.name} that should have {expected}"
                yield Flaw(text=text, lasting=True)


def _wrong_counts(connection: sa.Connection) -> Iterator[Flaw]:
    call = schema.invocation
    for name, table in _COUNTED:
        actual_count = sa.select(sa.func.count()).where(table.c.invocation_id == call.c.id).scalar_subquery()
        query = (
            sa.select(sa.func.count())
            .select_from(call)
            .where(sa.func.coalesce(call.c[name], 0) != actual_count)
        )
        if wrong := connection.scalar(query):
            text = f"{wrong:,} invocations say another number of {name} than {table.name} holds"
            yield Flaw(text=text, lasting=True)


def _range_flaws(connection: sa.Connection) -> Iterator[Flaw]:
    own, names = schema.complete_range, _names(connection)
    before: dict[int, tuple[int, int]] = {}
    query = sa.select(own.c.contract_id, own.c.first, own.c.last)
    for owner, first, last in connection.execute(query.order_by(own.c.contract_id, own.c.first)):
        name = names.get(owner, f"contract {owner}")
        if first > last or (owner in before and first <= before[owner][1] + 1):
            yield Flaw(text=f"{name}: ranges of blocks overlap or touch at block {first}", lasting=True)
        elif owner in before:
            text = f"{name}: blocks {before[owner][1] + 1:,} to {first - 1:,} are not collected, those around them are"
            yield Flaw(text=text, lasting=False)
        before[owner] = first, last
    yield from _outside_flaws(connection, names)


def _outside_flaws(connection: sa.Connection, names: Mapping[int, str]) -> Iterator[Flaw]:
    for what, outside in (("transactions", _recorded_outside()), ("gaps", _gaps_outside())):
        counts = {row[0]: row[1] for row in connection.execute(outside)}
        for owner, count in counts.items():
            text = f"{names.get(owner, f'contract {owner}')}: {count:,} {what} lie outside the blocks that are complete"
            yield Flaw(text=text, lasting=False)


def _names(connection: sa.Connection) -> dict[int, str]:
    """Return how each contract is called, by its row."""
    own = schema.contract
    query = sa.select(own.c.id, own.c.chain_id, schema.address.c.bytes).join(schema.address)
    return {row: f"0x{text.hex()} on chain {chain}" for row, chain, text in connection.execute(query)}


def _outside(owner: sa.ColumnElement[int], block: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether a block is in no complete range of a contract."""
    own = schema.complete_range
    return ~sa.exists().where(own.c.contract_id == owner, own.c.first <= block, own.c.last >= block)


def _recorded_outside() -> sa.Select[int, int]:
    own, of = schema.recording, schema.transaction
    query = sa.select(own.c.contract_id, sa.func.count()).join(of, of.c.id == own.c.transaction_id)
    return query.where(_outside(own.c.contract_id, of.c.block)).group_by(own.c.contract_id)


def _gaps_outside() -> sa.Select[int, int]:
    own = schema.gap
    query = sa.select(own.c.contract_id, sa.func.count())
    return query.where(_outside(own.c.contract_id, own.c.block)).group_by(own.c.contract_id)


def count_unused(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows of each table nobody refers to, by the table's name, as far as there are any."""
    counts = {
        table.name: int(
            connection.scalar(sa.select(sa.func.count()).select_from(table).where(condition())) or 0
        )
        for table, condition in _UNUSED
    }
    return {name: count for name, count in counts.items() if count}


def remove_unused(connection: sa.Connection) -> None:
    """Remove the rows that nobody refers to."""
    for table, condition in _UNUSED:
        connection.execute(table.delete().where(condition()))


def forget_contract(connection: sa.Connection, owner: int) -> None:
    """Remove a contract with all that was recorded of it."""
    own = schema.contract
    query = sa.select(own.c.chain_id, schema.address.c.bytes).join(schema.address).where(own.c.id == owner)
    chain, address = connection.execute(query).one()
    writing.forget_recordings(connection, owner)
    for table in (
        *(schema.gap, schema.limit, schema.complete_range, schema.contract_code, schema.implementation),
    ):
        connection.execute(table.delete().where(table.c.contract_id == owner))
    connection.execute(own.delete().where(own.c.id == owner))
    pages = schema.explorer_page
    connection.execute(pages.delete().where(pages.c.chain_id == chain, pages.c.address == address))
    list_records = schema.listed_record
    connection.execute(
        list_records.delete().where(list_records.c.chain_id == chain, list_records.c.list == address)
    )


def _unused_values(table: sa.Table) -> Callable[[], sa.ColumnElement[bool]]:
    """Return the condition on rows of a dictionary that nothing refers to."""

    def condition() -> sa.ColumnElement[bool]:
        columns = [
            column
            for other in schema.metadata.sorted_tables
            for column in other.columns
            if any(key.column.table is table for key in column.foreign_keys)
        ]
        return sa.and_(
            *(
                table.c.id.not_in(sa.select(column).where(column.is_not(None)).distinct())
                for column in columns
            )
        )

    return condition


def _unused_blocks() -> sa.ColumnElement[bool]:
    """Return the condition on blocks without a transaction at which no complete range ends.

    No reorganisation is noticed by them.
    """
    own = schema.block
    ranges, contracts, calls = schema.complete_range, schema.contract, schema.transaction
    tip = (
        sa.exists()
        .where(ranges.c.contract_id == contracts.c.id, contracts.c.chain_id == own.c.chain_id)
        .where(ranges.c.last == own.c.number)
    )
    used = sa.exists().where(calls.c.chain_id == own.c.chain_id, calls.c.block == own.c.number)
    return sa.and_(~tip, ~used)


def _unused_replays() -> sa.ColumnElement[bool]:
    """Return the condition on states of executions on chains of which nothing is stored that was executed."""
    recorded, calls = schema.recording, schema.transaction
    return ~sa.exists().where(
        calls.c.chain_id == schema.replay.c.chain_id,
        calls.c.id == recorded.c.transaction_id,
        recorded.c.tracer == Tracer.EXECUTION.value,
    )


_UNUSED: Final[tuple[tuple[sa.Table, Callable[[], sa.ColumnElement[bool]]], ...]] = (
    (schema.replay, _unused_replays),
    (schema.block, _unused_blocks),
    *((table, _unused_values(table)) for table in (*_DICTIONARIES, schema.chain)),
)
"""Tables with the condition on their rows that nobody needs."""
