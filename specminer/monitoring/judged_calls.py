"""The calls that a check judges, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass

from specminer.decoding import HistoryContext
from specminer.decoding.occurrences import occurrence_of
from specminer.history.contract_history import BoolColumn
from specminer.interaction import Interactions
from specminer.specification import Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCalls:
    """A history of ``n`` invocations, divided as a specification does, and which of them are judged."""

    context: HistoryContext
    interactions: Interactions
    is_judged: BoolColumn
    """Which invocations are judged; shape (n,)."""

    def function(self, row: int) -> str:
        """Return the name of an invocation's function."""
        return self.context.calls.name(row)

    def where(self, row: int) -> Occurrence:
        """Return the transaction of an invocation."""
        history = self.context.history
        return occurrence_of(history, int(history.invocation_transaction[row]))

    def interaction(self, event: int) -> str:
        """Return the name of the interaction that an event belongs to."""
        return self.interactions.names[int(self.interactions.slice[event])]
