"""The tables, and how older databases become current ones.

Everything that repeats (addresses, words, code, ABIs) is stored once and referred to by a small integer;
a storage access is one row of integers. Dictionary rows are numbered in order of first use, so the same
history collected in one go or in many ends as the same content.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from specminer._support.errors import StoreError

metadata = sa.MetaData()

_Id = sa.Integer
_Long = sa.BigInteger
_Count = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
"""SQLite's integers have 64 bits whatever they are called."""


def _text(length: int) -> sa.types.TypeEngine[str]:
    """Return the type of text, which every database orders by code points, as SQLite does."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

chain = sa.Table(
    "chain",
    metadata,
    sa.Column("id", _Long, primary_key=True, autoincrement=False),
    sa.Column("genesis", sa.LargeBinary(32)),
)
"""A chain that was read from; its genesis hash tells chains of one id apart."""

address = sa.Table(
    "address",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("bytes", sa.LargeBinary(20), nullable=False, unique=True),
)

word = sa.Table(
    "word",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("bytes", sa.LargeBinary(32), nullable=False, unique=True),
)
"""Slots, values and amounts: big-endian without leading zeros."""

code = sa.Table(
    "code",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
)

artifact = sa.Table(
    "artifact",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("json", sa.LargeBinary, nullable=False),
)
"""ABI and storage layout, as canonical JSON."""

contract = sa.Table(
    "contract",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("chain_id", _Long, sa.ForeignKey("chain.id"), nullable=False),
    sa.Column("address_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("code_id", _Id, sa.ForeignKey("code.id")),
    sa.Column("artifact_id", _Id, sa.ForeignKey("artifact.id")),
    sa.Column("created_in_block", _Long),
    sa.UniqueConstraint("chain_id", "address_id"),
)

implementation = sa.Table(
    "implementation",
    metadata,
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("address_id", _Id, sa.ForeignKey("address.id"), primary_key=True),
    sa.Column("code_id", _Id, sa.ForeignKey("code.id")),
)
"""Whose code a proxy ran."""

complete_range = sa.Table(
    "complete_range",
    metadata,
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("first", _Long, primary_key=True),
    sa.Column("last", _Long, nullable=False),
)
"""Blocks in which every transaction of the contract is stored; ranges neither touch nor overlap."""

limit = sa.Table(
    "limitation",
    metadata,
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("text", _text(500), primary_key=True),
)
"""What the way of collecting may have missed, as sentences."""

block = sa.Table(
    "block",
    metadata,
    sa.Column("chain_id", _Long, sa.ForeignKey("chain.id"), primary_key=True),
    sa.Column("number", _Long, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("timestamp", _Long),
    sa.Column("base_fee", sa.LargeBinary(32)),
    sa.Column("beneficiary", sa.LargeBinary(20)),
    sa.Column("gas_limit", _Long),
    sa.Column("randomness", sa.LargeBinary(32)),
)
"""``base_fee`` and ``randomness`` are big-endian without leading zeros. No column refers to a dictionary, so that the
order in which its rows are numbered does not depend on how many blocks came at once."""

transaction = sa.Table(
    "transaction_",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("chain_id", _Long, sa.ForeignKey("chain.id"), nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("block", _Long, nullable=False),
    sa.Column("position", _Count, nullable=False),
    sa.Column("sender_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("to_id", _Id, sa.ForeignKey("address.id")),
    sa.Column("value_id", _Id, sa.ForeignKey("word.id"), nullable=False),
    sa.Column("gas", _Long, nullable=False),
    sa.Column("gas_used", _Long, nullable=False),
    sa.Column("nonce", _Long, nullable=False),
    sa.Column("succeeded", sa.Boolean, nullable=False),
    sa.UniqueConstraint("chain_id", "hash"),
    sa.Index("transaction_by_block", "chain_id", "block", "position"),
)

recording = sa.Table(
    "recording",
    metadata,
    sa.Column("transaction_id", _Id, sa.ForeignKey("transaction_.id"), primary_key=True),
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("tracer", _text(24), nullable=False),
    sa.Column("fidelity", _text(16)),
    sa.Column("logs", _Count),
)
"""Which contract's part of a transaction was recorded, by which tracer, and, where it was executed again, how far
it did what the chain says. ``logs``: how many log entries of other contracts were recorded; null if none could be."""

replay = sa.Table(
    "replay",
    metadata,
    sa.Column("chain_id", _Long, sa.ForeignKey("chain.id"), primary_key=True),
    sa.Column("first", sa.LargeBinary(32), primary_key=True),
    sa.Column("done", _Count, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
)
"""How far an export was executed again: by the hash of its first transaction, how many of its records are done,
a digest of these, and the machine's state after them."""

