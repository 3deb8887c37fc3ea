"""From a node into the database: what is missing, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from specminer.chain.artifact import Artifact
from specminer.chain.collector import (
    DEVELOPMENT_CHAINS,
    TRIES,
    Collector,
    Replaced,
    block_at,
    check_chain,
    check_range,
    creation_block,
    newest_block,
)
from specminer.chain.node import Node
from specminer.errors import ChainError, NodeRefused, NotOnChain, UsageError
from specminer.pipeline.progress import SILENT, Observer
from specminer.store import TraceStore
from specminer.trace import Address, ContractRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What a collection did."""

    chain_id: int
    first: int
    last: int
    added: int
    """Transactions that are new in the database."""
    requests: int


def collect(
    store: TraceStore,
    node: Node,
    contract: Address,
    *,
    artifact: Artifact | None = None,
    chain_id: int | None = None,
    first: int | None = None,
    last: int | None = None,
    created: int | None = None,
    observer: Observer = SILENT,
) -> Collected:
    """Bring the database up to date with the chain for one contract.

    ``first`` and ``last`` are blocks; by default the creation of the contract and the newest finalized
    block (the latest on development chains). Ranges that are complete are not read again; blocks that
    the chain has replaced since are forgotten first. ``created`` is the block that created the contract
    where that is known, so that it need not be searched for.

    Raises:
        ChainError: the node failed; what was collected before is kept.
        UsageError: the range is empty or beyond the chain.
        StoreError: the database failed, or holds another chain of the same id.

    """
    for _ in range(TRIES - 1):
        try:
            return _collect(store, node, contract, artifact, chain_id, (first, last), created, observer)
        except Replaced:
            observer.note("the chain was reorganised while it was read; what it replaced is read again")
    return _collect(store, node, contract, artifact, chain_id, (first, last), created, observer)


def _collect(
    store: TraceStore,
    node: Node,
    contract: Address,
    artifact: Artifact | None,
    chain_id: int | None,
    asked: tuple[int | None, int | None],
    created: int | None,
    observer: Observer,
) -> Collected:
    first, last = asked
    found_chain, genesis = check_chain(node, chain_id)
    newest = newest_block(node, found_chain)
    last = newest if last is None else last
    check_range(first or 0, last, newest)
    # Before it is asked what the database holds of the chain: so both are compared with one chain.
    anchor = block_at(node, last)
    store.register_chain(found_chain, genesis)
    _forget_replaced(store, node, found_chain, observer)
    if created is None:
        created = _creation(store, node, found_chain, contract, first, last)
    if first is None:
        first = created or 0
    check_range(first, last, newest)
    store.register_contract(
        ContractRecord(
            address=contract,
            chain_id=found_chain,
            created_in_block=created,
            artifact=None if artifact is None else artifact.to_json(),
        )
    )
    collector = Collector(node, contract, note=observer.note, progress=observer.progress)
    added = 0
    for start, end in _missing(store.ranges(found_chain, contract), first, last):
        for chunk in collector.collect(start, end, created, anchor):
            limits = {chunk.way.limit} | {item.tracer.blind_spots for item in chunk.transactions}
            store.add(
                found_chain,
                contract,
                chunk.transactions,
                complete=(chunk.first, chunk.last),
                tip=chunk.tip,
                limits=sorted(limits - {""}),
            )
            added += len(chunk.transactions)
    _describe(store, collector, found_chain, contract, added)
    return Collected(chain_id=found_chain, first=first, last=last, added=added, requests=node.requests)


def _creation(
    store: TraceStore, node: Node, chain_id: int, contract: Address, first: int | None, last: int
) -> int | None:
    """Return the block that created the contract; ``None`` if it cannot be told and a first block is given.

    What the database knows is believed only within ranges that are complete: what a reorganisation
    replaced is cut out of them.
    """
    known = _known_creation(store, chain_id, contract)
    if known is not None and any(low <= known <= high for low, high in store.ranges(chain_id, contract)):
        return known
    try:
        return creation_block(node, contract, last)
    except (NodeRefused, NotOnChain, UsageError):
        if first is None:
            raise
        return None


def _known_creation(store: TraceStore, chain_id: int, contract: Address) -> int | None:
    if any(item.chain_id == chain_id and item.address == contract for item in store.contracts()):
        return store.record(chain_id, contract).created_in_block
    return None


def _missing(ranges: list[tuple[int, int]], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield what of ``first .. last`` no range covers."""
    for low, high in ranges:
        if high < first:
            continue
        if low > last:
            break
        if first < low:
            yield first, low - 1
        first = max(first, high + 1)
    if first <= last:
        yield first, last


def _forget_replaced(store: TraceStore, node: Node, chain_id: int, observer: Observer) -> None:
    """Forget stored blocks that are no longer the chain's.

    Raises:
        ChainError: the node is behind the database, on a chain where blocks do not vanish.

    """
    blocks = store.blocks(chain_id)
    if not blocks:
        return

    def still_there(row: int) -> bool:
        block = blocks[row]
        try:
            return block_at(node, block.number).hash == block.hash
        except NotOnChain:
            return False

    if still_there(0):
        return
    head = block_at(node, "latest").number
    if head < blocks[0].number and chain_id not in DEVELOPMENT_CHAINS:
        raise ChainError(
            f"{node.endpoint.label} is at block {head}, but the database holds block {blocks[0].number}; wait "
            "until the node has caught up, or use another"
        )
    low, high = 1, len(blocks)  # blocks stand newest first: find the first that is still there
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if still_there(middle) else (middle + 1, high)
    keep = blocks[low].number if low < len(blocks) else -1
    removed = store.forget_after(chain_id, keep)
    observer.note(
        f"the chain was reorganised since it was last read: {removed} stored blocks after block {max(keep, 0)} "
        "are no longer part of it and are collected again"
    )


def _describe(store: TraceStore, collector: Collector, chain_id: int, contract: Address, added: int) -> None:
    """Store the contract's code, and that of the implementations it delegated to, when something is new."""
    record = store.record(chain_id, contract)
    implementations = store.implementations(chain_id, contract)
    described = {address for address, _ in record.implementations}
    if record.code and not added and described >= set(implementations):
        return
    head = store.ranges(chain_id, contract)[-1][1]
    store.register_contract(collector.describe(head, chain_id, record.created_in_block, implementations))
