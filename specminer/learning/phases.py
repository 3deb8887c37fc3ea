"""Flags of the whole contract that are switched now and then, as events of the interactions that live through it.

What belongs to no entity is *environment*: an owner, a price, a total. Most of it drifts and belongs into guards. A
flag such as ``paused`` or ``transfersEnabled`` is different: it changes rarely, and while it holds entities can do
other things. Its change is an event of every interaction that had begun and goes on afterwards, a *phase change*; what
begins later begins in the later phase, and its first event says in which: ``create [transfersEnabled]``. Between two
events of an interaction only what is different in the end counts: a pause that an entity slept through is none of its
life, and adds no event.

A flag qualifies if it changes rarely, has few values, and if the calls that looked at it fared differently before and
after (:attr:`Flag.differs`). Calls that never looked at it prove nothing, as what callers do changes over time anyway.
Whether it pays to tell the phases apart is up to :mod:`specminer.learning`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.text import unique_names
from specminer.decoding import HistoryContext
from specminer.decoding.location_columns import Field
from specminer.decoding.location_columns import StorageVariable as Stored
from specminer.history.contract_history import CONSTRUCTOR, MISSING, BoolColumn, IntColumn, RowColumn
from specminer.interaction import Interactions
from specminer.learning.event_parts import Parts, with_parts
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.predicate_candidates import SMALL
from specminer.predicate import SORTS, Declaration, Language, negated_text, text

MOST_CHANGES: Final = 24
"""What changes more often while there are interactions is no phase, however long the history."""
EVENTS_A_CHANGE: Final = 20
"""A phase has so many events on average, or it is over before it means anything."""
MOST_VALUES: Final = 4
"""A flag with more values, or with large ones, is told apart as zero or not, if at all."""
DIFFERS: Final = 20.0
"""Bits that knowing the phase must save in telling which calls are rejected where they look at it."""
"""Where an interaction is a whole contract, its flags are variables of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A variable without keys that is switched now and then; ``c`` changes."""

    variable: EntityVariable
    values: tuple[int, ...]
    """What it holds while there are interactions: before the first change and after each; c + 1."""
    invocation: IntColumn
    """Row of the invocation that made each change, ascending; shape (c,)."""
    choices: bool
    """All its values are told apart; else zero from the rest, for which one value stands."""
    saved_bits: float
    """Bits that knowing it saves in telling which of the calls that looked at it were rejected there."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.variable.name

    def qualifies(self, events: int) -> bool:
        """Whether its changes may be events by themselves, and not only where somebody asks for it."""
        return self.saved_bits >= DIFFERS and len(self.invocation) * EVENTS_A_CHANGE <= events

    def phrase(self, value: int) -> str:
        """Return that it holds a value, as a predicate says it: ``paused``, ``not paused``, ``stage = 2``."""
        language = Language()
        declared = Declaration(name=self.name, sort=SORTS[self.variable.kind], members=self.variable.members)
        symbol = language.declare(declared)
        if self.variable.kind is ValueKind.BOOL:
            return text(language, symbol) if value else negated_text(language, symbol)
        if self.choices or value == 0:
            return text(language, language.equal(symbol, language.number(value)))
        return negated_text(language, language.equal(symbol, language.number(0)))


def flags(context: HistoryContext, interactions: Interactions) -> tuple[Flag, ...]:
    """Return the variables without keys that are switched now and then while there are interactions.

    In the order in which they were first accessed, so that names do not matter. None where an interaction is a whole
    contract, or where there are several contracts. Linear in the accesses of variables without keys.
    """
    own = np.zeros(len(context.history), dtype=np.bool_)
    own[interactions.invocation[~interactions.passive]] = True
    if not interactions.mode.has_entities or len(context.history.contracts) > 1 or not own.any():
        return ()
    candidates: list[Flag] = []
    for touches, writes, stored in _keyless(context):
        for position, field in enumerate(stored.fields):
            variable = EntityVariable(
                name=stored.text(None, position), kind=field.kind, members=field.members
            )
            flag = _flag(context, touches, writes, field, variable, own)
            candidates += [flag] if flag is not None else []
    names = unique_names(flag.name for flag in candidates)
    return tuple(
        replace(flag, variable=replace(flag.variable, name=name))
        for flag, name in zip(candidates, names, strict=True)
    )


