"""Whether transactions follow each other: what one finds in a slot is what the last one before it left there.

Where it is not, somebody unseen wrote in between (a call that the way of finding cannot see), or a recording is wrong.
A contract that was created has zeros in all slots, and once more when it is created again after it destroyed itself:
each creation begins a *life*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specminer._support.parts import rows_by_group
from specminer.history.contract_history import (
    CONSTRUCTOR,
    MISSING,
    BoolColumn,
    History,
    IntColumn,
    RowColumn,
    Slots,
    slots,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Each transaction's accesses of a slot, as one, by slot and in chain order; shape (v,) each."""

    slot: IntColumn
    """Number of the (contract, slot) pair, as in :class:`specminer.history.contract_history.Slots`."""
    transaction: IntColumn
    life: IntColumn
    """How often the contract had been created by then, as far as the history shows."""
    access: IntColumn
    """Row of the first of the accesses."""
    value_before: IntColumn
    """Row in ``History.words`` of what visits before left; ``MISSING`` if nothing tells, ``ZERO`` for the zero of a
    slot that nobody wrote."""
    value_after: IntColumn
    """Row in ``History.words`` of what the slot holds after the transaction; else as ``expected``."""


_UNKNOWN = -3
"""In place of a row of ``History.words``: a value that is not known, whatever was there before."""
ZERO = -2
"""In place of a row of ``History.words``: zero, of a slot that nobody wrote since the contract was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenWrites:
    """Accesses that found another value than the recorded calls before them had left; shape (u,) each."""

    access: IntColumn
    """Row of the access."""
    slot: IntColumn
    """Number of the (contract, slot) pair."""
    expected: IntColumn
    """Row in ``History.words`` of what had been left there, or ``ZERO``."""

    def __len__(self) -> int:
        return len(self.access)


def _creations(history: History) -> IntColumn:
    """Return contract and transaction of each creation that stayed, as one ascending number each."""
    creating = np.flatnonzero((history.invocation_kind == CONSTRUCTOR) & history.accepted)
    span = len(history.transaction_hash) + 1
    return np.unique(history.invocation_contract[creating] * span + history.invocation_transaction[creating])


def lives(history: History, contract: int) -> IntColumn:
    """Return the rows of the transactions that created a contract, by its position in ``History.contracts``."""
    span = len(history.transaction_hash) + 1
    creations = _creations(history)
    return np.asarray(creations[creations // span == contract] % span)


def _life(history: History, contract: IntColumn, transaction: IntColumn) -> IntColumn:
    """Return how often contracts had been created by the end of transactions."""
    span = len(history.transaction_hash) + 1
    creations = _creations(history)
    before = np.searchsorted(creations, contract * span)
    return np.asarray(np.searchsorted(creations, contract * span + transaction, side="right") - before)


def _chain_order(position: RowColumn, transaction: IntColumn) -> IntColumn:
    """Return accesses in the order in which they happened: calls may enclose each other."""
    if np.any((transaction[1:] == transaction[:-1]) & (position[1:] < position[:-1])):
        return np.asarray(np.lexsort((position, transaction)))
    return np.arange(len(position))


def visits(history: History, slot_table: Slots | None = None) -> Visits:
    """Condense accesses to what each transaction found in a slot and left there, in n log n."""
    slot_table = slots(history) if slot_table is None else slot_table
    return _visits(history, slot_table, np.arange(len(slot_table.access)))


def _visits(history: History, slot_table: Slots, accesses: IntColumn) -> Visits:
    """Condense all accesses of some slots, in ascending order."""
    transaction = history.invocation_transaction[history.access_invocation[accesses]]
    order = _chain_order(history.access_position[accesses], transaction)
    order = order[np.argsort(slot_table.access[accesses[order]], kind="stable")]
    order, transaction = accesses[order], transaction[order]
    slot = slot_table.access[order].astype(np.int64)
    first = _starts(slot, transaction)
    group = np.cumsum(first) - 1
    begins = np.flatnonzero(first)
    life = _life(history, slot_table.contract[slot[begins]], transaction[begins])
    left = history.access_before[order[begins]].astype(np.int64)
    written = history.access_write[order] & ~history.access_undone[order]
    values = history.access_after[order].astype(np.int64)
    values[values == MISSING] = _UNKNOWN
    left = np.where((values[begins] == _UNKNOWN) & ~history.access_write[order[begins]], _UNKNOWN, left)
    left[group[written]] = values[written]  # of several the last one stays
    expected, left = _carry_values(slot[begins], life, left)
    return Visits(
        slot=slot[begins],
        transaction=transaction[begins],
        life=life,
        access=order[begins],
        value_before=expected,
        value_after=left,
    )


def _starts(*columns: IntColumn) -> BoolColumn:
    """Return where in sorted columns a new combination of values begins."""
    begins = np.ones(len(columns[0]), dtype=np.bool_)
    if len(begins):
        begins[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return begins


def _carry_values(slot: IntColumn, life: IntColumn, left: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Return what each visit should find, and what it leaves where it does not show that itself."""
    rows = np.arange(len(slot))
    starts = _starts(slot, life)
    begin = np.maximum.accumulate(np.where(starts, rows, 0)) if len(rows) else rows
    last_known = np.maximum.accumulate(np.where(left != MISSING, rows, -1)) if len(rows) else rows
    unwritten = np.where(life > 0, ZERO, MISSING)
    carried = np.where(last_known >= begin, left[np.maximum(last_known, 0)], unwritten)
    expected = np.where(starts, unwritten, np.roll(carried, 1))
    return (
        np.where(expected == _UNKNOWN, MISSING, expected),
        np.where(carried == _UNKNOWN, MISSING, carried),
    )


def unseen_writes(history: History, slot_table: Slots | None = None) -> UnseenWrites:
    """Return the accesses that contradict what recorded calls had left in their slots."""
    slot_table = slots(history) if slot_table is None else slot_table
    zero = history.words.index(0) if 0 in history.words else ZERO
    contradictions = []
    for part in rows_by_group(slot_table.access, len(slot_table)):
        slot_visits = _visits(history, slot_table, part)
        expected = np.where(slot_visits.value_before == ZERO, zero, slot_visits.value_before)
        read_values = history.access_before[slot_visits.access].astype(np.int64)
        rows = np.flatnonzero((expected != MISSING) & (read_values != MISSING) & (expected != read_values))
        contradictions.append(
            (slot_visits.access[rows], slot_visits.slot[rows], slot_visits.value_before[rows])
        )
    access, slot, expected = (np.concatenate(columns) for columns in zip(*contradictions, strict=True))
    return UnseenWrites(access=access, slot=slot, expected=expected)


def last_values(history: History) -> dict[int, int]:
    """Return what the slots of a history's only contract hold at its end, as far as its calls show."""
    slot_visits = visits(history)
    slot_table = slots(history)
    last = np.flatnonzero(
        np.append(
            slot_visits.slot[1:] != slot_visits.slot[:-1], np.ones(min(1, len(slot_visits.slot)), dtype=bool)
        )
    )
    ended = len(lives(history, 0))
    return {
        history.words[slot_table.word[slot_visits.slot[row]]]: 0
        if slot_visits.value_after[row] == ZERO
        else history.words[slot_visits.value_after[row]]
        for row in last.tolist()
        if slot_visits.value_after[row] != MISSING and slot_visits.life[row] == ended
    }
