"""Several contracts from a node in one pass over its chain: each block is traced once, for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import NotOnChain
from specminer.contracts.artifact import Artifact
from specminer.history.trace import Address
from specminer.pipeline.collecting import beginning_of, collect, missing_blocks
from specminer.pipeline.progress import Observer, ProgressEvent
from specminer.pipeline.source import BlockRange
from specminer.sources import finder
from specminer.sources.chain_blocks import check_chain, check_range, newest_block
from specminer.sources.node import Node
from specminer.sources.reading_progress import Estimate, Progress
from specminer.sources.shared_search import SharedSearch
from specminer.sources.way import Way
from specminer.store import TraceStore

WINDOW: Final = 10_000
"""Blocks that are searched for all contracts before each takes its part: what is found is held so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointRequest:
    """A contract among several that are collected together."""

    address: Address
    artifact: Artifact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JointlyCollected:
    """What a pass over the chain did for one contract."""

    address: Address
    chain_id: int
    added: int
    """Transactions that are new in the database."""
    failure: str | None = None
    """Why the contract was left out; ``None`` if it was not."""


@dataclass(slots=True, kw_only=True)
class _Plan:
    """One contract's part of the pass."""

    request: JointRequest
    first: int
    created: int | None
    added: int = 0


def collect_jointly(
    store: TraceStore,
    node: Node,
    requests: Sequence[JointRequest],
    *,
    chain_id: int | None,
    blocks: BlockRange,
    observer: Observer,
) -> list[JointlyCollected]:
    """Bring the database up to date for several contracts, in the order given; what is there is not read again.

    A contract that is not on the chain is left out and told; whatever else fails ends the pass, and what was collected
    is kept.

    Raises:
        ChainError: the node failed; what was collected before is kept.
        UsageError: the range is empty or beyond the chain.
        StoreError: the database failed, or holds another chain of the same id.

    """
    found_chain = check_chain(node, chain_id, observer.note)
    newest = newest_block(node, found_chain).number
    last = newest if blocks.last is None else blocks.last
    check_range(blocks.first or 0, last, newest)
    joint_observer = _JointObserver(observer, len(requests))
    plans: list[_Plan] = []
    failures: dict[Address, str] = {}
    for request in requests:
        joint_observer.of(request.address)
        try:
            first, created = beginning_of(store, node, found_chain, request.address, last, joint_observer)
        except NotOnChain as error:
            failures[request.address] = error.message
            continue
        plans.append(_Plan(request=request, first=max(first, blocks.first or 0), created=created))
    _collect_windows(store, node, found_chain, plans, last, joint_observer)
    added = {plan.request.address: plan.added for plan in plans}
    return [
        JointlyCollected(
            address=request.address,
            chain_id=found_chain,
            added=added.get(request.address, 0),
            failure=failures.get(request.address),
        )
        for request in requests
    ]


def _collect_windows(
    store: TraceStore,
    node: Node,
    chain_id: int,
    plans: Sequence[_Plan],
    last: int,
    joint_observer: _JointObserver,
) -> None:
    plans = [plan for plan in plans if plan.first <= last]
    if not plans:
        return
    way = finder.choose(node, plans[0].request.address, plans[0].created or last, joint_observer.note)[0]
    first = min(plan.first for plan in plans)
    joint_observer.begin(first, last, way)
    for start, end in _windows(first, last, way):
        waiting = [
            plan
            for plan in plans
            if plan.first <= end and (end == last or _lacks(store, chain_id, plan, start, end))
        ]
        lacking = [plan.request.address for plan in waiting if _lacks(store, chain_id, plan, start, end)]
        search = SharedSearch(node, lacking, start, end) if way is not Way.TRACE_FILTER and lacking else None
        for position, plan in enumerate(waiting):
            joint_observer.of(plan.request.address, (start, end), position, len(waiting))
            collected = collect(
                store,
                node,
                plan.request.address,
                artifact=plan.request.artifact,
                chain_id=chain_id,
                first=max(start, plan.first),
                last=end,
                created=plan.created,
                search=search,
                observer=joint_observer,
            )
            plan.added += collected.added
            joint_observer.count(collected.added)


def _windows(first: int, last: int, way: Way) -> Iterator[tuple[int, int]]:
    """Yield consecutive ranges of blocks; a single one where a node filters by contract, so that nothing is shared."""
    size = last - first + 1 if way is Way.TRACE_FILTER else WINDOW
    for start in range(first, last + 1, size):
        yield start, min(start + size - 1, last)


def _lacks(store: TraceStore, chain_id: int, plan: _Plan, first: int, last: int) -> bool:
    """Return whether blocks of a contract are not in the database."""
    ranges = store.ranges(chain_id, plan.request.address)
    return any(missing_blocks(ranges, max(first, plan.first), last))


class _JointObserver:
    """Makes one display of what is told of several contracts."""

    def __init__(self, observer: Observer, contracts: int) -> None:
        self._observer = observer
        self._contracts = contracts
        self._shown_texts: set[str] = set()
        self._label = ""
        self._range = self._window = (0, 0)
        self._position, self._waiting = 0, 1
        self._transactions = 0

    def begin(self, first: int, last: int, way: Way) -> None:
        """Tell how long the pass is."""
        blocks = last - first + 1
        requests = way.requests_for(blocks) * (self._contracts if way is Way.TRACE_FILTER else 1)
        self._range = (first, last)
        self._observer.progress(Estimate(blocks=blocks, requests=requests, way=way))

    def of(
        self, contract: Address, window: tuple[int, int] = (0, 0), position: int = 0, waiting: int = 1
    ) -> None:
        """Say whose turn it is: the contract at a position among those that wait for a window."""
        self._label = checksum_address(contract)
        self._window, self._position, self._waiting = window, position, waiting

    def count(self, transactions: int) -> None:
        """Add a contract's new transactions to those of all."""
        self._transactions += transactions

    def note(self, text: str) -> None:
        """Tell a sentence with the contract that it is about; what is true of all of them, once."""
        if text not in self._shown_texts:
            self._shown_texts.add(text)
            self._observer.note(text if self._contracts == 1 else f"{self._label}: {text}")

    def progress(self, event: ProgressEvent) -> None:
        """Tell how far the pass is, in blocks, and the transactions of all contracts."""
        if not isinstance(event, Progress):
            return
        start, end = self._window
        done = (event.block - event.first) / max(1, event.last - event.first + 1)
        block = start + int((end - start + 1) * (self._position + done) / self._waiting)
        first, last = self._range
        self._observer.progress(
            Progress(
                block=block, first=first, last=last, transactions=self._transactions + event.transactions
            )
        )
