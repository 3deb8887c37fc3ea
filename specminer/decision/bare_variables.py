"""What variables without keys held before calls: stages of a whole contract, a period that its owner may change."""

from __future__ import annotations

from typing import Final

import numpy as np

from specminer.decision.state_conditions import StoredField
from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, IntColumn

LARGEST: Final = 1 << 60
"""What is larger counts as this much: it is no date, and sums of three stay in 64 bits."""


class BareVariables:
    """What variables without keys held before each of some calls; each is looked up once."""

    def __init__(self, context: HistoryContext, calls: IntColumn) -> None:
        """Take the history and the rows of the calls, each as often as it is asked about."""
        self._context, self._calls = context, calls
        self._columns: dict[StoredField, IntColumn | None] = {}

    def clock(self, name: str) -> IntColumn:
        """Return the time (``now``, Unix seconds) or the number (``block``) of each call's block; shape (calls,)."""
        history = self._context.history
        column = history.transaction_time if name == "now" else history.transaction_block
        return column[history.invocation_transaction[self._calls]].astype(np.int64)

    def column(self, field: StoredField) -> IntColumn | None:
        """Return a field's values, at most :data:`LARGEST`, or ``MISSING`` where one is not known; shape (calls,).

        ``None`` if it has a key, if nothing touched it, or if there is one of each of several contracts.
        """
        if field not in self._columns:
            self._columns[field] = self._column(field)
        return self._columns[field]

    def _column(self, stored: StoredField) -> IntColumn | None:
        context = self._context
        accesses, locations = context.accesses, context.locations
        variable = locations.variables[stored.variable]
        touches = np.flatnonzero(locations.variable[accesses.slot] == stored.variable)
        if variable.ports or not len(touches) or len(np.unique(accesses.slot[touches])) > 1:
            return None
        order = np.searchsorted(accesses.invocation[touches], self._calls)
        here = touches[np.minimum(order, len(touches) - 1)]
        is_before = (accesses.invocation[here] == self._calls) | (order == 0)
        word = np.where(is_before, accesses.value_before[here], accesses.value_after[touches[order - 1]])
        rows, position = np.unique(word, return_inverse=True)
        field = variable.fields[stored.field]
        values = [
            MISSING if row == MISSING else min(field.extract(context.history.words[row]), LARGEST)
            for row in rows.tolist()
        ]
        return np.array(values, dtype=np.int64)[position.ravel()]
