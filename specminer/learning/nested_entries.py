"""Whether an account keeps something for others: entries under its key and one more, such as allowances.

``allowances[owner][spender]`` hangs under two keys and is no variable of its owner; that the owner has given *any*
allowance is a state that the owner is in. For each such mapping a truth value is added to the table,
``allowances[·][any]``: whether some entry under the account's key is not zero. Other entities than accounts are left
alone: that somebody has voted on a proposal is counted in it, and who did is the voter's.

It is told only where it is known: of entities whose contracts the history holds from their creation, so that what was
never written is zero, and as long as each access finds what the one before left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from specminer.decoding.accesses import AccessSummary
from specminer.decoding.location_columns import Locations, PortKind
from specminer.history.contract_history import MISSING, History, IntColumn
from specminer.interaction import Interactions, Mode
from specminer.learning.access_order import access_times, event_moments, tainted_accesses
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.table_building import has_creation

ANY: Final = "any"
"""What stands in the brackets of the other key."""
KNOWN_SHARE: Final = 0.9
"""Share of the events, rejected calls aside, behind which it must be known."""


def with_nested_entries(
    table: EventTable,
    history: History,
    accesses: AccessSummary,
    locations: Locations,
    interactions: Interactions,
    functions: Sequence[str],
) -> EventTable:
    """Return a table with a truth value for each mapping in which entities keep entries for others.

    Args:
        table: the events of ``interactions``.
        history: the history that they are of.
        accesses: its accesses.
        locations: what its slots mean.
        interactions: accounts; the table of anything else is returned as it is.
        functions: for each invocation what it counts as.

    """
    if not interactions.of_accounts or not len(table):
        return table
    created = has_creation(history, interactions)
    keeper = _keepers(locations, interactions)
    slot = accesses.slot[accesses.touch]
    after = np.where(history.access_undone, history.access_before, history.access_after)
    rows = np.flatnonzero((keeper != MISSING)[slot] & ~tainted_accesses(history, slot))
    if not len(rows):
        return table
    times = access_times(history)
    rows = rows[np.lexsort((times[rows], slot[rows]))]
    begins = np.r_[True, slot[rows][1:] != slot[rows][:-1]]
    before, after = history.access_before[rows], after[rows]
    zero = _row_of_zero(history)
    earlier = np.where(begins, zero, np.r_[MISSING, after[:-1]])
    doubtful = (before == MISSING) | (after == MISSING) | (before != earlier)
    step = (after != zero).astype(np.int64) - (before != zero).astype(np.int64)
    variable, holder = locations.variable[slot[rows]], keeper[slot[rows]]
    span = len(history.access_slot) + 2
    ends = interactions.slice * span + event_moments(history, interactions, times, table.rejected)
    words = {word: row for row, word in enumerate(table.words)}
    truths = np.array([words.setdefault(value, len(words)) for value in (0, 1)], dtype=np.int64)
    counted = ~table.rejected
    additions: list[tuple[EntityVariable, IntColumn, frozenset[str]]] = []
    for number in np.unique(variable).tolist():
        of_variable = variable == number
        keys = holder[of_variable] * span + times[rows[of_variable]]
        count = _running(keys, step[of_variable], ends, span)
        unsure = _running(keys, doubtful[of_variable].astype(np.int64), ends, span)
        is_known = created[interactions.slice] & (unsure == 0)
        if np.count_nonzero(is_known & counted) < KNOWN_SHARE * np.count_nonzero(counted):
            continue
        column = np.where(is_known, truths[(count > 0).astype(np.int64)], MISSING)
        touching = accesses.invocation[locations.variable[accesses.slot] == number]
        called = frozenset(functions[row] for row in np.unique(touching).tolist())
        additions.append((_variable(locations, number, interactions.mode), column, called))
    return _with(table, tuple(words), additions, [functions[row] for row in interactions.invocation.tolist()])


def _keepers(locations: Locations, interactions: Interactions) -> IntColumn:
    """Return for each slot the interaction that keeps it as an entry for another key, or ``MISSING``; shape (s,).

    Such a slot hangs under the interaction's key, then under one of a mapping, and is a whole entry.
    """
    whole = np.array(
        [
            len(variable.ports) == 2
            and locations.ports[variable.ports[1]].port_kind is PortKind.MAPPING
            and [field.text for field in variable.fields] == [""]
            for variable in locations.variables
        ],
        dtype=np.bool_,
    )
    shared = whole[locations.variable] & (interactions.owner == MISSING)
    return np.where(shared, interactions.holders[0], MISSING)


def _row_of_zero(history: History) -> int:
    """Return the row of zero in the history's words; one that is no row if it is not there."""
    return history.words.index(0) if 0 in history.words else len(history.words)


def _running(keys: IntColumn, step: IntColumn, ends: IntColumn, span: int) -> IntColumn:
    """Return the sum of the steps of each moment's interaction up to that moment.

    ``keys`` and ``ends`` are interactions times ``span`` plus times; shapes (c,) and (n,).
    """
    order = np.argsort(keys, kind="stable")
    keys, total = keys[order], np.r_[0, np.cumsum(step[order])]
    begin = np.searchsorted(keys, ends // span * span, side="left")
    summed: IntColumn = total[np.searchsorted(keys, ends, side="right")] - total[begin]
    return summed


def _variable(locations: Locations, number: int, mode: Mode) -> EntityVariable:
    """Return the truth value that tells of a mapping's entries."""
    variable = locations.variables[number]
    keys = ("sender" if mode is Mode.SENDER else "·", ANY)
    return EntityVariable(
        name=variable.text(keys),
        kind=ValueKind.BOOL,
        spellings=variable.spellings(keys),
        entries=(number, 0),
    )


def _with(
    table: EventTable,
    words: tuple[int, ...],
    additions: Sequence[tuple[EntityVariable, IntColumn, frozenset[str]]],
    called: Sequence[str],
) -> EventTable:
    """Return a table with further variables.

    Args:
        table: the table.
        words: its words, and those of the further columns.
        additions: each variable, its column, and what the calls count as that touch it.
        called: what the call of each event counts as.

    """
    extended = table.with_variables(words, [(variable, column) for variable, column, _ in additions])
    names = [variable.name for variable in extended.variables[len(table.variables) :]]
    of_symbol: dict[str, set[str]] = {}
    for symbol, function in zip(table.symbol.tolist(), called, strict=True):
        of_symbol.setdefault(table.symbols[symbol], set()).add(function)
    accessed = {
        symbol: table.accessed_variables[symbol]
        | {name for name, (_, _, touching) in zip(names, additions, strict=True) if touching & functions}
        for symbol, functions in of_symbol.items()
        if symbol in table.accessed_variables
    }
    return replace(extended, accessed_variables={**table.accessed_variables, **accessed})
