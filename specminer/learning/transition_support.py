"""How many interactions each transition rests on, of those that could have taken it."""

from __future__ import annotations

import numpy as np

from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.tuning_result import FrontAutomaton, Tuning


def count_exits(tuning: Tuning, point: FrontAutomaton, counted: BoolColumn | None = None) -> IntColumn:
    """Return how many interactions left each state of a point of the front by some event; shape (states,).

    ``counted`` are the events that count, by row of the table; ``None`` for all.
    """
    states = len(point.states)
    pairs = tuning.table.interaction * states + tuning.before(point)
    pairs = np.unique(pairs if counted is None else pairs[counted])
    return np.bincount(pairs % states, minlength=states).astype(np.int64)
