"""What a check keeps of the history that it has read, so that the next one reads new transactions only.

For each storage slot the file holds the transactions that changed it first and last and the one that accessed it
last, for each interaction its first and last transaction, and one for each account that took part in it. Together with
a few calls of each function (the *sample*) these transactions tell what the whole history does of a new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec
import sqlalchemy as sa

from specminer._support.errors import StoreError, plain
from specminer.history.trace import Hash
from specminer.specification.deviation import CheckResult

VERSION: Final = 1
"""Of the file; one of another version is written anew."""
_AT_ONCE: Final = 500
"""Values of one query."""
T = TypeVar("T")
SlotKey = tuple[int, bytes]
"""Position of the contract, and the slot: 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotVisits:
    """Which transactions tell what a slot holds."""

    slot: SlotKey
    owner: str | None
    """The interaction whose variable it is."""
    shared: bool
    """Whether it is a variable of the whole contract: without keys."""
    changed_first: Hash | None
    changed_last: Hash | None
    accessed_last: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionVisits:
    """Which transactions tell of an interaction."""

    name: str
    first: Hash
    last: Hash
    senders: Mapping[str, Hash]
    """By account in hexadecimal digits, a transaction in which it called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMark:
    """How far a file goes, and what it was made for."""

    specification: str
    """Digest of the specification with its edits, and of the artifact."""
    last_block: int
    prefix: str
    """Digest of the history's transactions up to that block."""
    count: int
    """How many they are."""
    coverage: Mapping[str, tuple[str, ...]]
    """What of the specification the whole history could be asked, by part; empty if no sample of it can be asked as
    much, so that each check reads all."""
    result: CheckResult | None = None
    """What a check of all transactions behind the specification's last block found, if there was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """What a file holds, or what is added to one."""

    mark: StateMark
    sample: tuple[Hash, ...] = ()
    slots: tuple[SlotVisits, ...] = ()
    interactions: tuple[InteractionVisits, ...] = ()


_METADATA: Final = sa.MetaData()
_MARK: Final = sa.Table(
    "mark",
    _METADATA,
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
_SAMPLE: Final = sa.Table("sample", _METADATA, sa.Column("transaction", sa.LargeBinary, primary_key=True))
_SLOT: Final = sa.Table(
    "slot",
    _METADATA,
    sa.Column("contract", sa.Integer, primary_key=True),
    sa.Column("slot", sa.LargeBinary, primary_key=True),
    sa.Column("owner", sa.String, index=True),
    sa.Column("shared", sa.Boolean, nullable=False, index=True),
    sa.Column("changed_first", sa.LargeBinary),
    sa.Column("changed_last", sa.LargeBinary),
    sa.Column("accessed_last", sa.LargeBinary, nullable=False),
)
_INTERACTION: Final = sa.Table(
    "interaction",
    _METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("first", sa.LargeBinary, nullable=False),
    sa.Column("last", sa.LargeBinary, nullable=False),
)
_SENDER: Final = sa.Table(
    "sender",
    _METADATA,
    sa.Column("interaction", sa.String, primary_key=True),
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("transaction", sa.LargeBinary, nullable=False),
)


class StateFile:
    """The file; use it as a context manager. Whatever is in it was written at once, so a kill leaves all or nothing."""

    def __init__(self, path: Path) -> None:
        """Read how far it goes; a file that is none, or of another version, is begun anew when something is written."""
        self._path = path
        self._engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
        sa.event.listen(self._engine, "connect", _set_up)
        self._sample: frozenset[Hash] | None = None
        """The transactions of the sample, once they were read or written."""
        self.note = ""
        """Why what was there is not used, as a sentence without full stop; empty if nothing was there, or it is."""
        try:
            self._mark = self._read() if path.exists() else None
        except (sa.exc.SQLAlchemyError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._mark = None
            self.note = f"{plain(path)} holds no state of checks that can be read ({type(error).__name__})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    @property
    def mark(self) -> StateMark | None:
        """How far it goes; ``None`` if it holds nothing."""
        return self._mark

    def _read(self) -> StateMark | None:
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(_MARK.c.version, _MARK.c.content)).first()
        if row is not None and row.version != VERSION:
            self.note = f"{plain(self._path)} is of version {row.version}, expected {VERSION}"
        if row is None or self.note:
            return None
        return msgspec.json.decode(row.content, type=StateMark)

    def sample(self) -> set[Hash]:
        """Return the transactions of the sample."""
        if self._sample is None:
            with self._engine.begin() as connection:
                rows = connection.execute(sa.select(_SAMPLE))
                self._sample = frozenset(Hash(row.transaction) for row in rows)
        return set(self._sample)

    def write(self, state: StoredState) -> None:
        """Put a state in the place of what is there, at once.

        Raises:
            StoreError: the file cannot be written.

        """
        if self.note:
            self._engine.dispose()
            with suppress(OSError):
                for ending in ("", "-wal", "-shm"):
                    self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        self._sample = None
        with self._writing() as connection:
            _METADATA.drop_all(connection)
            _METADATA.create_all(connection)
            _insert(connection, _SAMPLE, [{"transaction": item} for item in sorted(set(state.sample))])
            self._put(connection, state)
        self._mark, self.note = state.mark, ""

    def extend(self, state: StoredState) -> None:
        """Add what newer transactions changed, at once; the sample stays.

        Raises:
            StoreError: the file cannot be written.

        """
        with self._writing() as connection:
            self._put(connection, state)
        self._mark = state.mark

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(
                f"{plain(self._path)}, where the state of checks is kept, cannot be written ({type(error).__name__}); "
                "remove it, or give --state another file"
            ) from None

    def _put(self, connection: sa.Connection, state: StoredState) -> None:
        connection.execute(sa.delete(_MARK))
        content = msgspec.json.encode(state.mark)
        connection.execute(sa.insert(_MARK).values(version=VERSION, content=content))
        stored_changes = self._known_changes(connection, state.slots)
        _insert(connection, _SLOT, [_slot_row(item, stored_changes.get(item.slot)) for item in state.slots])
        began = self._beginnings(connection, {item.name for item in state.interactions})
        _insert(
            connection,
            _INTERACTION,
            [
                {"name": item.name, "first": began.get(item.name, item.first), "last": item.last}
                for item in state.interactions
            ],
        )
        _insert(
            connection,
            _SENDER,
            [
                {"interaction": item.name, "account": account, "transaction": transaction}
                for item in state.interactions
                for account, transaction in item.senders.items()
            ],
        )

    def _known_changes(
        self, connection: sa.Connection, slots: Iterable[SlotVisits]
    ) -> dict[SlotKey, tuple[Hash | None, Hash | None]]:
        rows = self._slot_rows(connection, {item.slot for item in slots})
        return {(row.contract, row.slot): (row.changed_first, row.changed_last) for row in rows}

    def _slot_rows(
        self, connection: sa.Connection, keys: Collection[SlotKey]
    ) -> list[sa.Row[tuple[object, ...]]]:
        requested = set(keys)
        rows = []
        for part in _parts(sorted({slot for _, slot in requested})):
            query = sa.select(_SLOT).where(_SLOT.c.slot.in_(part))
            rows += [row for row in connection.execute(query) if (row.contract, row.slot) in requested]
        return rows

    def _beginnings(self, connection: sa.Connection, names: Collection[str]) -> dict[str, Hash]:
        first_by_name: dict[str, Hash] = {}
        for part in _parts(sorted(names)):
            query = sa.select(_INTERACTION).where(_INTERACTION.c.name.in_(part))
            first_by_name |= {row.name: Hash(row.first) for row in connection.execute(query)}
        return first_by_name

    def bearing(
        self, slots: Collection[SlotKey], interactions: Collection[str], senders: Collection[str]
    ) -> tuple[set[Hash], set[str]]:
        """Return the transactions that tell of slots and interactions, and the interactions themselves.

        Args:
            slots: what new transactions access; whose variables these are counts as if it was named.
            interactions: what they are events of, as far as that is known.
            senders: who calls in them, as :class:`InteractionVisits` has them.

        """
        hashes: set[Any] = {*self.sample()}
        with self._engine.begin() as connection:
            rows = self._slot_rows(connection, slots)
            names = {str(row.owner) for row in rows if row.owner is not None} | set(interactions)
            rows += list(connection.execute(sa.select(_SLOT).where(_SLOT.c.shared)))
            for part in _parts(sorted(names)):
                rows += list(connection.execute(sa.select(_SLOT).where(_SLOT.c.owner.in_(part))))
                for row in connection.execute(sa.select(_INTERACTION).where(_INTERACTION.c.name.in_(part))):
                    hashes |= {row.first, row.last}
                query = sa.select(_SENDER).where(_SENDER.c.interaction.in_(part))
                hashes |= {row.transaction for row in connection.execute(query) if row.account in senders}
        for row in rows:
            hashes |= {row.changed_first, row.changed_last, row.accessed_last}
        return {Hash(item) for item in hashes if item is not None}, names


def _set_up(connection: Any, _record: object) -> None:
    """Let a commit wait for no disk: what a failure of power takes is read from the history again."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _slot_row(item: SlotVisits, stored_changes: tuple[Hash | None, Hash | None] | None) -> dict[str, object]:
    first, last = stored_changes or (None, None)
    return {
        "contract": item.slot[0],
        "slot": item.slot[1],
        "owner": item.owner,
        "shared": item.shared,
        "changed_first": first or item.changed_first,
        "changed_last": item.changed_last or last,
        "accessed_last": item.accessed_last,
    }


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, object]]) -> None:
    if rows:
        connection.execute(sa.insert(table).prefix_with("OR REPLACE"), rows)


def _parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
