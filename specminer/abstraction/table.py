"""Builds the table of events from a split history: symbols, and each variable's value after each event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specminer.abstraction.events import EventTable, Variable
from specminer.dependency import Touches
from specminer.history import CONSTRUCTOR, MISSING, History, IntColumn
from specminer.interaction import Interactions, completion_order
from specminer.location import Part, Places

_ORDER = 1 << 32
"""More than the accesses and events of one transaction."""


def symbol_of(function: str, *, rejected: bool, passive: bool) -> str:
    """Return an event's symbol, as it stands in the automaton's alphabet."""
    if passive:
        return f"side effect of {function}"
    return f"{function} (rejected)" if rejected else function


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The lasting accesses to the interactions' own storage, sorted by interaction and time."""

    key: IntColumn
    """Interaction times ``span`` plus time; ascending."""
    variable: IntColumn
    before: IntColumn
    after: IntColumn
    """Rows in ``History.words``."""


def build(
    history: History, touched: Touches, places: Places, interactions: Interactions, functions: Sequence[str]
) -> EventTable:
    """Return the table; ``functions`` gives each invocation's bare function name.

    A variable is known from the deployment on (all zero) if the history holds it, else from the first
    access on, and before that from what this access found.
    """
    rejected = ~history.accepted[interactions.invocation] & ~interactions.passive
    texts = [
        symbol_of(functions[row], rejected=bool(no), passive=bool(other))
        for row, no, other in zip(interactions.invocation, rejected, interactions.passive, strict=True)
    ]
    symbols = tuple(sorted(set(texts)))
    place_of = {text: place for place, text in enumerate(symbols)}
    variables, parts, slot_variables = _variables(history, touched, places, interactions)
    span = (len(history.transaction_hash) + 1) * _ORDER
    ends = interactions.slice * span + _end_times(history)[interactions.invocation]
    cells = _cells(history, slot_variables, interactions, span)
    from_creation = bool(np.any(history.invocation_kind == CONSTRUCTOR))
    raw = np.full((len(variables), len(interactions.slice)), MISSING, dtype=np.int64)
    words: dict[int, int] = {}
    for row, part in enumerate(parts):
        raw[row] = _values(history, cells, row, part, interactions, ends, span, from_creation, words)
    return EventTable(
        symbols=symbols,
        symbol=np.array([place_of[text] for text in texts], dtype=np.int64),
        interaction=interactions.slice,
        rejected=rejected,
        variables=tuple(variables),
        values=raw,
        words=tuple(words),
    )


def _end_times(history: History) -> IntColumn:
    """Return for each invocation when it ended: after its own last access and those of its children."""
    times = history.invocation_transaction * _ORDER
    accessed = history.invocation_transaction[history.access_invocation] * _ORDER + history.access_position
    np.maximum.at(times, history.access_invocation, accessed)
    order = completion_order(history)
    # an invocation without accesses ends no earlier than the one before it
    times[order] = np.maximum.accumulate(times[order])
    return times


def _variables(
    history: History, touched: Touches, places: Places, interactions: Interactions
) -> tuple[list[Variable], list[Part], dict[int, tuple[IntColumn, list[int]]]]:
    """Return the variables, the field each reads, and for each slot's word its owners and variables."""
    slots, first = np.unique(touched.slot, return_index=True)
    found: dict[tuple[str, str], tuple[Variable, Part, int]] = {}
    slot_variables: dict[int, tuple[IntColumn, list[int]]] = {}
    for slot, row in zip(slots, first, strict=True):
        if int(slot) not in interactions.owned:
            continue
        word = int(touched.word[row])
        place = places[history.words[word]]
        numbers = []
        for part in place.parts:
            keys = "".join("[sender]" for _ in place.keys)
            name = f"{part.variable}{keys}{part.suffix}"
            if (name, part.suffix) not in found:
                found[name, part.suffix] = (Variable(name=name, kind=part.kind), part, len(found))
            numbers.append(found[name, part.suffix][2])
        slot_variables[word] = (interactions.owned[int(slot)], numbers)
    return [item[0] for item in found.values()], [item[1] for item in found.values()], slot_variables


def _cells(
    history: History,
    slot_variables: dict[int, tuple[IntColumn, list[int]]],
    interactions: Interactions,
    span: int,
) -> Cells:
    """Return the accesses that show or change a variable's value for good, one row a variable."""
    owner = np.full(len(history.words), MISSING, dtype=np.int64)
    for word, (owners, _) in slot_variables.items():
        owner[word] = owners[0]
    lasting = ~history.access_undone & (owner[history.access_slot] != MISSING)
    rows = np.flatnonzero(lasting)
    time = (
        history.invocation_transaction[history.access_invocation[rows]] * _ORDER
        + history.access_position[rows]
    )
    key = owner[history.access_slot[rows]] * span + time
    columns: list[tuple[IntColumn, IntColumn]] = []
    by_word: dict[int, list[int]] = {word: numbers for word, (_, numbers) in slot_variables.items()}
    words = history.access_slot[rows]
    width = max((len(numbers) for numbers in by_word.values()), default=0)
    for depth in range(width):
        number = np.full(len(history.words), MISSING, dtype=np.int64)
        for word, numbers in by_word.items():
            if depth < len(numbers):
                number[word] = numbers[depth]
        at = np.flatnonzero(number[words] != MISSING)
        columns.append((at, number[words[at]]))
    at = np.concatenate([rows_at for rows_at, _ in columns]) if columns else np.zeros(0, np.int64)
    variable = np.concatenate([numbers for _, numbers in columns]) if columns else np.zeros(0, np.int64)
    order = np.argsort(key[at], kind="stable")
    chosen = rows[at][order]
    return Cells(
        key=key[at][order],
        variable=variable[order],
        before=history.access_before[chosen],
        after=history.access_after[chosen],
    )


def _values(
    history: History,
    cells: Cells,
    variable: int,
    part: Part,
    interactions: Interactions,
    ends: IntColumn,
    span: int,
    from_creation: bool,
    words: dict[int, int],
) -> IntColumn:
    """Return one variable's value after each event, as numbers in ``words``, which grows."""
    mine = np.flatnonzero(cells.variable == variable)
    key = cells.key[mine]
    place = np.searchsorted(key, ends, side="right") - 1
    seen = (
        (place >= 0) & (key[np.maximum(place, 0)] // span == interactions.slice) if len(key) else place >= 0
    )
    value = np.full(len(ends), MISSING, dtype=np.int64)
    value[seen] = cells.after[mine][place[seen]]
    coded = _coded(history, part, words)
    result = np.where(value >= 0, coded[value], MISSING)
    unseen = np.flatnonzero(~seen)
    if from_creation:
        result[unseen] = words.setdefault(0, len(words))
    elif len(key):  # nothing had touched it since the history began: it held what the next access found
        following = np.minimum(place[unseen] + 1, len(key) - 1)
        same = key[following] // span == interactions.slice[unseen]
        found = np.where(same, cells.before[mine][following], MISSING)
        result[unseen] = np.where(found >= 0, coded[found], MISSING)
    return result


def _coded(history: History, part: Part, words: dict[int, int]) -> IntColumn:
    """Return for each word of the history the number of the field's value in ``words``."""
    return np.array(
        [words.setdefault(part.extract(word), len(words)) for word in history.words] or [MISSING],
        dtype=np.int64,
    )
