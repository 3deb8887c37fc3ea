"""What a watch has judged, found and delivered: kept in a file, so that a kill at any moment loses nothing.

A finding is written down before it is delivered, and marked behind it: it is delivered at least once, and each time
under the same key. What a reorganisation took back is withdrawn in the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import sqlalchemy as sa

from specminer._support.errors import StoreError, plain
from specminer.specification.deviation import Deviation

VERSION: Final = 1
"""Of the file."""


class Notice(Enum):
    """What a receiver is told of a finding."""

    FOUND = "found"
    WITHDRAWN = "withdrawn"
    """Its transaction is no longer part of the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One delivery."""

    key: str
    """The same each time the same finding is delivered; receivers drop repetitions by it."""
    notice: Notice
    payload: Mapping[str, Any]
    """The finding, as JSON has it."""

    def document(self) -> dict[str, Any]:
        """Return what is delivered."""
        return {"key": self.key, "notice": self.notice.value, **self.payload}


_METADATA: Final = sa.MetaData()
_WATCH_TABLE: Final = sa.Table("watch", _METADATA, sa.Column("version", sa.Integer, nullable=False))
_JUDGED_TABLE: Final = sa.Table(
    "judged",
    _METADATA,
    sa.Column("transaction", sa.String, primary_key=True),
    sa.Column("block", sa.BigInteger, nullable=False),
)
_MESSAGES: Final = sa.Table(
    "message",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String, nullable=False, unique=True),
    sa.Column("transaction", sa.String, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("delivered", sa.Boolean, nullable=False, default=False),
    sa.Column("withdrawn", sa.Boolean, nullable=False, default=False),
    sa.Column("withdrawal_delivered", sa.Boolean, nullable=False, default=False),
)


class DeliveryJournal:
    """The file; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open it, or begin a new one.

        Raises:
            StoreError: it cannot be opened, or is none.

        """
        self._path = path
        self._engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        sa.event.listen(self._engine, "connect", _set_up)
        try:
            _METADATA.create_all(self._engine)
            with self._engine.begin() as connection:
                version = connection.execute(sa.select(_WATCH_TABLE.c.version)).scalar()
                if version is None:
                    connection.execute(sa.insert(_WATCH_TABLE).values(version=VERSION))
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"the journal {plain(path)} cannot be opened: {_cause(error)}") from None
        if version not in (None, VERSION):
            raise StoreError(
                f"the journal {plain(path)} is of version {version}, expected {VERSION}; give --journal another file"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def judged_transactions(self) -> dict[str, int]:
        """Return the transactions that were judged, with their blocks."""
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(_JUDGED_TABLE.c.transaction, _JUDGED_TABLE.c.block))
            return {str(transaction): int(block) for transaction, block in rows}

    def record(
        self,
        judged: Mapping[str, int],
        findings: Iterable[tuple[Deviation, Mapping[str, Any]]],
        removals: Collection[str],
    ) -> None:
        """Write down what was judged and found, and what is no longer part of the chain, all of it or nothing.

        Args:
            judged: transactions with their blocks.
            findings: what was found, each with what is delivered of it.
            removals: transactions that were judged before.

        """
        with self._engine.begin() as connection:
            if judged:
                connection.execute(
                    sa.insert(_JUDGED_TABLE).prefix_with("OR REPLACE"),
                    [{"transaction": name, "block": block} for name, block in judged.items()],
                )
            for item, payload in findings:
                _add(connection, item, msgspec.json.encode(payload))
            for transaction in removals:
                connection.execute(sa.delete(_JUDGED_TABLE).where(_JUDGED_TABLE.c.transaction == transaction))
                connection.execute(
                    sa.update(_MESSAGES).where(_MESSAGES.c.transaction == transaction).values(withdrawn=True)
                )

    def pending(self) -> Sequence[Message]:
        """Return what has yet to be delivered, in the order in which it was found."""
        table = _MESSAGES.c
        due = (table.delivered == table.withdrawn) & ~(table.withdrawn & table.withdrawal_delivered)
        with self._engine.begin() as connection:
            rows = connection.execute(sa.select(_MESSAGES).where(due).order_by(table.id)).all()
        return [
            Message(
                key=row.key,
                notice=Notice.WITHDRAWN if row.withdrawn else Notice.FOUND,
                payload=msgspec.json.decode(row.payload),
            )
            for row in rows
        ]

    def mark(self, message: Message) -> None:
        """Write down that a message was delivered."""
        column = "delivered" if message.notice is Notice.FOUND else "withdrawal_delivered"
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(_MESSAGES).where(_MESSAGES.c.key == message.key).values({column: True})
            )


def _set_up(connection: Any, _record: object) -> None:
    """Write what is new to a log, and wait for the disk once a commit: what is written down stays, whatever happens."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _add(connection: sa.Connection, item: Deviation, payload: bytes) -> None:
    """Add a finding to what is to be delivered, unless it was found before and is still there."""
    key = key_of(item)
    fresh = {"payload": payload, "delivered": False, "withdrawn": False, "withdrawal_delivered": False}
    withdrawn = connection.execute(sa.select(_MESSAGES.c.withdrawn).where(_MESSAGES.c.key == key)).scalar()
    if withdrawn is None:
        connection.execute(sa.insert(_MESSAGES).values(key=key, transaction=item.where.transaction, **fresh))
    elif withdrawn:  # the transaction is part of the chain again
        connection.execute(sa.update(_MESSAGES).where(_MESSAGES.c.key == key).values(**fresh))


def key_of(item: Deviation) -> str:
    """Return what a finding is known by: the same for the same transaction, call and claim, in any run."""
    parts = (item.where.transaction, item.basis.value, item.function, item.interaction or "", item.sentence)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _cause(error: sa.exc.SQLAlchemyError) -> str:
    return plain(getattr(error, "orig", None) or type(error).__name__, 200)
