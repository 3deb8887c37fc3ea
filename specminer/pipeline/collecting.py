"""From a node into the database: what is missing, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from specminer._support.errors import InvalidNodeResponse, NodeRefused, NotOnChain, UsageError
from specminer.contracts.artifact import Artifact
from specminer.history.continuity import last_values, lives
from specminer.history.slot_values import LayeredValues, SlotValues
from specminer.history.trace import Address, Block, ContractRecord, Hash, InvocationKind, Tracer
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.replacing import piece_of, replace_blocks, replaced_after
from specminer.pipeline.slot_memory import SlotMemory
from specminer.sources.anchor import TRIES, ReplacedBlocks
from specminer.sources.chain_blocks import (
    block_at,
    check_ends,
    check_range,
    creation_block,
    head_block,
    oldest_block,
)
from specminer.sources.chunks import Chunk
from specminer.sources.collector import Collector
from specminer.sources.earlier_lives import created_by_count
from specminer.sources.finder import find
from specminer.sources.lookahead import switch_threads_often
from specminer.sources.node import Node
from specminer.sources.shared_search import SharedSearch
from specminer.sources.tracing import ORDER
from specminer.sources.way import Way
from specminer.store import TraceStore


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionResult:
    """What a collection did."""

    chain_id: int
    first: int
    last: int
    added: int
    """Transactions that are new in the database."""
    mended: int
    """Transactions that were gaps, or recorded by a tracer that sees less, and are recorded now."""
    gaps: int
    """Transactions in the database's blocks that could not be recorded so far."""
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _CollectionRequest:
    """What is to be collected, as :func:`collect` takes it."""

    contract: Address
    artifact: Artifact | None
    chain_id: int | None
    first: int | None
    last: int | None
    created: int | None
    search: SharedSearch | None
    memory: SlotMemory


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
    search: SharedSearch | None = None,
    memory: SlotMemory | None = None,
    observer: Observer = SILENT,
) -> CollectionResult:
    """Bring the database up to date with the chain for one contract.

    ``first`` and ``last`` are blocks; by default the creation of the contract and the newest finalized
    block (the latest on development chains). Ranges that are complete are not read again, but gaps in them are
    tried again, and so is what a tracer recorded that sees less than the one that works now. Blocks that the chain has
    replaced since are read anew, and then take the place of the stored ones. ``created`` is the block that created the
    contract where that is known, so that it need not be searched for. ``search`` has looked through these blocks for
    several contracts. ``memory`` keeps what slots hold from one update to the next; ``None`` to read it.

    Raises:
        ChainError: the node failed, has forgotten blocks, is behind or serves another chain; what was collected
            before is kept.
        UsageError: the range is empty or beyond the chain.
        StoreError: the database failed, or holds another chain of the same id.

    """
    request = _CollectionRequest(
        contract=contract,
        artifact=artifact,
        chain_id=chain_id,
        first=first,
        last=last,
        created=created,
        search=search,
        memory=SlotMemory() if memory is None else memory,
    )
    for attempt in range(TRIES):
        try:
            with switch_threads_often():
                return _collect(store, node, request, observer)
        except ReplacedBlocks:
            if attempt == TRIES - 1:
                raise
            if search is not None:
                search.forget()
            observer.note("the chain was reorganised while it was read; what it replaced is read again")
    raise AssertionError("the last attempt returns or raises")


def _collect(
    store: TraceStore, node: Node, request: _CollectionRequest, observer: Observer
) -> CollectionResult:
    first, last, created, search = request.first, request.last, request.created, request.search
    chain_ids = store.chain_ids()
    likely = chain_ids[0] if len(chain_ids) == 1 else None
    found_chain, head, oldest = check_ends(node, request.chain_id, observer.note, likely=likely)
    newest = head.number
    last = newest if last is None else last
    check_range(first or 0, last, newest)
    genesis = oldest.hash if oldest.number == 0 else None
    first = None if first is None else max(first, oldest.number)
    check_range(first or oldest.number, last, newest)
    # Before it is asked what the database holds of the chain: so both are compared with one chain.
    anchor = head if last == newest else block_at(node, last)
    if search is not None:  # read before anything was searched
        anchor = search.anchor
    common = replaced_after(store, node, found_chain, genesis, newest)
    store.register_chain(found_chain, genesis)
    if common is not None:
        request.memory.clear()  # blocks of all contracts are replaced
        replace_blocks(
            store, node, found_chain, common, _furthest(store, node, found_chain, anchor), observer
        )
    run = _CollectionRun(store, node, found_chain, request.contract, observer, search, request.memory)
    if created is None:
        created = _creation(store, node, found_chain, request.contract, first, last, oldest.number)
    older = 0 < oldest.number == created
    run.begin(oldest.number, older=older)
    created = None if older else created
    if first is None:
        first = oldest.number if created is None else run.first_life(created, last)
    check_range(first, last, newest)
    store.register_contract(
        ContractRecord(
            address=request.contract,
            chain_id=found_chain,
            created_in_block=created,
            artifact=None if request.artifact is None else request.artifact.to_json(),
        )
    )
    mended = run.mend(first, last)
    added = run.complete(first, last, created, anchor)
    run.describe(added + mended)
    return CollectionResult(
        chain_id=found_chain,
        first=first,
        last=last,
        added=added,
        mended=mended,
        gaps=len(store.gaps(found_chain, request.contract)),
        requests=node.requests,
    )


