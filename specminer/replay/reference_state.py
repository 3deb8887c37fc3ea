"""The world that transactions run in: accounts and storage, with a journal that takes back what failed.

The specification copies the whole state at each call to be able to take it back. Here a journal of old values
does the same at the price of what was changed. Accounts that nobody mentioned before exist, with a balance: a
history does not tell which do, but nearly all do, and a transfer to one that does not costs 25,000 gas more.
Where a :class:`AccountSource` is given (a node), code, balance and storage of unknown accounts come from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from specminer._support.nesting import usual_recursion
from specminer.replay.machine_calls import (
    EXISTS,
    AccountSource,
    Basics,
    SavedAccount,
    SavedState,
    SavedStorage,
)

with usual_recursion():
    from ethereum.forks.istanbul.trie import Trie
    from ethereum_types.bytes import Bytes20, Bytes32
    from ethereum_types.numeric import U256, Uint

_ABSENT: Final = object()


class _AssumedSource:
    """No source: every account exists, without code."""

    def basics(self, address: bytes) -> Basics | None:
        del address
        return Basics(balance=EXISTS)

    def storage(self, address: bytes, slot: int) -> int:
        del address, slot
        return 0


class _JournaledMapping(dict[Any, Any]):
    """A mapping that notes what each change replaced."""

    __slots__ = ("absent", "journal")

    def __init__(self, journal: list[tuple[_JournaledMapping, Any, Any]], absent: Any) -> None:
        super().__init__()
        self.journal = journal
        self.absent = absent
        """What stands for a key that was removed."""

    def __setitem__(self, key: Any, value: Any) -> None:
        self.journal.append((self, key, dict.get(self, key, _ABSENT)))
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: Any) -> None:
        self[key] = self.absent

    def restore(self, key: Any, old: Any) -> None:
        if old is _ABSENT:
            dict.pop(self, key, None)
        else:
            dict.__setitem__(self, key, old)


class _ReferenceAccounts(_JournaledMapping):
    """Address to account of the current fork's type; unknown ones come from the source."""

    __slots__ = ("assumed", "foreign", "fresh", "kind", "missing", "source")

    def __init__(self, journal: list[tuple[_JournaledMapping, Any, Any]], source: AccountSource) -> None:
        super().__init__(journal, None)
        self.source = source
        self.missing: frozenset[bytes] = frozenset()
        self.assumed = _JournaledMapping(journal, None)
        """Accounts that have a wei only so that they exist."""
        self.foreign: set[Any] = set()
        """Contracts of the source, whose state others change as well."""
        self.fresh: list[Any] = []
        """Looked at for the first time since the outermost moment remembered."""
        self.kind: Callable[..., Any] = _AssumedSource

    def get(self, key: Any, default: Any = None) -> Any:
        account = dict.get(self, key, _ABSENT)
        if account is _ABSENT:
            self.fresh.append(key)
            basics = None if key in self.missing else self.source.basics(bytes(key))
            if basics is None:
                return default
            if basics.code:
                self.foreign.add(key)
            if isinstance(self.source, _AssumedSource):
                dict.__setitem__(self.assumed, key, True)
            account = self.kind(
                nonce=Uint(basics.nonce), balance=U256(basics.balance), code=bytes(basics.code)
            )
            dict.__setitem__(self, key, account)
        elif account is not None and type(account) is not self.kind:  # it was made under an earlier fork
            account = self.kind(nonce=account.nonce, balance=account.balance, code=account.code)
            dict.__setitem__(self, key, account)
        return default if account is None else account


class _Slots(_JournaledMapping):
    """Slot to value of one account."""

    __slots__ = ("address", "source")

    def __init__(
        self, journal: list[tuple[_JournaledMapping, Any, Any]], address: bytes, source: AccountSource | None
    ) -> None:
        super().__init__(journal, U256(0))
        self.address = address
        self.source = source

    def get(self, key: Any, default: Any = None) -> Any:
        value = dict.get(self, key, _ABSENT)
        if value is not _ABSENT:
            return value
        if self.source is None:
            return default
        value = U256(self.source.storage(self.address, int.from_bytes(key, "big")))
        dict.__setitem__(self, key, value)
        return value


