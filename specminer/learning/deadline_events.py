"""Deadlines of the entity as events: the moment at which the clock reaches what its storage holds.

The block's time moves on without calls, so a state that depends on it would be untrue when the next call comes. So
what the code compares with the clock becomes a flag of the entity (``until reached``): false where nothing is set and
before the deadline. Where it turns between two calls of an interaction stands an event of its own, that nobody made.
Behind the last call nothing is known to have happened. Whether it pays is up to :mod:`specminer.learning`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer._support.text import unique_names
from specminer.decision.state_conditions import StateCondition, ZeroComparison
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction import Interactions
from specminer.interaction.interactions import CLOCK
from specminer.learning.coded_predicates import places_of
from specminer.learning.event_table import ContractParameter, EntityVariable, EventTable, ValueKind

MOST_CLOCKS: Final = 4
"""Deadlines that are looked at, those that turn most often."""
_LARGEST: Final = 1 << 60
"""Deadlines beyond are never reached; sums of three stay in 64 bits."""
_KEYS: Final = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """What the code compares with the clock."""

    name: str
    """``until reached``: unique in a table."""
    storage_fields: tuple[tuple[int, int], ...]
    """The variables that are added up, as :attr:`EntityVariable.storage_field` has them."""
    clock: str
    """``now`` or ``block``."""
    added: int
    """What is added to them."""
    turns: int
    """How often it is reached between two calls of an interaction."""
    constants: tuple[str, ...] = ()
    """Names of what is added, where it has any."""


def deadlines(table: EventTable) -> tuple[Deadline, ...]:
    """Return what the code compares with the clock and is reached now and then, what is so most often first."""
    candidates: dict[tuple[object, ...], Deadline] = {}
    for condition in table.conditions:
        if not condition.clock or condition.comparison is not ZeroComparison.NEGATIVE:
            continue
        if any(factor != -condition.factor for _, factor in condition.stored_fields):
            continue
        if not _is_of_one(table, condition):
            continue
        stored = tuple((location.variable, location.field) for location, _ in condition.stored_fields)
        # now - D + c < 0: reached from D - c on; D + c - now < 0: reached from D + c + 1 on
        added = -condition.constant if condition.factor > 0 else condition.constant + 1
        item = Deadline(
            name="",
            storage_fields=stored,
            clock=condition.clock,
            added=added,
            turns=0,
            constants=condition.constants,
        )
        course = _course(table, item)
        turns = 0 if course is None else int(course.has_turned.sum())
        if turns:
            kind = (stored, condition.clock, condition.constants, added)
            candidates.setdefault(kind, replace(item, turns=turns))
    most_frequent = sorted(_apart(candidates.values()), key=lambda item: -item.turns)[:MOST_CLOCKS]
    names = unique_names(
        [*(variable.name for variable in table.variables), *(_name(table, item) for item in most_frequent)]
    )
    return tuple(
        replace(item, name=name)
        for item, name in zip(most_frequent, names[len(table.variables) :], strict=True)
    )


def _apart(candidates: Collection[Deadline]) -> Iterator[Deadline]:
    """Yield deadlines, but of two that are a second apart, ``now >= end`` and ``now > end``, the earlier one alone."""
    moments = {(item.storage_fields, item.clock, item.constants, item.added) for item in candidates}
    for item in candidates:
        if (item.storage_fields, item.clock, item.constants, item.added - 1) not in moments:
            yield item


def _is_of_one(table: EventTable, condition: StateCondition) -> bool:
    """Return whether a condition speaks of one place of the entity, and else of variables of the contract alone."""
    shared = {parameter.storage_field for parameter in table.parameters}
    own = tuple(item for item in condition.stored_fields if tuple(item[0]) not in shared)
    if condition.stored_fields and not own:
        return False
    return len(list(places_of(table, replace(condition, stored_fields=own)))) == 1


def _name(table: EventTable, item: Deadline) -> str:
    parts = [table.variables[row].name for row in _rows(table, item)]
    parts += [parameter.name for parameter in _parameters(table, item)]
    short_names = [_KEYS.sub("", name).rpartition(".")[2].strip("_") for name in (*parts, *item.constants)]
    delay = "" if item.constants or not short_names else _delay(item)
    return f"{' + '.join(short_names) or item.clock}{delay} reached"


def _delay(item: Deadline) -> str:
    """Return what the code itself adds, as `` + 3 days``; nothing where that is one second or block at most."""
    if abs(item.added) <= 1:
        return ""
    sign, number, unit = "+" if item.added > 0 else "-", abs(item.added), "block"
    if item.clock == "now":
        lengths = [86_400, 3_600, 60, 1]
        # now > end + 3 days is reached a second later
        exact = next(size for size in lengths if number % size <= (size > 1 and item.added > 0))
        number, unit = (
            number // exact,
            dict(zip(lengths, ("day", "hour", "minute", "second"), strict=True))[exact],
        )
    return f" {sign} {number} {unit}{'s' * (number > 1)}"


def _rows(table: EventTable, item: Deadline) -> list[int]:
    """Return the positions of a deadline's variables of the entity, as far as the table has them."""
    rows = [
        [row for row, variable in enumerate(table.variables) if variable.storage_field == location]
        for location in item.storage_fields
    ]
    return [own[0] for own in rows if own]


