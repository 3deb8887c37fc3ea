"""Finds transactions in whole blocks and in the contract's logs, where a node traces neither ranges nor blocks."""

from __future__ import annotations

from functools import partial
from typing import Any

from specminer._support.errors import InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address
from specminer.sources.contract_logs import find_logging_transactions, logged_by_receipts
from specminer.sources.emptiness import bloom_of, check_transactions, may_log
from specminer.sources.node import Node, Request, quantity, result_of
from specminer.sources.refusals import NO_METHOD
from specminer.sources.way import BlockHits, add_hit


def find_by_scan(node: Node, first: int, last: int, hits_by_contract: dict[Address, BlockHits]) -> None:
    """Add what is found in the blocks ``first .. last`` of each contract; see :func:`finder.find_each`."""
    called = {f"0x{contract.hex()}": hits for contract, hits in hits_by_contract.items()}
    requests: list[Request] = [
        ("eth_getBlockByNumber", (hex(number), True)) for number in range(first, last + 1)
    ]
    blocks: dict[int, dict[str, Any]] = {}
    for row, answer in enumerate(node.batch(requests)):
        number = first + row
        try:
            blocks[number] = _whole(result_of(answer), number)
        except InvalidNodeResponse:  # answers of a batch may be exchanged
            blocks[number] = node.read_one(requests[row], partial(_whole, number=number))
    for number, block in blocks.items():
        for transaction in block["transactions"]:
            receiver = called.get(str(transaction.get("to")).lower())
            if receiver is not None:
                add_hit(receiver, number, transaction.get("hash"))
    for contract, hits in hits_by_contract.items():
        logging = _group_by_block(node, contract, first, last)
        for number, block in blocks.items():
            if number not in logging and may_log(bloom_of(block), contract):
                logging[number] = logged_by_receipts(node, contract, number, block["transactions"])
        for number in sorted(logging):
            for transaction_hash in logging[number]:
                add_hit(hits, number, transaction_hash)


def _group_by_block(node: Node, contract: Address, first: int, last: int) -> dict[int, list[str]]:
    """Return the transactions in which a contract logged something, by block.

    Raises:
        NodeRefused: the node refuses, perhaps for the size of the range, or gives no logs at all.
        InvalidNodeResponse: an answer is malformed, or of other blocks.
    """
    try:
        return find_logging_transactions(node, contract, first, last)
    except NodeRefused as error:
        if error.code != NO_METHOD:
            raise
        raise NodeRefused(
            f"{error.message}; it traces neither ranges nor blocks, so that internal calls are found by logs alone: "
            "use a node that offers eth_getLogs, debug_traceBlockByNumber or trace_filter",
            code=error.code,
        ) from None


def full_transactions(block: Any, number: int) -> list[dict[str, Any]]:
    """Return a block's transactions.

    Raises:
        InvalidNodeResponse: it is another block, or none.
    """
    transactions: list[dict[str, Any]] = _whole(block, number)["transactions"]
    return transactions


def _whole(block: Any, number: int) -> dict[str, Any]:
    """Return a block whose transactions are objects.

    Raises:
        InvalidNodeResponse: it is another block, or none.
    """
    if not isinstance(block, dict) or not isinstance(block.get("transactions"), list):
        raise InvalidNodeResponse(f"the node returned no block {number}")
    if quantity(block.get("number"), "block number") != number:
        raise InvalidNodeResponse(f"the node returned another block when asked for block {number}")
    check_transactions(block)
    if not all(isinstance(item, dict) for item in block["transactions"]):
        raise InvalidNodeResponse(f"the node returned a malformed transaction in block {number}")
    return block
