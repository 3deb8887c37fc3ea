"""Whether transactions follow each other: what one finds in a slot is what the last one left there.

Where it is not, somebody unseen wrote between them (a call that the way of finding cannot see), or a recording is
wrong. This module looks at transactions while they are collected, so that those in question can be traced again;
:mod:`specminer.history.continuity` looks at a whole stored history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from specminer.history.trace import (
    AccessKind,
    Address,
    Invocation,
    InvocationKind,
    StorageAccess,
    Transaction,
)


@dataclass(slots=True)
class SlotValues:
    """What one contract's slots hold, as far as recorded transactions show."""

    values: dict[int, int] = field(default_factory=dict)
    created: bool = False
    """Whether the contract's creation was seen: then a slot that nothing wrote holds zero."""
    last: dict[int, int] = field(default_factory=dict)
    """Slot to the row of the transaction that showed or wrote its value last, among those of one call."""

    def copy(self) -> SlotValues:
        """Return an independent copy."""
        return SlotValues(dict(self.values), self.created, {})

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
