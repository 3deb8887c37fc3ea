"""The order in which calls end."""

from __future__ import annotations

import numpy as np

from specminer.history import History, IntColumn


def completion_order(history: History) -> IntColumn:
    """Return the invocations in the order in which they end: a re-entrant call before its parent."""
    last = np.arange(len(history))
    for row in np.flatnonzero(history.invocation_parent >= 0)[::-1]:
        parent = history.invocation_parent[row]
        last[parent] = max(last[parent], last[row])
    # of those that end together, the one that began last (the innermost) is first
    return np.lexsort((-np.arange(len(history)), last))
