"""Makes several symbols of one event of a table: its parts, each with a condition in brackets behind the event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from specminer.history.contract_history import IntColumn
from specminer.learning.event_table import EventTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """How the events of one symbol are told apart; the others of its events stay what they are."""

    rows: IntColumn
    """Rows of the table, all of the symbol; shape (r,)."""
    code: IntColumn
    """Number of each one's part, 0 or more; shape (r,)."""
    texts: Mapping[int, str]
    """The condition of each part, ``not _paused``; an empty one adds nothing to the event's text."""


def with_parts(table: EventTable, parts: Mapping[int, Parts]) -> EventTable:
    """Return a table some of whose symbols are several, which stand where the symbol stood, by code."""
    texts: list[str] = []
    whole: list[int] = []
    first_part = np.zeros(max(1, len(table.symbols)), dtype=np.int64)
    numbers: dict[int, dict[int, int]] = {}
    for symbol, name in enumerate(table.symbols):
        first_part[symbol] = len(texts)
        symbol_parts = parts.get(symbol)
        count = int((table.symbol == symbol).sum()) if symbol_parts is not None else 0
        if symbol_parts is None or len(symbol_parts.rows) < count:
            texts.append(name)
            whole.append(symbol)
        if symbol_parts is None:
            continue
        numbers[symbol] = {}
        for code in np.unique(symbol_parts.code).tolist():
            numbers[symbol][code] = len(texts)
            texts.append(f"{name} [{symbol_parts.texts[code]}]" if symbol_parts.texts[code] else name)
            whole.append(symbol)
    column = first_part[table.symbol] if len(table) else table.symbol
    for symbol, symbol_parts in parts.items():
        column[symbol_parts.rows] = [numbers[symbol][code] for code in symbol_parts.code.tolist()]
    wholes = table.wholes or table.symbols
    arguments = tuple(
        replace(argument, symbols=tuple(new for new, old in enumerate(whole) if old in argument.symbols))
        for argument in table.arguments
    )
    return replace(
        table,
        symbols=tuple(texts),
        symbol=column,
        wholes=tuple(wholes[old] for old in whole),
        accepted_as=tuple(int(first_part[table.accepted_as[old]]) for old in whole)
        if table.accepted_as
        else (),
        switches=tuple(new for new, old in enumerate(whole) if old in table.switches),
        arguments=arguments,
    )
