"""What a database knows of the contracts around a history: their names, and which are of one code by one factory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address, ends_of
from specminer.contracts.artifact import parse_stored
from specminer.contracts.code_family import Family, family
from specminer.history.contract_history import History
from specminer.history.trace import Address
from specminer.history.words import Words, from_integers
from specminer.specification import FamilySummary
from specminer.store import TraceStore

MAX_KINDS: Final = 64
"""Codes that are compared with all others of a database."""
MAX_MEMBERS: Final = 2_000
"""Contracts of one code whose factories are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFamily:
    """Contracts of one code that one contract created, or that nobody is known to have created."""

    contracts: tuple[Address, ...]
    """By address; two at least."""
    factory: Address | None
    """What created them; ``None`` if transactions did, or if that is not known."""

    @property
    def summary(self) -> FamilySummary:
        """How many there are, and whose they are."""
        return FamilySummary(
            contracts=len(self.contracts),
            factory=None if self.factory is None else checksum_address(self.factory),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What a database knows besides a history."""

    names: Mapping[str, str] = field(default_factory=dict)
    """Names of other contracts that the history mentions, by address with checksum."""
    family: FamilySummary | None = None
    """Of what family the contracts of the history are; ``None`` if they are of none."""


def find_families(
    store: TraceStore, chain_id: int, contracts: Sequence[Address]
) -> dict[Address, ContractFamily]:
    """Return of contracts those that belong to a family, with it: same code but for immutables, same factory."""
    codes = list(store.group_by_code(chain_id))
    requested = set(contracts)
    kinds: list[Family] = []
    for item in codes:
        if requested.isdisjoint(item.contracts) or any(kind.holds(item.code) for kind in kinds):
            continue
        if item.code and len(kinds) < MAX_KINDS:
            kinds.append(family(item.code, store.creation_code(chain_id, item.contracts[0])))
    families: dict[Address, ContractFamily] = {}
    for kind in kinds:
        members = [address for item in codes if kind.holds(item.code) for address in item.contracts]
        by_factory: dict[Address | None, list[Address]] = {}
        for address in sorted(members)[:MAX_MEMBERS] if len(members) > 1 else ():
            by_factory.setdefault(store.factory(chain_id, address), []).append(address)
        for factory, group in by_factory.items():
            if len(group) > 1:
                whole = ContractFamily(contracts=tuple(group), factory=factory)
                families |= {address: whole for address in group if address in requested}
    return families


def find_neighbours(store: TraceStore, chain_id: int, history: History) -> Neighbours:
    """Return what a database knows besides a history that was read from it."""
    stored = {item.address for item in store.contracts() if item.chain_id == chain_id}
    own = history.accounts
    others = [address for address in mentioned(history, stored) if address not in own]
    families = find_families(store, chain_id, [*own, *others])
    names = {}
    for address in others:
        artifact = parse_stored(store.record(chain_id, address).artifact)
        name = artifact.name if artifact is not None else None
        group = families.get(address)
        if group is not None:
            name = family_member_name(name, group)
        if name:
            names[checksum_address(address)] = name
    own_families = {families[address] for address in own if address in families}
    summary = next(iter(own_families)).summary if len(own_families) == 1 else None
    return Neighbours(names=names, family=summary)


def family_member_name(name: str | None, group: ContractFamily) -> str:
    """Return what to call a contract of a family: its own name, and whose it is."""
    if group.factory is None:
        return name or f"one of {len(group.contracts):,} contracts of one code"
    creator = ends_of(checksum_address(group.factory))
    return f"{name} of factory {creator}" if name else f"one of {len(group.contracts):,} of factory {creator}"


def mentioned(history: History, addresses: Iterable[Address]) -> list[Address]:
    """Return those of some addresses that a history mentions: as who acted, or as a value; ascending."""
    candidates = sorted(set(addresses))
    acting = set(history.addresses)
    numbers = [int.from_bytes(address, "big") for address in candidates]
    words = from_integers(history.words) if isinstance(history.words, Words) else None
    if words is None:
        values = set(history.words)
        is_value = [number in values for number in numbers]
    else:
        is_value = np.isin(from_integers(numbers), words).tolist()
    return [
        address for address, is_held in zip(candidates, is_value, strict=True) if is_held or address in acting
    ]
