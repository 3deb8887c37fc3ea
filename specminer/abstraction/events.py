"""The table of events that an abstraction is learned from.

One row per event of an interaction, all interactions one after another; for each variable of the
interaction, its value after the event. Nothing before this point knows states, nothing after it knows
storage slots.
"""

from __future__ import annotations

from dataclasses import dataclass

from specminer.history import BoolColumn, IntColumn
from specminer.location import ValueKind

__all__ = ["EventTable", "ValueKind", "Variable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A storage variable of the interaction, as predicates name it."""

    name: str
    """``highestBid``, ``pendingReturns[sender]``, ``slot7``: raw text from a layout, unique in a table."""
    kind: ValueKind
    members: tuple[str, ...] = ()
    """For an enum, the names of its values, where known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """``n`` events of ``k`` interactions over ``v`` variables, as columns."""

    symbols: tuple[str, ...]
    """Event texts; rejected and passive events have symbols of their own."""
    symbol: IntColumn
    """Position in ``symbols``; shape (n,), as all columns."""
    interaction: IntColumn
    """0 .. k-1, ascending: the events of one interaction stand together, in chain order."""
    rejected: BoolColumn
    """A rejected call keeps the state: its values equal those of the event before."""
    variables: tuple[Variable, ...]
    values: IntColumn
    """Row in ``words`` after the event, or -1 where the value is unknown; shape (v, n)."""
    words: tuple[int, ...]
    """The values, each once, unsigned 256-bit."""

    def __len__(self) -> int:
        return len(self.symbol)
