"""Whether transactions follow each other: what one finds in a slot is what the last one left there.

Where it is not, somebody unseen wrote between them (a call that the way of finding cannot see), or a recording is
wrong. This module looks at transactions while they are collected, so that those in question can be traced again;
:mod:`specminer.history.continuity` looks at a whole stored history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from math import isqrt

from specminer.history.trace import (
    AccessKind,
    Address,
    Invocation,
    InvocationKind,
    StorageAccess,
    Transaction,
)


class LayeredValues(MutableMapping[int, int]):
    """Values of slots: many that copies share and never change, and the few that changed since.

    Who follows a chain copies them with each block. A copy takes some square root of the number of slots, not that
    number.
    """

    __slots__ = ("_base", "_changes")

    def __init__(self, values: Mapping[int, int] | None = None) -> None:
        self._base: dict[int, int] = dict(values or {})
        self._changes: dict[int, int | None] = {}
        """``None`` for slots whose value is not known any more."""

    def __getitem__(self, slot: int) -> int:
        value = self._changes[slot] if slot in self._changes else self._base[slot]
        if value is None:
            raise KeyError(slot)
        return value

    def __setitem__(self, slot: int, value: int) -> None:
        self._changes[slot] = value

    def __delitem__(self, slot: int) -> None:
        if slot not in self:
            raise KeyError(slot)
        self._changes[slot] = None

    def __iter__(self) -> Iterator[int]:
        yield from (slot for slot in self._base if slot not in self._changes)
        yield from (slot for slot, value in self._changes.items() if value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Forget all values."""
        self._base, self._changes = {}, {}

    def copy(self) -> LayeredValues:
        """Return an independent copy."""
        if len(self._changes) > 64 + 2 * isqrt(len(self._base)):
            self._base, self._changes = dict(self), {}
        twin = LayeredValues()
        twin._base, twin._changes = self._base, dict(self._changes)
        return twin


@dataclass(slots=True)
class SlotValues:
    """What one contract's slots hold, as far as recorded transactions show."""

    values: LayeredValues = field(default_factory=LayeredValues)
    created: bool = False
    """Whether the contract's creation was seen: then a slot that nothing wrote holds zero."""
    last: dict[int, int] = field(default_factory=dict)
    """Slot to the row of the transaction that showed or wrote its value last, among those of one call."""

    def copy(self) -> SlotValues:
        """Return an independent copy."""
        return SlotValues(self.values.copy(), self.created, {})

    def expected_value(self, slot: int) -> int | None:
        """Return the value that a slot should hold; ``None`` if nothing tells."""
        return self.values.get(slot, 0 if self.created else None)


def contradicting(
    transactions: Sequence[Transaction], contract: Address, slot_values: SlotValues
) -> set[int]:
    """Return the rows of transactions that found or left what others do not confirm; update ``slot_values``.

    Both the transaction that found another value and the one that left the first are named.
    """
    rows: set[int] = set()
    for row, transaction in enumerate(transactions):
        calls = [call for call in transaction.invocations if call.contract == contract]
        if any(_creates(call) for call in calls):
            slot_values.values.clear()
            slot_values.created = True
        touched: set[int] = set()
        for access in _in_order(calls):
            slot = int(access.slot)
            if slot not in touched and access.before is not None:
                expected = slot_values.expected_value(slot)
                if expected is not None and expected != access.before:
                    rows |= {row} | ({slot_values.last[slot]} if slot in slot_values.last else set())
                slot_values.values[slot] = int(access.before)
            touched.add(slot)
            if access.kind is AccessKind.WRITE and not access.undone:
                if access.after is None:
                    slot_values.values.pop(slot, None)
                else:
                    slot_values.values[slot] = int(access.after)
            slot_values.last[slot] = row
    return rows


def _creates(call: Invocation) -> bool:
    return call.kind is InvocationKind.CONSTRUCTOR and call.outcome.accepted


def _in_order(calls: Sequence[Invocation]) -> Iterator[StorageAccess]:
    yield from sorted((item for call in calls for item in call.accesses), key=lambda item: item.position)
