"""Accounts and storage, with a journal of old values that takes back what failed.

The journal costs only what was changed; a moment to return to is its length. What nobody mentioned before comes from
a :class:`WorldSource`.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from specminer.evm.halts import LimitReached

ADDRESS_MASK: Final = (1 << 160) - 1
_MAX_BALANCE: Final = (1 << 256) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFields:
    """What an account is, apart from its storage."""

    nonce: int = 0
    balance: int = 0
    """Wei."""
    code: bytes = b""
    assumed: int = 0
    """Wei of the balance that are there only so that the account exists; creating a contract there takes them away."""


class WorldSource(Protocol):
    """Knows accounts that no transaction here has touched yet."""

    def account(self, address: int) -> AccountFields | None:
        """Return an account; ``None`` if there is none."""

    def slot(self, address: int, slot: int) -> int:
        """Return the value in a slot."""


class EmptySource:
    """Knows no accounts."""

    def account(self, address: int) -> AccountFields | None:
        """Return ``None``."""

    def slot(self, address: int, slot: int) -> int:
        """Return 0."""
        return 0


class Account:
    """An account; one that does not exist has zeros everywhere."""

    __slots__ = ("address", "assumed", "balance", "code", "exists", "foreign", "nonce", "storage")

    def __init__(self, address: int) -> None:
        self.address = address
        self.exists = False
        self.nonce = 0
        self.balance = 0
        self.code = b""
        self.assumed = 0
        self.storage: dict[int, int] = {}
        """Values that are not zero, and those that were asked for at the source."""
        self.foreign = False
        """Whether slots that are not in :attr:`storage` have to be asked for at the source."""

    @property
    def empty(self) -> bool:
        """Whether nonce and balance are zero and there is no code."""
        return not (self.balance or self.nonce or self.code)

    @property
    def occupied(self) -> bool:
        """Whether no contract can be created here."""
        return bool(self.nonce or self.code or any(self.storage.values()))


_Change = tuple[Any, ...]
_SLOT, _ACCOUNT, _MEMBER, _STORAGE = range(4)


class World:
    """All accounts, and the journal."""

    def __init__(self, source: WorldSource | None = None) -> None:
        """Begin with what ``source`` knows; without one, with nothing."""
        self.source: WorldSource = EmptySource() if source is None else source
        self.accounts: dict[int, Account] = {}
        """Those mentioned until now, by address."""
        self.journal: list[_Change] = []
        """What each change replaced, the newest last."""

    def account(self, address: int) -> Account:
        """Return an account, whether it exists or not."""
        account = self.accounts.get(address)
        return self._load(address) if account is None else account

    def _load(self, address: int) -> Account:
        account = self.accounts[address] = Account(address)
        fields = self.source.account(address)
        if fields is not None:
            account.exists = True
            account.nonce, account.balance, account.code = fields.nonce, fields.balance, fields.code
            account.assumed = fields.assumed
            account.foreign = True
        return account

    def load_slot(self, account: Account, slot: int) -> int:
        """Return what a slot holds that is not in the account's storage yet."""
        if not account.foreign:
            return 0
        value = account.storage[slot] = self.source.slot(account.address, slot)
        return value

    def slot(self, address: int, slot: int) -> int:
        """Return what a slot holds."""
        account = self.account(address)
        value = account.storage.get(slot)
        return self.load_slot(account, slot) if value is None else value

    def set_slot(self, account: Account, slot: int, value: int) -> None:
        """Put a value into a slot."""
        self.put(account.storage, slot, value)

    def put(self, mapping: MutableMapping[Any, int], key: Any, value: int) -> None:
        """Set a key of a mapping that belongs to the world."""
        self.journal.append((_SLOT, mapping, key, mapping.get(key)))
        mapping[key] = value

    def add(self, members: set[int], item: int) -> None:
        """Add an item to a set that belongs to the world, for example the warm addresses."""
        if item not in members:
            self.journal.append((_MEMBER, members, item))
            members.add(item)

    def save(self, account: Account) -> None:
        """Write an account into the journal: it is about to change."""
        self.journal.append(
            (
                _ACCOUNT,
                account,
                account.exists,
                account.nonce,
                account.balance,
                account.code,
                account.assumed,
                account.foreign,
            )
        )

    def set_balance(self, account: Account, balance: int) -> None:
        """Set a balance; the account exists from then on."""
        self.save(account)
        account.exists = True
        account.balance = balance

    def raise_nonce(self, account: Account) -> None:
        """Add one to an account's nonce; it exists from then on."""
        self.save(account)
        account.exists = True
        account.nonce += 1

    def set_code(self, account: Account, code: bytes) -> None:
        """Set an account's code; it exists from then on."""
        self.save(account)
        account.exists = True
        account.code = code

    def come_to_be(self, account: Account) -> None:
        """Let an account exist, if only as an empty one."""
        if not account.exists:
            self.save(account)
            account.exists = True

    def move(self, sender: Account, receiver: Account, amount: int) -> None:
        """Move wei from one account to another; both exist afterwards.

        Raises:
            LimitReached: the receiver would have more ether than a word can count, which no chain knows.

        """
        if receiver.balance + amount > _MAX_BALANCE and sender is not receiver:
            raise LimitReached
        self.set_balance(sender, sender.balance - amount)
        self.set_balance(receiver, receiver.balance + amount)

    def make_room(self, account: Account) -> None:
        """Take away the wei that was only assumed: the account is created now, or certainly exists."""
        if account.assumed:
            self.save(account)
            account.balance -= account.assumed
            account.assumed = 0

    def clear_storage(self, account: Account) -> None:
        """Empty an account's storage; the source has nothing to say of it any more."""
        self.save(account)
        account.foreign = False
        if account.storage:
            self.journal.append((_STORAGE, account.storage, dict(account.storage)))
            account.storage.clear()

    def destroy(self, account: Account) -> None:
        """Remove an account with its storage."""
        self.clear_storage(account)
        account.exists = False
        account.nonce = account.balance = account.assumed = 0
        account.code = b""

    def mark(self) -> int:
        """Return this moment, for :meth:`revert`."""
        return len(self.journal)

    def revert(self, mark: int) -> None:
        """Take back everything since a moment."""
        journal = self.journal
        while len(journal) > mark:
            change = journal.pop()
            kind = change[0]
            if kind == _SLOT:
                _, mapping, key, old = change
                if old is None:
                    mapping.pop(key, None)
                else:
                    mapping[key] = old
            elif kind == _MEMBER:
                change[1].discard(change[2])
            elif kind == _ACCOUNT:
                account = change[1]
                account.exists, account.nonce, account.balance = change[2:5]
                account.code, account.assumed, account.foreign = change[5:]
            else:
                change[1].clear()
                change[1].update(change[2])

    def forget_journal(self) -> None:
        """Keep everything as it is: no earlier moment can be returned to."""
        self.journal.clear()
