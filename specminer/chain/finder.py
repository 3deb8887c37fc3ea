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
from functools import partial
from typing import Any, Final

from specminer.chain import prestate
from specminer.chain.contract_logs import logged, logged_by_receipts
from specminer.chain.emptiness import bloom_of, check_transactions, confirm_empty, may_log
from specminer.chain.node import Node, Request, came, octets, quantity, result_of
from specminer.chain.refusals import NO_METHOD
from specminer.chain.upstream import TIMED_OUT
from specminer.errors import NodeLied, NodeRefused
from specminer.trace import Address, Hash

BlockHits = dict[int, dict[Hash, bool]]
"""Block number to the transactions found in it, in the order found, with whether each is only *suspected*.

A transaction is suspected where nothing says whether it touches the contract: its own trace has to tell.
"""

_BATCH: Final = 10
"""Whole-block traces asked for at a time."""
_BLOCK_TRIES: Final = 3
"""How often the trace of a block is asked for alone, if what comes is wrong: its transactions can be traced instead."""
_FILTER_ASKS: Final = 3
"""How often ``trace_filter`` is asked again where it found nothing."""
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
        spans = -(-blocks // self.first_span)
        return 2 * spans if self is Way.TRACE_FILTER else blocks + spans


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
    return choose_by_block(node, contract, probe)


def choose_by_block(node: Node, contract: Address, probe: int) -> tuple[Way, str | None]:
    """Return the best way that goes through blocks one by one, and which block method it uses.

    ``probe`` is a block that the node holds, best one with transactions.
    """
    for method in ("debug_traceBlockByNumber", "trace_block"):
        try:
            check_blocks(node, method, contract, probe)
        except (NodeRefused, NodeLied):
            continue
        return Way.BLOCK_TRACES, method
    return Way.SCAN, None


def check_blocks(node: Node, method: str, contract: Address, probe: int) -> None:
    """Ask a method for the call traces of a block.

    Raises:
        NodeRefused: it is not there.
        NodeLied: what it answers is of another block.
    """
    node.read(
        _block_calls(method, [probe]),
        lambda answers: _touched(
            result_of(answers[1]), _hashes(result_of(answers[0]), probe), probe, contract
        ),
    )


def check_filter(node: Node, contract: Address, probe: int) -> None:
    """Ask ``trace_filter`` for a transaction that is known to be in the block.

    Raises:
        NodeRefused: it is not there.
        NodeLied: it does not find what is there.
    """
    transactions = node.read(
        [("trace_filter", (_filter(contract, probe, probe),)), ("eth_getBlockByNumber", (hex(probe), True))],
        partial(_probed, probe),
    )
    if not transactions:
        return
    known = transactions[0]
    span = {"fromBlock": hex(probe), "toBlock": hex(probe)}
    ends = {"fromAddress": known.get("from"), "toAddress": known.get("to")}
    ends = {field: end for field, end in ends.items() if end is not None}
    node.read(
        [("trace_filter", (span | {field: [end]},)) for field, end in ends.items()],
        partial(_check_found, str(known.get("hash")), probe, list(ends)),
    )


def _probed(probe: int, answers: Sequence[Any]) -> list[dict[str, Any]]:
    """Return a block's transactions, if ``trace_filter`` answers for it.

    Raises:
        NodeRefused, NodeLied: it does not, or there is no such block.
    """
    _filtered(result_of(answers[0]), probe, probe)
    return _full(result_of(answers[1]), probe)


def _check_found(wanted: str, probe: int, fields: Sequence[str], answers: Sequence[Any]) -> None:
    """Check that what ``trace_filter`` answers names a transaction, by each of some fields.

    Raises:
        NodeRefused: it is refused.
        NodeLied: it does not.
    """
    for field, answer in zip(fields, answers, strict=True):
        traces = result_of(answer)
        listed = traces if isinstance(traces, list) else []
        found = {str(trace.get("transactionHash")) for trace in listed if isinstance(trace, dict)}
        if wanted not in found:
            raise NodeLied(
                f"trace_filter does not find the first transaction of block {probe} by its {field}"
            )


def find(
    node: Node, way: tuple[Way, str | None], contract: Address, first: int, last: int
) -> Iterator[tuple[int, int, BlockHits]]:
    """Yield consecutive spans ``(first, last, hits)`` that cover the blocks ``first .. last``, as :func:`find_each`."""
    for start, end, hits in find_each(node, way, [contract], first, last):
        yield start, end, hits[contract]


def find_each(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> Iterator[tuple[int, int, dict[Address, BlockHits]]]:
    """Yield consecutive spans that cover the blocks ``first .. last``, with what was found in them of each contract.

    A block is asked for, and traced, once for all contracts; ``trace_filter`` and logs are asked for each by itself.
    Spans grow while the node answers easily and shrink where it refuses for their size.

    Raises:
        NodeRefused: even a single block is refused.
        NodeLied: an answer is malformed.

    """
    if node.helpers is not None:
        yield from node.helpers.find_each(way, contracts, first, last)
        return
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
        if sum(len(rows) for found in hits.values() for rows in found.values()) < 1_000:
            span = min(span * 2, ceiling)


def _hits(
    node: Node, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
) -> dict[Address, BlockHits]:
    found: dict[Address, BlockHits] = {contract: {} for contract in contracts}
    if way[0] is Way.TRACE_FILTER:
        for contract, hits in found.items():
            _by_filter(node, contract, first, last, hits)
    elif way[0] is Way.BLOCK_TRACES:
        _by_blocks(node, way[1] or "", first, last, found)
    else:
        _by_scan(node, first, last, found)
    return {contract: {block: hits[block] for block in sorted(hits)} for contract, hits in found.items()}


def _filter(contract: Address, first: int, last: int) -> dict[str, Any]:
    return {"fromBlock": hex(first), "toBlock": hex(last), "toAddress": [f"0x{contract.hex()}"]}


def _by_filter(node: Node, contract: Address, first: int, last: int, hits: BlockHits) -> None:
    request: Request = ("trace_filter", (_filter(contract, first, last),))
    reader = partial(_filtered, first=first, last=last)
    filtered = node.read_one(request, reader)
    for number, found in filtered or confirm_empty(node, request, reader, filtered, _FILTER_ASKS):
        _add(hits, number, found)


def _filtered(answer: Any, first: int, last: int) -> list[tuple[int, str]]:
    """Return block and hash of the transactions that ``trace_filter`` found.

    Raises:
        NodeLied: the answer is malformed, or of other blocks.
    """
    if not isinstance(answer, list):
        raise NodeLied(f"trace_filter should answer a list of traces, got {came(answer)}")
    found: list[tuple[int, str]] = []
    for trace in answer:
        number = trace.get("blockNumber") if isinstance(trace, dict) else None
        if not isinstance(number, int):
            raise NodeLied("trace_filter returned a trace without a block number")
        if not first <= number <= last:
            raise NodeLied(f"trace_filter returned block {number} for blocks {first} to {last}")
        if trace.get("transactionHash"):  # block rewards have none
            octets(trace["transactionHash"], "a transaction hash", 32)
            found.append((number, trace["transactionHash"]))
    return found


def _add(hits: BlockHits, block: int, transaction: Any, *, suspected: bool = False) -> None:
    found = hits.setdefault(block, {})
    key = Hash(octets(transaction, "a transaction hash", 32))
    found[key] = found.get(key, True) and suspected


def _block_request(method: str, block: int) -> Request:
    if method == "trace_block":
        return method, (hex(block),)
    return method, (hex(block), {"tracer": "callTracer", "timeout": "100s"})


def _block_calls(method: str, numbers: Sequence[int]) -> list[Request]:
    """Return the requests for blocks' transactions, and behind them those for their traces."""
    calls: list[Request] = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
    return calls + [_block_request(method, number) for number in numbers]


def _by_blocks(node: Node, method: str, first: int, last: int, found: dict[Address, BlockHits]) -> None:
    for start in range(first, last + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, last + 1))
        answers = node.batch(_block_calls(method, numbers))
        for row, number in enumerate(numbers):
            pair = answers[row], answers[len(numbers) + row]
            alone = first == last  # a refusal of many blocks may be one for their size
            for contract, hits in found.items():
                touched = _in_block(node, method, contract, number, pair, alone=alone)
                for transaction, suspected in touched.items():
                    _add(hits, number, transaction, suspected=suspected)


def _in_block(
    node: Node, method: str, contract: Address, number: int, answers: tuple[Any, Any], *, alone: bool
) -> dict[str, bool]:
    """Return the transactions of a block that touch the contract, with whether they are only suspected to.

    A block whose trace cannot be had, alone, or does not come in time is gone through by transaction: all of its
    transactions are suspected.

    Raises:
        NodeRefused: the trace is refused, but not for this block alone.
        NodeLied: there is no such block.
    """
    slow = False
    try:
        hashes = _hashes(result_of(answers[0]), number)
        return _touched(_some(result_of(answers[1]), hashes), hashes, number, contract)
    except NodeRefused as error:
        slow = error.code == TIMED_OUT and isinstance(answers[1], NodeRefused)
        if not slow and (not alone or error.code in _NOT_FOR_SIZE or error.code == NO_METHOD):
            raise
    except NodeLied:  # answers of a batch may be exchanged
        pass
    block, traced = _block_calls(method, [number])
    hashes = node.read_one(block, lambda answer: _hashes(answer, number))
    if slow:
        return dict.fromkeys(hashes, True)
    try:
        return node.read_one(
            traced,
            lambda traces: _touched(_some(traces, hashes), hashes, number, contract),
            tries=_BLOCK_TRIES,
        )
    except (NodeLied, NodeRefused):
        return dict.fromkeys(hashes, True)


def _hashes(block: Any, number: int) -> list[str]:
    """Return the hashes of a block's transactions.

    Raises:
        NodeLied: it is another block, or none.
    """
    hashes = block.get("transactions") if isinstance(block, dict) else None
    if not isinstance(hashes, list) or not all(isinstance(item, str) for item in hashes):
        raise NodeLied(f"the node returned no block {number}")
    if quantity(block.get("number"), "block number") != number:
        raise NodeLied(f"the node returned another block when asked for block {number}")
    check_transactions(block)
    return hashes


def _some(traces: Any, hashes: Sequence[str]) -> Any:
    """Return the traces of a block.

    Raises:
        NodeLied: there are none, but the block has transactions.
    """
    if traces == [] and hashes:
        raise NodeLied("the node returned no traces of a block that has transactions")
    return traces


def _touched(traces: Any, hashes: Sequence[str], number: int, contract: Address) -> dict[str, bool]:
    """Return which transactions touch the contract by a block's traces, with whether they are only suspected to.

    Raises:
        NodeLied: the traces are of another block, or no traces.
    """
    if not isinstance(traces, list) or not all(isinstance(trace, dict) for trace in traces):
        raise NodeLied("the node returned no list of traces for a block")
    wanted = f"0x{contract.hex()}"
    if any("action" in trace for trace in traces):
        verdicts = _parity_verdicts(traces, wanted, number)
    else:
        verdicts = _geth_verdicts(traces, hashes, wanted)
    if not verdicts.keys() <= set(hashes):
        raise NodeLied(f"the node returned the trace of another block when asked for that of block {number}")
    # what has a receipt but no trace, such as a system's transactions, or what the node could not trace
    suspected = {item: True for item in hashes if verdicts.get(item) is None}
    return {item: suspected.get(item, False) for item in hashes if item in suspected or verdicts[item]}


def _parity_verdicts(traces: Sequence[Any], wanted: str, number: int) -> dict[str, bool | None]:
    """Return whether each transaction touches the contract: one entry a frame, rewards have no hash."""
    found: dict[str, bool | None] = {}
    for trace in traces:
        told = trace.get("blockNumber", number)
        if told != number:
            raise NodeLied(f"the node returned a trace of block {came(told)} for block {number}")
        action, key = trace.get("action"), trace.get("transactionHash")
        if not isinstance(key, str) or not isinstance(action, dict):
            continue
        result = trace.get("result")
        target = action.get("to") or (result.get("address") if isinstance(result, dict) else None)
        found[key] = bool(found.get(key)) or str(target).lower() == wanted
    return found


def _geth_verdicts(traces: Sequence[Any], hashes: Sequence[str], wanted: str) -> dict[str, bool | None]:
    """Return whether each transaction touches the contract; ``None`` if its trace does not tell."""
    found: dict[str, bool | None] = {}
    for row, trace in enumerate(traces):
        key = trace.get("txHash")
        if key is None and len(traces) == len(hashes):
            key = hashes[row]
        if not isinstance(key, str):
            continue  # of which transaction this is nobody knows: all that no other trace tells of are suspected
        try:
            found[key] = _frame_touches(prestate.check_call_trace(trace.get("result")), wanted)
        except (NodeLied, AttributeError, TypeError):
            found[key] = None
    return found


def _frame_touches(frame: dict[str, Any], wanted: str) -> bool:
    stack = [frame]
    while stack:
        call = stack.pop()
        if str(call.get("to")).lower() == wanted:
            return True
        stack += call.get("calls") or []
    return False


def _by_scan(node: Node, first: int, last: int, found: dict[Address, BlockHits]) -> None:
    called = {f"0x{contract.hex()}": hits for contract, hits in found.items()}
    requests: list[Request] = [
        ("eth_getBlockByNumber", (hex(number), True)) for number in range(first, last + 1)
    ]
    blocks: dict[int, dict[str, Any]] = {}
    for row, answer in enumerate(node.batch(requests)):
        number = first + row
        try:
            blocks[number] = _whole(result_of(answer), number)
        except NodeLied:  # answers of a batch may be exchanged
            blocks[number] = node.read_one(requests[row], partial(_whole, number=number))
    for number, block in blocks.items():
        for transaction in block["transactions"]:
            receiver = called.get(str(transaction.get("to")).lower())
            if receiver is not None:
                _add(receiver, number, transaction.get("hash"))
    for contract, hits in found.items():
        logging = logged(node, contract, first, last)
        for number, block in blocks.items():
            if number not in logging and may_log(bloom_of(block), contract):
                logging[number] = logged_by_receipts(node, contract, number, block["transactions"])
        for number in sorted(logging):
            for transaction_hash in logging[number]:
                _add(hits, number, transaction_hash)


def _full(block: Any, number: int) -> list[dict[str, Any]]:
    """Return a block's transactions.

    Raises:
        NodeLied: it is another block, or none.
    """
    transactions: list[dict[str, Any]] = _whole(block, number)["transactions"]
    return transactions


def _whole(block: Any, number: int) -> dict[str, Any]:
    """Return a block whose transactions are objects.

    Raises:
        NodeLied: it is another block, or none.
    """
    if not isinstance(block, dict) or not isinstance(block.get("transactions"), list):
        raise NodeLied(f"the node returned no block {number}")
    if quantity(block.get("number"), "block number") != number:
        raise NodeLied(f"the node returned another block when asked for block {number}")
    check_transactions(block)
    if not all(isinstance(item, dict) for item in block["transactions"]):
        raise NodeLied(f"the node returned a malformed transaction in block {number}")
    return block
