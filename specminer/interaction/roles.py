"""Roles: by what a function names the entities that it is about.

A *candidate* is an argument, the sender, a number that the contract keeps (``currentRound``, a next id) or the
number that the function returns. It is a role of a function for a sort if, in at least half of the accepted
calls that touch the sort at all, it is the key of an entity that the call touches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from specminer._support.scratch import in_file
from specminer._support.texts import sizes_of
from specminer.decision.access_facts import AccessFacts
from specminer.decoding import HistoryContext
from specminer.decoding.calldata import arguments, outputs, senders, texts
from specminer.decoding.location_columns import Field
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn, RowColumn
from specminer.history.words import from_integers
from specminer.interaction.entities import accessed_entities, entity_numbers
from specminer.interaction.relation import EntityRelation, contains, distinct
from specminer.interaction.sorts import EntityType

MIN_SUPPORT: Final = 0.5
COMPUTED: Final = "computed"
"""The role in which calls name what they hash."""
MAX_VARIABLES: Final = 64
"""Variables without keys looked at: those accessed most often."""


class RoleSource(IntEnum):
    """Where a candidate's value comes from; where two name the same entity, the first counts."""

    COMPUTED = 0
    """The code hashes what the call is given, and looks there: the call names it as surely as by an argument."""
    ARGUMENT = 1
    SENDER = 2
    LEFT = 3
    """What a variable without keys held after the call."""
    FOUND = 4
    """What a variable without keys held when the call began."""
    RESULT = 5
    """The first word returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that may name entities in the calls of one function."""

    function: int
    """Position in ``Calls.functions``."""
    source: RoleSource
    name: str
    """The argument's or variable's name."""
    invocation: IntColumn
    """Ascending; without the calls in which it is no key at all."""
    entity: IntColumn
    """By :attr:`HistoryContext.span`; the same shape."""
    counts_up: IntColumn
    """1 where the variable is left one higher than it was found; the same shape."""
    unknown: IntColumn
    """The calls in which its value is not known, ascending."""

    @property
    def inferred(self) -> bool:
        """Whether only a call that was accepted and accessed the entity can be said to name it."""
        return self.source in (RoleSource.LEFT, RoleSource.FOUND, RoleSource.RESULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRole:
    """An accepted candidate."""

    function: int
    source: RoleSource
    name: str
    """``_tokenId``, ``sender``, ``new``, ``currentRound``."""
    support: float
    """Share of the accepted calls touching the sort in which it names an accessed entity."""
    calls: int
    """Those calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityNaming:
    """Which entities of a sort each call names; (call, entity) pairs once each, by call, then role."""

    roles: tuple[EntityRole, ...]
    """In the order in which they count: by function and source."""
    invocation: IntColumn
    entity: IntColumn
    role: IntColumn
    """Position in ``roles``, or ``MISSING``: attached by what a rejected call read, or derived."""
    derived: bool
    """Whether names were too rare, so that the accessed entities serve."""


def candidates(context: HistoryContext, code: AccessFacts | None = None) -> list[Candidate]:
    """Return everything that may name entities, by function, source and place; ``code`` tells what calls hash."""
    all_candidates = [
        *(_computed_candidates(context, code) if code is not None else ()),
        *_arguments(context),
        *_senders(context),
        *_kept_candidates(context),
        *_results(context),
    ]
    return sorted(all_candidates, key=lambda item: (item.function, item.source))


def _candidate(
    context: HistoryContext,
    function: int,
    source: RoleSource,
    name: str,
    invocation: IntColumn,
    key: IntColumn,
    counts_up: BoolColumn | None = None,
    unknown: BoolColumn | None = None,
) -> Candidate:
    has_key = (key != MISSING) & context.is_call[invocation]
    rows = invocation[has_key]
    up = np.zeros(len(rows), np.int64) if counts_up is None else counts_up[has_key].astype(np.int64)
    return Candidate(
        function=function,
        source=source,
        name=name,
        invocation=rows,
        entity=entity_numbers(context, context.history.invocation_contract[rows], key[has_key]),
        counts_up=up,
        unknown=invocation[:0] if unknown is None else invocation[unknown],
    )


def _computed_candidates(context: HistoryContext, code: AccessFacts) -> Iterator[Candidate]:
    locations, accesses = context.locations, context.accesses
    for item in code.keys:
        invocation = context.history.access_invocation[item.access].astype(np.int64)
        key = locations.keys[accesses.slot[accesses.touch[item.access]], item.depth].astype(np.int64)
        pairs = np.unique(np.stack([invocation, key]), axis=1)
        yield _candidate(context, item.function, RoleSource.COMPUTED, COMPUTED, pairs[0], pairs[1])


def _arguments(context: HistoryContext) -> Iterator[Candidate]:
    keys = context.locations.key_table
    for column in arguments(context.history, context.calls):
        yield _candidate(
            context,
            column.function,
            RoleSource.ARGUMENT,
            column.name,
            column.invocation,
            keys.find(column.words),
        )
    if keys.texts:
        code = {text: len(keys.words) + index for index, text in enumerate(keys.texts)}
        for text in texts(context.history, context.calls):
            codes = np.array([code.get(item, MISSING) for item in text.texts], dtype=np.int64)
            yield _candidate(context, text.function, RoleSource.ARGUMENT, text.name, text.invocation, codes)


def _senders(context: HistoryContext) -> Iterator[Candidate]:
    key_of = context.locations.key_table.find(senders(context.history))
    key = key_of[context.history.invocation_sender]
    for function, rows in _of_functions(context):
        yield _candidate(context, function, RoleSource.SENDER, "sender", rows, key[rows])


def _of_functions(context: HistoryContext) -> Iterator[tuple[int, IntColumn]]:
    rows = np.flatnonzero(context.is_call)
    function = context.calls.function[rows]
    order = np.argsort(function, kind="stable")
    bounds = np.searchsorted(function[order], np.arange(len(context.calls.functions) + 1))
    for number in range(len(context.calls.functions)):
        own = rows[order[bounds[number] : bounds[number + 1]]]
        if len(own):
            yield number, own


def _results(context: HistoryContext) -> Iterator[Candidate]:
    lengths = sizes_of(context.history.invocation_output)
    for function, rows in _of_functions(context):
        own = rows[context.is_accepted[rows]]
        own = own[lengths[own] >= 32]
        if len(own):
            key = context.locations.key_table.find(outputs(context.history, own))
            yield _candidate(context, function, RoleSource.RESULT, "result", own, key)


def _kept_candidates(context: HistoryContext) -> Iterator[Candidate]:
    """Yield what variables without keys hold before and after accepted calls."""
    accesses = context.accesses
    variable = context.locations.variable[accesses.slot]
    keyless = np.array([not item.ports for item in context.locations.variables], dtype=np.bool_)
    rows = np.flatnonzero(keyless[variable] & context.is_accepted[accesses.invocation])
    counts = np.bincount(variable[rows], minlength=len(keyless))
    busiest = sorted(np.flatnonzero(counts).tolist(), key=lambda row: (-int(counts[row]), row))[
        :MAX_VARIABLES
    ]
    for number in sorted(busiest):
        own = rows[variable[rows] == number]
        storage_variable = context.locations.variables[number]
        for position, field in enumerate(storage_variable.fields):
            if field.kind in (ValueKind.BOOL, ValueKind.ADDRESS, ValueKind.ENUM):
                continue
            yield from _values(context, own, field, storage_variable.text(None, position))


def _values(context: HistoryContext, touches: IntColumn, field: Field, name: str) -> Iterator[Candidate]:
    accesses = context.accesses
    word_before, word_after = accesses.value_before[touches], accesses.value_after[touches]
    rows = distinct(np.concatenate([word_before, word_after]))
    rows = rows[rows != MISSING]
    numbers = [field.extract(context.history.words[row]) for row in rows.tolist()]
    keys = context.locations.key_table.find(from_integers(numbers))
    small = np.array([number if number < 1 << 62 else MISSING for number in numbers], dtype=np.int64)
    before, after = _looked_up(rows, keys, word_before), _looked_up(rows, keys, word_after)
    if np.all(before == MISSING) and np.all(after == MISSING):
        return
    number_before = _looked_up(rows, small, word_before)
    up = (_looked_up(rows, small, word_after) == number_before + 1) & (number_before != MISSING)
    function = context.calls.function[accesses.invocation[touches]]
    for number in distinct(function).tolist():
        own = function == number
        calls = accesses.invocation[touches[own]]
        unknown = (word_before[own] == MISSING) & accesses.external_read[touches[own]]
        yield _candidate(context, number, RoleSource.FOUND, name, calls, before[own], up[own], unknown)
        changed = own & (
            (word_after != word_before) | ((word_after == MISSING) & accesses.effective_write[touches])
        )
        calls = accesses.invocation[touches[changed]]
        unknown = word_after[changed] == MISSING
        yield _candidate(context, number, RoleSource.LEFT, name, calls, after[changed], up[changed], unknown)


def _looked_up(rows: IntColumn | RowColumn, values: IntColumn, queries: IntColumn | RowColumn) -> IntColumn:
    """Return the value that belongs to each queried row, ``MISSING`` for missing rows."""
    if not len(rows):
        return np.full(len(queries), MISSING, dtype=np.int64)
    at = np.minimum(np.searchsorted(rows, queries), len(rows) - 1)
    return np.where(queries == MISSING, MISSING, values[at])


def naming(context: HistoryContext, sort: EntityType, all_candidates: list[Candidate]) -> EntityNaming:
    """Return who is named in the calls, by the sort's roles; by what they touch where names are too rare."""
    mask = sort.mask(len(context.locations.ports))
    touching = accessed_entities(context, mask, context.is_call[context.accesses.invocation])
    present, first = _first_touch(context, touching)
    roles: list[EntityRole] = []
    pairs: list[tuple[IntColumn, IntColumn]] = []
    unknown = np.zeros(len(context.history), dtype=np.bool_)
    calls = _touching_calls(context, touching)
    written = accessed_entities(
        context, mask, context.accesses.effective_write & context.is_accepted[context.accesses.invocation]
    )
    for item in all_candidates:
        if sort.account and item.inferred:
            continue
        role_and_pairs = _accept_role(context, item, touching, written, present, calls, first)
        if role_and_pairs is not None:
            roles.append(role_and_pairs[0])
            pairs.append(role_and_pairs[1:])
            unknown[item.unknown] = True
    return _join_roles(context, touching, roles, pairs, unknown)


def _touching_calls(context: HistoryContext, touching: EntityRelation) -> BoolColumn:
    """Return which calls roles are judged by: accepted ones that touch the sort.

    Of a function that is never accepted there, the rejected ones.
    """
    touches = np.zeros(len(context.history), dtype=np.bool_)
    touches[touching.invocation] = True
    accepted = touches & context.is_accepted
    function = context.calls.function
    ever = np.bincount(function[accepted], minlength=len(context.calls.functions)) > 0
    return accepted | (touches & ~ever[function])


def _first_touch(context: HistoryContext, touching: EntityRelation) -> tuple[IntColumn, IntColumn]:
    """Return the entities, ascending, and for each the place in order of the accepted call that accessed it first."""
    entities = distinct(touching.entity)
    first = np.full(len(entities), len(context.history), dtype=np.int64)
    invocation = touching.invocation
    lasting = context.is_accepted[invocation]
    at = np.searchsorted(entities, touching.entity[lasting])
    np.minimum.at(first, at, invocation[lasting])
    return entities, first


def _accept_role(
    context: HistoryContext,
    item: Candidate,
    touching: EntityRelation,
    written: EntityRelation,
    present: IntColumn,
    calls: BoolColumn,
    first: IntColumn,
) -> tuple[EntityRole, IntColumn, IntColumn] | None:
    is_relevant = calls & (context.calls.function == item.function)
    unknown = int(np.sum(is_relevant[item.unknown]))
    is_relevant[item.unknown] = False
    total = int(np.sum(is_relevant))
    if not total or unknown > total:
        return None
    possible = contains(present, item.entity)
    invocation, entity = item.invocation[possible], item.entity[possible]
    hit = touching.holds(invocation, entity)
    good = hit & calls[invocation]
    support = len(distinct(invocation[good])) / total
    if support < MIN_SUPPORT:
        return None
    name = item.name
    if item.inferred:
        writes = np.isin(invocation[good], written.invocation)
        if (
            np.mean(writes) >= MIN_SUPPORT
            and np.mean(written.holds(invocation[good], entity[good])) < MIN_SUPPORT
        ):
            return (
                None  # it changes others: this one it only looks at, as who opens a round looks at the last
            )
        fresh = first[np.searchsorted(present, entity[good])] == invocation[good]
        up = item.counts_up[possible][good] == 1
        if np.mean(fresh if item.source is RoleSource.RESULT else up & fresh) >= MIN_SUPPORT:
            name = "new"
        keep = hit & context.is_accepted[invocation]
    else:
        # a rejected call names an entity also where it failed before it came to look at it
        keep = hit | ~context.history.accepted[invocation]
    role = EntityRole(function=item.function, source=item.source, name=name, support=support, calls=total)
    return role, invocation[keep], entity[keep]


def _join_roles(
    context: HistoryContext,
    touching: EntityRelation,
    roles: list[EntityRole],
    pairs: list[tuple[IntColumn, IntColumn]],
    unknown: BoolColumn,
) -> EntityNaming:
    """Return the pairs of all roles, or what is touched where too few calls are named that do not name ``unknown``."""
    empty = np.zeros(0, dtype=np.int64)
    invocation = np.concatenate([empty, *(one for one, _ in pairs)])
    entity = np.concatenate([empty, *(other for _, other in pairs)])
    role = np.repeat(np.arange(len(pairs)), [len(one) for one, _ in pairs])
    is_named = np.zeros(len(context.history), dtype=np.bool_)
    is_named[invocation] = True
    touches = distinct(touching.invocation)
    accepted = touches[context.is_accepted[touches]]
    nameable = accepted[is_named[accepted] | ~unknown[accepted]]
    share = float(np.mean(is_named[nameable])) if len(nameable) else 0.0
    derived = share < MIN_SUPPORT
    if derived:
        invocation, entity = touching.invocation, touching.entity
        role = np.full(len(invocation), MISSING, dtype=np.int64)
    else:
        extra = ~is_named[touching.invocation] & context.is_rejected[touching.invocation]
        # a rejected call that names nobody belongs to the only entity that it looked at
        alone = np.bincount(touching.invocation, minlength=len(context.history)) == 1
        extra &= alone[touching.invocation]
        invocation = np.concatenate([invocation, touching.invocation[extra]])
        entity = np.concatenate([entity, touching.entity[extra]])
        role = np.concatenate([role, np.full(int(np.sum(extra)), MISSING, dtype=np.int64)])
    order = np.lexsort((np.where(role == MISSING, len(roles), role), entity, invocation))
    invocation, entity, role = invocation[order], entity[order], role[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (invocation[1:] != invocation[:-1]) | (entity[1:] != entity[:-1])
    invocation, entity, role = invocation[first], entity[first], role[first]
    order = np.lexsort((np.where(role == MISSING, len(roles), role), invocation))
    return EntityNaming(
        roles=tuple(roles),
        invocation=in_file(invocation[order]),
        entity=in_file(entity[order]),
        role=in_file(role[order]),
        derived=derived,
    )
