"""What the numbers of a variable measure, told from the values that were seen.

A layout says ``uint256`` of an amount, a deadline and a counter alike. What is stored tells more: deadlines lie
near the block's time, amounts are what calls paid or too large to count anything. Names are never looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.history.contract_history import MISSING, IntColumn
from specminer.learning.event_table import Dimension, EntityVariable, EventTable, ValueKind

NUMBERS: Final = frozenset({ValueKind.UINT, ValueKind.INT, ValueKind.WORD})
SHARE: Final = 0.9
"""This share of the values must look like a dimension's."""
TWENTY_YEARS: Final = 631_152_000.0
"""Seconds a stored time may lie from its block's."""
FIRST_TIME: Final = 1.0e9
"""Unix seconds of 2001: nothing smaller is taken for a time."""
LARGE_BLOCK: Final = 100_000.0
"""Block numbers from here on are no counters."""
MANY_KEYS: Final = 12
"""A variable with at most so many values is no reference to entities, even if all are keys of some."""
LARGE_AMOUNT: Final = 1.0e9
"""A gwei: numbers from here on are amounts, unless they are times or blocks."""
ADDRESS_LOW, ADDRESS_HIGH = float(1 << 96), float(1 << 160)

FloatColumn = npt.NDArray[np.float64]


def dimensions(table: EventTable) -> tuple[Dimension, ...]:
    """Return the dimension of each of the table's variables."""
    sizes = _sizes(table, signed=False)
    now, block = _column(table, "now", sizes), _column(table, "block", sizes)
    paid = table.call("value")
    keys = np.array(sorted(table.keys), dtype=np.int64)
    signed = _sizes(table, signed=True)
    return tuple(
        _dimension(
            variable, values, signed if variable.kind is ValueKind.INT else sizes, now, block, paid, keys
        )
        for variable, values in zip(table.variables, table.values, strict=True)
    )


def _sizes(table: EventTable, *, signed: bool) -> FloatColumn:
    """Return the words as floating point numbers; exact enough to tell orders of magnitude and small steps."""
    half = 1 << 255
    return np.array(
        [float(word - 2 * half if signed and word >= half else word) for word in table.words],
        dtype=np.float64,
    )


def _column(table: EventTable, name: str, sizes: FloatColumn) -> FloatColumn | None:
    rows = table.call(name)
    if rows is None or not len(rows) or (rows == MISSING).any():
        return None
    return sizes[rows]


def _dimension(
    variable: EntityVariable,
    values: IntColumn,
    sizes: FloatColumn,
    now: FloatColumn | None,
    block: FloatColumn | None,
    paid: IntColumn | None,
    keys: IntColumn,
) -> Dimension:
    if variable.kind is ValueKind.ADDRESS:
        return Dimension.ACCOUNT
    if variable.kind not in NUMBERS or variable.members or variable.function is not None:
        return Dimension.NONE
    events = np.flatnonzero(np.diff(values, prepend=MISSING) != 0)
    events = events[values[events] != MISSING]
    events = events[sizes[values[events]] != 0]
    if not len(events):
        return Dimension.COUNT
    stored = np.abs(sizes[values[events]])
    if variable.kind is ValueKind.WORD and _mostly((stored >= ADDRESS_LOW) & (stored < ADDRESS_HIGH)):
        return Dimension.ACCOUNT
    if now is not None and _mostly((stored > FIRST_TIME) & (np.abs(stored - now[events]) < TWENTY_YEARS)):
        return Dimension.TIME
    if block is not None and _is_block(stored, block[events]):
        return Dimension.BLOCK
    if _are_keys(values[events], keys):
        return Dimension.ENTITY
    if paid is not None and np.mean(values[events] == paid[events]) > 0.5:
        return Dimension.MONEY
    return Dimension.MONEY if np.median(stored) >= LARGE_AMOUNT else Dimension.COUNT


def _is_block(stored: FloatColumn, block: FloatColumn) -> bool:
    near = (stored >= block / 2) & (stored <= 2 * block) & (block >= LARGE_BLOCK)
    here = len(np.unique(stored)) > 2 and _mostly(stored == block)
    return _mostly(near) or here


def _are_keys(stored: IntColumn, keys: IntColumn) -> bool:
    """Whether values name entities: many different ones, all of them keys."""
    return len(np.unique(stored)) > MANY_KEYS and _mostly(np.isin(stored, keys))


def counters(table: EventTable) -> tuple[bool, ...]:
    """Return for each variable whether it counts something, so that no value of it but zero means a state.

    A step is counting if an event always adds the same small number, from three different values or more: the
    steps of a status are as small, but each event leads to a status of its own.
    """
    sizes = {signed: _sizes(table, signed=signed) for signed in (False, True)}
    inner = np.ones(len(table), dtype=np.bool_)
    inner[table.starts] = False
    return tuple(
        variable.kind in NUMBERS
        and _counts(table.symbol, values, sizes[variable.kind is ValueKind.INT], inner)
        for variable, values in zip(table.variables, table.values, strict=True)
    )


def _counts(symbol: IntColumn, values: IntColumn, sizes: FloatColumn, inner: npt.NDArray[np.bool_]) -> bool:
    before = np.r_[MISSING, values[:-1]][: len(values)]
    rows = np.flatnonzero(inner & (before != values) & (before != MISSING) & (values != MISSING))
    if not len(rows):
        return False
    steps = sizes[values[rows]] - sizes[before[rows]]
    counting = 0
    for event in np.unique(symbol[rows]).tolist():
        of_event = symbol[rows] == event
        distinct = np.unique(steps[of_event])
        if len(distinct) == 1 and abs(distinct[0]) == 1 and len(np.unique(before[rows][of_event])) >= 3:
            counting += int(of_event.sum())
    return counting > len(rows) / 2


def _mostly(column: npt.NDArray[np.bool_]) -> bool:
    return bool(np.mean(column) >= SHARE)


def comparable(
    variables: Sequence[EntityVariable], variable_dimensions: Sequence[Dimension]
) -> list[list[int]]:
    """Return the groups of variables that may be compared with each other, two or more in each.

    Within one dimension for numbers, within one type for the rest; enums only if their values are the same. Never
    truth values: that two flags agree says nothing that the flags themselves do not say better. Nor what functions
    return.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for position, (variable, dimension) in enumerate(zip(variables, variable_dimensions, strict=True)):
        signed = variable.kind is ValueKind.INT
        key: tuple[object, ...] = (dimension, signed)
        if variable.kind is ValueKind.BOOL or variable.function is not None:
            continue
        if dimension is Dimension.NONE:
            if variable.kind is ValueKind.ENUM and not variable.members:
                continue  # of which type nobody knows
            key = (variable.kind, variable.members)
        groups.setdefault(key, []).append(position)
    return [group for group in groups.values() if len(group) > 1]
