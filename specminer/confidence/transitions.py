"""How many interactions each transition rests on, of those that could have taken it."""

from __future__ import annotations

import numpy as np

from specminer.history import IntColumn
from specminer.tuning import FrontPoint, Tuning


def reached(tuning: Tuning, point: FrontPoint) -> IntColumn:
    """Return how many interactions left each state of a point of the front by some event; shape (states,)."""
    states = len(point.states)
    pairs = np.unique(tuning.table.interaction * states + tuning.before(point))
    return np.bincount(pairs % states, minlength=states).astype(np.int64)
