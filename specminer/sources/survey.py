"""What a node can do, found out by asking it: nothing is believed that was not tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from specminer._support.errors import ChainError, NodeRefused, plain
from specminer.history.trace import NO_ADDRESS, Address, Tracer
from specminer.sources.block_traces import check_blocks
from specminer.sources.chain_blocks import DEVELOPMENT_CHAINS, block_at
from specminer.sources.node import Node, quantity
from specminer.sources.recent_calls import SEARCHED, recent_calls
from specminer.sources.trace_filter import check_filter
from specminer.sources.trace_matching import Envelope
from specminer.sources.tracing import ORDER, decode, requests_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was tried."""

    what: str
    works: bool | None
    """``None`` if it could not be tried."""
    detail: str
    """What was found, or why not; one line."""


def survey(node: Node) -> Iterator[Finding]:
    """Yield what the node can do, in the order it is tried.

    Raises:
        NodeUnreachable: the node does not answer at all.
        ChainError: it does not answer the simplest questions.
    """
    chain_id = quantity(node.call("eth_chainId"), "chain id")
    head = block_at(node, "latest").number
    yield _try("client", lambda: plain(node.endpoint.redact(node.call("web3_clientVersion"))))
    yield Finding(what="chain", works=True, detail=f"{chain_id}, newest block {head:,}")
    yield _finality(node, chain_id, head)
    yield _try("batches", lambda: _batches(node))
    yield _try("old state", lambda: _archive(node, head))
    sample = next(iter(recent_calls(node, 1)), None)
    probe = head if sample is None else sample.block.number
    contract = NO_ADDRESS if sample is None or sample.to is None else sample.to
    yield _try("trace_filter", lambda: _filter(node, contract, probe))
    for method in ("debug_traceBlockByNumber", "trace_block"):
        yield _try(method, partial(_blocks, node, method, contract, probe))
    for tracer in ORDER:
        yield _trace(node, tracer, sample)


def usable(findings: list[Finding]) -> bool:
    """Whether a history can be collected with this node, as far as could be tried."""
    tracers = [item for item in findings if item.what in {tracer.value for tracer in ORDER}]
    return any(item.works is not False for item in tracers)


def _try(what: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(what=what, works=True, detail=attempt())
    except ChainError as error:
        return Finding(what=what, works=False, detail=error.message)


def _finality(node: Node, chain_id: int, head: int) -> Finding:
    if chain_id in DEVELOPMENT_CHAINS:
        return Finding(what="finality", works=None, detail="a development chain: the newest block is read")
    return _try("finality", lambda: f"finalized block {block_at(node, 'finalized').number:,} of {head:,}")


def _batches(node: Node) -> str:
    before = node.takes_batches
    answers = node.batch([("eth_chainId", ()), ("eth_blockNumber", ())])
    for answer in answers:
        quantity(answer, "an answer in a batch")
    if not (before and node.takes_batches):
        raise NodeRefused("requests have to be sent one by one, which is slower")
    return "several requests at once"


def _archive(node: Node, head: int) -> str:
    """Say how far back state is kept, by powers of two."""
    oldest = None
    back = 1
    while True:
        block = max(head - back, 0)
        answer = node.batch([("eth_getBalance", ("0x" + "00" * 20, hex(block)))])[0]
        if isinstance(answer, NodeRefused):
            break
        oldest = block
        if block == 0:
            return "of every block: an archive node"
        back *= 2
    if oldest is None:
        raise NodeRefused("not even of the block before the newest; traces of old blocks will fail")
    return f"of block {oldest:,} and later; traces of older blocks may fail"


def _filter(node: Node, contract: Address, probe: int) -> str:
    check_filter(node, contract, probe)
    return f"finds what block {probe:,} holds"


def _blocks(node: Node, method: str, contract: Address, probe: int) -> str:
    check_blocks(node, method, contract, probe)
    return f"traces block {probe:,}"


def _trace(node: Node, tracer: Tracer, sample: Envelope | None) -> Finding:
    if sample is None or sample.to is None:
        detail = f"not tried: the last {SEARCHED} blocks hold no call of a contract"
        return Finding(what=tracer.value, works=None, detail=detail)
    contracts = [sample.to]

    def attempt() -> str:
        answers = node.batch(requests_for(tracer, sample.hash, contracts))
        traced = decode(tracer, sample, answers, contracts)
        accesses = sum(len(call.accesses) for call in traced.invocations)
        return f"traced a transaction of block {sample.block.number:,} with {accesses} storage accesses"

    return _try(tracer.value, attempt)
