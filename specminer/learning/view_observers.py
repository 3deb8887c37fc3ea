"""The contract's own observers: read-only functions that tell what state an entity is in.

A function with no argument, or with the entity's key for its only one, is run on the storage as it was known behind
each event. What it returns becomes a variable of the table, if it is a truth value, an enum or a small number: readers
know ``state`` and ``isOperationReady`` from the documentation. Of functions with no argument those of a whole contract
count, and those that deadlines change.

What a function returns may change with the clock, or with storage of others, while nobody calls. Then it is no
variable of the entity, unless an event stands where it changes: the moment at which a deadline is reached. A getter,
which returns what a variable of the table holds, is left out. What is not known stays unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from specminer.contracts.artifact import MAX_NAME, AbiEntry, Artifact
from specminer.contracts.interface import canonical, selector
from specminer.contracts.usual_enums import enum_members_of
from specminer.decoding import HistoryContext
from specminer.evm.forks import FORKS
from specminer.evm.observation import Ending, ViewCode, ViewRuns
from specminer.evm.opcodes import Op
from specminer.history.contract_history import MISSING, IntColumn
from specminer.interaction import Interactions, Mode
from specminer.learning.access_order import event_moments
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.known_answers import ForeignClock, KnownAnswers
from specminer.learning.known_storage import KnownStorage
from specminer.learning.passive_events import kept_events

MAX_FUNCTIONS: Final = 64
"""Read-only functions that are tried."""
MAX_WORK: Final = 4_000_000
"""Opcodes that all runs together may take; what is not run by then is no observer."""
MAX_LOOKUPS: Final = 200_000
"""How often values may be looked up for one table, all functions together."""
SAMPLE: Final = 40
"""Events on which a function is tried before the others."""
FEW_VALUES: Final = 12
SMALL: Final = 256
"""Values that are told apart are below."""
KNOWN_SHARE: Final = 0.9
"""Share of the events, rejected calls aside, behind which its value must be known."""
WAVERING: Final = 0.02
"""Share of the calls before which its value may be another one than behind the last event."""
_NUMBERS: Final = frozenset(f"uint{bits}" for bits in range(8, 257, 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFunction:
    """A read-only function that may tell an entity's state."""

    name: str
    signature: str
    """``state(uint256 proposalId)``: as the ABI has it."""
    selector: bytes
    keyed: bool
    """Whether its argument is the entity's key."""
    kind: ValueKind
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """An event, and the moment that its values are told for."""

    interaction: int
    contract: int
    invocation: int
    moment: int
    timestamp: int | None
    block: int | None


@dataclass(slots=True)
class _Moment:
    """What is known at a moment of an interaction."""

    owner: Observers
    row: _Row
    before: bool
    """Whether the moment is just before the row's invocation."""
    rows: frozenset[int]
    """Rows of the invocations of the interaction."""

    def slot(self, slot: int) -> int | None:
        return self.owner.storage.value(self.row.contract, slot, self.row.moment)

    def clock(self, opcode: int) -> int | None:
        return self.row.timestamp if opcode == Op.TIMESTAMP else self.row.block

    def answer(self, to: int, data: bytes) -> tuple[bool, bytes] | None:
        match self.owner.answers.clock(to, data):
            case ForeignClock.TIME:
                value = self.row.timestamp
            case ForeignClock.BLOCK:
                value = self.row.block
            case None:
                moment = self.row.invocation - (0.5 if self.before else 0.0)
                return self.owner.answers.reply(to, data, self.rows, moment)
        return None if value is None else (True, value.to_bytes(32, "big"))


@dataclass(slots=True)
class _Budget:
    work: int
    lookups: int = MAX_LOOKUPS

    @property
    def spent(self) -> bool:
        return self.work <= 0 or self.lookups <= 0


@dataclass(frozen=True, slots=True)
class _AnswerValues:
    """What a function returns behind each event, and just before each call; ``None`` where that is not known."""

    after: list[int | None] = field(default_factory=list)
    before: dict[int, int | None] = field(default_factory=dict)
    """By the row of the call, where something may have changed since the event before it."""


