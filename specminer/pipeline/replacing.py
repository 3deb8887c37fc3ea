"""Whether a node's chain is the one in the database, and what takes the place of blocks that were replaced.

Absence is not replacement. Stored blocks give way only to a chain that proves itself: its blocks are linked, parent by
parent, to a block that the database holds too, and one of them differs from what is stored. A node that forgot, that
lags behind, or that serves another chain stops the run, and the database stays as it is. What was replaced is first
read whole from the new chain; then, at once, it takes the place of the old.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from specminer._support.errors import ChainError, InvalidNodeResponse, NodeRefused, NotOnChain, UsageError
from specminer.history.trace import NO_HASH, Address, Block, ContractRecord, Hash
from specminer.pipeline.progress import Observer
from specminer.sources.chain_blocks import block_at, creation_block, head_block
from specminer.sources.chunks import Chunk
from specminer.sources.collector import Collector
from specminer.sources.envelopes import block_of
from specminer.sources.node import Node, octets, result_of
from specminer.store import RecordedPiece, Replacement, TraceStore

MAX_PROOF: Final = 50_000
"""Blocks whose links are followed at most: no chain replaces more."""


def replaced_after(
    store: TraceStore, node: Node, chain_id: int, genesis: Hash | None, newest: int
) -> Block | None:
    """Return the newest stored block that the node's chain holds too, if it holds others behind it; else ``None``.

    ``genesis`` is the hash of the node's block 0, ``None`` if it holds none; ``newest`` a block that the node is known
    to hold.

    Raises:
        ChainError: the node has forgotten blocks, is behind the database, or serves another chain; or the links of
            its blocks do not prove that they replaced the stored ones.

    """
    stored = [block for block in store.blocks(chain_id) if block.hash != NO_HASH]
    if not stored:
        return None
    head = newest if stored[0].number <= newest else head_block(node, "latest").number
    reached = [block for block in stored if block.number <= head]
    if not reached or _same(node, reached[0]):
        if len(reached) == len(stored):
            return None
        raise ChainError(
            f"{node.endpoint.label} is at block {head}, but the database holds block {stored[0].number}; wait until "
            "the node has caught up, or use another; where a development chain was set back, collect into another --db"
        )
    common = _common(store, node, chain_id, genesis, reached)
    _prove(node, common, reached[0].number)
    return common


def _same(node: Node, block: Block) -> bool:
    """Whether the node holds a stored block.

    Raises:
        ChainError: it holds none of this number.

    """
    try:
        return block_at(node, block.number).hash == block.hash
    except NotOnChain:
        raise ChainError(
            f"{node.endpoint.label} has no block {block.number} any more, which the database holds, although it is "
            "further: it has forgotten it. Nothing was changed; use a node that keeps old blocks"
        ) from None


def _common(
    store: TraceStore, node: Node, chain_id: int, genesis: Hash | None, reached: Sequence[Block]
) -> Block:
    """Return the newest stored block that both have; the first block if they share no other.

    Raises:
        ChainError: they share none, as far as the database knows.

    """
    low, high = 1, len(reached)  # blocks stand newest first: find the first that is still there
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _same(node, reached[middle]) else (middle + 1, high)
    if low < len(reached):
        return reached[low]
    if genesis is not None and store.genesis(chain_id) == genesis:
        return Block(number=0, hash=genesis, timestamp=None)
    raise ChainError(
        f"{node.endpoint.label} serves another chain with id {chain_id} than the one in the database: none of its "
        "blocks is among the stored ones. Nothing was changed; give this chain its own --db"
    )


def _prove(node: Node, common: Block, last: int) -> None:
    """Follow the links of a chain from a common block on.

    Raises:
        ChainError: they do not hold, or there are too many.

    """
    if last - common.number > MAX_PROOF:
        raise ChainError(
            f"{node.endpoint.label} has other blocks than the database from block {common.number + 1} to {last}: more "
            "than a chain ever replaces. Nothing was changed; check that it is the same chain"
        )
    numbers = range(common.number + 1, last + 1)
    answers = node.batch([("eth_getBlockByNumber", (hex(number), False)) for number in numbers])
    before = common.hash
    for number, answer in zip(numbers, answers, strict=True):
        before = _linked_hash(node, number, answer, before)


def _linked_hash(node: Node, number: int, answer: Any, parent: Hash) -> Hash:
    """Return the hash of a block that follows from another; ask for it alone if the answer of a batch does not."""
    try:
        return _follow(result_of(answer), number, parent)
    except InvalidNodeResponse:
        pass
    request = ("eth_getBlockByNumber", (hex(number), False))
    try:
        return node.read_one(request, lambda result: _follow(result, number, parent))
    except InvalidNodeResponse:
        raise ChainError(
            f"{node.endpoint.label} has other blocks than the database, but its block {number} does not follow from "
            "the one before it, so they prove nothing. Nothing was changed; try again, or use another node"
        ) from None


def _follow(answer: Any, number: int, parent: Hash) -> Hash:
    """Return the hash of a block.

    Raises:
        InvalidNodeResponse: it is no block, another one, or does not follow from ``parent``.

    """
    block = block_of(answer)
    if block.number != number or Hash(octets(answer.get("parentHash"), "parentHash", 32)) != parent:
        raise InvalidNodeResponse(f"block {number} does not follow from the one before it")
    return block.hash


def replace_blocks(
    store: TraceStore, node: Node, chain_id: int, common: Block, anchor: Block, observer: Observer
) -> None:
    """Read anew what the chain replaced behind a common block, of every stored contract, and put it in place at once.

    Raises:
        ChainError: it cannot be read; the database is as it was.

    """
    parts = [
        _replacement(store, node, contract, chain_id, common, anchor, observer)
        for contract in (item.address for item in store.contracts() if item.chain_id == chain_id)
        if any(last > common.number for _, last in store.ranges(chain_id, contract))
    ]
    removed = store.replace_after(chain_id, common.number, parts)
    observer.note(
        f"the chain was reorganised since it was last read: {removed} stored blocks after block {common.number} are no "
        "longer part of it; what took their place was read first"
    )


def _replacement(
    store: TraceStore,
    node: Node,
    contract: Address,
    chain_id: int,
    common: Block,
    anchor: Block,
    observer: Observer,
) -> Replacement:
    stored_record = store.record(chain_id, contract)
    created = stored_record.created_in_block
    if created is None or created > common.number:
        created = _created_anew(node, contract, anchor.number)
    record = ContractRecord(address=contract, chain_id=chain_id, created_in_block=created)
    collector = Collector(node, contract, note=observer.note, progress=observer.progress)
    pieces: list[RecordedPiece] = []
    for first, last in store.ranges(chain_id, contract):
        start, end = max(first, common.number + 1), min(last, anchor.number)
        if start <= end:
            pieces += [piece_of(chunk) for chunk in collector.collect(start, end, created, anchor)]
    return Replacement(record=record, pieces=pieces)


def _created_anew(node: Node, contract: Address, head: int) -> int | None:
    """Return the block that created a contract on the new chain; ``None`` if nothing tells."""
    try:
        return creation_block(node, contract, head)
    except (NodeRefused, NotOnChain, UsageError):
        return None


def piece_of(chunk: Chunk) -> RecordedPiece:
    """Return a chunk as the store takes it, with what its way of recording may have missed."""
    limits = {chunk.way.limit, *chunk.limits} | {item.tracer.blind_spots for item in chunk.transactions}
    return RecordedPiece(
        transactions=chunk.transactions,
        complete=(chunk.first, chunk.last),
        tip=chunk.tip,
        gaps=chunk.gaps,
        limits=sorted(limits - {""}),
    )
