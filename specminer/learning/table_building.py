"""Builds the table of events from a split history: symbols, and each variable's value after each event.

A value that nobody has read or written yet is unknown, not zero, unless the history holds the contract's creation. What
the next access finds was there before, as long as no write in doubt stands between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.scratch import in_file
from specminer._support.text import unique_names
from specminer.decoding.accesses import AccessSummary, first_accesses
from specminer.decoding.location_columns import Field, Locations
from specminer.decoding.location_columns import StorageVariable as Stored
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import CONSTRUCTOR, MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.interaction import Interactions, Mode, event_text
from specminer.learning.access_order import access_times, doubtful_accesses, event_moments, tainted_accesses
from specminer.learning.event_table import EntityVariable, EventTable

REJECTED: Final = " (rejected)"
"""What stands behind an event that was rejected."""


def symbol_of(
    function: str, role: str | None = None, *, rejected: bool, passive: bool, phase: str | None = None
) -> str:
    """Return an event's symbol, as it stands in the automaton's alphabet."""
    event = event_text(function, role, passive=passive, phase=phase)
    return f"{event}{REJECTED}" if rejected and not passive else event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """What accesses tell of the variables for good, by variable, interaction and time; shape (c,) each."""

    variable: RowColumn
    key: IntColumn
    """Interaction times ``span`` plus time; ascending within a variable."""
    before: RowColumn
    after: RowColumn
    """Rows in ``History.words``; ``MISSING`` where they are not known."""
    doubtful: BoolColumn
    """Whether what was there before is unknown because it is in doubt, not because the tracer could not see it."""


def build(
    history: History,
    accesses: AccessSummary,
    locations: Locations,
    interactions: Interactions,
    functions: Sequence[str],
    key_name: Callable[[int, ValueKind], str | None] | None = None,
) -> EventTable:
    """Return the table; ``functions`` gives each invocation's bare function name.

    ``key_name`` says what a key is called that stands for a choice, such as a role; ``None`` for what has no name.

    A variable is known from the deployment on (all zero) if the history holds it for each contract of the
    interaction, else from the first access on, and before that from what this access found. Between two accesses of
    which the second finds another value than the first left, or one in doubt, somebody unseen wrote: it is unknown.
    What is assumed of it is what the next access that tells finds, or else what the last one left. The values after an
    event are those that the next event finds if it is enclosed in the same transaction, else those at
    the transaction's end; after a rejected event, those after the event before.
    """
    rejected = ~history.accepted[interactions.invocation] & ~interactions.passive
    symbols, symbol = _symbols(interactions, functions, rejected)
    variables, fields, numbers = _variables(history, accesses, locations, interactions, key_name)
    span = len(history.access_slot) + 2
    times = access_times(history)
    ends = interactions.slice * span + event_moments(history, interactions, times, rejected)
    cells = _cells(history, accesses, interactions.owner, numbers, times, span)
    created = has_creation(history, interactions)
    words: dict[int, int] = {0: 0} if np.any(created) else {}
    initial = np.where(created, 0, MISSING)[interactions.slice]
    values = np.full((len(variables), len(ends)), MISSING, dtype=np.int64)
    assumed: IntColumn | None = None
    bounds = np.searchsorted(cells.variable, np.arange(len(variables) + 1))
    for row, field in enumerate(fields):
        own_cells = slice(int(bounds[row]), int(bounds[row + 1]))
        before, after = _encode_field(history, field, cells.before[own_cells], cells.after[own_cells], words)
        times_of = _Timeline(
            key=cells.key[own_cells], before=before, after=after, doubtful=cells.doubtful[own_cells]
        )
        values[row], doubted = times_of.values(ends, span, initial)
        if len(doubted):
            assumed = values.copy() if assumed is None else assumed
            assumed[row] = values[row]
            assumed[row, doubted] = times_of.nearest(ends[doubted], span, initial[doubted])
        elif assumed is not None:
            assumed[row] = values[row]
    return EventTable(
        symbols=symbols,
        symbol=symbol,
        interaction=interactions.slice,
        rejected=rejected,
        variables=tuple(variables),
        values=in_file(values),
        words=tuple(words),
        assumed=assumed,
        accessed_variables=_accessed_variables(
            accesses, interactions, functions, numbers, symbols, symbol, variables
        ),
    )


def _accessed_variables(
    accesses: AccessSummary,
    interactions: Interactions,
    functions: Sequence[str],
    numbers: RowColumn,
    symbols: Sequence[str],
    symbol: IntColumn,
    variables: Sequence[EntityVariable],
) -> dict[str, frozenset[str]]:
    """Return for each symbol the names of the variables that calls of its function read or write.

    ``numbers`` are each slot's variables, as of :func:`_variables`. Linear in the accesses.
    """
    number = {name: row for row, name in enumerate(dict.fromkeys(functions))}
    function = np.array([number[name] for name in functions], dtype=np.int64)
    touched = np.zeros((len(number), len(variables) + 1), dtype=np.bool_)  # the last one is that of MISSING
    for of_slot in numbers:
        touched[function[accesses.invocation], of_slot[accesses.slot]] = True
    names = [
        frozenset(variables[position].name for position in np.flatnonzero(row[:-1]).tolist())
        for row in touched
    ]
    made_by: dict[int, set[int]] = {}
    for pair in np.unique(symbol * len(number) + function[interactions.invocation]).tolist():
        made_by.setdefault(pair // len(number), set()).add(pair % len(number))
    return {
        symbols[position]: frozenset().union(*(names[row] for row in rows))
        for position, rows in made_by.items()
    }


def has_creation(history: History, interactions: Interactions) -> BoolColumn:
    """Return whether the history holds the creation of all contracts of each interaction; shape (k,)."""
    created = np.zeros(len(history.contracts), dtype=np.bool_)
    constructors = history.accepted & (history.invocation_kind == CONSTRUCTOR)
    created[history.invocation_contract[constructors]] = True
    result = np.ones(len(interactions.names), dtype=np.bool_)
    here = created[history.invocation_contract[interactions.invocation]]
    np.logical_and.at(result, interactions.slice, here)
    return result


def _symbols(
    interactions: Interactions, functions: Sequence[str], rejected: BoolColumn
) -> tuple[tuple[str, ...], IntColumn]:
    """Return the symbols, sorted, and each event's; a hostile function name gets none of another's."""
    none = np.full(len(interactions.slice), MISSING, dtype=np.int64)
    phase = none if interactions.phase is None else interactions.phase
    columns = (interactions.invocation, interactions.role, rejected, interactions.passive, phase)
    events = [
        (functions[row], interactions.roles[role] if role != MISSING else None, no, other, became)
        for row, role, no, other, became in zip(*(column.tolist() for column in columns), strict=True)
    ]
    text_of_event = {
        event: symbol_of(
            event[0],
            event[1],
            rejected=event[2],
            passive=event[3],
            phase=None if event[4] == MISSING else interactions.phases[event[4]],
        )
        for event in sorted(
            set(events), key=lambda event: (event[2] or event[3], event[0], event[1] or "", event[2:])
        )
    }
    texts = dict(zip(text_of_event, unique_names(text_of_event.values()), strict=True))
    symbols = tuple(sorted(texts.values()))
    position_of = {text: position for position, text in enumerate(symbols)}
    return symbols, np.array([position_of[texts[event]] for event in events], dtype=np.int64)


def _variables(
    history: History,
    accesses: AccessSummary,
    locations: Locations,
    interactions: Interactions,
    key_name: Callable[[int, ValueKind], str | None] | None,
) -> tuple[list[EntityVariable], list[Field], RowColumn]:
    """Return the variables, the field that each reads, and each slot's variables.

    Shape of the last: (most fields in a slot, s), the numbers of variables; ``MISSING`` for none.
    """
    slots = np.flatnonzero(interactions.owner != MISSING)
    contract = np.zeros(len(interactions.owner), dtype=np.int64)
    if interactions.mode is Mode.WHOLE:  # else what contracts keep in equal slots is one variable
        contract[accesses.slot] = history.invocation_contract[accesses.invocation]
    span = len(history.contracts)
    choices, choice = _choices(locations, interactions, slots)
    identity = (locations.variable[slots] * span + contract[slots]) * len(choices) + choice
    kinds, kind_of_slot = np.unique(identity, return_inverse=True)
    first = np.full(len(kinds), len(accesses.touch), dtype=np.int64)
    np.minimum.at(first, kind_of_slot, first_accesses(accesses, len(interactions.owner))[slots])
    by_access = np.argsort(first)  # not by name: renaming a variable must change nothing else
    kinds, kind_of_slot = kinds[by_access], np.argsort(by_access)[kind_of_slot]
    stored_in = (kinds // len(choices) // span).tolist()
    rows = [locations.variables[row] for row in stored_in]
    entity = "sender" if interactions.mode is Mode.SENDER else "·"
    keys = [
        _key_texts(locations, row, choices[choice_number], entity, key_name)
        for row, choice_number in zip(rows, (kinds % len(choices)).tolist(), strict=True)
    ]
    fields = [
        (row.text(key, position), field)
        for row, key in zip(rows, keys, strict=True)
        for position, field in enumerate(row.fields)
    ]
    starts = np.cumsum([0, *(len(row.fields) for row in rows)])
    most = max((len(row.fields) for row in rows), default=0)
    table = np.full((most, len(rows)), MISSING, dtype=np.int32)
    for number, row in enumerate(rows):
        table[: len(row.fields), number] = np.arange(starts[number], starts[number + 1])
    numbers = np.full((most, len(interactions.owner)), MISSING, dtype=np.int32)
    numbers[:, slots] = table[:, kind_of_slot]
    names = unique_names(name for name, _ in fields)
    spellings = [
        row.spellings(key, position)
        for row, key in zip(rows, keys, strict=True)
        for position in range(len(row.fields))
    ]
    stored = [
        (number, position)
        for number, row in zip(stored_in, rows, strict=True)
        for position in range(len(row.fields))
    ]
    variables = [
        EntityVariable(
            name=name, kind=field.kind, members=field.members, spellings=others, storage_field=where
        )
        for name, (_, field), others, where in zip(names, fields, spellings, stored, strict=True)
    ]
    return variables, [field for _, field in fields], numbers


def _choices(
    locations: Locations, interactions: Interactions, slots: IntColumn
) -> tuple[list[tuple[int, ...]], IntColumn]:
    """Return the keys beside the entity's that slots hang under, each combination once, and the one of each slot.

    A combination has a code for each key position, ``MISSING`` for the entity's own and where there is none.
    """
    codes = locations.keys[slots].astype(np.int64)
    for depth, holder in enumerate(interactions.holders):
        if depth < codes.shape[1]:
            codes[holder[slots] != MISSING, depth] = MISSING
    single = np.sum(locations.port[slots] != MISSING, axis=1) < 2
    codes[single] = MISSING
    distinct, choice = np.unique(codes, axis=0, return_inverse=True)
    combinations = [tuple(row) for row in distinct.tolist()]
    return combinations or [()], choice.reshape(-1).astype(np.int64)


def _key_texts(
    locations: Locations,
    variable: Stored,
    choice: tuple[int, ...],
    entity: str,
    key_name: Callable[[int, ValueKind], str | None] | None,
) -> tuple[str, ...] | None:
    """Return what stands in the brackets of a variable; ``None`` if it has none."""
    if not variable.ports:
        return None
    texts = []
    for depth, port in enumerate(variable.ports):
        code = choice[depth] if depth < len(choice) else MISSING
        kind = locations.ports[port].kind
        if code == MISSING:
            texts.append(entity)
            continue
        word = locations.key_table.word(code)
        name = None if word is None or key_name is None else key_name(word, kind)
        texts.append(name or locations.key_table.text(code, kind))
    return tuple(texts)


def _cells(
    history: History,
    accesses: AccessSummary,
    owner: IntColumn,
    numbers: RowColumn,
    times: RowColumn,
    span: int,
) -> _Cells:
    """Return the accesses that show or change a variable's value for good, one row a variable."""
    slot = accesses.slot[accesses.touch]
    # it neither lasted nor shows what it found
    silent = history.access_undone & np.equal(history.access_before, MISSING)
    owned = (owner != MISSING)[slot]
    rows = np.flatnonzero(owned & ~silent & ~tainted_accesses(history, slot)).astype(np.int32)
    del owned, silent
    pairs = [(rows[number != MISSING], number[number != MISSING]) for number in numbers[:, slot[rows]]]
    at = np.concatenate([np.zeros(0, np.int32), *(access_rows for access_rows, _ in pairs)])
    variable = np.concatenate([np.zeros(0, np.int32), *(number for _, number in pairs)])
    del rows, pairs
    key = owner[slot[at]] * span + times[at]
    del slot
    order = np.lexsort((key, variable))
    variable, at = in_file(variable[order]), at[order]
    key = in_file(key[order])
    del order
    before = in_file(history.access_before[at])
    return _Cells(
        variable=variable,
        key=key,
        before=before,
        # an undone write shows for good what it found
        after=in_file(np.where(history.access_undone[at], before, history.access_after[at])),
        doubtful=in_file(doubtful_accesses(history)[at]),
    )


