"""Finds transactions in the call traces of whole blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from specminer._support.errors import InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address
from specminer.sources import prestate
from specminer.sources.emptiness import check_transactions
from specminer.sources.node import Node, Request, came, quantity, result_of
from specminer.sources.refusals import NO_METHOD
from specminer.sources.upstream import TIMED_OUT
from specminer.sources.way import NOT_FOR_SIZE, BlockHits, add_hit

_BLOCK_TRIES: Final = 3
"""How often the trace of a block is asked for alone, if what comes is wrong: its transactions can be traced instead."""


def check_blocks(node: Node, method: str, contract: Address, probe: int) -> None:
    """Ask a method for the call traces of a block.

    Raises:
        NodeRefused: it is not there.
        InvalidNodeResponse: what it answers is of another block.
    """
    node.read(
        _block_calls(method, [probe]),
        lambda answers: _find_touching(
            result_of(answers[1]), _hashes(result_of(answers[0]), probe), probe, contract
        ),
    )


def _block_request(method: str, block: int) -> Request:
    if method == "trace_block":
        return method, (hex(block),)
    return method, (hex(block), {"tracer": "callTracer", "timeout": "100s"})


def _block_calls(method: str, numbers: Sequence[int]) -> list[Request]:
    """Return the requests for blocks' transactions, and behind them those for their traces."""
    calls: list[Request] = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
    return calls + [_block_request(method, number) for number in numbers]


def find_in_blocks(
    node: Node,
    method: str,
    numbers: Sequence[int],
    hits_by_contract: dict[Address, BlockHits],
    *,
    alone: bool,
) -> None:
    """Add what is found in some blocks of each contract; ``alone`` says that a refusal is not one for their number.

    Raises:
        NodeRefused: the node refuses a trace, perhaps for the number of blocks.
        InvalidNodeResponse: there is no such block.
    """
    answers = node.batch(_block_calls(method, numbers))
    for row, number in enumerate(numbers):
        pair = answers[row], answers[len(numbers) + row]
        for contract, hits in hits_by_contract.items():
            touched = _in_block(node, method, contract, number, pair, alone=alone)
            for transaction, suspected in touched.items():
                add_hit(hits, number, transaction, suspected=suspected)


def _in_block(
    node: Node, method: str, contract: Address, number: int, answers: tuple[Any, Any], *, alone: bool
) -> dict[str, bool]:
    """Return the transactions of a block that touch the contract, with whether they are only suspected to.

    A block whose trace cannot be had, alone, or does not come in time is gone through by transaction: all of its
    transactions are suspected.

    Raises:
        NodeRefused: the trace is refused, but not for this block alone.
        InvalidNodeResponse: there is no such block.
    """
    slow = False
    try:
        hashes = _hashes(result_of(answers[0]), number)
        return _find_touching(_some(result_of(answers[1]), hashes), hashes, number, contract)
    except NodeRefused as error:
        slow = error.code == TIMED_OUT and isinstance(answers[1], NodeRefused)
        if not slow and (not alone or error.code in NOT_FOR_SIZE or error.code == NO_METHOD):
            raise
    except InvalidNodeResponse:  # answers of a batch may be exchanged
        pass
    block, traced = _block_calls(method, [number])
    hashes = node.read_one(block, lambda answer: _hashes(answer, number))
    if slow:
        return dict.fromkeys(hashes, True)
    try:
        return node.read_one(
            traced,
            lambda traces: _find_touching(_some(traces, hashes), hashes, number, contract),
            tries=_BLOCK_TRIES,
        )
    except (InvalidNodeResponse, NodeRefused):
        return dict.fromkeys(hashes, True)


def _hashes(block: Any, number: int) -> list[str]:
    """Return the hashes of a block's transactions.

    Raises:
        InvalidNodeResponse: it is another block, or none.
    """
    hashes = block.get("transactions") if isinstance(block, dict) else None
    if not isinstance(hashes, list) or not all(isinstance(item, str) for item in hashes):
        raise InvalidNodeResponse(f"the node returned no block {number}")
    if quantity(block.get("number"), "block number") != number:
        raise InvalidNodeResponse(f"the node returned another block when asked for block {number}")
    check_transactions(block)
    return hashes


def _some(traces: Any, hashes: Sequence[str]) -> Any:
    """Return the traces of a block.

    Raises:
        InvalidNodeResponse: there are none, but the block has transactions.
    """
    if traces == [] and hashes:
        raise InvalidNodeResponse("the node returned no traces of a block that has transactions")
    return traces


def _find_touching(traces: Any, hashes: Sequence[str], number: int, contract: Address) -> dict[str, bool]:
    """Return which transactions touch the contract by a block's traces, with whether they are only suspected to.

    Raises:
        InvalidNodeResponse: the traces are of another block, or no traces.
    """
    if not isinstance(traces, list) or not all(isinstance(trace, dict) for trace in traces):
        raise InvalidNodeResponse("the node returned no list of traces for a block")
    address = f"0x{contract.hex()}"
    if any("action" in trace for trace in traces):
        verdicts = _parity_verdicts(traces, address, number)
    else:
        verdicts = _geth_verdicts(traces, hashes, address)
    if not verdicts.keys() <= set(hashes):
        raise InvalidNodeResponse(
            f"the node returned the trace of another block when asked for that of block {number}"
        )
    # what has a receipt but no trace, such as a system's transactions, or what the node could not trace
    suspected = {item: True for item in hashes if verdicts.get(item) is None}
    return {item: suspected.get(item, False) for item in hashes if item in suspected or verdicts[item]}


def _parity_verdicts(traces: Sequence[Any], address: str, number: int) -> dict[str, bool | None]:
    """Return whether each transaction touches the contract: one entry a frame, rewards have no hash."""
    verdicts: dict[str, bool | None] = {}
    for trace in traces:
        block = trace.get("blockNumber", number)
        if block != number:
            raise InvalidNodeResponse(f"the node returned a trace of block {came(block)} for block {number}")
        action, key = trace.get("action"), trace.get("transactionHash")
        if not isinstance(key, str) or not isinstance(action, dict):
            continue
        result = trace.get("result")
        target = action.get("to") or (result.get("address") if isinstance(result, dict) else None)
        verdicts[key] = bool(verdicts.get(key)) or str(target).lower() == address
    return verdicts


def _geth_verdicts(traces: Sequence[Any], hashes: Sequence[str], address: str) -> dict[str, bool | None]:
    """Return whether each transaction touches the contract; ``None`` if its trace does not tell."""
    verdicts: dict[str, bool | None] = {}
    for row, trace in enumerate(traces):
        key = trace.get("txHash")
        if key is None and len(traces) == len(hashes):
            key = hashes[row]
        if not isinstance(key, str):
            continue  # of which transaction this is nobody knows: all that no other trace tells of are suspected
        try:
            verdicts[key] = _frame_touches(prestate.check_call_trace(trace.get("result")), address)
        except (InvalidNodeResponse, AttributeError, TypeError):
            verdicts[key] = None
    return verdicts


def _frame_touches(frame: dict[str, Any], address: str) -> bool:
    stack = [frame]
    while stack:
        call = stack.pop()
        if str(call.get("to")).lower() == address:
            return True
        stack += call.get("calls") or []
    return False
