"""What each accepted call found in storage and left there, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from specminer._support.parts import spans_of_groups
from specminer._support.scratch import in_file
from specminer.decoding import HistoryContext
from specminer.decoding.location_columns import Field, PortKind, StorageVariable
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn, RowColumn
from specminer.history.trace import Tracer
from specminer.history.words import LimbArray
from specminer.inference.limb_arithmetic import extract_field as field_of
from specminer.inference.limb_arithmetic import is_zero, same

NUMBERS: Final = frozenset({ValueKind.UINT, ValueKind.INT, ValueKind.WORD})
MAX_VARIABLES: Final = 512
"""Variables looked at: those touched most often. Hostile storage costs no more than another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulChanges:
    """Where a field may have changed, or did, and nobody knows from what to what; ``d`` cases."""

    invocation: IntColumn
    """The accepted call that wrote, or the call that found what somebody unseen wrote; shape (d,), as all columns."""
    slot: IntColumn
    unseen: BoolColumn
    """Somebody unseen wrote: no call of the history did."""
    from_zero: BoolColumn
    """It was zero before."""

    def of(self, rows: IntColumn | BoolColumn) -> DoubtfulChanges:
        """Return some of the cases."""
        return DoubtfulChanges(
            invocation=self.invocation[rows],
            slot=self.slot[rows],
            unseen=self.unseen[rows],
            from_zero=self.from_zero[rows],
        )

    @property
    def by_calls(self) -> DoubtfulChanges:
        """Those in which a call of the history wrote."""
        return self.of(~self.unseen)

    def __len__(self) -> int:
        return len(self.invocation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One field of one variable in the accepted calls that touched it; ``m`` touches, by invocation.

    Touches are those of which it is known what they found and left.
    """

    variable: StorageVariable
    field_index: int
    """Position of the field in the variable's fields."""
    invocation: IntColumn
    """Shape (m,), as all columns."""
    slot: IntColumn
    value_before: LimbArray
    """Shape (m, 4)."""
    value_after: LimbArray
    changed: BoolColumn
    doubts: DoubtfulChanges
    """What may have changed besides."""

    @property
    def field(self) -> Field:
        """Which bits it is."""
        return self.variable.fields[self.field_index]

    @property
    def name(self) -> str:
        """The name with empty brackets: ``accounts[].balance``."""
        return self.variable.text(None, self.field_index)

    @property
    def numeric(self) -> bool:
        """Whether it can be summed up."""
        return self.field.kind in NUMBERS


def changes_of_calls(context: HistoryContext, unknown: UnknownChanges) -> Iterator[Cells]:
    """Yield the fields of all variables that something explains, as each accepted call found and left them.

    Variables without keys come first, then those with one, and so on.
    """
    rows = context.lasting_accesses
    return _fields(
        context,
        _ChangeValues(
            rows=rows,
            value_before=context.accesses.value_before[rows],
            value_after=context.accesses.value_after[rows],
        ),
        unknown,
    )


def changes_of_transactions(context: HistoryContext, unknown: UnknownChanges) -> Iterator[Cells]:
    """Yield the same, as each transaction found and left them; its first call that looked stands for it.

    Calls may enclose each other, and then each counts what happened in between: differences of calls do not
    add up, those of transactions do.
    """
    history = context.history
    if not np.any(history.invocation_transaction[1:] == history.invocation_transaction[:-1]):
        return changes_of_calls(context, unknown)  # each is alone in its transaction
    values = _of_transactions(context, context.lasting_accesses)
    by_variable = np.argsort(context.locations.variable[context.accesses.slot[values.rows]], kind="stable")
    return _fields(context, values.at(by_variable), unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChangeValues:
    """What was found and left in storage; ``r`` touches, or what the touches of one transaction make together."""

    rows: RowColumn
    """The touch, or the first of them; shape (r,), as all columns."""
    value_before: RowColumn
    """Row in ``History.words``, or ``MISSING``."""
    value_after: RowColumn

    def at(self, rows: IntColumn | slice) -> _ChangeValues:
        return _ChangeValues(
            rows=self.rows[rows], value_before=self.value_before[rows], value_after=self.value_after[rows]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownChanges:
    """Where storage changed, or may have, and nobody knows from what to what; by variable."""

    writes: _ChangeValues
    """Writes of accepted calls."""
    unseen: _ChangeValues
    """Writes of somebody unseen, by the touch that found them."""

    @classmethod
    def of(cls, context: HistoryContext) -> Self:
        """Look for them; n log n in touches."""
        return cls(writes=_doubtful_writes(context), unseen=_unseen_writes(context))


def _of_transactions(context: HistoryContext, touches: RowColumn) -> _ChangeValues:
    """Return what each transaction found in each slot and left there, in the order of transactions and slots.

    Worked on in parts where the transactions are in order.
    """
    accesses, history = context.accesses, context.history
    transaction = history.invocation_transaction[accesses.invocation[touches]].astype(np.int32)
    slots = int(accesses.slot.max(initial=0)) + 1
    is_ordered = bool(np.all(transaction[1:] >= transaction[:-1]))
    spans = spans_of_groups(transaction) if is_ordered else iter((slice(0, len(touches)),))
    first_touches = [touches[:0]]
    group: RowColumn | None = None
    pair_count = 0
    for span in spans:
        part = touches[span]
        _, first, which, count = np.unique(
            transaction[span].astype(np.int64) * slots + accesses.slot[part],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        several = count > 1
        if several.any():
            if group is None:
                group = np.full(len(accesses.slot), MISSING, dtype=np.int32)
            group[part] = np.where(several[which.ravel()], which.ravel() + pair_count, MISSING)
        first_touches.append(part[first])
        pair_count += len(first)
    rows = np.concatenate(first_touches)
    before, left = accesses.value_before[rows].copy(), accesses.value_after[rows].copy()
    if group is not None:
        groups, first_values, last_values = _ends(context, group)
        before[groups], left[groups] = first_values, last_values
    return _ChangeValues(rows=rows, value_before=before, value_after=left)


def _ends(context: HistoryContext, group: RowColumn) -> tuple[RowColumn, RowColumn, RowColumn]:
    """Return the groups of touches, what their first access found and what their last lasting write left."""
    history = context.history
    access = np.flatnonzero(group[context.accesses.touch] != MISSING)
    access_group = group[context.accesses.touch[access]]
    order = np.lexsort((history.access_position[access], access_group))
    access, access_group = access[order], access_group[order]
    starts = np.flatnonzero(np.diff(access_group, prepend=-1))
    first = access[starts]
    before = np.where(history.access_write[first], history.access_before[first], history.access_after[first])
    lasting = history.access_write[access] & ~history.access_undone[access]
    last = np.maximum.reduceat(np.where(lasting, np.arange(len(access)), MISSING), starts)
    left = np.where(last == MISSING, before, history.access_after[access[np.maximum(last, 0)]])
    return access_group[starts], before, left


def _doubtful_writes(context: HistoryContext) -> _ChangeValues:
    """Return the accepted calls' writes of which it is not known what they found or left, by variable."""
    accesses = context.accesses
    unknown = (accesses.value_before == MISSING) | (accesses.value_after == MISSING)
    rows = np.flatnonzero(
        accesses.effective_write & unknown & context.history.accepted[accesses.invocation]
    ).astype(np.int32)
    rows = rows[np.argsort(context.locations.variable[accesses.slot[rows]], kind="stable")]
    return _ChangeValues(
        rows=rows, value_before=accesses.value_before[rows], value_after=accesses.value_after[rows]
    )


def _unseen_writes(context: HistoryContext) -> _ChangeValues:
    """Return where a transaction found what the one before did not leave, or what is in doubt, by variable.

    ``value_before`` is what was left before, ``value_after`` what was found then; the row is that of
    the touch that found it.
    """
    accesses, history = context.accesses, context.history
    values = _of_transactions(context, np.arange(len(accesses.slot), dtype=np.int32))
    slot = accesses.slot[values.rows]
    values = values.at(np.lexsort((values.rows, slot)))
    slot = accesses.slot[values.rows]
    same = np.r_[False, slot[1:] == slot[:-1]][: len(slot)]
    zero = history.words.index(0) if 0 in history.words else len(history.words)
    initial_value = zero if context.has_creations else MISSING
    in_constructor = context.is_constructor[accesses.invocation[values.rows]]
    earlier = np.where(
        same,
        np.r_[MISSING, values.value_after[:-1]][: len(slot)],
        np.where(in_constructor, MISSING, initial_value),
    )
    is_visible = accesses.external_read[values.rows]
    if history.tracers == (Tracer.EXECUTION,):  # it sees what is overwritten, too
        is_visible = np.ones(len(slot), dtype=np.bool_)
    unseen = (
        (earlier != MISSING)
        & (earlier != values.value_before)
        & ((values.value_before != MISSING) | is_visible)
    )
    rows = np.flatnonzero(unseen)
    rows = rows[np.argsort(context.locations.variable[slot[rows]], kind="stable")]
    before = np.where(earlier[rows] == len(history.words), MISSING, earlier[rows]).astype(np.int32)
    return _ChangeValues(rows=values.rows[rows], value_before=before, value_after=values.value_before[rows])


def _fields(context: HistoryContext, values: _ChangeValues, unknown: UnknownChanges) -> Iterator[Cells]:
    """Yield fields; ``values`` are by variable."""
    writes, unseen = unknown.writes, unknown.unseen
    bounds, of_writes, of_unseen = (
        np.searchsorted(
            context.locations.variable[context.accesses.slot[item.rows]],
            np.arange(len(context.locations.variables) + 1),
        )
        for item in (values, writes, unseen)
    )
    unresolved = _unresolved_ports(context)
    for number in _largest(context, np.diff(bounds)):
        item = context.locations.variables[number]
        changes = values.at(slice(int(bounds[number]), int(bounds[number + 1])))
        both_known = (changes.value_before != MISSING) & (changes.value_after != MISSING)
        if not both_known.any() or any(port in unresolved for port in item.ports):
            continue
        before, after = (
            in_file(context.word_limbs[column[both_known]])
            for column in (changes.value_before, changes.value_after)
        )
        invocation = in_file(context.accesses.invocation[changes.rows[both_known]].astype(np.int64))
        slot = in_file(context.accesses.slot[changes.rows[both_known]].astype(np.int64))
        own = writes.at(slice(int(of_writes[number]), int(of_writes[number + 1])))
        others = unseen.at(slice(int(of_unseen[number]), int(of_unseen[number + 1])))
        for position, field in enumerate(item.fields):
            old, new = field_of(before, field), field_of(after, field)
            yield Cells(
                variable=item,
                field_index=position,
                invocation=invocation,
                slot=slot,
                value_before=old,
                value_after=new,
                changed=~same(old, new),
                doubts=_doubts(context, own, others, field),
            )


def _doubts(
    context: HistoryContext, writes: _ChangeValues, unseen: _ChangeValues, field: Field
) -> DoubtfulChanges:
    """Return where one field may have changed; what is known to have kept its value is left out."""
    rows = np.concatenate([writes.rows, unseen.rows])
    before, left = (
        np.concatenate([writes.value_before, unseen.value_before]),
        np.concatenate([writes.value_after, unseen.value_after]),
    )
    known_before = np.flatnonzero(before != MISSING)
    from_zero = np.zeros(len(rows), dtype=np.bool_)
    from_zero[known_before] = is_zero(field_of(context.word_limbs[before[known_before]], field))
    both = known_before[left[known_before] != MISSING]
    is_unchanged = np.zeros(len(rows), dtype=np.bool_)
    is_unchanged[both] = same(
        *(field_of(context.word_limbs[column[both]], field) for column in (before, left))
    )
    return DoubtfulChanges(
        invocation=context.accesses.invocation[rows].astype(np.int64),
        slot=context.accesses.slot[rows].astype(np.int64),
        unseen=np.arange(len(rows)) >= len(writes.rows),
        from_zero=from_zero,
    ).of(~is_unchanged)


def _largest(context: HistoryContext, touches: IntColumn) -> list[int]:
    """Return the variables that are touched most, those with fewer keys first, else in their order."""
    largest: list[int] = np.argsort(-touches, kind="stable")[:MAX_VARIABLES].tolist()
    return sorted(largest, key=lambda number: (len(context.locations.variables[number].ports), number))


def _unresolved_ports(context: HistoryContext) -> frozenset[int]:
    """Return the ports whose keys are not known, or are texts."""
    return frozenset(
        row
        for row, port in enumerate(context.locations.ports)
        if port.port_kind in (PortKind.UNRESOLVED, PortKind.TEXT)
    )