def _encode_field(
    history: History, field: Field, before: RowColumn, after: RowColumn, words: dict[int, int]
) -> tuple[RowColumn, RowColumn]:
    """Return one field's values as numbers in ``words``, which grows."""
    number = np.full(len(history.words) + 1, MISSING, dtype=np.int32)  # the last one is that of MISSING
    used = np.zeros(len(number), dtype=np.bool_)
    used[before] = used[after] = True
    rows = np.flatnonzero(used[:-1])
    number[rows] = [words.setdefault(field.extract(history.words[row]), len(words)) for row in rows.tolist()]
    return number[before], number[after]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timeline:
    """One variable's accesses, by interaction and time; shape (c,) each."""

    key: IntColumn
    """Interaction times ``span`` plus time; ascending."""
    before: RowColumn
    after: RowColumn
    doubtful: BoolColumn

    def values(self, ends: IntColumn, span: int, initial: IntColumn) -> tuple[IntColumn, IntColumn]:
        """Return the value after each event, ``initial`` before all accesses, and which events leave one in doubt."""
        key, before, after = self.key, self.before, self.after
        if not len(key):
            return initial.astype(np.int64), np.zeros(0, dtype=np.int64)
        interaction = ends // span
        index = np.searchsorted(key, ends, side="right") - 1
        has_access = (index >= 0) & (key[index] // span == interaction)
        # nothing had accessed it since the history began: it held what the next access found
        following = np.minimum(index + 1, len(key) - 1)
        goes_on = (index + 1 < len(key)) & (key[following] // span == interaction)
        value = np.where(
            has_access, after[index], np.where(goes_on & (initial == MISSING), before[following], initial)
        )
        missing = before[following] == MISSING
        doubted = goes_on & missing & self.doubtful[following]
        unseen = goes_on & (before[following] != value) & (~missing | self.doubtful[following])
        doubted |= (has_access & (after[index] == MISSING)) | unseen
        return np.where(unseen, MISSING, value), np.flatnonzero(doubted)

    def nearest(self, ends: IntColumn, span: int, initial: IntColumn) -> IntColumn:
        """Return what is found next behind some moments, or else what was known last, at first ``initial``."""
        values = np.stack([self.before, self.after], axis=1).ravel()
        interaction = np.repeat(self.key // span, 2)
        numbers = np.arange(len(values))
        is_known = values != MISSING
        later = np.minimum.accumulate(np.where(is_known, numbers, len(values))[::-1])[::-1]
        earlier = np.maximum.accumulate(np.where(is_known, numbers, MISSING))
        index = np.searchsorted(self.key, ends, side="right")
        following = np.append(later, len(values))[2 * index]
        last = np.append(earlier, MISSING)[2 * index - 1]
        target = ends // span
        inside = (following < len(values)) & (interaction[np.minimum(following, len(values) - 1)] == target)
        before = (last != MISSING) & (interaction[last] == target)
        return np.where(
            inside,
            values[np.minimum(following, len(values) - 1)],
            np.where(before, values[last], initial),
        )
