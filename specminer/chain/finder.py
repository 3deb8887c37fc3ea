"""Finds the transactions that touch a contract, by the best way that the node offers.

====================  ===========================================  ==================================
way                   asks                                         misses
====================  ===========================================  ==================================
``TRACE_FILTER``      ``trace_filter`` for ranges of blocks        nothing
``BLOCK_TRACES``      the call trace of every block                nothing
``SCAN``              every block's transactions, and the          internal calls that emit no log of
                      contract's logs                              the contract
====================  ===========================================  ==================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, Final

from specminer.chain import prestate
from specminer.chain.node import Node, Request, came, octets, quantity
from specminer.errors import NodeLied, NodeRefused
from specminer.trace import Address, Hash

BlockHits = dict[int, dict[Hash, None]]
"""Block number to the transactions found in it, in the order found."""

_BATCH: Final = 10
"""Whole-block traces asked for in one batch."""
_CALM: Final = 8
"""Spans answered after a refusal, before a larger one is tried again."""
_NOT_FOR_SIZE: Final = frozenset({401, 402, 403, 404, 405, 429})
"""HTTP codes of refusals that a smaller span does not help."""


class Way(Enum):
    """How transactions are found."""

    TRACE_FILTER = "trace_filter"
    BLOCK_TRACES = "block traces"
    SCAN = "transactions and logs"

    @property
    def limit(self) -> str:
        """What this way may miss, as a sentence; empty if nothing."""
        if self is Way.SCAN:
            return (
                "transactions were found by scanning blocks and logs, because the node traces neither ranges "
                "nor blocks: calls from other contracts that emitted no event of this contract are missing"
            )
        return ""

    @property
    def first_span(self) -> int:
        """How many blocks to ask for at first."""
        return 1_000 if self is Way.TRACE_FILTER else 100

    def requests_for(self, blocks: int) -> int:
        """About how many requests finding takes, apart from tracing what is found."""
        if self is Way.TRACE_FILTER:
            return -(-blocks // self.first_span)
        return blocks if self is Way.BLOCK_TRACES else blocks + -(-blocks // self.first_span)


def choose(node: Node, contract: Address, probe: int, note: Callable[[str], None]) -> tuple[Way, str | None]:
    """Return the best way, and which block method it uses.

    ``probe`` is a block that the node holds, best one with transactions: what a way answers for it is
    checked, because a way that silently finds nothing would make an empty history look complete.
    """
    try:
        check_filter(node, contract, probe)
        return Way.TRACE_FILTER, None
    except NodeRefused:
        pass
    except NodeLied as error:
        note(f"{error.message}; transactions are found in another way")
    for method in ("debug_traceBlockByNumber", "trace_block"):
        try:
            _by_blocks(node, method, contract, probe, probe, {})
        except (NodeRefused, NodeLied):
            continue
        return Way.BLOCK_TRACES, method
    return Way.SCAN, None


def check_filter(node: Node, contract: Address, probe: int) -> None:
    """Ask ``trace_filter`` for a transaction that is known to be in the block.

    Raises:
        NodeRefused: it is not there.
        NodeLied: it does not find what is there.
    """
    _by_filter(node, contract, probe, probe, {})
    block = node.call("eth_getBlockByNumber", hex(probe), True)
    transactions = block.get("transactions") if isinstance(block, dict) else None
    if not transactions:
        return
    known = transactions[0]
    span = {"fromBlock": hex(probe), "toBlock": hex(probe)}
    for field, end in (("fromAddress", known.get("from")), ("toAddress", known.get("to"))):
        if end is None:
            continue
        traces = node.call("trace_filter", span | {field: [end]})
        found = {trace.get("transactionHash") for trace in traces} if isinstance(traces, list) else set()
        if known.get("hash") not in found:
            raise NodeLied(
                f"trace_filter does not find the first transaction of block {probe} by its {field}"
            )


def find(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> Iterator[tuple[int, int, BlockHits]]:
    """Yield consecutive spans ``(first, last, hits)`` that cover the blocks ``first .. last``.

    Spans grow while the node answers easily and shrink where it refuses for their size.

    Raises:
        NodeRefused: even a single block is refused.
        NodeLied: an answer is malformed.

    """
    span = way[0].first_span
    widest = ceiling = 100_000 if way[0] is Way.TRACE_FILTER else span
    start, calm = first, 0
    while start <= last:
        end = min(last, start + span - 1)
        try:
            hits = _hits(node, way, contracts, start, end)
        except (AttributeError, TypeError, LookupError, ValueError):
            raise NodeLied(f"what the node says of blocks {start} to {end} is malformed") from None
        except NodeRefused as error:
            if end == start or error.code in _NOT_FOR_SIZE:
                raise
            span = ceiling = max(1, (end - start + 1) // 2)
            calm = 0
            continue
        yield start, end, hits
        start = end + 1
        calm += 1
        if calm >= _CALM:
            ceiling = widest
        if sum(map(len, hits.values())) < 1_000:
            span = min(span * 2, ceiling)


def _hits(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> BlockHits:
    hits: BlockHits = {}
    for contract in contracts:
        if way[0] is Way.TRACE_FILTER:
            _by_filter(node, contract, first, last, hits)
        elif way[0] is Way.BLOCK_TRACES:
            _by_blocks(node, way[1] or "", contract, first, last, hits)
        else:
            _by_scan(node, contract, first, last, hits)
    return {block: hits[block] for block in sorted(hits)}


def _filter(contract: Address, first: int, last: int) -> dict[str, Any]:
    return {"fromBlock": hex(first), "toBlock": hex(last), "toAddress": [f"0x{contract.hex()}"]}


def _by_filter(node: Node, contract: Address, first: int, last: int, hits: BlockHits) -> None:
    answer = node.call("trace_filter", _filter(contract, first, last))
    if not isinstance(answer, list):
        raise NodeLied(f"trace_filter should answer a list of traces, got {came(answer)}")
    for trace in answer:
        if not isinstance(trace, dict) or not isinstance(trace.get("blockNumber"), int):
            raise NodeLied("trace_filter returned a trace without a block number")
        if not first <= trace["blockNumber"] <= last:
            raise NodeLied(f"trace_filter returned block {trace['blockNumber']} for blocks {first} to {last}")
        if trace.get("transactionHash"):  # block rewards have none
            _add(hits, trace["blockNumber"], trace["transactionHash"])


def _add(hits: BlockHits, block: int, transaction: Any) -> None:
    hits.setdefault(block, {})[Hash(octets(transaction, "a transaction hash", 32))] = None


def _block_request(method: str, block: int) -> tuple[Any, ...]:
    if method == "trace_block":
        return method, hex(block)
    return method, hex(block), {"tracer": "callTracer", "timeout": "100s"}


def _by_blocks(node: Node, method: str, contract: Address, first: int, last: int, hits: BlockHits) -> None:
    for start in range(first, last + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, last + 1))
        calls: list[Request] = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
        calls += [(request[0], request[1:]) for request in (_block_request(method, n) for n in numbers)]
        answers = node.batch(calls)
        for number, block, traces in zip(
            numbers, answers[: len(numbers)], answers[len(numbers) :], strict=True
        ):
            if isinstance(traces, NodeRefused):
                raise traces
            if isinstance(block, NodeRefused):
                raise block
            hashes = block.get("transactions") if isinstance(block, dict) else None
            if not isinstance(hashes, list):
                raise NodeLied(f"the node returned no block {number}")
            for row, transaction in _touched(node, traces, contract):
                _add(hits, number, transaction or hashes[row])
            if _traced(traces) != len(hashes):
                raise NodeLied(
                    f"the node traced {_traced(traces)} transactions of block {number}, which holds {len(hashes)}"
                )


def _traced(traces: list[Any]) -> int:
    if any("action" in trace for trace in traces):  # parity style: one entry a frame, rewards have no hash
        return len({trace.get("transactionHash") for trace in traces} - {None})
    return len(traces)


def _touched(node: Node, traces: Any, contract: Address) -> list[tuple[int, Any]]:
    """Return (row of the transaction, its hash or ``None``) for each trace that touches the contract."""
    if not isinstance(traces, list):
        raise NodeLied("the node returned no list of traces for a block")
    wanted = f"0x{contract.hex()}"
    found: list[tuple[int, Any]] = []
    for row, trace in enumerate(traces):
        if isinstance(trace, dict) and "action" in trace:  # parity style: one entry a frame
            target = trace["action"].get("to") or (trace.get("result") or {}).get("address")
            if str(target).lower() == wanted and trace.get("transactionHash"):
                found.append((int(trace.get("transactionPosition") or 0), trace["transactionHash"]))
            continue
        if not isinstance(trace, dict):
            raise NodeLied("the node returned a malformed block trace")
        if trace.get("error") and not trace.get("result"):
            raise NodeRefused(f"the node could not trace a block: {node.endpoint.redact(trace['error'])}")
        if _frame_touches(prestate.check_call_trace(trace.get("result")), wanted):
            found.append((row, trace.get("txHash")))
    return found


def _frame_touches(frame: dict[str, Any], wanted: str) -> bool:
    stack = [frame]
    while stack:
        call = stack.pop()
        if str(call.get("to")).lower() == wanted:
            return True
        stack += call.get("calls") or []
    return False


def _by_scan(node: Node, contract: Address, first: int, last: int, hits: BlockHits) -> None:
    address = f"0x{contract.hex()}"
    blocks = node.batch([("eth_getBlockByNumber", (hex(number), True)) for number in range(first, last + 1)])
    for number, block in zip(range(first, last + 1), blocks, strict=True):
        if isinstance(block, NodeRefused):
            raise block
        if not isinstance(block, dict) or not isinstance(block.get("transactions"), list):
            raise NodeLied(f"the node returned no block {number}")
        if quantity(block.get("number"), "block number") != number:
            raise NodeLied(f"the node returned another block when asked for block {number}")
        for transaction in block["transactions"]:
            if str(transaction.get("to")).lower() == address:
                _add(hits, number, transaction.get("hash"))
    logs = node.call("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(last), "address": address})
    if not isinstance(logs, list):
        raise NodeLied(f"eth_getLogs should answer a list of logs, got {came(logs)}")
    for log in logs:
        number = quantity(log.get("blockNumber"), "blockNumber of a log")
        if not first <= number <= last:
            raise NodeLied(f"eth_getLogs returned block {number} for blocks {first} to {last}")
        _add(hits, number, log.get("transactionHash"))
