"""Tells the lives of a contract apart: created again after it destroyed itself, it has nothing left but its address.

A life begins with a creation. Its storage is empty then, whatever a life before it left, and its code may be another.
In a divided history each life stands in ``History.contracts`` by itself, so that nothing that is derived per contract
spans two lives: slots, dependencies, entities, interactions, first values.

Lives whose creation the history does not hold are told by what cannot happen within a life: calls ran before
the first creation that the history shows; the contract's own code became another; or what it held was gone after it
had destroyed itself. Until Cancun, a self-destruction takes effect at the end of the transaction; since then it does
so only in the transaction that created the contract (EIP-6780), and is a mere payment otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer.history.continuity import Visits, visits
from specminer.history.contract_history import (
    CONSTRUCTOR,
    MISSING,
    PAYMENTS,
    BoolColumn,
    History,
    IntColumn,
    Life,
)
from specminer.history.excerpt import excerpt, positions
from specminer.history.hashing import keccak_all
from specminer.history.trace import ContractRecord, PaymentKind
from specminer.history.words import to_integers

_SELFDESTRUCT: Final = PAYMENTS.index(PaymentKind.SELFDESTRUCT)
MAX_SUSPECTED: Final = 64
"""Moments at most that are looked at because a life may have ended there unseen."""

Destroys = Callable[[int, int | None], bool | None]
"""From a block's number and time (Unix seconds, ``None`` if not known) to whether a self-destruction in it ends a life
that began in an earlier transaction; ``None`` if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Where a life begins."""

    contract: int
    row: int
    """The first invocation that belongs to it."""
    transaction: int | None
    """The transaction that created it; ``None`` if the history does not hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kinds:
    """What invocations tell of a contract's life; shape (n,) each."""

    ran: BoolColumn
    """It surely ran the contract's code."""
    destroys: BoolColumn
    """The contract destroyed itself in it, or tried to."""


def divide_lives(history: History, destroys: Destroys = lambda number, timestamp: None) -> History:
    """Return a history in which each life is a contract of its own; the same one if there is nothing to tell apart.

    ``destroys`` knows the chain's forks.
    """
    if history.lives or not len(history):
        return history
    destructions = _destructions(history)
    starts = _starts(history, destructions)
    if len(starts) == len(history.contracts) and not len(destructions):
        return history
    owner = _owners(history, starts)
    history_of_lives = replace(history, invocation_contract=owner)
    kinds = _Kinds(ran=_ran(history), destroys=np.isin(np.arange(len(history)), destructions))
    order = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[order], np.arange(len(starts) + 1))
    lives = []
    for number, start in enumerate(starts):
        has_next = number + 1 < len(starts) and starts[number + 1].contract == start.contract
        rows = order[ends[number] : ends[number + 1]]
        lives.append(_life(history, rows, start, kinds, None if has_next else destroys))
    lives = _number_lives(starts, lives)
    records = tuple(
        _record(history, history.contracts[start.contract], life)
        for start, life in zip(starts, lives, strict=True)
    )
    return replace(history_of_lives, contracts=records, lives=tuple(lives))


def calls_in_vain(history: History) -> BoolColumn:
    """Return the invocations of a contract that had destroyed itself before, so that no code ran; shape (n,)."""
    end = np.full(max(1, len(history.contracts)), len(history.transaction_hash), dtype=np.int64)
    for owner, life in enumerate(history.lives):
        if life.ended and life.destroyed is not None:
            end[owner] = life.destroyed
    return np.greater(history.invocation_transaction, end[history.invocation_contract])


def of_life(history: History, number: int) -> History:
    """Return what a divided history of one contract holds of one of its lives, counted from 1.

    The life keeps its number. Transactions that do not concern it are left out.
    """
    owner = next(row for row, life in enumerate(history.lives) if life.number == number)
    rows = np.flatnonzero(history.invocation_contract == owner)
    transactions = np.unique(history.invocation_transaction[rows])
    part = excerpt(history, rows, transactions)
    transaction = positions(transactions, len(history.transaction_hash))
    life = history.lives[owner]
    life = replace(
        life,
        created=None if life.created is None else int(transaction[life.created]),
        destroyed=None if life.destroyed is None else int(transaction[life.destroyed]),
    )
    return replace(
        part,
        contracts=(history.contracts[owner],),
        lives=(life,),
        invocation_contract=np.zeros(len(rows), dtype=np.int64),
    )


