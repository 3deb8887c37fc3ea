"""Entities: what the keys of storage stand for, numbered by contract and key.

An entity is ``contract * len(key_table) + key``.
"""

from __future__ import annotations

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.accesses import first_accesses
from specminer.decoding.location_columns import PortKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.relation import EntityRelation, relation


def entity_span(context: HistoryContext) -> int:
    """Return more than any entity's number."""
    return max(1, len(context.history.contracts) * len(context.locations.key_table))


def entity_numbers(context: HistoryContext, contract: IntColumn, key: IntColumn) -> IntColumn:
    """Return the numbers of entities by their contracts and the codes of their keys; ``MISSING`` stays missing."""
    return np.where(key == MISSING, MISSING, contract * len(context.locations.key_table) + key)


def entity_ports(context: HistoryContext) -> BoolColumn:
    """Return which ports may hold entities: mappings at any depth, and arrays that lie in nothing."""
    return np.array(
        [
            port.port_kind is PortKind.MAPPING or (port.port_kind is PortKind.ARRAY and port.depth == 0)
            for port in context.locations.ports
        ],
        dtype=np.bool_,
    )


def port_order(context: HistoryContext) -> IntColumn:
    """Return the position of each port in order of the first access to what lies behind it, outer ports first.

    That is independent of names and of the database.
    """
    port = context.locations.port
    accesses = first_accesses(context.accesses, len(port))
    count = len(context.locations.ports)
    first = np.full(count, int(accesses.max(initial=0)) + 1, dtype=np.int64)
    depths = np.zeros(count, dtype=np.int64)
    for depth in range(port.shape[1]):
        keyed = np.flatnonzero(port[:, depth] != MISSING)
        np.minimum.at(first, port[keyed, depth], accesses[keyed])
        depths[port[keyed, depth]] = depth
    rank = np.empty(count, dtype=np.int64)
    rank[np.lexsort((depths, first))] = np.arange(count)
    return rank


def slot_contracts(context: HistoryContext) -> IntColumn:
    """Return the contract of each slot; shape (s,)."""
    contract = np.zeros(len(context.locations.variable), dtype=np.int64)
    accesses = context.accesses
    contract[accesses.slot] = context.history.invocation_contract[accesses.invocation]
    return contract


def slot_entities(context: HistoryContext, ports: BoolColumn) -> list[IntColumn]:
    """Return for each key position the entity that a slot hangs under there, by the given ports.

    Shapes (s,); ``MISSING`` where the position has another port, or none.
    """
    locations, contract = context.locations, slot_contracts(context)
    entities = []
    for depth in range(locations.port.shape[1]):
        port = locations.port[:, depth]
        has_entity = (port != MISSING) & ports[np.maximum(port, 0)] if len(ports) else port != port
        key = np.where(has_entity, locations.keys[:, depth], MISSING)
        entities.append(entity_numbers(context, contract, key))
    return entities


def accessed_entities(
    context: HistoryContext, ports: BoolColumn, rows: BoolColumn | None = None
) -> EntityRelation:
    """Return which invocation accesses which entity; ``rows`` restricts the accesses."""
    accesses = context.accesses
    invocations: list[IntColumn] = []
    entities: list[IntColumn] = []
    for entity in slot_entities(context, ports):
        by_access = entity[accesses.slot]
        has_entity = by_access != MISSING
        if rows is not None:
            has_entity &= rows
        invocations.append(accesses.invocation[has_entity])
        entities.append(by_access[has_entity])
    return relation(np.concatenate(invocations), np.concatenate(entities), entity_span(context))
