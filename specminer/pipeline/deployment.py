"""What a contract's own variables held all the time: facts of the report, and no parts of states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.location_columns import Field
from specminer.decoding.storage_values import Key
from specminer.history.contract_history import MISSING, IntColumn
from specminer.specification import LastingValue

MOST_VALUES: Final = 40
"""So many are told at most, in the order of the slots."""
_MOST_WORDS: Final = 64
"""In a slot that held more words no constant is looked for: a busy field may stand beside it."""


def lasting_values(context: HistoryContext) -> tuple[LastingValue, ...]:
    """Return the named variables without keys that held one value all the time, zero aside.

    None for several contracts, or several lives of one, which need not agree.
    """
    if len(context.history.contracts) != 1:
        return ()
    return tuple(list(_lasting(context))[:MOST_VALUES])


def _lasting(context: HistoryContext) -> Iterator[LastingValue]:
    locations, accesses = context.locations, context.accesses
    bare = np.array([not item.ports and item.has_name for item in locations.variables], dtype=np.bool_)
    rows = np.flatnonzero(bare[locations.variable[accesses.slot]])
    rows = rows[np.argsort(accesses.slot[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(accesses.slot[rows], prepend=MISSING))
    for own in np.split(rows, starts[1:]) if len(starts) else ():
        variable = locations.variables[int(locations.variable[accesses.slot[own[0]]])]
        for position, field in enumerate(variable.fields):
            value = _only_value(context, own, field)
            if value:
                yield LastingValue(
                    variable=variable.text(None, position),
                    value=str(Key(value.to_bytes(32, "big"), field.kind)),
                    deployment=_set_by_constructor(context, own),
                )


def _set_by_constructor(context: HistoryContext, touches: IntColumn) -> bool:
    accesses = context.accesses
    created = context.is_constructor[accesses.invocation[touches]]
    return bool(np.any(created & accesses.effective_write[touches]))


def _only_value(context: HistoryContext, touches: IntColumn, field: Field) -> int | None:
    """Return the one value that a field had behind the constructor; ``None`` if it had several, or one is not known."""
    accesses, words = context.accesses, context.history.words
    created = context.is_constructor[accesses.invocation[touches]]
    rows = np.unique(
        np.concatenate([accesses.value_before[touches[~created]], accesses.value_after[touches]])
    )
    is_unknown = accesses.effective_write[touches] & (accesses.value_after[touches] == MISSING)
    rows = rows[rows != MISSING]
    if is_unknown.any() or not 0 < len(rows) <= _MOST_WORDS:
        return None
    values = {field.extract(words[word]) for word in rows.tolist()}
    return values.pop() if len(values) == 1 else None
