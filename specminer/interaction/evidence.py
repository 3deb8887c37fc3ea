"""What the splitting of a history works on, gathered once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from specminer.calldata import Calls
from specminer.dependency import Touches
from specminer.history import CONSTRUCTOR, MISSING, OUTCOMES, BoolColumn, History, IntColumn
from specminer.interaction.relation import Relation, relation
from specminer.location import Locations, PortKind
from specminer.trace import OutcomeKind

ROLLED_BACK: Final = OUTCOMES.index(OutcomeKind.ROLLED_BACK)
PROTOCOL: Final = tuple(
    OUTCOMES.index(kind) for kind in (OutcomeKind.REVERTED, OutcomeKind.PANIC, OutcomeKind.INVALID_OPCODE)
)
"""Rejections by the contract's code; running out of gas and the like prove nothing about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A history of ``n`` invocations with what is known of its storage and its calls."""

    history: History
    touched: Touches
    locations: Locations
    called: Calls
    event: BoolColumn
    """Invocations that count: no calls of read-only functions, none rolled back by its caller; shape (n,)."""
    call: BoolColumn
    """Events that are no constructor."""
    accepted: BoolColumn
    """Calls whose effects lasted."""
    rejected: BoolColumn
    """Calls that the contract's own code rejected."""
    port: IntColumn
    """``locations.port``."""
    port_rank: IntColumn
    """Place of each port in order of the first access behind it: independent of names and of the database."""

    @classmethod
    def gather(cls, history: History, touched: Touches, locations: Locations, called: Calls) -> Self:
        """Put the parts together."""
        event = ~called.read_only & (history.invocation_outcome != ROLLED_BACK)
        call = event & (history.invocation_kind != CONSTRUCTOR)
        port = locations.port
        return cls(
            history=history,
            touched=touched,
            locations=locations,
            called=called,
            event=event,
            call=call,
            accepted=call & history.accepted,
            rejected=call & np.isin(history.invocation_outcome, PROTOCOL),
            port=port,
            port_rank=_port_rank(port, first_accesses(touched, len(port)), len(locations.ports)),
        )

    @property
    def span(self) -> int:
        """More than any entity's number: an entity is ``contract * len(key_table) + key``."""
        return max(1, len(self.history.contracts) * len(self.locations.key_table))

    def entity(self, contract: IntColumn, key: IntColumn) -> IntColumn:
        """Return the number of an entity by its contract and key's code; ``MISSING`` keys stay missing."""
        return np.where(key == MISSING, MISSING, contract * len(self.locations.key_table) + key)

    def eligible(self) -> BoolColumn:
        """Return which ports may hold entities: mappings at any depth, and arrays that lie in nothing."""
        return np.array(
            [
                port.keyed is PortKind.MAPPING or (port.keyed is PortKind.ARRAY and port.depth == 0)
                for port in self.locations.ports
            ],
            dtype=np.bool_,
        )

    def slot_contract(self) -> IntColumn:
        """Return the contract of each slot; shape (s,)."""
        contract = np.zeros(len(self.locations.variable), dtype=np.int64)
        contract[self.touched.slot] = self.history.invocation_contract[self.touched.invocation]
        return contract

    def slot_entities(self, ports: BoolColumn) -> list[IntColumn]:
        """Return for each key position the entity that a slot hangs under there, by the given ports.

        Shapes (s,); ``MISSING`` where the position has another port, or none.
        """
        contract = self.slot_contract()
        found = []
        for depth in range(self.port.shape[1]):
            port = self.port[:, depth]
            held = (port != MISSING) & ports[np.maximum(port, 0)] if len(ports) else port != port
            key = np.where(held, self.locations.keys[:, depth], MISSING)
            found.append(self.entity(contract, key))
        return found

    def touching(self, ports: BoolColumn, rows: BoolColumn | None = None) -> Relation:
        """Return which invocation touches which entity; ``rows`` restricts the touches."""
        invocations: list[IntColumn] = []
        entities: list[IntColumn] = []
        for entity in self.slot_entities(ports):
            of_touch = entity[self.touched.slot]
            hit = of_touch != MISSING
            if rows is not None:
                hit &= rows
            invocations.append(self.touched.invocation[hit])
            entities.append(of_touch[hit])
        return relation(np.concatenate(invocations), np.concatenate(entities), self.span)


def first_accesses(touched: Touches, slots: int) -> IntColumn:
    """Return the row of the first access to each of ``slots`` slots."""
    first = np.full(slots, len(touched.touch), dtype=np.int64)
    accessed = touched.slot[touched.touch]
    first[accessed[::-1]] = np.arange(len(accessed))[::-1]  # the last assignment stays
    return first


def _port_rank(port: IntColumn, accesses: IntColumn, count: int) -> IntColumn:
    """Return the place of each port in order of the first access to what lies behind it, outer ports first."""
    first = np.full(count, int(accesses.max(initial=0)) + 1, dtype=np.int64)
    depths = np.zeros(count, dtype=np.int64)
    for depth in range(port.shape[1]):
        held = np.flatnonzero(port[:, depth] != MISSING)
        np.minimum.at(first, port[held, depth], accesses[held])
        depths[port[held, depth]] = depth
    rank = np.empty(count, dtype=np.int64)
    rank[np.lexsort((depths, first))] = np.arange(count)
    return rank