def _destructions(history: History) -> IntColumn:
    """Return the invocations in which a contract destroyed itself and that lasted, ascending, each once."""
    is_lasting = (history.payment_kind == _SELFDESTRUCT) & ~history.payment_undone
    rows = history.payment_invocation[is_lasting]
    return np.unique(rows[history.accepted[rows]])


def _ran(history: History) -> BoolColumn:
    """Return the invocations that surely ran the contract's code, constructors aside; shape (n,)."""
    ran = history.invocation_code_hash != MISSING
    ran[history.access_invocation] = True
    answered = np.fromiter(map(len, history.invocation_output), np.int64, len(history)) > 0
    ran |= answered
    ran[history.payment_invocation] = True
    return np.asarray(ran & (history.invocation_kind != CONSTRUCTOR))


def _starts(history: History, destructions: IntColumn) -> list[_Start]:
    """Return where lives begin, by contract and row."""
    rows = np.flatnonzero((history.invocation_kind == CONSTRUCTOR) & history.accepted)
    first = np.full(len(history.contracts), len(history), dtype=np.int64)
    np.minimum.at(first, history.invocation_contract[rows], rows)
    ran = np.flatnonzero(_ran(history))
    owners = history.invocation_contract[ran]
    before = first[owners] > ran
    created_in = history.invocation_transaction[np.minimum(first, len(history) - 1)]
    before &= (first[owners] == len(history)) | (history.invocation_transaction[ran] < created_in[owners])
    early = np.ones(len(history.contracts), dtype=np.bool_)
    early[history.invocation_contract[rows]] = False
    early[owners[before]] = True
    starts = [
        _Start(contract=contract, row=0, transaction=None) for contract in np.flatnonzero(early).tolist()
    ]
    for row in rows.tolist():
        contract = int(history.invocation_contract[row])
        begins = 0 if row == first[contract] and not early[contract] else row
        starts.append(
            _Start(contract=contract, row=begins, transaction=int(history.invocation_transaction[row]))
        )
    starts.sort(key=lambda start: (start.contract, start.row))
    unseen = _unseen_starts(history, _owners(history, starts), destructions)
    return sorted([*starts, *unseen], key=lambda start: (start.contract, start.row))


def _owners(history: History, starts: list[_Start]) -> IntColumn:
    """Return for each invocation the position of its life among ``starts``."""
    span = len(history) + 1
    keys = np.array([start.contract * span + start.row for start in starts], dtype=np.int64)
    invocation_keys = history.invocation_contract * span + np.arange(len(history))
    return np.asarray(np.searchsorted(keys, invocation_keys, side="right") - 1)


def _unseen_starts(history: History, owner: IntColumn, destructions: IntColumn) -> list[_Start]:
    """Return where lives begin whose creation the history does not hold although it begins before."""
    suspects = [(row, True) for row in _code_changes(history, owner)]
    suspects += [(row, False) for row in _calls_behind(history, owner, destructions)]
    if not suspects:
        return []
    slot_visits = visits(history)
    slots = _slot_contracts(history, slot_visits)
    starts: dict[int, _Start] = {}
    for row, changed in suspects[:MAX_SUSPECTED]:
        began = int(history.invocation_transaction[np.argmax(owner == owner[row])])
        own = (slots == history.invocation_contract[row]) & (slot_visits.transaction >= began)
        survived, cleared = _continuity(history, slot_visits, own, row)
        if not survived and (changed or cleared):
            contract = int(history.invocation_contract[row])
            starts[row] = _Start(contract=contract, row=row, transaction=None)
    return list(starts.values())


def _code_changes(history: History, owner: IntColumn) -> list[int]:
    """Return the first invocations of another code than the one before in the same life, as far as known."""
    rows = np.flatnonzero(history.invocation_code_hash != MISSING)
    rows = rows[np.argsort(owner[rows], kind="stable")]
    code = history.invocation_code_hash[rows]
    changes = (owner[rows][1:] == owner[rows][:-1]) & (code[1:] != code[:-1])
    return sorted(rows[1:][changes].tolist())


def _calls_behind(history: History, owner: IntColumn, destructions: IntColumn) -> list[int]:
    """Return for each self-destruction the life's first invocation in a later transaction that ran code, if any."""
    if not len(destructions):
        return []
    rows = np.flatnonzero(_ran(history))
    span = len(history.transaction_hash) + 1
    key = owner[rows] * span + history.invocation_transaction[rows]
    order = np.argsort(key, kind="stable")
    destruction_keys = owner[destructions] * span + history.invocation_transaction[destructions]
    position = np.searchsorted(key[order], destruction_keys, side="right")
    inside = position < len(rows)
    following = rows[order[position[inside]]]
    return sorted(set(following[owner[following] == owner[destructions[inside]]].tolist()))