class _Tries(_JournaledMapping):
    """Address to its storage."""

    __slots__ = ("began_empty", "source")

    def __init__(
        self, journal: list[tuple[_JournaledMapping, Any, Any]], source: AccountSource | None
    ) -> None:
        super().__init__(journal, None)
        self.source = source
        self.began_empty: set[bytes] = set()
        """Addresses whose storage began empty here: the source has nothing to say of them."""

    def __contains__(self, key: object) -> bool:
        trie = dict.get(self, key)
        return trie is not None and any(int(value) for value in trie._data.values())

    def __setitem__(self, key: Any, value: Any) -> None:
        if value is not None and not isinstance(value._data, _Slots):
            value._data = _Slots(self.journal, bytes(key), None if key in self.began_empty else self.source)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self.began_empty.add(bytes(key))
        super().__delitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        trie = dict.get(self, key)
        if trie is None and self.source is not None and key not in self.began_empty:
            trie = Trie(secured=True, default=U256(0))
            trie._data = _Slots(self.journal, bytes(key), self.source)
            dict.__setitem__(self, key, trie)
        return default if trie is None else trie


class _Original:
    """Storage as it was when the transaction began, for the gas rules that ask for it."""

    def __init__(self, state: ReferenceState) -> None:
        self._state = state

    def get(self, address: Any) -> Trie[Any, Any] | None:
        trie = self._state._storage_tries.get(address)
        before: Any = None if trie is None else _Before(trie._data, self._state.before())
        return None if trie is None else Trie(True, U256(0), before)


class _Before:
    """One account's slots at the beginning of the transaction."""

    def __init__(self, slots: _Slots, before: dict[tuple[int, Any], Any]) -> None:
        self._slots = slots
        self._before = before

    def get(self, key: Any, default: Any) -> Any:
        old = self._before.get((id(self._slots), key), _ABSENT)
        if old is _ABSENT:
            return self._slots.get(key, default)
        return default if old is None else old


class _CreatedAccounts(set[Any]):
    """Accounts created in this transaction: whatever a source says, their storage begins empty."""

    def __init__(self, tries: _Tries) -> None:
        super().__init__()
        self._tries = tries

    def add(self, address: Any) -> None:
        self._tries.began_empty.add(bytes(address))
        super().add(address)


