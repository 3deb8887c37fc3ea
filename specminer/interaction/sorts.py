"""Sorts of keys: which key positions of the storage hold the same things.

A *port* is a key position of a mapping, or the index of an array that lies in nothing else. Ports whose keys are
mostly addresses form one sort, the accounts. Other ports belong together if calls that touch both use the same
keys in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.location_columns import PortKind
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.entities import accessed_entities, entity_ports, entity_span, port_order
from specminer.interaction.relation import contains, distinct

ACCOUNT_SHARE: Final = 0.9
"""A port holds accounts if at least this share of its keys look like addresses."""
MIN_TOGETHER: Final = 3
"""Ports merge only if at least so many calls touch both ..."""
MIN_OVERLAP: Final = 0.8
"""... and the keys that such a call has in both are, on average, this share of the smaller key set."""
MAX_PORTS: Final = 48
"""Ports looked at: those that most calls touch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """A kind of entity: the ports in which its keys stand."""

    ports: tuple[int, ...]
    """Rows in ``Locations.ports``, in order of the slots behind them."""
    account: bool

    def mask(self, count: int) -> BoolColumn:
        """Return which of ``count`` ports belong to the sort."""
        is_member = np.zeros(count, dtype=np.bool_)
        is_member[list(self.ports)] = True
        return is_member


def sorts(context: HistoryContext) -> list[EntityType]:
    """Return the sorts, accounts first, then in order of the slots."""
    eligible = _most_touched(context)
    accounts = [port for port in eligible if _holds_accounts(context, port)]
    others = [port for port in eligible if port not in accounts]
    account_sorts = [EntityType(ports=group, account=True) for group in _kinds_of_accounts(context, accounts)]
    groups = _merge_ports(context, others)
    return account_sorts + [EntityType(ports=group, account=False) for group in groups]


def _most_touched(context: HistoryContext) -> list[int]:
    eligible = np.flatnonzero(entity_ports(context))
    counts = np.zeros(len(context.locations.ports), dtype=np.int64)
    per_slot = np.bincount(context.accesses.slot, minlength=len(context.locations.variable))
    for depth in range(context.locations.port.shape[1]):
        port = context.locations.port[:, depth]
        has_port = port != MISSING
        counts += np.bincount(port[has_port], weights=per_slot[has_port], minlength=len(counts)).astype(
            np.int64
        )
    rank = port_order(context)
    ranked = sorted(eligible.tolist(), key=lambda port: (-int(counts[port]), int(rank[port])))
    return sorted(ranked[:MAX_PORTS], key=lambda port: int(rank[port]))


def _holds_accounts(context: HistoryContext, port: int) -> bool:
    key_position = context.locations.ports[port]
    if key_position.kind is not ValueKind.WORD:
        return key_position.kind is ValueKind.ADDRESS
    if key_position.port_kind is PortKind.ARRAY:
        return False
    has_port = context.locations.port[:, key_position.depth] == port
    keys = distinct(context.locations.keys[has_port, key_position.depth])
    like = context.locations.key_table.like_addresses[keys]
    return bool(len(like)) and float(np.mean(like)) >= ACCOUNT_SHARE


def _kinds_of_accounts(context: HistoryContext, ports: list[int]) -> list[tuple[int, ...]]:
    """Return the classes of ports that hold addresses: one, but for tokens beside those who hold them.

    Ports are of different kinds if they stand in one mapping, ``deposits[token][user]``, and neither they nor ports
    that share keys with them have any key in common.
    """
    locations = context.locations
    keys: dict[int, set[int]] = {}
    for port in ports:
        depth = locations.ports[port].depth
        keys[port] = set(np.unique(locations.keys[locations.port[:, depth] == port, depth]).tolist()) - {
            MISSING
        }
    classes: list[tuple[tuple[int, ...], set[int]]] = []
    for port in ports:
        alike = [item for item in classes if item[1] & keys[port]]
        members = sorted([port, *(member for item in alike for member in item[0])])
        classes = [item for item in classes if item not in alike]
        classes.append((tuple(members), keys[port].union(*(item[1] for item in alike))))
    class_of = {port: number for number, (members, _) in enumerate(classes) for port in members}
    apart: set[int] = set()
    for variable in locations.variables:
        variable_classes = [class_of[port] for port in variable.ports if port in class_of]
        if len(set(variable_classes)) > 1:
            sizes = {number: len(classes[number][1]) for number in variable_classes}
            apart.add(min(sizes, key=lambda number: (sizes[number], number)))
    rest = [port for port in ports if class_of[port] not in apart]
    return [tuple(rest), *(classes[number][0] for number in sorted(apart))] if ports else []


def _merge_ports(context: HistoryContext, ports: list[int]) -> list[tuple[int, ...]]:
    """Return the classes of ports that hold the same keys, by their smallest port."""
    touching = {port: _accepted_pairs(context, port) for port in ports}
    group = {port: port for port in ports}

    def root(port: int) -> int:
        while group[port] != port:
            port = group[port]
        return port

    for index, one in enumerate(ports):
        for other in ports[index + 1 :]:
            if root(one) != root(other) and _same(touching[one], touching[other], entity_span(context)):
                group[root(other)] = root(one)
    classes: dict[int, list[int]] = {}
    for port in ports:
        classes.setdefault(root(port), []).append(port)
    return [tuple(group) for group in classes.values()]


def _accepted_pairs(context: HistoryContext, port: int) -> IntColumn:
    """Return (invocation, entity) of the accepted calls that touch a port, as sorted codes."""
    mask = np.zeros(len(context.locations.ports), dtype=np.bool_)
    mask[port] = True
    return accessed_entities(context, mask, context.is_accepted[context.accesses.invocation]).code


def _same(one: IntColumn, other: IntColumn, span: int) -> bool:
    """Whether two ports hold the same keys in the calls that touch both."""
    if not len(one) or not len(other):
        return False
    if len(one) > len(other):
        one, other = other, one
    calls, counts = np.unique(one // span, return_counts=True)
    others, other_counts = np.unique(other // span, return_counts=True)
    at = np.minimum(np.searchsorted(others, calls), len(others) - 1)
    both = others[at] == calls
    if int(np.sum(both)) < MIN_TOGETHER:
        return False
    shared = np.bincount(np.searchsorted(calls, one[contains(other, one)] // span), minlength=len(calls))
    smaller = np.minimum(counts[both], other_counts[at[both]])
    return float(np.mean(shared[both] / smaller)) >= MIN_OVERLAP