def _slot_contracts(history: History, slot_visits: Visits) -> IntColumn:
    """Return the contract of each visit."""
    return history.invocation_contract[history.access_invocation[slot_visits.access]]


def _continuity(history: History, slot_visits: Visits, own: BoolColumn, row: int) -> tuple[bool, bool]:
    """Return whether, before an invocation, some slot still holds what it was left with, and whether some lost it."""
    transaction = int(history.invocation_transaction[row])
    rows = np.flatnonzero(own)
    before = rows[slot_visits.transaction[rows] < transaction]
    behind = rows[slot_visits.transaction[rows] >= transaction]
    # visits stand by slot and in chain order: of several earlier ones the last counts, of later ones the first
    left = dict(zip(slot_visits.slot[before].tolist(), slot_visits.value_after[before].tolist(), strict=True))
    read_values = history.access_before[slot_visits.access[behind]].tolist()
    first = dict(zip(reversed(slot_visits.slot[behind].tolist()), reversed(read_values), strict=True))
    zero = history.words.index(0) if 0 in history.words else MISSING
    pairs = [
        (left[slot], value)
        for slot, value in first.items()
        if value != MISSING and left.get(slot, MISSING) >= 0 and left[slot] != zero
    ]
    return any(old == new for old, new in pairs), any(new == zero for _, new in pairs)


def _life(history: History, rows: IntColumn, start: _Start, kinds: _Kinds, destroys: Destroys | None) -> Life:
    """Return the life that some invocations are; its number is not known yet.

    ``destroys`` tells what a self-destruction does; ``None`` for a life that another one follows, and so is over.
    """
    transaction = history.invocation_transaction[rows]
    own = transaction[kinds.destroys[rows]]
    destroyed = int(own[-1]) if len(own) else None
    ended: bool | None = destroys is None
    if destroys is not None and destroyed is not None:
        ended = destroyed == start.transaction or _has_ended(history, rows, destroyed, kinds.ran, destroys)
    codes = history.invocation_code_hash[rows]
    codes = codes[codes != MISSING]
    return Life(
        number=1,
        of=1,
        created=start.transaction,
        destroyed=destroyed,
        ended=ended,
        code=int(codes[-1]) if len(codes) else None,
    )


def _has_ended(
    history: History, rows: IntColumn, destroyed: int, ran: BoolColumn, destroys: Destroys
) -> bool | None:
    """Return whether a life that no other one follows is over since a transaction; ``None`` if that is not known."""
    later = history.invocation_transaction[rows] > destroyed
    if np.any(ran[rows] & later):
        return False
    # where code is recorded as it runs, and none was when it was called, there was none
    recorded = history.invocation_payments[rows] != MISSING
    if np.any(history.invocation_code_hash[rows[~later]] != MISSING) and np.any(recorded & later):
        return True
    time = int(history.transaction_time[destroyed])
    return destroys(int(history.transaction_block[destroyed]), None if time == MISSING else time)


def _number_lives(starts: list[_Start], lives: list[Life]) -> list[Life]:
    """Return lives with their numbers."""
    counts: dict[int, int] = {}
    numbers = []
    for start in starts:
        counts[start.contract] = counts.get(start.contract, 0) + 1
        numbers.append(counts[start.contract])
    return [
        replace(life, number=number, of=counts[start.contract])
        for life, number, start in zip(lives, numbers, starts, strict=True)
    ]


def _record(history: History, record: ContractRecord, life: Life) -> ContractRecord:
    """Return what is known of a contract in one life: its code is that of the life, if it is at hand."""
    created = record.created_in_block if life.number == 1 else None
    if life.created is not None:
        created = int(history.transaction_block[life.created])
    if life.of == 1:
        return record
    code = b"" if life.number < life.of else record.code
    codes = [*record.codes, *([record.code] if record.code else [])]
    if life.code is not None and codes:
        code_hash = history.words[life.code]
        hashes = to_integers(keccak_all(codes))
        code = next((text for text, hashed in zip(codes, hashes, strict=True) if hashed == code_hash), b"")
    return replace(record, code=code, created_in_block=created)
