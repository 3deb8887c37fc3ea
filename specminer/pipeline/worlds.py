"""Contracts that call one another, from the lists of each: executed together, in the chain's order.

What lists say is kept in the database. So a list that an earlier import named as missing may come later, alone: what
was kept and belongs to it is executed again together with it. Lists belong together if they name the same contracts, if
they were executed together before, or if the one was missing in the execution of the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from specminer._support.errors import FileFormatError, StoreError, plain
from specminer._support.text import count_of
from specminer.contracts.artifact import Artifact
from specminer.contracts.transaction_types import name_type
from specminer.history.trace import Address, Hash
from specminer.pipeline.executing import Export, ImportResult, Rulebook, prepare_import
from specminer.pipeline.progress import SILENT, Observer
from specminer.replay.saved_replay import decode_replay
from specminer.sources.export_fields import RecordError
from specminer.sources.listings import (
    ListedWorld,
    Listing,
    call_fields,
    merge_lists,
    pack_record,
    read_kept,
    transaction_fields,
)
from specminer.sources.node import Node
from specminer.store import ListedRecord, TraceStore

_TRANSACTION: Final = "transaction"
_CALL: Final = "call"
_IMPORTED_NOTE: Final = "what was imported before"


def import_world(
    store: TraceStore,
    world: ListedWorld,
    rulebook: Rulebook,
    *,
    artifact: Artifact | Sequence[Artifact] | None = None,
    node: Node | None = None,
    observer: Observer = SILENT,
) -> ImportResult:
    """Execute lists together with what was imported before and belongs to them; keep what they say.

    Raises:
        FileFormatError: lists contradict each other, or nothing tells where a contract was created; nothing was kept.
        UsageError: there is no such fork, the rules of a block cannot be told, or the engine is not installed.
        ChainError: the node failed; what was stored before is kept.
        StoreError: the database failed, or holds another chain of the same id.

    """
    stored_lists = _kept_lists(store, rulebook.chain_id)
    group = _related_lists(world.lists, stored_lists, _executions(store, rulebook.chain_id))
    while True:
        export = _export([*world.lists, *group], world)
        if not export.transactions:
            raise FileFormatError(
                f"{plain(export.origin)} holds no transactions, only internal calls, and no list that they belong to "
                "was imported before; give the contract's list of transactions (txlist) as well"
            )
        export.check()
        execute = prepare_import(store, export, rulebook, artifact=artifact, node=node, observer=observer)
        store.keep_listed(rulebook.chain_id, _records(world.lists))
        imported = execute()
        later = [
            item for item in stored_lists if item not in group and item.contracts & imported.missing.keys()
        ]
        if not later:
            return imported
        group += later


def _export(lists: Sequence[Listing], world: ListedWorld) -> Export:
    merged_list = merge_lists(lists)
    limits = []
    if merged_list.unordered:
        limits.append(
            f"in {len(merged_list.unordered):,} blocks, such as {merged_list.unordered[0]}, nothing tells the order of "
            "transactions of several lists (transactionIndex); they were executed list by list"
        )
    transactions = tuple(item for item in merged_list.transactions if item.is_call)
    others = [item for item in merged_list.transactions if not item.is_call]
    if others:
        kinds = sorted({name_type(item.type, of_system=True) for item in others})
        limits.append(
            f"{count_of(len(others), 'transaction')} such as 0x{others[0].hash.hex()} of the chain itself "
            f"({'; '.join(kinds)}) cannot be executed again: what happened in them is missing"
        )
    return Export(
        transactions=transactions,
        calls=merged_list.calls,
        origin=lists[0].origin if len(lists) == 1 else f"{lists[0].origin} and other lists",
        limits=tuple(limits),
        codes=world.codes,
        state=world.state,
        diffs=world.diffs,
        owners=frozenset(item.owner for item in lists),
    )


def _records(lists: Iterable[Listing]) -> list[ListedRecord]:
    """Return lists as they are kept."""
    records: dict[tuple[Address, str, Hash, int], ListedRecord] = {}
    for listing in lists:
        call_counts: Counter[Hash] = Counter()
        rows = [(_TRANSACTION, item.hash, transaction_fields(item)) for item in listing.transactions]
        rows += [(_CALL, call.hash, call_fields(call)) for call in listing.calls]
        for kind, transaction, row in rows:
            position = 0
            if kind == _CALL:
                position = call_counts[transaction]
                call_counts[transaction] += 1
            records[listing.owner, kind, transaction, position] = ListedRecord(
                list=listing.owner, kind=kind, hash=transaction, position=position, record=pack_record(row)
            )
    return list(records.values())


def _kept_lists(store: TraceStore, chain_id: int) -> list[Listing]:
    """Return the lists that were imported before.

    Raises:
        StoreError: what is kept is damaged.

    """
    rows: dict[Address, dict[str, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for item in store.list_records(chain_id):
        rows[item.list][item.kind].append(item.record)
    try:
        return [
            read_kept(owner, _IMPORTED_NOTE, records[_TRANSACTION], records[_CALL])
            for owner, records in sorted(rows.items())
        ]
    except (ValueError, RecordError):
        raise StoreError(
            f"the database {store.label} holds a damaged record of an imported list; restore it from a copy, or begin "
            "a new one"
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Execution:
    """What was executed together before."""

    first: Hash
    contracts: frozenset[Address]
    missing: frozenset[Address]


def _executions(store: TraceStore, chain_id: int) -> list[_Execution]:
    executions = []
    for first, state in sorted(store.replays(chain_id).items()):
        try:
            replay_state = decode_replay(state)
        except ValueError:
            continue
        executions.append(
            _Execution(
                first=first,
                contracts=frozenset(map(Address, replay_state.deployed)),
                missing=frozenset(Address(address) for address, _ in replay_state.strangers),
            )
        )
    return executions


def _related_lists(
    new_lists: Sequence[Listing], stored_lists: Sequence[Listing], executions: Sequence[_Execution]
) -> list[Listing]:
    """Return the stored lists that belong to new ones, directly or through others."""
    reached = set[Address]()
    callers = set[Address]()
    for listing in new_lists:
        reached |= listing.core
        callers |= {call.sender for call in listing.calls}
    group: list[Listing] = []
    hashes = {item.hash for listing in new_lists for item in listing.transactions}
    while True:
        related = [
            run for run in executions if run.first in hashes or (run.contracts | run.missing) & reached
        ]
        together = frozenset[Address]().union(*(run.contracts for run in related))
        new = [
            listing
            for listing in stored_lists
            if listing not in group
            and (
                listing.core & (reached | callers)
                or listing.owner in together
                or any(call.sender in reached for call in listing.calls)
            )
        ]
        if not new:
            return group
        group += new
        for listing in new:
            reached |= listing.core
            hashes |= {item.hash for item in listing.transactions}
