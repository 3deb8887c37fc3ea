"""Finds transactions by ``trace_filter``, which nodes offer that index their traces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from specminer._support.errors import InvalidNodeResponse
from specminer.history.trace import Address
from specminer.sources.block_scan import full_transactions
from specminer.sources.emptiness import confirm_empty
from specminer.sources.node import Node, Request, came, octets, result_of
from specminer.sources.way import BlockHits, add_hit

_FILTER_ASKS: Final = 3
"""How often ``trace_filter`` is asked again where it found nothing."""


def check_filter(node: Node, contract: Address, probe: int) -> None:
    """Ask ``trace_filter`` for a transaction that is known to be in the block.

    Raises:
        NodeRefused: it is not there.
        InvalidNodeResponse: it does not find what is there.
    """
    transactions = node.read(
        [("trace_filter", (_filter(contract, probe, probe),)), ("eth_getBlockByNumber", (hex(probe), True))],
        partial(_read_probe, probe),
    )
    if not transactions:
        return
    sample = transactions[0]
    span = {"fromBlock": hex(probe), "toBlock": hex(probe)}
    ends = {"fromAddress": sample.get("from"), "toAddress": sample.get("to")}
    ends = {field: end for field, end in ends.items() if end is not None}
    node.read(
        [("trace_filter", (span | {field: [end]},)) for field, end in ends.items()],
        partial(_check_found, str(sample.get("hash")), probe, list(ends)),
    )


def _read_probe(probe: int, answers: Sequence[Any]) -> list[dict[str, Any]]:
    """Return a block's transactions, if ``trace_filter`` answers for it.

    Raises:
        NodeRefused, InvalidNodeResponse: it does not, or there is no such block.
    """
    _read_filter(result_of(answers[0]), probe, probe)
    return full_transactions(result_of(answers[1]), probe)


def _check_found(hash_: str, probe: int, fields: Sequence[str], answers: Sequence[Any]) -> None:
    """Check that what ``trace_filter`` answers names a transaction, by each of some fields.

    Raises:
        NodeRefused: it is refused.
        InvalidNodeResponse: it does not.
    """
    for field, answer in zip(fields, answers, strict=True):
        traces = result_of(answer)
        frames = traces if isinstance(traces, list) else []
        hashes = {str(trace.get("transactionHash")) for trace in frames if isinstance(trace, dict)}
        if hash_ not in hashes:
            raise InvalidNodeResponse(
                f"trace_filter does not find the first transaction of block {probe} by its {field}"
            )


def _filter(contract: Address, first: int, last: int) -> dict[str, Any]:
    return {"fromBlock": hex(first), "toBlock": hex(last), "toAddress": [f"0x{contract.hex()}"]}


def find_by_filter(node: Node, contract: Address, first: int, last: int, hits: BlockHits) -> None:
    """Add what is found in the blocks ``first .. last``.

    Raises:
        NodeRefused: the node refuses, perhaps for the size of the range.
        InvalidNodeResponse: an answer is malformed.
    """
    request: Request = ("trace_filter", (_filter(contract, first, last),))
    reader = partial(_read_filter, first=first, last=last)
    filtered = node.read_one(request, reader)
    for number, hash_ in filtered or confirm_empty(node, request, reader, filtered, _FILTER_ASKS):
        add_hit(hits, number, hash_)


def _read_filter(answer: Any, first: int, last: int) -> list[tuple[int, str]]:
    """Return block and hash of the transactions that ``trace_filter`` found.

    Raises:
        InvalidNodeResponse: the answer is malformed, or of other blocks.
    """
    if not isinstance(answer, list):
        raise InvalidNodeResponse(f"trace_filter should answer a list of traces, got {came(answer)}")
    pairs: list[tuple[int, str]] = []
    for trace in answer:
        number = trace.get("blockNumber") if isinstance(trace, dict) else None
        if not isinstance(number, int):
            raise InvalidNodeResponse("trace_filter returned a trace without a block number")
        if not first <= number <= last:
            raise InvalidNodeResponse(f"trace_filter returned block {number} for blocks {first} to {last}")
        if trace.get("transactionHash"):  # block rewards have none
            octets(trace["transactionHash"], "a transaction hash", 32)
            pairs.append((number, trace["transactionHash"]))
    return pairs
