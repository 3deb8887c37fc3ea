"""Splits that need no entities: the whole history, one interaction a contract, one an account that calls."""

from __future__ import annotations

from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext, owner_name, owner_suffix
from specminer.decoding.calldata import senders
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.entities import slot_contracts
from specminer.interaction.interactions import Interactions
from specminer.interaction.relation import distinct
from specminer.specification import EntitySort, Mode

MAX_UNNAMED: Final = 256
"""Variables of the whole contract without a name at most: those that most calls touch."""


def whole(context: HistoryContext) -> Interactions:
    """Return the history as one interaction, whose first event is the constructor."""
    rows = np.flatnonzero(context.is_event)
    return _bare(
        Mode.WHOLE,
        ("all",),
        np.zeros(len(rows), dtype=np.int64),
        rows,
        np.where(_keyless(context), 0, MISSING),
    )


def by_instance(context: HistoryContext) -> Interactions:
    """Return one interaction for each contract that has events, or each of its lives, as in ``History.contracts``."""
    history = context.history
    rows = np.flatnonzero(context.is_event)
    rows = rows[np.argsort(history.invocation_contract[rows], kind="stable")]
    contracts, slices = np.unique(history.invocation_contract[rows], return_inverse=True)
    number = np.full(len(history.contracts), MISSING, dtype=np.int64)
    number[contracts] = np.arange(len(contracts))
    names = tuple(owner_name(history, contract) for contract in contracts.tolist())
    owner = np.where(_keyless(context), number[slot_contracts(context)], MISSING)
    return _bare(Mode.INSTANCE, names, slices.astype(np.int64), rows, owner)


def _bare(
    mode: Mode, names: tuple[str, ...], slices: IntColumn, rows: IntColumn, owner: IntColumn
) -> Interactions:
    return Interactions(
        mode=mode,
        sort=None,
        names=names,
        entities=(None,) * len(names),
        keys=(None,) * len(names),
        explanation="",
        slice=slices,
        invocation=rows,
        passive=np.zeros(len(rows), dtype=np.bool_),
        role=np.full(len(rows), MISSING, dtype=np.int64),
        owner=owner,
        holders=(owner,),
        track=np.zeros(0, dtype=np.int64),
    )


def _keyless(context: HistoryContext) -> BoolColumn:
    """Return which slots are variables without keys, so few that a column for each can be held."""
    locations, accesses = context.locations, context.accesses
    has_column = np.array([not item.ports for item in locations.variables], dtype=np.bool_)
    touching = np.bincount(locations.variable[accesses.slot], minlength=len(has_column))
    unnamed = [row for row, item in enumerate(locations.variables) if has_column[row] and not item.has_name]
    # variables stand in the order of their names
    ranked = sorted(unnamed, key=lambda row: (-int(touching[row]), row))
    has_column[ranked[MAX_UNNAMED:]] = False
    return has_column[locations.variable]


def by_sender(context: HistoryContext) -> Interactions:
    """Return one interaction for each account and contract that it calls, in order of the first call.

    An account owns the storage that is kept under its address alone; what others' calls change of it is passive.
    """
    history = context.history
    own = np.flatnonzero(context.is_call)
    caller = history.invocation_contract * len(history.addresses) + history.invocation_sender
    pairs, first = np.unique(caller[own], return_index=True)
    number = np.empty(len(pairs), dtype=np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(len(pairs))
    by_call = pairs[np.argsort(first, kind="stable")]
    slices = number[np.searchsorted(pairs, caller[own])]
    owner = _storage_of_callers(context, pairs, number)
    passive_slices, rows = _passive(context, owner, own, slices)
    all_slices, all_rows = np.concatenate([slices, passive_slices]), np.concatenate([own, rows])
    order = np.lexsort((all_rows, all_slices))
    contracts, addresses = np.divmod(by_call, max(1, len(history.addresses)))
    return Interactions(
        mode=Mode.SENDER,
        sort=EntitySort(name="account", arguments=("msg.sender",)),
        names=tuple(
            _caller_name(context, contract, address)
            for contract, address in zip(contracts.tolist(), addresses.tolist(), strict=True)
        ),
        entities=tuple(int.from_bytes(history.addresses[address], "big") for address in addresses.tolist()),
        keys=tuple(checksum_address(history.addresses[address]) for address in addresses.tolist()),
        explanation="",
        slice=all_slices[order],
        invocation=all_rows[order],
        passive=(np.arange(len(all_rows)) >= len(own))[order],
        role=np.full(len(all_rows), MISSING, dtype=np.int64),
        owner=owner,
        holders=(owner,),
        track=np.flatnonzero(context.is_event & ~context.is_call),
    )


def _storage_of_callers(context: HistoryContext, pairs: IntColumn, number: IntColumn) -> IntColumn:
    """Return for each slot the interaction of the account under whose address alone it is kept."""
    history, locations = context.history, context.locations
    key_of = locations.key_table.find(senders(history))
    address_of = np.full(max(1, len(locations.key_table)), MISSING, dtype=np.int64)
    key_owners = np.flatnonzero(key_of != MISSING)
    address_of[key_of[key_owners]] = key_owners
    single = np.sum(context.locations.port != MISSING, axis=1) == 1
    address = np.where(single, address_of[np.maximum(locations.keys[:, 0], 0)], MISSING)
    pair = slot_contracts(context) * len(history.addresses) + address
    at = np.minimum(np.searchsorted(pairs, pair), max(0, len(pairs) - 1))
    owned = (address != MISSING) & (len(pairs) > 0)
    if len(pairs):
        owned &= pairs[at] == pair
        return np.where(owned, number[at], MISSING)
    return np.full(len(pair), MISSING, dtype=np.int64)


def _passive(
    context: HistoryContext, owner: IntColumn, own: IntColumn, slices: IntColumn
) -> tuple[IntColumn, IntColumn]:
    """Return (interaction, invocation) of each call that changed another account's storage, once each."""
    accesses = context.accesses
    slice_of = np.full(len(context.history), MISSING, dtype=np.int64)
    slice_of[own] = slices  # a constructor that fills somebody's storage is no call of theirs either
    slot_owner = owner[accesses.slot]
    hit = accesses.effective_write & (slot_owner != MISSING) & (slot_owner != slice_of[accesses.invocation])
    span = max(1, len(context.history))
    return np.divmod(distinct(slot_owner[hit] * span + accesses.invocation[hit]), span)


def _caller_name(context: HistoryContext, contract: int, address: int) -> str:
    history = context.history
    return checksum_address(history.addresses[address]) + owner_suffix(history, contract)
