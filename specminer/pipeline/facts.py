"""What a specification says of the history that it was mined from."""

from __future__ import annotations

import numpy as np

from specminer.history import CONSTRUCTOR, History


def gaps(history: History) -> list[str]:
    """Return what the history does not hold, as sentences."""
    created = np.unique(history.invocation_contract[history.invocation_kind == CONSTRUCTOR])
    missing = len(history.contracts) - len(created)
    found = []
    if len(history.contracts) > 1:
        if missing:
            found.append(
                f"of {missing:,} of the {len(history.contracts):,} contracts the history does not hold the creation: "
                "values of theirs that no transaction has shown yet are unknown"
            )
        return found
    if missing:
        found.append(
            f"the history begins at block {history.first_block}, after the contract was created: values that no "
            "transaction has shown yet are unknown"
        )
    if len(history.ranges) > 1:
        ranges = ", ".join(f"{first:,} to {last:,}" for first, last in history.ranges[:5])
        found.append(f"the history has gaps: only blocks {ranges} are complete")
    return found