invocation = sa.Table(
    "invocation",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("transaction_id", _Id, sa.ForeignKey("transaction_.id"), nullable=False),
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), nullable=False),
    sa.Column("code_address_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("position", _Count, nullable=False),
    sa.Column("parent", _Count),
    sa.Column("depth", _Count, nullable=False),
    sa.Column("kind", _text(12), nullable=False),
    sa.Column("sender_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("value_id", _Id, sa.ForeignKey("word.id"), nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("outcome", _text(16), nullable=False),
    sa.Column("output", sa.LargeBinary, nullable=False),
    sa.Column("gas", _Long, nullable=False),
    sa.Column("gas_used", _Long, nullable=False),
    sa.Column("payments", _Count),
    sa.Column("external_calls", _Count),
    sa.Column("frame_codes", _Count),
    sa.Column("environment_answers", _Count),
    sa.UniqueConstraint("contract_id", "transaction_id", "position"),
    sa.Index(
        "invocation_by_transaction", "transaction_id"
    ),  # else each transaction forgotten scans the table
)

"""``payments``, ``external_calls``, ``frame_codes``, ``environment_answers``: how many there are in the table of that
name; null if that was not recorded."""

access = sa.Table(
    "access",
    metadata,
    sa.Column("invocation_id", _Id, sa.ForeignKey("invocation.id"), primary_key=True),
    sa.Column("position", _Count, primary_key=True, autoincrement=False),
    sa.Column("write", sa.Boolean, nullable=False),
    sa.Column("slot_id", _Id, sa.ForeignKey("word.id"), nullable=False),
    sa.Column("before_id", _Id, sa.ForeignKey("word.id")),
    sa.Column("after_id", _Id, sa.ForeignKey("word.id")),
    sa.Column("undone", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""``before_id`` and ``after_id``: null for a value that is not known."""

event = sa.Table(
    "event",
    metadata,
    sa.Column("invocation_id", _Id, sa.ForeignKey("invocation.id"), primary_key=True),
    sa.Column("position", _Count, primary_key=True, autoincrement=False),
    sa.Column("topics", sa.LargeBinary, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("undone", sa.Boolean, nullable=False),
)
"""``topics``: 32 bytes each, one after another."""

preimage = sa.Table(
    "preimage",
    metadata,
    sa.Column("transaction_id", _Id, sa.ForeignKey("transaction_.id"), primary_key=True),
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("position", _Count, primary_key=True, autoincrement=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
)
"""What was hashed with KECCAK256, where it was hashed for the first time."""

explorer_page = sa.Table(
    "explorer_page",
    metadata,
    sa.Column("chain_id", _Long, primary_key=True, autoincrement=False),
    sa.Column("address", sa.LargeBinary(20), primary_key=True),
    sa.Column("list", _text(16), primary_key=True),
    sa.Column("number", _Count, primary_key=True, autoincrement=False),
    sa.Column("records", sa.LargeBinary, nullable=False),
)
"""What an explorer said of a contract, as it was read: the new records of each page, so that reading them can go on
where it stopped. They refer to no other table: they are not history until they are executed again."""

listed_record = sa.Table(
    "listed_record",
    metadata,
    sa.Column("chain_id", _Long, primary_key=True, autoincrement=False),
    sa.Column("list", sa.LargeBinary(20), primary_key=True),
    sa.Column("kind", _text(16), primary_key=True),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("position", _Count, primary_key=True, autoincrement=False),
    sa.Column("record", sa.LargeBinary, nullable=False),
)
"""What imported files said of transactions and internal calls, so that what a later import brings is executed together
with it. ``list``: the contract whose list it is; ``position``: which of the calls of one transaction. They refer to no
other table: they are not history until they are executed again."""

creation = sa.Table(
    "creation",
    metadata,
    sa.Column("transaction_id", _Id, sa.ForeignKey("transaction_.id"), primary_key=True),
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("position", _Count, primary_key=True, autoincrement=False),
    sa.Column("creator_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("created_id", _Id, sa.ForeignKey("address.id"), nullable=False),
)
"""What was created inside a contract's invocations and stayed, in order."""

payment = sa.Table(
    "payment",
    metadata,
    sa.Column("invocation_id", _Id, sa.ForeignKey("invocation.id"), primary_key=True),
    sa.Column("place", _Count, primary_key=True, autoincrement=False),
    sa.Column("position", _Count, nullable=False),
    sa.Column("kind", _text(16), nullable=False),
    sa.Column("to_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("value_id", _Id, sa.ForeignKey("word.id")),
    sa.Column("undone", sa.Boolean, nullable=False),
)
"""Ether that an invocation sent out of the contract, in order."""

external_call = sa.Table(
    "external_call",
    metadata,
    sa.Column("invocation_id", _Id, sa.ForeignKey("invocation.id"), primary_key=True),
    sa.Column("place", _Count, primary_key=True, autoincrement=False),
    sa.Column("position", _Count, nullable=False),
    sa.Column("kind", _text(12), nullable=False),
    sa.Column("to_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("value_id", _Id, sa.ForeignKey("word.id"), nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("data_size", _Long),
    sa.Column("succeeded", sa.Boolean, nullable=False),
    sa.Column("output", sa.LargeBinary, nullable=False),
    sa.Column("output_size", _Long),
    sa.Column("undone", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""Calls of other contracts with their answers, in order."""

frame_code = sa.Table(
    "frame_code",
    metadata,
    sa.Column("invocation_id", _Id, sa.ForeignKey("invocation.id"), primary_key=True),
    sa.Column("place", _Count, primary_key=True, autoincrement=False),
    sa.Column("position", _Count, nullable=False),
    sa.Column("address_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("hash_id", _Id, sa.ForeignKey("word.id")),
    sqlite_with_rowid=False,
)
"""Whose code ran in an invocation, with the hash of the code where it is known, in order."""

environment_answer = sa.Table(
    "environment_answer",
    metadata,
    sa.Column("invocation_id", _Id, sa.ForeignKey("invocation.id"), primary_key=True),
    sa.Column("place", _Count, primary_key=True, autoincrement=False),
    sa.Column("position", _Count, nullable=False),
    sa.Column("kind", _text(20), nullable=False),
    sa.Column("subject", sa.LargeBinary(32), nullable=False),
    sa.Column("value", sa.LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)
"""What an invocation asked of its environment, in order; the words are big-endian without leading zeros. They stand
here themselves, because gas left is hardly ever the same twice."""

foreign_log = sa.Table(
    "foreign_log",
    metadata,
    sa.Column("transaction_id", _Id, sa.ForeignKey("transaction_.id"), primary_key=True),
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("position", _Count, primary_key=True, autoincrement=False),
    sa.Column("address_id", _Id, sa.ForeignKey("address.id"), nullable=False),
    sa.Column("topics", sa.LargeBinary, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("data_size", _Long, nullable=False),
    sqlite_with_rowid=False,
)
"""Log entries of other contracts in the contract's transactions; ``topics``: 32 bytes each, one after another."""

contract_code = sa.Table(
    "contract_code",
    metadata,
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("code_id", _Id, sa.ForeignKey("code.id"), primary_key=True),
)
"""Code that ran in a contract's storage at any time."""

gap = sa.Table(
    "gap",
    metadata,
    sa.Column("contract_id", _Id, sa.ForeignKey("contract.id"), primary_key=True),
    sa.Column("hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("block", _Long, nullable=False),
    sa.Column("reason", _text(500), nullable=False),
)
"""Transactions in complete ranges that could not be recorded, and why; they are tried again."""

Migration = Callable[[sa.Connection], None]


def _add_replay(connection: sa.Connection) -> None:
    connection.execute(sa.text("ALTER TABLE recording ADD COLUMN fidelity VARCHAR(16)"))
    replay.create(connection)


def _add_explorer_pages(connection: sa.Connection) -> None:
    explorer_page.create(connection)


def _add_creation(connection: sa.Connection) -> None:
    """Make room for creations; those of transactions that were stored before are not known."""
    creation.create(connection)


def _add_payments(connection: sa.Connection) -> None:
    """Make room for payments; those of invocations that were stored before are not known."""
    connection.execute(sa.text("ALTER TABLE invocation ADD COLUMN payments INTEGER"))
    payment.create(connection)


def _add_gaps(connection: sa.Connection) -> None:
    """Make room for transactions that could not be recorded; before, one of them ended the run."""
    gap.create(connection)


def _allow_unknown_values(connection: sa.Connection) -> None:
    """Let the value after an access be unknown, and forget values of transactions that were not to be believed.

    SQLite changes no column, so the table is made anew.
    """
    if connection.dialect.name == "sqlite":
        columns = ", ".join(f'"{column.name}"' for column in access.columns)
        connection.execute(sa.text("ALTER TABLE access RENAME TO access_before"))
        access.create(connection)
        connection.execute(sa.text(f"INSERT INTO access ({columns}) SELECT {columns} FROM access_before"))
        connection.execute(sa.text("DROP TABLE access_before"))
    else:
        connection.execute(sa.text("ALTER TABLE access ALTER COLUMN after_id DROP NOT NULL"))
    doubtful = (
        sa.select(invocation.c.id)
        .join(
            recording,
            sa.and_(
                recording.c.transaction_id == invocation.c.transaction_id,
                recording.c.contract_id == invocation.c.contract_id,
            ),
        )
        .where(recording.c.fidelity.in_(_DOUBTED))
    )
    connection.execute(
        access.update().where(access.c.invocation_id.in_(doubtful)).values(before_id=None, after_id=None)
    )


_DOUBTED: Final = ("gas differs", "status differs", "tainted")
"""Marks of transactions whose values were stored, but left out of mining, by older versions."""


def _add_answers(connection: sa.Connection) -> None:
    """Make room for what version 2 of the model records; of what was stored before it is not known."""
    for table, column, kind in (
        ("block", "base_fee", "BLOB"),
        ("block", "beneficiary", "BLOB"),
        ("block", "gas_limit", "BIGINT"),
        ("block", "randomness", "BLOB"),
        ("recording", "logs", "INTEGER"),
        ("invocation", "external_calls", "INTEGER"),
        ("invocation", "frame_codes", "INTEGER"),
        ("invocation", "environment_answers", "INTEGER"),
    ):
        if kind == "BLOB":  # its name differs from database to database
            kind = sa.LargeBinary().compile(dialect=connection.dialect)
        connection.execute(sa.text(f'ALTER TABLE "{table}" ADD COLUMN {column} {kind}'))
    for added in (external_call, frame_code, environment_answer, foreign_log, contract_code):
        added.create(connection)


def _add_listed_records(connection: sa.Connection) -> None:
    """Make room for what imported files said; before, it was not kept."""
    listed_record.create(connection)


MIGRATIONS: tuple[Migration, ...] = (
    _add_replay,
    _add_explorer_pages,
    _add_creation,
    _add_payments,
    _add_gaps,
    _allow_unknown_values,
    _add_answers,
    _add_listed_records,
)
"""``MIGRATIONS[i]`` turns a database of version ``i + 1`` into one of version ``i + 2``."""


def is_current(connection: sa.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> bool:
    """Return whether the tables are there as this specminer wants them; changes nothing.

    Raises:
        StoreError: the database is of a newer specminer, or is not one of ours.

    """
    names = set(sa.inspect(connection).get_table_names())
    return bool(names) and _version(connection, names, migrations) == len(migrations) + 1


def is_empty(connection: sa.Connection) -> bool:
    """Return whether there are no tables yet."""
    return not sa.inspect(connection).get_table_names()


def _version(connection: sa.Connection, names: set[str], migrations: tuple[Migration, ...]) -> int:
    current = len(migrations) + 1
    if not {schema_version.name, contract.name, recording.name} <= names:
        raise StoreError(
            "the database holds tables, but none of specminer's; give --db another file or database"
        )
    versions = connection.scalars(sa.select(schema_version.c.version)).all()
    if len(versions) != 1 or versions[0] < 1:
        raise StoreError("the database does not say which version its tables have; restore it from a copy")
    if versions[0] > current:
        raise StoreError(
            f"the database has schema version {versions[0]}, this specminer knows version {current}; update "
            "specminer"
        )
    return int(versions[0])


def prepare(connection: sa.Connection, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Create the tables in an empty database, or bring an older one up to date, in one transaction.

    Raises:
        StoreError: the database is of a newer specminer, or is not one of ours.

    """
    current = len(migrations) + 1
    names = set(sa.inspect(connection).get_table_names())
    if not names:
        metadata.create_all(connection)
        connection.execute(schema_version.insert().values(version=current))
        return
    version = _version(connection, names, migrations)
    for step in migrations[version - 1 :]:
        step(connection)
    if version < current:
        connection.execute(schema_version.update().values(version=current))