def _keyless(context: HistoryContext) -> Iterator[tuple[IntColumn, IntColumn, Stored]]:
    """Yield each variable without keys with its touches, and the accesses that last wrote it in a transaction."""
    accesses, history, locations = context.accesses, context.history, context.locations
    bare = np.array([not item.ports for item in locations.variables], dtype=np.bool_)[locations.variable]
    touches = _by_slot(accesses.slot, np.flatnonzero(bare[accesses.slot]))
    slot = accesses.slot[accesses.touch]
    lasting = np.flatnonzero(bare[slot] & history.access_write & ~history.access_undone)
    transaction = history.invocation_transaction[history.access_invocation[lasting]]
    lasting = lasting[np.lexsort((history.access_position[lasting], transaction))]
    writes = _by_slot(slot, lasting)
    for number in sorted(writes, key=lambda number: int(touches[number][0])):
        rows = writes[number]
        within = history.invocation_transaction[history.access_invocation[rows]]
        last = rows[np.r_[within[1:] != within[:-1], True]]
        yield touches[number], last, locations.variables[int(locations.variable[number])]


def _by_slot(slot: RowColumn, rows: IntColumn) -> dict[int, IntColumn]:
    """Return some rows by their slots, in the order in which they stand."""
    if not len(rows):
        return {}
    rows = rows[np.argsort(slot[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(slot[rows], prepend=MISSING))
    return dict(zip(slot[rows[starts]].tolist(), np.split(rows, starts[1:]), strict=True))


def _flag(
    context: HistoryContext,
    touches: IntColumn,
    writes: IntColumn,
    field: Field,
    variable: EntityVariable,
    own: BoolColumn,
) -> Flag | None:
    """Return a field as a flag; ``None`` if it changes never, or often, or nobody knows what it held."""
    history = context.history
    if np.any(history.access_after[writes] == MISSING) or _seen_otherwise(context, touches, writes):
        return None
    initial = int(context.accesses.value_before[touches[0]])
    created = bool((history.accepted & (history.invocation_kind == CONSTRUCTOR)).any())
    if initial == MISSING and not created:
        return None
    begins = 0 if initial == MISSING else field.extract(history.words[initial])
    values, code = _extract(context, field, history.access_after[writes])
    invocations = history.access_invocation[writes]
    # what the deployment set is where the first phase begins
    earlier = int(np.searchsorted(invocations, int(np.flatnonzero(own)[0])))
    before = int(code[earlier - 1]) if earlier else values.index(begins) if begins in values else len(values)
    values, code, invocations = [*values, begins], np.r_[before, code[earlier:]], invocations[earlier:]
    written_values = {values[row] for row in np.unique(code).tolist()}
    choices = len(written_values) <= MOST_VALUES and max(written_values) < SMALL
    if variable.kind is ValueKind.BOOL:
        choices = written_values <= {0, 1}
    standing = next((values[row] for row in code.tolist() if values[row]), 0)
    phase_values = values if choices else [standing if value else 0 for value in values]
    codes = {value: row for row, value in enumerate(dict.fromkeys(phase_values))}
    code = np.array([codes[value] for value in phase_values], dtype=np.int64)[code]
    changed = np.flatnonzero(code[1:] != code[:-1])
    if not 1 <= len(changed) <= MOST_CHANGES:
        return None
    distinct_values = tuple(codes)
    return Flag(
        variable=variable,
        values=(distinct_values[code[0]], *(distinct_values[row] for row in code[changed + 1].tolist())),
        invocation=invocations[changed].astype(np.int64),
        choices=choices,
        saved_bits=_differs(context, touches, field, own, choices=choices),
    )


def _seen_otherwise(context: HistoryContext, touches: IntColumn, writes: IntColumn) -> bool:
    """Whether a call read what is not known, or not what the last recorded write left: somebody unseen wrote.

    ``writes`` are accesses in their order, the last of each transaction.
    """
    accesses, history = context.accesses, context.history
    looked = touches[accesses.external_read[touches]]
    value = accesses.value_before[looked]
    if np.any(value == MISSING):
        return True
    when = history.invocation_transaction[accesses.invocation[looked]]
    written = history.invocation_transaction[history.access_invocation[writes]]
    index = np.searchsorted(written, when, side="left") - 1
    behind = (index >= 0) & ~np.isin(when, written)
    return bool(np.any(history.access_after[writes[index[behind]]] != value[behind]))


def _extract(context: HistoryContext, field: Field, rows: RowColumn) -> tuple[list[int], IntColumn]:
    """Return a field's distinct values in rows of ``History.words``, and the place of each row's among them."""
    words, word_index = np.unique(rows, return_inverse=True)
    distinct: dict[int, int] = {}
    codes = [
        distinct.setdefault(field.extract(context.history.words[word]), len(distinct))
        for word in words.tolist()
    ]
    return list(distinct), np.array(codes, dtype=np.int64)[word_index.ravel()]


def _differs(
    context: HistoryContext, touches: IntColumn, field: Field, own: BoolColumn, *, choices: bool
) -> float:
    """Return the bits that a field's value saves in telling which of the calls that looked at it stop there.

    A rejected call stops where it reads for the last time. Function by function: the mutual information times the
    number of calls, less half a logarithm for each frequency more that has to be known. Source: Schwarz 1978, for the
    half.
    """
    accesses, called = context.accesses, context.calls
    invocation = accesses.invocation[touches]
    is_counted = (
        accesses.external_read[touches] & (accesses.value_before[touches] != MISSING) & own[invocation]
    )
    is_counted &= context.is_accepted[invocation] | context.is_rejected[invocation]
    rows, invocation = touches[is_counted], invocation[is_counted]
    if not len(rows):
        return 0.0
    values, phase = _extract(context, field, accesses.value_before[rows])
    if not choices:
        phase = np.array([int(value != 0) for value in values], dtype=np.int64)[phase]
    function = np.unique(called.function[invocation], return_inverse=True)[1].ravel()
    # accesses stand by invocation, each one's in their order
    final = np.searchsorted(context.history.access_invocation, invocation, side="right") - 1
    stops = context.is_rejected[invocation] & (accesses.slot[accesses.touch[final]] == accesses.slot[rows])
    table = np.zeros((int(function.max()) + 1, int(phase.max()) + 1, 2))
    np.add.at(table, (function, phase, stops.astype(np.int64)), 1)
    calls = table.sum(axis=(1, 2))
    phases = (table.sum(axis=2) > 0).sum(axis=1)
    saved = _entropy(table.sum(axis=1)) - _entropy(table).sum(axis=1)
    return float(np.maximum(saved - (phases - 1) / 2 * np.log2(np.maximum(calls, 1)), 0.0).sum())


def _entropy(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the entropy of the last axis times its sum, in bits."""
    total = counts.sum(axis=-1)
    inner = (counts * np.log2(np.maximum(counts, 1))).sum(axis=-1)
    return np.asarray(total * np.log2(np.maximum(total, 1)) - inner, dtype=np.float64)


def with_phases(
    interactions: Interactions, context: HistoryContext, chosen_flags: Sequence[Flag]
) -> Interactions:
    """Return the interactions with the changes of some flags as events of those that live through them.

    An interaction lives from its first event that was not rejected to its last event.
    """
    if not chosen_flags:
        return interactions
    called = interactions.invocation
    alive = _alive(interactions, context.history.accepted)
    apart = np.diff(called, prepend=MISSING) != 0  # one call may stand in an interaction twice, in two roles
    texts: list[str] = []
    before: list[IntColumn] = []
    invocation: list[IntColumn] = []
    phase: list[IntColumn] = []
    for flag in chosen_flags:
        numbers = {value: len(texts) + row for row, value in enumerate(dict.fromkeys(flag.values))}
        texts += [flag.phrase(value) for value in numbers]
        became = np.array([numbers[value] for value in flag.values], dtype=np.int64)
        left = became[np.searchsorted(flag.invocation, called, side="right")]
        next_change = np.searchsorted(flag.invocation, called, side="left")
        rows = np.flatnonzero(alive & apart & (np.r_[MISSING, left[:-1]] != became[next_change]))
        before.append(rows)
        invocation.append(flag.invocation[next_change[rows] - 1])
        phase.append(became[next_change[rows]])
    rows, added = np.concatenate(before), np.concatenate(invocation)
    order = np.lexsort((np.r_[called, added], np.r_[np.arange(len(called)), rows]))
    missing = np.full(len(rows), MISSING, dtype=np.int64)
    return replace(
        interactions,
        slice=np.concatenate([interactions.slice, interactions.slice[rows]])[order],
        invocation=np.concatenate([interactions.invocation, added])[order],
        passive=np.concatenate([interactions.passive, np.ones(len(rows), dtype=np.bool_)])[order],
        role=np.concatenate([interactions.role, missing])[order],
        phases=tuple(texts),
        phase=np.concatenate([np.full(len(called), MISSING), *phase])[order],
    )


def _alive(interactions: Interactions, accepted: BoolColumn) -> BoolColumn:
    """Return before which events of an interaction another one was not rejected."""
    counted = accepted[interactions.invocation] | interactions.passive
    so_far: IntColumn = np.cumsum(counted, dtype=np.int64) - counted
    first = np.searchsorted(interactions.slice, interactions.slice, side="left")
    alive: BoolColumn = so_far > so_far[first]
    return alive


def with_flags(table: EventTable, interactions: Interactions, chosen_flags: Sequence[Flag]) -> EventTable:
    """Return the table with flags as variables, which only events change; first events say in which phase they were.

    ``interactions`` are what the table was built from, with the flags' changes.
    """
    if not chosen_flags:
        return table
    called = interactions.invocation
    switches, phase = interactions.switches, interactions.phase
    if phase is None:
        phase = np.full(len(called), MISSING, dtype=np.int64)
    words = {word: row for row, word in enumerate(table.words)}
    columns: list[IntColumn] = []
    offset = 0
    for flag in chosen_flags:
        rows = np.array([words.setdefault(value, len(words)) for value in flag.values], dtype=np.int64)
        values = len(set(flag.values))
        is_own_switch = switches & (phase >= offset) & (phase < offset + values)
        offset += values
        column = rows[np.searchsorted(flag.invocation, called, side="right")]
        columns.append(_carry_forward(column, (~switches & ~table.rejected) | is_own_switch, table.starts))
    names = unique_names([*(item.name for item in table.variables), *(flag.name for flag in chosen_flags)])
    added = [
        replace(flag.variable, name=name)
        for flag, name in zip(chosen_flags, names[len(table.variables) :], strict=True)
    ]
    first = len(table.variables)
    flags = np.array(columns, dtype=np.int64)
    extended = replace(
        table,
        words=tuple(words),
        variables=(*table.variables, *added),
        values=np.concatenate([table.values, flags]),
        assumed=None if table.assumed is None else np.concatenate([table.assumed, flags]),
        flags=tuple(range(first, first + len(chosen_flags))),
        switches=tuple(np.unique(table.symbol[switches]).tolist()),
    )
    return _with_beginnings(extended, chosen_flags)


def _carry_forward(column: IntColumn, is_update: BoolColumn, starts: IntColumn) -> IntColumn:
    """Return a column whose values hold on until the next event that ``is_update`` marks."""
    at = np.where(is_update, np.arange(len(column)), MISSING)
    at[starts] = starts
    return column[np.maximum.accumulate(at)]


def _with_beginnings(table: EventTable, chosen_flags: Sequence[Flag]) -> EventTable:
    """Return the table in which first events that stand in several phases are told apart by them."""
    counted = np.flatnonzero(~table.rejected)
    rows = counted[np.unique(table.interaction[counted], return_index=True)[1]]
    parts: dict[int, Parts] = {}
    for symbol in np.unique(table.symbol[rows]).tolist():
        events = rows[table.symbol[rows] == symbol]
        code = np.zeros(len(events), dtype=np.int64)
        texts = {0: ""}
        for position, flag in zip(table.flags, chosen_flags, strict=True):
            values = [table.words[row] for row in table.values[position][events].tolist()]
            phases = [value for value in dict.fromkeys(flag.values) if value in values]
            if len(phases) > 1:
                code = code * len(phases) + np.array(
                    [phases.index(value) for value in values], dtype=np.int64
                )
                texts = {
                    old * len(phases) + row: f"{text} and {flag.phrase(value)}"
                    if text
                    else flag.phrase(value)
                    for old, text in texts.items()
                    for row, value in enumerate(phases)
                }
        if len(texts) > 1:
            parts[symbol] = Parts(rows=events, code=code, texts=texts)
    return with_parts(table, parts)