def _parameters(table: EventTable, item: Deadline) -> list[ContractParameter]:
    """Return a deadline's variables of the whole contract."""
    return [parameter for parameter in table.parameters if parameter.storage_field in item.storage_fields]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClockCourse:
    """Where the clock stood against a deadline at each of ``n`` events."""

    after: BoolColumn
    """Whether the deadline was reached after each event; shape (n,), as all columns."""
    is_known: BoolColumn
    """Whether that is known."""
    has_turned: BoolColumn
    """Before which events it was reached that had not been when the event before them happened."""
    due_time: IntColumn
    """When it is reached, by what holds before each event; means something where it has been reached since the last."""


def _course(table: EventTable, item: Deadline) -> _ClockCourse | None:
    """Return the course of a deadline; ``None`` if the table has no such clock."""
    clock, rows, shared = table.call(item.clock), _rows(table, item), _parameters(table, item)
    if clock is None or len(rows) + len(shared) < len(item.storage_fields) or np.any(clock == MISSING):
        return None
    numbers = np.array([min(word, _LARGEST) for word in table.words], dtype=np.int64)
    now = numbers[clock]
    values = (table.values if table.assumed is None else table.assumed)[rows]
    is_known = (values != MISSING).all(axis=0)
    parts = numbers[np.maximum(values, 0)]
    own_moment, is_set = parts.sum(axis=0) + item.added, (parts != 0).all(axis=0)
    has_parameters, added = np.ones(len(table), dtype=np.bool_), np.zeros(len(table), dtype=np.int64)
    for parameter in shared:
        has_parameters &= parameter.values != MISSING
        added += np.maximum(parameter.values, 0)
    after = is_known & has_parameters & is_set & (now >= own_moment + added)
    earlier, started = np.arange(len(table)) - 1, np.ones(len(table), dtype=np.bool_)
    started[table.starts] = False
    due = np.maximum(own_moment[earlier] + added, now[earlier])  # the owner may have made a period shorter
    before = started & is_known[earlier] & has_parameters & is_set[earlier] & (now >= due)
    turned = before & ~after[earlier] & ~table.switched
    return _ClockCourse(after=after, is_known=is_known & has_parameters, has_turned=turned, due_time=due)


def with_deadlines(
    table: EventTable, interactions: Interactions, selection: Sequence[Deadline]
) -> tuple[EventTable, Interactions]:
    """Return a table and its interactions with deadlines as flags, and with the moments at which they are reached."""
    for item in selection:
        table, interactions = _with_deadline(table, interactions, item)
    return table, interactions


def _with_deadline(
    table: EventTable, interactions: Interactions, item: Deadline
) -> tuple[EventTable, Interactions]:
    course = _course(table, item)
    if course is None:
        return table, interactions
    at = np.flatnonzero(course.has_turned)
    words = {word: row for row, word in enumerate(table.words)}
    truths = np.array([words.setdefault(value, len(words)) for value in (0, 1)], dtype=np.int64)
    due = np.array(
        [words.setdefault(value, len(words)) for value in course.due_time[at].tolist()], dtype=np.int64
    )
    flag = np.insert(np.where(course.is_known, truths[course.after.astype(np.int64)], MISSING), at, truths[1])
    text = unique_names([*table.symbols, f"{CLOCK}{item.name}"])[-1]
    symbols = (*table.symbols, text)
    phase_number = len(interactions.phases)
    extended = replace(
        table,
        symbols=symbols,
        symbol=np.insert(table.symbol, at, len(table.symbols)),
        interaction=np.insert(table.interaction, at, table.interaction[at]),
        rejected=np.insert(table.rejected, at, False),
        words=tuple(words),
        variables=(*table.variables, _flag(table, item)),
        values=np.vstack([_with_repeated(table.values, at), flag]),
        assumed=None if table.assumed is None else np.vstack([_with_repeated(table.assumed, at), flag]),
        call_values=_call_values(table, item, at, due),
        arguments=tuple(
            replace(argument, values=np.insert(argument.values, at, MISSING)) for argument in table.arguments
        ),
        parameters=tuple(
            replace(parameter, values=np.insert(parameter.values, at, parameter.values[at]))
            for parameter in table.parameters
        ),
        accepted_as=(*table.accepted_as, len(table.symbols)) if table.accepted_as else (),
        wholes=(*table.wholes, text) if table.wholes else (),
        flags=(*table.flags, len(table.variables)),
        switches=(*table.switches, len(table.symbols)),
    )
    phase = np.full(len(table), MISSING) if interactions.phase is None else interactions.phase
    moved = replace(
        interactions,
        slice=extended.interaction,
        invocation=np.insert(interactions.invocation, at, interactions.invocation[at]),
        passive=np.insert(interactions.passive, at, True),
        role=np.insert(interactions.role, at, MISSING),
        phases=(*interactions.phases, f"{CLOCK}{item.name}"),
        phase=np.insert(phase, at, phase_number),
    )
    return extended, moved


def _flag(table: EventTable, item: Deadline) -> EntityVariable:
    """Return a deadline as a variable."""
    held_in = tuple(table.variables[row].name for row in _rows(table, item))
    return EntityVariable(name=item.name, kind=ValueKind.BOOL, coded=True, made_of=held_in)


def _call_values(table: EventTable, item: Deadline, at: IntColumn, due: IntColumn) -> IntColumn | None:
    """Return what is known of calls, with moments at ``due`` put between; the rest of them is the next call's."""
    if table.call_values is None:
        return None
    added = table.call_values[:, at].copy()
    for row, variable in enumerate(table.calls):
        if variable.name == item.clock:
            added[row] = due
    return np.insert(table.call_values, at, added, axis=1)


def _with_repeated(values: IntColumn, at: IntColumn) -> IntColumn:
    """Return values with those of the event before repeated where something is put between."""
    return np.insert(values, at, values[:, at - 1], axis=1)
