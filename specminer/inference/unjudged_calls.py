"""Which calls nothing judges, and why: whoever reads that nothing stands out should know what was not looked at."""

from __future__ import annotations

import numpy as np

from specminer.decoding import ROLLED_BACK, HistoryContext
from specminer.specification import UnjudgedCalls


def count_unjudged(context: HistoryContext) -> tuple[UnjudgedCalls, ...]:
    """Return the calls of a history that had no lasting effect of their own, by reason; none twice."""
    history = context.history
    reasons = (
        (context.is_constructor, "they create the contract, and there is nothing to compare them with"),
        (context.is_in_vain, "the contract was gone, and no code ran"),
        (
            history.invocation_outcome == ROLLED_BACK,
            "a call around them was reverted, and nothing of them lasted",
        ),
        (~history.accepted, "they were rejected, and nothing of them lasted"),
    )
    rest = np.ones(len(history), dtype=np.bool_)
    groups = []
    for applies, reason in reasons:
        calls = int((rest & applies).sum())
        rest &= ~applies
        if calls:
            groups.append(UnjudgedCalls(calls=calls, reason=reason))
    return tuple(groups)
