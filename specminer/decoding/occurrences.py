"""Where transactions of a history stand on the chain."""

from __future__ import annotations

from specminer.history.contract_history import MISSING, History
from specminer.specification import Occurrence


def occurrence_of(history: History, transaction: int) -> Occurrence:
    """Return where a transaction stands, by its row in the history."""
    time = int(history.transaction_time[transaction])
    return Occurrence(
        transaction=f"0x{history.transaction_hash[transaction].hex()}",
        block=int(history.transaction_block[transaction]),
        timestamp=None if time == MISSING else time,
    )
