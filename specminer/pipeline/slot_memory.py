"""What the slots of contracts hold at the end of their stored histories, from one update to the next.

Who follows a chain updates a history with each block. Reading all of it to know what a block should find costs more the
longer the history is; bringing it up to date costs what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from specminer.history.slot_values import SlotValues, contradicting
from specminer.history.trace import Address, Transaction
from specminer.store import TraceStore

_History = tuple[TraceStore, int, Address]
"""A database, a chain and a contract."""


@dataclass(slots=True)
class _Entry:
    first: int
    last: int
    transactions: int
    """How many the database held: if it holds others since, somebody else changed it."""
    values: SlotValues


@dataclass(slots=True)
class SlotMemory:
    """Slot values at the end of ranges of blocks that a database holds."""

    _entries: dict[_History, _Entry] = field(default_factory=dict)

    def values(self, history: _History, span: tuple[int, int], read: Callable[[], SlotValues]) -> SlotValues:
        """Return what the slots hold behind a range of blocks, independent of what is kept.

        Args:
            history: whose slots.
            span: the first and the last block of the range.
            read: reads it from the database, if it is not known any more.

        """
        store, chain, contract = history
        count = store.transaction_count(chain, contract)
        entry = self._entries.get(history)
        if entry is None or (entry.first, entry.last, entry.transactions) != (*span, count):
            entry = self._entries[history] = _Entry(*span, count, read())
        return entry.values.copy()

    def advance(self, history: _History, first: int, last: int, added: Sequence[Transaction]) -> None:
        """Take note of the transactions that were stored for some blocks."""
        entry = self._entries.get(history)
        if entry is None or entry.last != first - 1:
            self.forget(history)
            return
        contradicting(added, history[2], entry.values)
        entry.values.last.clear()
        entry.last, entry.transactions = last, entry.transactions + len(added)

    def forget(self, history: _History) -> None:
        """Read the slots of a contract anew next time."""
        self._entries.pop(history, None)

    def clear(self) -> None:
        """Read the slots of all contracts anew next time."""
        self._entries.clear()
