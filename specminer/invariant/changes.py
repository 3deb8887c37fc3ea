"""What each accepted call found in storage and left there, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from specminer.calldata import Calls
from specminer.dependency import Touches
from specminer.history import CONSTRUCTOR, MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.invariant.values import extracted as field_of
from specminer.invariant.values import of_integers, same
from specminer.location import Field, Locations, ValueKind, Variable
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


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A history with what is known of it, as the search for invariants needs it."""

    history: History
    touched: Touches
    locations: Locations
    called: Calls

    @cached_property
    def words(self) -> LimbArray:
        """``History.words`` as limbs; shape (words, 4)."""
        return of_integers(self.history.words)

    @cached_property
    def order(self) -> RowColumn:
        """Accepted touches whose values are known, by variable, then in order of their rows."""
        touched = self.touched
        kept = (
            self.history.accepted[touched.invocation] & (touched.found != MISSING) & (touched.left != MISSING)
        )
        rows = np.flatnonzero(kept).astype(np.int32)
        return rows[np.argsort(self.locations.variable[touched.slot[rows]], kind="stable")]

    @cached_property
    def constructed(self) -> BoolColumn:
        """Which invocations are constructors."""
        return np.equal(self.history.invocation_kind, CONSTRUCTOR)

    @cached_property
    def created(self) -> bool:
        """Whether the history holds the creation of all its contracts, so that all storage began at zero."""
        made = self.history.invocation_contract[self.constructed & self.history.accepted]
        return len(np.unique(made)) == len(self.history.contracts)

    def calls(self) -> Iterator[Cells]:
        """Yield the fields of all variables that something explains, as each accepted call found and left them.

        Variables without keys come first, then those with one, and so on.
        """
        return self._fields(self.order)

    def transactions(self) -> Iterator[Cells]:
        """Yield the same, as each transaction found and left them; its first call that looked stands for it.

        Calls may enclose each other, and then each counts what happened in between: differences of calls do not
        add up, those of transactions do.
        """
        touched, history = self.touched, self.history
        if not np.any(history.invocation_transaction[1:] == history.invocation_transaction[:-1]):
            return self.calls()  # each is alone in its transaction
        transaction = history.invocation_transaction[touched.invocation[self.order]]
        slots = int(touched.slot.max(initial=0)) + 1
        _, first, which, count = np.unique(
            transaction * slots + touched.slot[self.order],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        rows = self.order[first]
        found, left = touched.found[rows].copy(), touched.left[rows].copy()
        several = count > 1
        if several.any():
            group = np.full(len(touched.slot), MISSING, dtype=np.int64)
            group[self.order] = np.where(several[which.ravel()], which.ravel(), MISSING)
            groups, begun, ended = self._ends(group)
            found[groups], left[groups] = begun, ended
        order = np.argsort(self.locations.variable[touched.slot[rows]], kind="stable")
        return self._fields(rows[order], found[order], left[order])

    def _ends(self, group: IntColumn) -> tuple[IntColumn, IntColumn, IntColumn]:
        """Return the groups of touches, what their first access found and what their last lasting write left."""
        history = self.history
        access = np.flatnonzero(group[self.touched.touch] != MISSING)
        mine = group[self.touched.touch[access]]
        order = np.lexsort((history.access_position[access], mine))
        access, mine = access[order], mine[order]
        starts = np.flatnonzero(np.diff(mine, prepend=-1))
        first = access[starts]
        found = np.where(
            history.access_write[first], history.access_before[first], history.access_after[first]
        )
        lasting = history.access_write[access] & ~history.access_undone[access]
        last = np.maximum.reduceat(np.where(lasting, np.arange(len(access)), MISSING), starts)
        left = np.where(last == MISSING, found, history.access_after[access[np.maximum(last, 0)]])
        return mine[starts], found, left

    def _fields(
        self, rows: RowColumn, found: RowColumn | None = None, left: RowColumn | None = None
    ) -> Iterator[Cells]:
        """Yield fields; ``rows`` are touches by variable, ``found`` and ``left`` what they saw if not their own."""
        variable = self.locations.variable[self.touched.slot[rows]]
        bounds = np.searchsorted(variable, np.arange(len(self.locations.variables) + 1))
        del variable
        for number in self._largest(np.diff(bounds)):
            item = self.locations.variables[number]
            mine = slice(int(bounds[number]), int(bounds[number + 1]))
            was = self.touched.found[rows[mine]] if found is None else found[mine]
            then = self.touched.left[rows[mine]] if left is None else left[mine]
            known = (was != MISSING) & (then != MISSING)
            if not known.any() or any(port in self._unresolved for port in item.ports):
                continue
            before, after = self.words[was[known]], self.words[then[known]]
            invocation = self.touched.invocation[rows[mine][known]].astype(np.int64)
            slot = self.touched.slot[rows[mine][known]].astype(np.int64)
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

    def _largest(self, touches: IntColumn) -> list[int]:
        """Return the variables that are touched most, those with fewer keys first, else in their order."""
        largest: list[int] = np.argsort(-touches, kind="stable")[:MAX_VARIABLES].tolist()
        return sorted(largest, key=lambda number: (len(self.locations.variables[number].ports), number))

    @cached_property
    def _unresolved(self) -> frozenset[int]:
        return frozenset(
            row for row, port in enumerate(self.locations.ports) if port.keyed.value in ("unresolved", "text")
        )