class Observers:
    """Adds to tables of one history what its contracts' read-only functions return; runs are kept for all tables."""

    def __init__(
        self, context: HistoryContext, *, forbidden: Collection[str] = (), work: int = MAX_WORK
    ) -> None:
        """Take the history.

        Args:
            context: the history, and the ABI.
            forbidden: names of functions that are left out.
            work: how many opcodes all runs together may take.

        """
        self._forbidden = frozenset(forbidden)
        self.context = context
        self.storage = KnownStorage(context)
        self.answers = KnownAnswers(context)
        self._runs: dict[tuple[bytes, int, int | None], ViewRuns] = {}
        self._budget = _Budget(work)

    @property
    def work_left(self) -> int:
        """How many opcodes further runs may take."""
        return self._budget.work

    def functions(self, interactions: Interactions) -> list[ViewFunction]:
        """Return the read-only functions of the ABI that may tell the state of interactions."""
        return list(_functions(self.context, interactions))

    def add_to(self, table: EventTable, interactions: Interactions) -> EventTable:
        """Return a table with its observers as variables behind the others."""
        functions = [item for item in self.functions(interactions) if item.name not in self._forbidden]
        if not functions or not len(table):
            return table
        self._budget.lookups = MAX_LOOKUPS
        rows = _Rows(self, table, interactions)
        words = {word: row for row, word in enumerate(table.words)}
        additions: list[tuple[EntityVariable, IntColumn]] = []
        for function in functions:
            values = self._values(rows, function)
            variable = None if values is None else _variable(rows, function, values)
            if values is None or variable is None:
                continue
            column = np.array(
                [MISSING if value is None else words.setdefault(value, len(words)) for value in values.after],
                dtype=np.int64,
            )
            if not _is_getter(column, [*table.values, *(other for _, other in additions)]):
                additions.append((variable, column))
        return table.with_variables(tuple(words), additions)

    def _values(self, rows: _Rows, function: ViewFunction) -> _AnswerValues | None:
        """Return what a function returns; ``None`` if it is no observer."""
        sample = rows.sample
        tried = [self._value(function, rows, row, before=False) for row in sample]
        if all(value is None for value in tried) or (function.keyed and not self._is_own(function, rows)):
            return None
        answers = _AnswerValues()
        for event, row in enumerate(rows.after):
            carried = rows.table.rejected[event] and not rows.first[event]
            answers.after.append(
                answers.after[-1] if carried else self._value(function, rows, row, before=False)
            )
            if self._budget.spent:
                return None
        for event, row in rows.before.items():
            answers.before[event] = self._value(function, rows, row, before=True)
            if self._budget.spent:
                return None
        return answers

    def _value(self, function: ViewFunction, rows: _Rows, row: _Row, *, before: bool) -> int | None:
        self._budget.lookups -= 1
        key = rows.interactions.entities[row.interaction] if function.keyed else None
        if function.keyed and key is None:
            return None
        runs = self._runs_of(function, row.contract, key)
        if runs is None or self._budget.spent:
            return None
        moment = _Moment(self, row, before, rows.invocations[row.interaction])
        outcome, work = runs.observe(moment)
        self._budget.work -= work
        if outcome.ending is not Ending.VALUE or len(outcome.output) != 32:
            return None
        value = int.from_bytes(outcome.output, "big")
        return value if function.kind is not ValueKind.BOOL or value < 2 else None

    def _runs_of(self, function: ViewFunction, contract: int, key: int | None) -> ViewRuns | None:
        name = (function.selector, contract, key)
        if name not in self._runs:
            record = self.context.history.contracts[contract]
            address = int.from_bytes(record.address, "big")
            codes = {int.from_bytes(item, "big"): code for item, code in record.implementations if code}
            codes[address] = record.code
            code = ViewCode(
                contract=address, codes=codes, fork=tuple(FORKS.values())[-1], chain_id=record.chain_id
            )
            data = function.selector + (b"" if key is None else key.to_bytes(32, "big"))
            self._runs[name] = ViewRuns(code, data)
        return self._runs[name]

    def _is_own(self, function: ViewFunction, rows: _Rows) -> bool:
        """Return whether a function ever read storage of the entity that it was asked about."""
        owner = rows.interactions.owner
        for row in rows.sample:
            key = rows.interactions.entities[row.interaction]
            runs = self._runs.get((function.selector, row.contract, key))
            for slot in () if runs is None else runs.slots:
                number = self.storage.numbers.get((row.contract, slot))
                if number is not None and owner[number] == row.interaction:
                    return True
        return False


class _Rows:
    """The events of a table, with the moments that matter."""

    def __init__(self, observers: Observers, table: EventTable, interactions: Interactions) -> None:
        self.table, self.interactions = table, interactions
        history, storage = observers.context.history, observers.storage
        clocked = interactions.clocked
        stays = ~clocked
        called = kept_events(interactions, stays)
        moments = np.zeros(len(table), dtype=np.int64)
        moments[stays] = event_moments(history, called, storage.times, table.rejected[stays])
        last = np.maximum.accumulate(np.where(stays, np.arange(len(table)), 0))
        moments = moments[last]
        times = [_words(table, name) for name in ("now", "block")]
        invocation = interactions.invocation
        contract = history.invocation_contract[invocation]
        self.after = [
            _Row(*row)
            for row in zip(
                table.interaction.tolist(),
                contract.tolist(),
                invocation[last].tolist(),
                moments.tolist(),
                *times,
                strict=True,
            )
        ]
        self.first = np.zeros(len(table), dtype=np.bool_)
        self.first[table.starts] = True
        transaction = history.invocation_transaction[invocation]
        changed = np.r_[True, transaction[1:] != transaction[:-1]][: len(table)]
        begins = storage.begins
        self.before = {
            event: replace(
                self.after[event],
                moment=int(begins[invocation[event]]) - 1,
                invocation=int(invocation[event]),
            )
            for event in np.flatnonzero(~self.first & ~clocked & changed).tolist()
        }
        self.invocations = [frozenset(part.tolist()) for part in np.split(invocation, table.starts[1:])]
        self.clocks = {
            event: interactions.deadline_of(event) or "" for event in np.flatnonzero(clocked).tolist()
        }
        counted = np.flatnonzero(~table.rejected)
        sample = np.unique(np.linspace(0, len(counted) - 1, min(SAMPLE, len(counted))).astype(np.int64))
        self.sample = [self.after[event] for event in counted[sample].tolist()] if len(counted) else []


