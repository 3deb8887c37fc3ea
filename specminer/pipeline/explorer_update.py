"""From a block explorer: what it knows of a contract, kept page by page, so that it can be executed again, here.

Every page is stored as soon as it came; a run that is killed goes on behind the last one. Only blocks that are
final are asked for, so that what is kept stays true. Where the explorer tells otherwise than before, the list is
read anew; but what was executed already is not taken back on the word of an explorer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import zstandard

from specminer._support.errors import FileFormatError, NodeRefused, NotOnChain, StoreError, UsageError
from specminer.contracts.artifact import Artifact, parse
from specminer.history.trace import Address
from specminer.pipeline.executing import Export, ImportResult, Rulebook, import_export
from specminer.pipeline.progress import SILENT, Observer
from specminer.sources.chain_blocks import DEVELOPMENT_CHAINS
from specminer.sources.explorer import ExplorerClient
from specminer.sources.export_fields import RecordError
from specminer.sources.exported import CallType, ExportedCall, ExportedTransaction
from specminer.sources.node import Node
from specminer.sources.paging import NO_END, ChangedListing, KeptRecord, Pages, in_order, keep_record
from specminer.sources.reading_progress import ListingKind, PageRead
from specminer.store import TraceStore

FINAL: Final = 64
"""Blocks after which a block is taken for final; explorers do not tell which are."""
CREATION_GAS: Final = 16_000_000
"""Gas for a creation whose own limit is not known: more than the creation of any contract takes."""
_CREATED_NOTE: Final = (
    "the contract was created by another contract; its creation was executed from the creation code alone, so what its "
    "creator did with it in the same transaction is missing"
)
_UNPROCESSED: Final = (
    "the explorer had not processed the internal calls of all blocks, so some may be missing"
)
_NO_CALLS: Final = (
    "the explorer gives no internal calls, so those that sent ether to the contract are missing"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerRecords:
    """What an explorer knows of a contract, in chain order."""

    transactions: tuple[ExportedTransaction, ...]
    calls: tuple[ExportedCall, ...]
    artifact: Artifact | None
    """The ABI, if it was asked for and the explorer has one."""
    limits: tuple[str, ...]
    """What a reader of this history should know, as sentences."""
    read: int
    """Records that are new."""
    last: int | None
    """Every block up to this one was asked for; ``None`` if the explorer does not tell its newest."""


def collect_explored(
    store: TraceStore,
    explorer: ExplorerClient,
    contract: Address,
    rulebook: Rulebook,
    *,
    artifact: Artifact | None = None,
    node: Node | None = None,
    codes: Mapping[Address, bytes] | None = None,
    last: int | None = None,
    observer: Observer = SILENT,
) -> tuple[ExplorerRecords, ImportResult]:
    """Read what an explorer knows of a contract and execute it again: the database then holds its history.

    Without ``artifact`` the explorer's ABI is taken, unless the database has one. ``node`` is asked for the code
    and storage of other contracts; ``codes`` is runtime code
    that is known otherwise. May be interrupted at any moment; the next run continues.

    Raises:
        ChainError: the explorer or the node failed; what was stored before is kept.
        UsageError: ``last`` lies beyond the newest final block, or there is no such fork.
        StoreError: the database failed, or holds another chain of the same id.

    """
    with_abi = artifact is None and not _has_abi(store, explorer.chain_id, contract)
    records = explore(store, explorer, contract, last=last, with_abi=with_abi, observer=observer)
    export = Export(
        transactions=records.transactions,
        calls=records.calls,
        origin=explorer.endpoint.label,
        limits=records.limits,
        codes=codes or {},
    )
    artifact = artifact or records.artifact
    return records, import_export(store, export, rulebook, artifact=artifact, node=node, observer=observer)


def _has_abi(store: TraceStore, chain_id: int, contract: Address) -> bool:
    is_stored = any(item.chain_id == chain_id and item.address == contract for item in store.contracts())
    return is_stored and store.record(chain_id, contract).artifact is not None


def explore(
    store: TraceStore,
    explorer: ExplorerClient,
    contract: Address,
    *,
    last: int | None = None,
    with_abi: bool = True,
    observer: Observer = SILENT,
) -> ExplorerRecords:
    """Read what an explorer knows of a contract and is not in the database yet; return all of it.

    ``last`` is a block; by default the newest one that is final.

    Raises:
        ChainError: the explorer failed; what was read before is kept.
        NotOnChain: it knows no transactions of the contract, or not how it was created.
        UsageError: ``last`` lies beyond the newest final block.
        StoreError: the database failed.

    """
    end = _last_block(explorer, last, observer)
    limits: list[str] = []
    label = explorer.endpoint.label
    read, records_by_listing = 0, dict[ListingKind, list[KeptRecord]]()
    for listing in ListingKind:
        try:
            new, records_by_listing[listing], complete = _list(
                store, explorer, contract, listing, end, observer
            )
        except NodeRefused as refusal:
            if listing is ListingKind.TRANSACTIONS or refusal.values.get("lasting"):
                raise
            observer.note(refusal.message)
            records_by_listing[listing] = []
            limits.append(_NO_CALLS)
            continue
        read += new
        if not complete:
            limits.append(_UNPROCESSED)
    calls = tuple(
        replace(record.item, record=row)
        for row, record in enumerate(records_by_listing[ListingKind.CALLS], 1)
        if isinstance(record.item, ExportedCall)
    )
    try:
        transactions = in_order(records_by_listing[ListingKind.TRANSACTIONS])
    except RecordError as error:
        raise ChangedListing(f"{label} contradicts itself: {explorer.endpoint.redact(error)}") from None
    transactions = tuple(item for item in transactions if _is_of(item, contract))
    if not any(item.to is None for item in transactions):
        creation, alone = _creation(explorer, contract, calls)
        if transactions and creation.block > transactions[0].block:
            raise ChangedListing(
                f"{label} contradicts itself: the contract was created in block {creation.block}, but called in "
                f"block {transactions[0].block}"
            )
        transactions = (creation, *transactions)
        limits += [_CREATED_NOTE] * alone
    return ExplorerRecords(
        transactions=transactions,
        calls=calls,
        artifact=_artifact(explorer, contract, observer) if with_abi else None,
        limits=tuple(limits),
        read=read,
        last=None if end == NO_END else end,
    )


def _last_block(explorer: ExplorerClient, last: int | None, observer: Observer) -> int:
    newest = explorer.newest_block()
    if newest is None:
        if last is None:
            observer.note(
                "the explorer does not tell its newest block, so the last blocks read may still change; --to-block "
                "sets an end"
            )
        return NO_END if last is None else last
    if explorer.chain_id not in DEVELOPMENT_CHAINS:
        newest = max(newest - FINAL, 0)
    if last is not None and last > newest:
        raise UsageError(f"--to-block {last} lies beyond the newest usable block, {newest}")
    return newest if last is None else last


def _list(
    store: TraceStore,
    explorer: ExplorerClient,
    contract: Address,
    listing: ListingKind,
    end: int,
    observer: Observer,
) -> tuple[int, list[KeptRecord], bool]:
    """Bring one list up to date; return how many records are new, all of them, and whether it is complete."""
    try:
        return _continue(store, explorer, contract, listing, end, observer)
    except ChangedListing as change:
        if not store.pages(explorer.chain_id, contract, listing.value):
            raise
        if store.ranges(explorer.chain_id, contract):
            raise ChangedListing(
                f"{change.message}; the database {store.label} holds a history made from what it told before: collect "
                "into a new one (--db), and compare"
            ) from None
        observer.note(f"{change.message}; the list is read anew")
        store.forget_pages(explorer.chain_id, contract, listing.value)
        return _continue(store, explorer, contract, listing, end, observer)


def _continue(
    store: TraceStore,
    explorer: ExplorerClient,
    contract: Address,
    listing: ListingKind,
    end: int,
    observer: Observer,
) -> tuple[int, list[KeptRecord], bool]:
    stored = store.pages(explorer.chain_id, contract, listing.value)
    records = [record for page in stored for record in _unpack_page(page, listing, store.label)]
    if records and records[-1].item.block > end:  # read further before
        return 0, [record for record in records if record.item.block <= end], True
    pages = Pages(explorer, listing, contract, 0, end)
    pages.know(records)
    new = 0
    for number, page in enumerate(pages.new(), len(stored)):
        if pages.complete:  # else earlier blocks may get records later, and the list has to be read anew
            store.add_page(explorer.chain_id, contract, listing.value, number, _pack_page(page))
        records += page
        new += len(page)
        observer.progress(PageRead(listing=listing, records=len(records), block=page[-1].item.block))
    if not pages.complete:
        store.forget_pages(explorer.chain_id, contract, listing.value)
    return new, records, pages.complete


def _pack_page(page: Sequence[KeptRecord]) -> bytes:
    return zstandard.compress(b"[" + b",".join(record.text for record in page) + b"]")


def _unpack_page(page: bytes, listing: ListingKind, database: str) -> list[KeptRecord]:
    try:
        rows = msgspec.json.decode(zstandard.decompress(page), type=list[dict[str, Any]])
        return [keep_record(listing, fields) for fields in rows]
    except (zstandard.ZstdError, msgspec.DecodeError, RecordError):
        raise StoreError(
            f"the database {database} holds a damaged page of an explorer's list; restore it from a copy, or begin a "
            "new one"
        ) from None


def _creation(
    explorer: ExplorerClient, contract: Address, calls: Sequence[ExportedCall]
) -> tuple[ExportedTransaction, bool]:
    """Return the creation that the list of transactions lacks, and whether another contract did it.

    Raises:
        NotOnChain: the explorer does not know it.

    """
    creation = explorer.creation(contract)
    if creation is None:
        raise NotOnChain(
            f"{explorer.endpoint.label} does not know how 0x{contract.hex()} was created on chain "
            f"{explorer.chain_id}; check the address and the chain, or collect from a node (--rpc)"
        )
    sent = explorer.transaction(creation.transaction)
    if sent is not None and sent.to is None:
        return replace(sent, created=contract), False
    inner = next((item for item in calls if _creates(item, contract)), None)
    code = creation.code or (inner.data if inner is not None else b"")
    block_source = inner or sent
    if not code or block_source is None:
        raise NotOnChain(
            f"{explorer.endpoint.label} does not give the code that created 0x{contract.hex()}, which another "
            "contract did; collect from a node (--rpc)"
        )
    return (
        ExportedTransaction(
            hash=creation.transaction,
            block=block_source.block,
            block_hash=sent.block_hash if sent is not None else None,
            index=sent.index if sent is not None else None,
            timestamp=block_source.timestamp,
            sender=creation.factory or (inner.sender if inner is not None else creation.creator),
            to=None,
            created=contract,
            value=inner.value if inner is not None else 0,
            gas=CREATION_GAS,
            gas_price=None,
            gas_used=None,
            nonce=None,
            succeeded=None,
            data=code,
            record=0,
        ),
        True,
    )


def _is_of(item: ExportedTransaction, contract: Address) -> bool:
    """Whether a transaction calls or creates the contract; a list also holds what an account itself sent."""
    if item.to is None:
        return item.created == contract or (item.created is None and item.sender != contract)
    return item.to == contract


def _creates(item: ExportedCall, contract: Address) -> bool:
    return (
        item.type in (CallType.CREATE, CallType.CREATE2)
        and item.created == contract
        and item.succeeded is not False
    )


def _artifact(explorer: ExplorerClient, contract: Address, observer: Observer) -> Artifact | None:
    """Return the ABI that the explorer has, if it can be used."""
    text = explorer.abi(contract)
    if text is None:
        observer.note(
            "the explorer has no ABI of the contract; functions are named by their selectors (--abi gives one)"
        )
        return None
    try:
        return parse(text, "the explorer's ABI")
    except FileFormatError as error:
        observer.note(f"{explorer.endpoint.redact(error.message)}; it is not used")
        return None