class ReferenceState:
    """Accounts and storage under one of the specification's forks; stands in for its own ``State``."""

    def __init__(self, source: AccountSource | None = None) -> None:
        """Begin with the empty world, or with what ``source`` tells of it."""
        self._journal: list[tuple[_JournaledMapping, Any, Any]] = []
        accounts = _ReferenceAccounts(self._journal, source or _AssumedSource())
        self._main_trie: Any = Trie(secured=True, default=None)
        self._main_trie._data = accounts
        self._accounts = accounts
        self._storage_tries: Any = _Tries(self._journal, source)
        self._snapshots: list[Any] = []
        self._marks: list[int] = []
        self._seen_entries = 0
        self._before: dict[tuple[int, Any], Any] = {}
        self.created_accounts: set[Any] = _CreatedAccounts(self._storage_tries)

    def use(self, account: Callable[..., Any]) -> None:
        """Hand out accounts of this type from now on: each fork has its own."""
        self._accounts.kind = account

    @contextmanager
    def without(self, addresses: Iterable[bytes]) -> Iterator[None]:
        """For a while, these accounts do not exist, unless they were heard of before."""
        self._accounts.missing = frozenset(addresses)
        try:
            yield
        finally:
            self._accounts.missing = frozenset()

    def make_room(self, address: bytes) -> None:
        """Take away the wei that was only assumed: the account is created now, or certainly exists."""
        self._accounts.get(Bytes20(address))
        if dict.get(self._accounts.assumed, Bytes20(address)):
            account = self._accounts.get(Bytes20(address))
            self._accounts[Bytes20(address)] = self._accounts.kind(
                nonce=account.nonce, balance=account.balance - U256(EXISTS), code=account.code
            )
            del self._accounts.assumed[Bytes20(address)]

    @property
    def fresh(self) -> frozenset[bytes]:
        """Accounts looked at for the first time since the outermost moment remembered."""
        return frozenset(map(bytes, self._accounts.fresh))

    def forget_fresh(self) -> None:
        """Look at those accounts anew when they are needed again; only after what they did was taken back."""
        for key in self._accounts.fresh:
            dict.pop(self._accounts, key, None)
        self._accounts.fresh.clear()

    def begin(self) -> None:
        """Remember this moment; moments nest."""
        if not self._marks:
            self._journal.clear()
            self._before.clear()
            self._accounts.fresh.clear()
            self._seen_entries = 0
            self._snapshots.append((None, _Original(self)))
        self._marks.append(len(self._journal))

    def commit(self) -> None:
        """Keep what was done since the last moment remembered."""
        self._marks.pop()
        self._end()

    def rollback(self) -> None:
        """Take back what was done since the last moment remembered."""
        mark = self._marks.pop()
        self.before()
        while len(self._journal) > mark:
            data, key, old = self._journal.pop()
            data.restore(key, old)
        self._seen_entries = min(self._seen_entries, mark)
        self._end()

    def _end(self) -> None:
        if not self._marks:
            self._snapshots.clear()
            self.created_accounts.clear()

    def before(self) -> dict[tuple[int, Any], Any]:
        """Return what each slot that changed since the outermost moment held then, by (slots, key)."""
        for data, key, old in self._journal[self._seen_entries :]:
            if isinstance(data, _Slots):
                self._before.setdefault((id(data), key), None if old is _ABSENT else old)
        self._seen_entries = len(self._journal)
        return self._before

    @property
    def depth(self) -> int:
        """How many moments are remembered."""
        return len(self._marks)

    def reset(self, depth: int) -> None:
        """Take back everything down to ``depth`` moments, after an execution was abandoned."""
        while len(self._marks) > depth:
            self.rollback()

    def refresh(self) -> None:
        """Ask the source again for its contracts when they are needed: another block has come."""
        for key in self._accounts.foreign:
            dict.pop(self._accounts, key, None)
            dict.pop(self._storage_tries, key, None)
        self._accounts.foreign.clear()

    def adopt(self, address: bytes) -> None:
        """Keep a contract of the source from now on: the history alone changes it."""
        self._accounts.foreign.discard(address)

    def dump(self) -> SavedState:
        """Return what is known here and nowhere else, for :meth:`load`; only between transactions."""
        foreign, assumed = self._accounts.foreign, self._accounts.assumed
        accounts = []
        for key, item in self._accounts.items():
            if item is not None and key not in foreign:
                balance = int(item.balance) - (EXISTS if dict.get(assumed, key) else 0)
                if balance or item.nonce or item.code:
                    accounts.append(
                        (bytes(key), int(item.nonce), balance.to_bytes(32, "big"), bytes(item.code))
                    )
        began_empty = self._storage_tries.began_empty
        storage = [
            (
                bytes(key),
                bytes(key) in began_empty,
                [(bytes(slot), int(value).to_bytes(32, "big")) for slot, value in trie._data.items()],
            )
            for key, trie in self._storage_tries.items()
            if trie is not None and key not in foreign
        ]
        return sorted(accounts), sorted(storage)

    def load(self, accounts: Iterable[SavedAccount], storage: Iterable[SavedStorage]) -> None:
        """Take in what :meth:`dump` returned; the state must be new."""
        for address, nonce, balance, code in accounts:
            account = self._accounts.kind(nonce=Uint(nonce), balance=U256.from_be_bytes(balance), code=code)
            dict.__setitem__(self._accounts, Bytes20(address), account)
        for address, began_empty, slots in storage:
            if began_empty:
                self._storage_tries.began_empty.add(address)
            trie: Any = Trie(secured=True, default=U256(0))
            self._storage_tries[Bytes20(address)] = trie
            for slot, value in slots:
                dict.__setitem__(trie._data, Bytes32(slot), U256.from_be_bytes(value))
        self._journal.clear()

    def put(self, address: bytes, basics: Basics | None, *, assumed: bool = False) -> None:
        """Take in an account; ``None`` does not exist. The state must be new."""
        key = Bytes20(address)
        account = basics and self._accounts.kind(
            nonce=Uint(basics.nonce), balance=U256(basics.balance), code=basics.code
        )
        dict.__setitem__(self._accounts, key, account)
        if assumed:
            dict.__setitem__(self._accounts.assumed, key, True)