def _words(table: EventTable, name: str) -> list[int | None]:
    column = table.call(name)
    if column is None:
        return [None] * len(table)
    return [None if row == MISSING else table.words[row] for row in column.tolist()]


def _functions(context: HistoryContext, interactions: Interactions) -> Iterator[ViewFunction]:
    """Yield the read-only functions of the ABI that may tell an interaction's state."""
    if context.artifact is None:
        return
    keyed = interactions.mode.has_entities
    if not keyed and interactions.mode is Mode.WHOLE and len(context.history.contracts) > 1:
        return
    types = _key_types(interactions) if keyed else frozenset()
    entries = [item for item in context.artifact.abi if _is_view(item) and len(item.inputs) <= keyed]
    for entry in entries[:MAX_FUNCTIONS]:
        if entry.inputs and entry.inputs[0].type not in types:
            continue
        kind = _kind(entry)
        if kind is not None:
            yield ViewFunction(
                name=entry.name[:MAX_NAME],
                signature=_signature(entry),
                selector=selector(entry),
                keyed=bool(entry.inputs),
                kind=kind,
                members=_members(entry, context.artifact),
            )


def _key_types(interactions: Interactions) -> frozenset[str]:
    """Return the types of arguments that can hold the keys of entities."""
    keys = [key for key in interactions.entities if key is not None]
    if not keys:
        return frozenset()
    if interactions.of_accounts:
        return frozenset({"address"})
    largest = max(keys).bit_length()
    return frozenset({"bytes32", *(kind for kind in _NUMBERS if int(kind[4:]) >= largest)})


def _is_view(entry: AbiEntry) -> bool:
    views = entry.constant or entry.state_mutability == "view"
    return entry.type == "function" and views and len(entry.outputs) == 1


def _kind(entry: AbiEntry) -> ValueKind | None:
    """Return what a function returns, if that may tell a state."""
    output = entry.outputs[0]
    if output.type == "bool":
        return ValueKind.BOOL
    if output.type == "uint8" or output.is_enum:
        return ValueKind.ENUM
    return ValueKind.UINT if output.type in _NUMBERS else None


def _members(entry: AbiEntry, artifact: Artifact) -> tuple[str, ...]:
    """Return the names of an enum's values; nothing for what is no enum, or whose names are not known."""
    return enum_members_of(artifact, entry.outputs[0].enum)


def _signature(entry: AbiEntry) -> str:
    inputs = ", ".join(f"{canonical(item)} {item.name[:MAX_NAME]}".rstrip() for item in entry.inputs)
    return f"{entry.name[:MAX_NAME]}({inputs})"


def _variable(rows: _Rows, function: ViewFunction, values: _AnswerValues) -> EntityVariable | None:
    """Return what a function returns as a variable; ``None`` if it tells no state."""
    counted = [values.after[event] for event in np.flatnonzero(~rows.table.rejected).tolist()]
    known_values = [value for value in counted if value is not None]
    distinct = set(known_values)
    if len(known_values) < KNOWN_SHARE * len(counted) or len(distinct) < 2:
        return None
    small = len(distinct) <= FEW_VALUES and max(distinct) < SMALL
    if function.kind is ValueKind.ENUM and not small:
        return None
    wavers = [
        value != values.after[event - 1]
        for event, value in values.before.items()
        if value is not None and values.after[event - 1] is not None
    ]
    if sum(wavers) > WAVERING * len(wavers):
        return None
    relied = _find_deadlines(rows, values)
    if not (relied or function.keyed or not rows.interactions.mode.has_entities):
        return None  # it tells what the whole contract is in, at moments that mean nothing to the entity
    return EntityVariable(
        name=function.name,
        kind=function.kind,
        members=function.members,
        coded=function.kind is not ValueKind.UINT,
        function=function.signature,
        relies_on=tuple(relied),
    )


def _find_deadlines(rows: _Rows, values: _AnswerValues) -> list[str]:
    """Return the deadlines that change what a function returns, at least every other time that they are reached."""
    times = Counter(rows.clocks.values())
    changes = Counter(
        name for event, name in rows.clocks.items() if values.after[event] != values.after[event - 1]
    )
    return [name for name in times if 2 * changes[name] >= times[name]]


def _is_getter(column: IntColumn, others: list[IntColumn]) -> bool:
    """Return whether a column is, where it is known, that of another variable, which is known as often."""
    is_known = column != MISSING
    return any(np.array_equal(other[is_known], column[is_known]) for other in others)