def beginning_of(
    store: TraceStore, node: Node, chain_id: int, contract: Address, last: int, observer: Observer
) -> tuple[int, int | None]:
    """Return the block at which a contract's history begins, and the block that created it where that is known.

    Raises:
        ChainError: the contract is not on the chain, or the node failed.

    """
    oldest = oldest_block(node).number
    created = _creation(store, node, chain_id, contract, None, last, oldest)
    if created is None or (0 < oldest == created):
        return oldest, None
    return _CollectionRun(store, node, chain_id, contract, observer).first_life(created, last), created


def _furthest(store: TraceStore, node: Node, chain_id: int, anchor: Block) -> Block:
    """Return the newest block that the database held, as far as the chain goes; at least the anchor."""
    newest = max((block.number for block in store.blocks(chain_id)), default=0)
    if newest <= anchor.number:
        return anchor
    return block_at(node, min(newest, head_block(node, "latest").number))


class _CollectionRun:
    """One collection of a contract, once the chain is known to be the database's."""

    def __init__(
        self,
        store: TraceStore,
        node: Node,
        chain_id: int,
        contract: Address,
        observer: Observer,
        search: SharedSearch | None = None,
        memory: SlotMemory | None = None,
    ) -> None:
        self._store = store
        self._chain = chain_id
        self._contract = contract
        self._observer = observer
        self._node = node
        self._memory = SlotMemory() if memory is None else memory
        self._history = store, chain_id, contract
        self._start_limits: list[str] = []
        """What to say of a contract that is older than the node's chain."""
        self._collector = Collector(
            node,
            contract,
            note=observer.note,
            progress=observer.progress,
            values_before=self._known_values,
            search=find if search is None else search.find,
        )

    def begin(self, oldest: int, *, older: bool) -> None:
        """Say where the node's chain begins, if that is not block 0, and whether the contract is ``older``."""
        if oldest == 0:
            return
        text = f"the node's chain begins at block {oldest}, and is read from there on"
        if older:
            text = (
                f"the node's chain begins at block {oldest}, where the contract was already there: its creation and "
                "its calls before that block are missing"
            )
            self._start_limits = [text]
        self._observer.note(text)

    def _known_values(self, block: int) -> SlotValues:
        """Return what the slots held before a block, as far as the database shows from the nearest range on."""
        spans = [span for span in self._store.ranges(self._chain, self._contract) if span[1] == block - 1]
        if not spans:
            return SlotValues()
        return self._memory.values(self._history, spans[0], lambda: self._read_values(*spans[0]))

    def _read_values(self, first: int, last: int) -> SlotValues:
        history = self._store.history(self._chain, [self._contract], first=first, last=last)
        return SlotValues(LayeredValues(last_values(history)), created=len(lives(history, 0)) > 0)

    def first_life(self, created: int, last: int) -> int:
        """Return the block to begin at: that of the creation, or of an earlier one if the contract lived before."""
        if self._store.ranges(self._chain, self._contract):
            return created
        earlier = self._collector.earlier_life(created, last)
        return created if earlier is None else earlier

    def mend(self, first: int, last: int) -> int:
        """Try gaps again, and what a tracer recorded that sees less than others; return how many were recorded."""
        stored: dict[Hash, tuple[int, Tracer | None]] = {
            gap.hash: (gap.block, None) for gap in self._store.gaps(self._chain, self._contract)
        }
        stored |= self._store.recorded_by(self._chain, self._contract, ORDER[1:])
        stored = {digest: item for digest, item in stored.items() if first <= item[0] <= last}
        count = 0
        for part in self._collector.retry_stored(stored):
            self._store.mend(
                self._chain,
                self._contract,
                part.transactions,
                gaps=part.gaps,
                unconcerned=part.unconcerned,
            )
            count += len(part.transactions)
        if count:
            self._memory.forget(self._history)
            self._observer.note(
                f"{count:,} transactions that could not be recorded before, or only in part, are recorded now"
            )
        return count

    def complete(self, first: int, last: int, created: int | None, anchor: Block) -> int:
        """Collect what of some blocks is missing; return how many transactions are new."""
        added = 0
        for start, end in missing_blocks(self._store.ranges(self._chain, self._contract), first, last):
            with closing(self._collector.collect(start, end, created, anchor)) as chunks:
                for chunk in chunks:
                    piece = piece_of(chunk)
                    self._store.add(
                        self._chain,
                        self._contract,
                        piece.transactions,
                        complete=piece.complete,
                        tip=piece.tip,
                        limits=[
                            *piece.limits,
                            *self._creation_limit(chunk, created),
                            *self._earlier_limit(chunk, created, first),
                            *self._start_limits,
                        ],
                        gaps=piece.gaps,
                    )
                    self._memory.advance(self._history, chunk.first, chunk.last, piece.transactions)
                    added += len(chunk.transactions)
        return added

    def _creation_limit(self, chunk: Chunk, created: int | None) -> list[str]:
        """Return what to say if a block that should hold the creation does not: a node may have forgotten old code."""
        if not created or not chunk.first <= created <= chunk.last or chunk.gaps:
            return []
        if any(
            call.kind is InvocationKind.CONSTRUCTOR
            for transaction in chunk.transactions
            for call in transaction.invocations
        ):
            return []
        text = (
            f"the node shows the contract's code from block {created} on, but no transaction of that block created it: "
            "older blocks may hold more; give --from-block to read them"
        )
        self._observer.note(text)
        return [text]

    def _earlier_limit(self, chunk: Chunk, created: int | None, first: int) -> list[str]:
        """Return what to say if lives before the first block that is read may not have been found."""
        if chunk.way is Way.TRACE_FILTER or first <= 1:
            return []
        creators = [
            call.sender
            for transaction in chunk.transactions
            for call in transaction.invocations
            if transaction.block.number == created
            and call.kind is InvocationKind.CONSTRUCTOR
            and call.outcome.accepted
            and call.depth > 0
        ]
        if not created or not creators:
            return []
        if created_by_count(self._node, self._contract, creators[0], created) is not False:
            return []
        text = (
            f"CREATE2 created the contract in block {created}, and can do so again after a self-destruction: lives "
            f"before block {first} that left no logs are not found, because the node does not filter traces; give "
            "--from-block to read older blocks"
        )
        self._observer.note(text)
        return [text]

    def describe(self, changed: int) -> None:
        """Store the contract's code, and that of the implementations it delegated to, when something is new."""
        record = self._store.record(self._chain, self._contract)
        implementations = self._store.implementations(self._chain, self._contract)
        described = {address for address, _ in record.implementations}
        if record.code and not changed and described >= set(implementations):
            return
        head = self._store.ranges(self._chain, self._contract)[-1][1]
        self._store.register_contract(
            self._collector.describe(head, self._chain, record.created_in_block, implementations)
        )


def _creation(
    store: TraceStore,
    node: Node,
    chain_id: int,
    contract: Address,
    first: int | None,
    last: int,
    oldest: int,
) -> int | None:
    """Return the block that created the contract; ``None`` if it cannot be told and a first block is given.

    If the contract is older than the node's ``oldest`` block, it is that block.

    What the database knows is believed only within ranges that are complete: what a reorganisation
    replaced is cut out of them.
    """
    block = _known_creation(store, chain_id, contract)
    if block is not None and any(low <= block <= high for low, high in store.ranges(chain_id, contract)):
        return block
    try:
        return creation_block(node, contract, last, oldest)
    except (InvalidNodeResponse, NodeRefused, NotOnChain, UsageError):
        if first is None:
            raise
        return None


def _known_creation(store: TraceStore, chain_id: int, contract: Address) -> int | None:
    if any(item.chain_id == chain_id and item.address == contract for item in store.contracts()):
        return store.record(chain_id, contract).created_in_block
    return None


def missing_blocks(ranges: list[tuple[int, int]], first: int, last: int) -> Iterator[tuple[int, int]]:
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
