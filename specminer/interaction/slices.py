"""Slices of a history: the events of each entity, and what others did to its storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.text import unique_names
from specminer.decoding import HistoryContext, owner_suffix
from specminer.decoding.location_columns import PortKind
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.entities import accessed_entities, entity_span, slot_entities
from specminer.interaction.interactions import Interactions
from specminer.interaction.relation import EntityRelation, contains, distinct, relation
from specminer.interaction.roles import EntityNaming
from specminer.interaction.sorts import EntityType
from specminer.specification import EntitySort, Mode

MOST_CHOICES: Final = 4
"""A key position with at most so many keys, none of them an address, is a choice and keeps nobody's things."""
UNNAMED_ROLE = "touched"
"""The role of an entity that a call touches and does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Which call belongs to which entity, in which role; each pair once."""

    invocation: IntColumn
    entity: IntColumn
    role: IntColumn
    """Position in ``Naming.roles``, or ``MISSING``."""


def own_calls(naming: EntityNaming, *, separable: bool) -> Own:
    """Return the calls of each entity: of those that a call names only the first if they are ``separable``."""
    keep = np.ones(len(naming.invocation), dtype=np.bool_)
    if separable:
        keep[1:] = naming.invocation[1:] != naming.invocation[:-1]
    return Own(invocation=naming.invocation[keep], entity=naming.entity[keep], role=naming.role[keep])


def side_effects(context: HistoryContext, ports: BoolColumn, own: EntityRelation) -> EntityRelation:
    """Return which invocation changed the storage of an entity that it does not belong to.

    Constructors are among them: what they set up is no call of the entity's either.
    """
    accesses = context.accesses
    changed = accessed_entities(context, ports, accesses.effective_write)
    return EntityRelation(code=changed.code[~contains(own.code, changed.code)], span=changed.span)


def slice_by_entity(
    context: HistoryContext,
    sort: EntityType,
    naming: EntityNaming,
    description: EntitySort,
    *,
    separable: bool,
) -> Interactions:
    """Return one interaction for each entity that has calls of its own; ``description`` tells of the sort."""
    own = own_calls(naming, separable=separable)
    mask = sort.mask(len(context.locations.ports))
    entities = _by_first_call(context, own)
    number = np.argsort(entities)  # entities are in order of their first call
    ordered = entities[number]

    def slice_of(entity: IntColumn) -> IntColumn:
        at = np.minimum(np.searchsorted(ordered, entity), max(0, len(ordered) - 1))
        return np.where(contains(ordered, entity), number[at], MISSING) if len(ordered) else entity * 0 - 1

    passive = side_effects(context, mask, relation(own.invocation, own.entity, entity_span(context)))
    passive_slice = slice_of(passive.entity)
    passive_row = passive.invocation[passive_slice != MISSING]
    passive_slice = passive_slice[passive_slice != MISSING]
    slices = np.concatenate([slice_of(own.entity), passive_slice])
    rows = np.concatenate([own.invocation, passive_row])
    texts, role = _role_column(naming, own, len(passive_row), with_roles=not separable)
    order = np.lexsort((rows, slices))
    keys = _keys(context, sort, entities)
    return Interactions(
        mode=Mode.PARTITION if separable else Mode.PROJECTION,
        sort=description,
        names=_names(context, sort, entities, keys, description.name),
        keys=keys,
        entities=_words(context, entities),
        explanation="",
        slice=slices[order],
        invocation=rows[order],
        passive=(np.arange(len(rows)) >= len(own.invocation))[order],
        roles=texts,
        role=role[order],
        owner=slot_owner(context, mask, slice_of),
        holders=tuple(slice_of(entity) for entity in slot_entities(context, mask)),
        track=outside(context, own.invocation),
    )


def outside(context: HistoryContext, inside: IntColumn) -> IntColumn:
    """Return the events in no interaction, in chain order."""
    rows = context.is_event.copy()
    rows[inside] = False
    return np.flatnonzero(rows)


