"""What each accepted call found in storage and left there, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.history import MISSING, BoolColumn, IntColumn, RowColumn
from specminer.invariant.values import extracted as field_of
from specminer.invariant.values import same
from specminer.location import Field, PortKind, ValueKind, Variable
from specminer.words import LimbArray

NUMBERS: Final = frozenset({ValueKind.UINT, ValueKind.INT, ValueKind.WORD})
MAX_VARIABLES: Final = 512
"""Variables looked at: those touched most often. Hostile storage costs no more than another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One field of one variable in the accepted calls that touched it; ``m`` touches, by invocation."""

    variable: Variable
    place: int
    """Position of the field in the variable's fields."""
    invocation: IntColumn
    """Shape (m,), as all columns."""
    slot: IntColumn
    found: LimbArray
    """Shape (m, 4)."""
    left: LimbArray
    changed: BoolColumn

    @property
    def field(self) -> Field:
        """Which bits it is."""
        return self.variable.fields[self.place]

    @property
    def name(self) -> str:
        """The name with empty brackets: ``accounts[].balance``."""
        return self.variable.text(None, self.place)

    @property
    def numeric(self) -> bool:
        """Whether it can be summed up."""
        return self.field.kind in NUMBERS


def changes_of_calls(context: HistoryContext) -> Iterator[Cells]:
    """Yield the fields of all variables that something explains, as each accepted call found and left them.

    Variables without keys come first, then those with one, and so on.
    """
    return _fields(context, context.lasting_accesses)


def changes_of_transactions(context: HistoryContext) -> Iterator[Cells]:
    """Yield the same, as each transaction found and left them; its first call that looked stands for it.

    Calls may enclose each other, and then each counts what happened in between: differences of calls do not
    add up, those of transactions do.
    """
    accesses, history = context.accesses, context.history
    if not np.any(history.invocation_transaction[1:] == history.invocation_transaction[:-1]):
        return changes_of_calls(context)  # each is alone in its transaction
    order = context.lasting_accesses
    transaction = history.invocation_transaction[accesses.invocation[order]]
    slots = int(accesses.slot.max(initial=0)) + 1
    _, first, which, count = np.unique(
        transaction * slots + accesses.slot[order],
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    rows = order[first]
    found, left = accesses.value_before[rows].copy(), accesses.value_after[rows].copy()
    several = count > 1
    if several.any():
        group = np.full(len(accesses.slot), MISSING, dtype=np.int64)
        group[order] = np.where(several[which.ravel()], which.ravel(), MISSING)
        groups, begun, ended = _ends(context, group)
        found[groups], left[groups] = begun, ended
    by_variable = np.argsort(context.locations.variable[accesses.slot[rows]], kind="stable")
    return _fields(context, rows[by_variable], found[by_variable], left[by_variable])


def _ends(context: HistoryContext, group: IntColumn) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Return the groups of touches, what their first access found and what their last lasting write left."""
    history = context.history
    access = np.flatnonzero(group[context.accesses.touch] != MISSING)
    mine = group[context.accesses.touch[access]]
    order = np.lexsort((history.access_position[access], mine))
    access, mine = access[order], mine[order]
    starts = np.flatnonzero(np.diff(mine, prepend=-1))
    first = access[starts]
    found = np.where(history.access_write[first], history.access_before[first], history.access_after[first])
    lasting = history.access_write[access] & ~history.access_undone[access]
    last = np.maximum.reduceat(np.where(lasting, np.arange(len(access)), MISSING), starts)
    left = np.where(last == MISSING, found, history.access_after[access[np.maximum(last, 0)]])
    return mine[starts], found, left


def _fields(
    context: HistoryContext, rows: RowColumn, found: RowColumn | None = None, left: RowColumn | None = None
) -> Iterator[Cells]:
    """Yield fields; ``rows`` are touches by variable, ``found`` and ``left`` what they saw if not their own."""
    variable = context.locations.variable[context.accesses.slot[rows]]
    bounds = np.searchsorted(variable, np.arange(len(context.locations.variables) + 1))
    del variable
    unresolved = _unresolved(context)
    for number in _largest(context, np.diff(bounds)):
        item = context.locations.variables[number]
        mine = slice(int(bounds[number]), int(bounds[number + 1]))
        was = context.accesses.value_before[rows[mine]] if found is None else found[mine]
        then = context.accesses.value_after[rows[mine]] if left is None else left[mine]
        known = (was != MISSING) & (then != MISSING)
        if not known.any() or any(port in unresolved for port in item.ports):
            continue
        before, after = context.word_limbs[was[known]], context.word_limbs[then[known]]
        invocation = context.accesses.invocation[rows[mine][known]].astype(np.int64)
        slot = context.accesses.slot[rows[mine][known]].astype(np.int64)
        for place, field in enumerate(item.fields):
            old, new = field_of(before, field), field_of(after, field)
            yield Cells(
                variable=item,
                place=place,
                invocation=invocation,
                slot=slot,
                found=old,
                left=new,
                changed=~same(old, new),
            )


def _largest(context: HistoryContext, touches: IntColumn) -> list[int]:
    """Return the variables that are touched most, those with fewer keys first, else in their order."""
    largest: list[int] = np.argsort(-touches, kind="stable")[:MAX_VARIABLES].tolist()
    return sorted(largest, key=lambda number: (len(context.locations.variables[number].ports), number))


def _unresolved(context: HistoryContext) -> frozenset[int]:
    """Return the ports whose keys are not known, or are texts."""
    return frozenset(
        row
        for row, port in enumerate(context.locations.ports)
        if port.keyed in (PortKind.UNRESOLVED, PortKind.TEXT)
    )
