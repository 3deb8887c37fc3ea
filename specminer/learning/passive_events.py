"""What others do to an entity, where it is only bookkeeping.

A variable that mostly changes by the entity's own calls may be changed by a call that does not name it: a side
effect, which is an event. A variable of which more than a fifth of the changes come from such calls is an index or a
list kept for somebody else: it says nothing about this entity, and is left out, and with it the side
effects that are nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction import Interactions, Mode
from specminer.learning.event_table import EventTable

PASSIVE_SHARE: Final = 0.2
"""More changes than this share by calls that do not name the entity make a variable bookkeeping."""


def without_bookkeeping(
    table: EventTable, interactions: Interactions, predicates: Sequence[str] = ()
) -> tuple[EventTable, Interactions, tuple[str, ...]]:
    """Return table and interactions without bookkeeping, and the names of the variables left out.

    Accounts are left as they are: what others do to an account's storage is what happens to it. Variables that are
    mentioned in ``predicates`` are kept.
    """
    if interactions.mode not in (Mode.PARTITION, Mode.PROJECTION) or not interactions.passive.any():
        return table, interactions, ()
    inner = np.ones(len(table), dtype=np.bool_)
    inner[table.starts] = False
    changes = np.array([_changes(column, inner) for column in table.values], dtype=np.bool_)
    changes = changes.reshape(len(table.variables), len(table))
    total = changes.sum(axis=1)
    passive = (changes & interactions.passive).sum(axis=1)
    is_mentioned = [
        any(variable.name in predicate for predicate in predicates) for variable in table.variables
    ]
    is_kept = (passive <= PASSIVE_SHARE * total) | np.array(is_mentioned, dtype=np.bool_)
    has_change = changes[is_kept].any(axis=0) | ~inner
    if table.assumed is not None:  # what leaves a value in doubt may have changed it
        has_change |= ((table.values == MISSING) & (table.assumed != MISSING))[is_kept].any(axis=0)
    stays = ~interactions.passive | interactions.switches | has_change
    dropped = tuple(
        variable.name for variable, stay in zip(table.variables, is_kept, strict=True) if not stay
    )
    if not dropped:
        return table, interactions, ()
    table = replace(
        table,
        variables=tuple(v for v, stay in zip(table.variables, is_kept, strict=True) if stay),
        values=table.values[is_kept],
        assumed=None if table.assumed is None else table.assumed[is_kept],
    )
    return only(table, stays), kept_events(interactions, stays), dropped


def _changes(column: IntColumn, inner: BoolColumn) -> BoolColumn:
    before = np.r_[MISSING, column[:-1]][: len(column)]
    changed: BoolColumn = inner & (column != before) & (before != MISSING) & (column != MISSING)
    return changed


def only(table: EventTable, keep: BoolColumn) -> EventTable:
    """Return a table with some of its events; what the others did to the values stays."""
    return replace(
        table,
        symbol=table.symbol[keep],
        interaction=table.interaction[keep],
        rejected=table.rejected[keep],
        values=table.values[:, keep],
        assumed=None if table.assumed is None else table.assumed[:, keep],
        call_values=None if table.call_values is None else table.call_values[:, keep],
        arguments=tuple(replace(item, values=item.values[keep]) for item in table.arguments),
    )


def kept_events(interactions: Interactions, keep: BoolColumn) -> Interactions:
    """Return interactions with some of their events."""
    return replace(
        interactions,
        slice=interactions.slice[keep],
        invocation=interactions.invocation[keep],
        passive=interactions.passive[keep],
        role=interactions.role[keep],
        phase=None if interactions.phase is None else interactions.phase[keep],
    )