def _by_first_call(context: HistoryContext, own: Own) -> IntColumn:
    """Return the entities in the order of their first call."""
    order = np.lexsort((own.entity, own.invocation))
    entities, first = np.unique(own.entity[order], return_index=True)
    return entities[np.argsort(first)]


def _role_column(
    naming: EntityNaming, own: Own, passive: int, *, with_roles: bool
) -> tuple[tuple[str, ...], IntColumn]:
    """Return the roles' names and each event's, own calls first; no roles without ``with_roles``."""
    if not with_roles:
        return (), np.full(len(own.role) + passive, MISSING, dtype=np.int64)
    texts = sorted({UNNAMED_ROLE, *(role.name for role in naming.roles)})
    role_numbers = np.array([*(texts.index(role.name) for role in naming.roles), texts.index(UNNAMED_ROLE)])
    column = np.concatenate([role_numbers[own.role], np.full(passive, MISSING, dtype=np.int64)])
    used = distinct(column[column != MISSING])
    renumbered = np.full(len(texts) + 1, MISSING, dtype=np.int64)
    renumbered[used] = np.arange(len(used))
    return tuple(texts[row] for row in used.tolist()), renumbered[column]


def slot_owner(
    context: HistoryContext, ports: BoolColumn, slice_of: Callable[[IntColumn], IntColumn]
) -> IntColumn:
    """Return the interaction that each slot is a variable of: it hangs under the entity's key and no other.

    But for keys that stand for a few choices: ``roles[MINTER][account]`` is a variable of the account for each role.
    """
    locations = context.locations
    owner = np.full(len(locations.variable), MISSING, dtype=np.int64)
    keyed = locations.port != MISSING
    entities = slot_entities(context, ports)
    if not entities:
        return owner
    is_choice = np.array([_is_choice(context, port) for port in range(len(locations.ports))], dtype=np.bool_)
    is_choice = np.append(is_choice & ~ports, False)[locations.port]
    for entity in entities:
        alone = (entity != MISSING) & (keyed.sum(axis=1) - is_choice.sum(axis=1) == 1)
        owner[alone] = slice_of(entity[alone])
    return owner


def _is_choice(context: HistoryContext, port: int) -> bool:
    """Return whether the keys at a position are a few choices, and nobody's accounts."""
    key_position, locations = context.locations.ports[port], context.locations
    if key_position.port_kind is not PortKind.MAPPING or key_position.kind in (
        ValueKind.ADDRESS,
        ValueKind.TEXT,
    ):
        return False
    keys = distinct(locations.keys[locations.port[:, key_position.depth] == port, key_position.depth])
    table = locations.key_table
    words = all(table.word(key) is not None for key in keys.tolist()[: MOST_CHOICES + 1])
    return words and len(keys) <= MOST_CHOICES and not table.like_addresses[keys].any()


def _words(context: HistoryContext, entities: IntColumn) -> tuple[int | None, ...]:
    keys = entities % max(1, len(context.locations.key_table))
    return tuple(context.locations.key_table.word(key) for key in keys.tolist())


def _keys(context: HistoryContext, sort: EntityType, entities: IntColumn) -> tuple[str, ...]:
    table = context.locations.key_table
    kind = ValueKind.ADDRESS if sort.account else _kind(context, sort)
    return tuple(table.text(key, kind) for key in (entities % max(1, len(table))).tolist())


def _names(
    context: HistoryContext, sort: EntityType, entities: IntColumn, keys: tuple[str, ...], name: str
) -> tuple[str, ...]:
    """Return ``name=key``; for accounts the address; with the contract, or its life, where there are several."""
    contracts = entities // max(1, len(context.locations.key_table))
    names = []
    for contract, key in zip(contracts.tolist(), keys, strict=True):
        text = key if sort.account else f"{name}={key}"
        names.append(text + owner_suffix(context.history, contract))
    return tuple(unique_names(names))  # long texts are cut


def _kind(context: HistoryContext, sort: EntityType) -> ValueKind:
    """Return the keys' type: the one that some port is known to have."""
    kinds = {context.locations.ports[port].kind for port in sort.ports} - {ValueKind.WORD}
    return min(kinds, key=lambda kind: kind.value) if kinds else ValueKind.WORD
