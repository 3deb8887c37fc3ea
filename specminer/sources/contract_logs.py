"""In which transactions a contract logged something: by ``eth_getLogs``, and by the receipts of a block."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from specminer._support.errors import InvalidNodeResponse, plain
from specminer.history.trace import Address
from specminer.sources.emptiness import check_logs_shown, confirm_empty
from specminer.sources.node import Node, Request, came, quantity, result_of


def find_logging_transactions(
    node: Node, contract: Address, first: int, last: int, *, asks: int = 0
) -> dict[int, list[str]]:
    """Return the transactions in which a contract logged something, by block.

    ``asks`` says how often the node is asked again if there is none.

    Raises:
        NodeRefused: the node refuses, perhaps for the size of the range.
        InvalidNodeResponse: an answer is malformed, or of other blocks.
    """
    address = f"0x{contract.hex()}"
    filter_ = {"fromBlock": hex(first), "toBlock": hex(last), "address": address}
    request: Request = ("eth_getLogs", (filter_,))
    reader = partial(_group_by_block, address=address, first=first, last=last)
    by_block = node.read_one(request, reader)
    return by_block or confirm_empty(node, request, reader, by_block, asks)


def logged_by_receipts(
    node: Node, contract: Address, number: int, transactions: Sequence[dict[str, Any]]
) -> list[str]:
    """Return the transactions of a block whose receipts show a log of a contract.

    Raises:
        NodeRefused: the node gives no receipts.
        InvalidNodeResponse: a receipt is of another transaction, or malformed.
    """
    address = f"0x{contract.hex()}"
    hashes = [str(transaction.get("hash")) for transaction in transactions]
    requests: list[Request] = [("eth_getTransactionReceipt", (text,)) for text in hashes]
    logging: list[str] = []
    for text, request, answer in zip(hashes, requests, node.batch(requests), strict=True):
        reader = partial(_receipt_logs, transaction=text, number=number)
        try:
            logs = reader(result_of(answer))
        except InvalidNodeResponse:  # answers of a batch may be exchanged
            logs = node.read_one(request, reader)
        if any(str(log.get("address")).lower() == address for log in logs):
            logging.append(text)
    return logging


def _receipt_logs(receipt: Any, transaction: str, number: int) -> list[dict[str, Any]]:
    """Return the log entries of a transaction's receipt.

    Raises:
        InvalidNodeResponse: it is another transaction's, or malformed.
    """
    logs = receipt.get("logs") if isinstance(receipt, dict) else None
    if not isinstance(logs, list) or not all(isinstance(log, dict) for log in logs):
        raise InvalidNodeResponse(f"the node returned no receipt of transaction {plain(transaction, 70)}")
    if str(receipt.get("transactionHash", transaction)).lower() != transaction.lower():
        raise InvalidNodeResponse(
            f"the node returned another receipt than that of transaction {plain(transaction, 70)}"
        )
    if quantity(receipt.get("blockNumber"), "blockNumber of a receipt") != number:
        raise InvalidNodeResponse(
            f"the receipt of transaction {plain(transaction, 70)} is of another block than {number}"
        )
    check_logs_shown(receipt, f"transaction {plain(transaction, 70)}")
    return logs


def _group_by_block(logs: Any, address: str, first: int, last: int) -> dict[int, list[str]]:
    """Return the transactions of log entries, by block.

    Raises:
        InvalidNodeResponse: the answer is malformed, or of other blocks.
    """
    if not isinstance(logs, list) or not all(isinstance(log, dict) for log in logs):
        raise InvalidNodeResponse(f"eth_getLogs should answer a list of logs, got {came(logs)}")
    by_block: dict[int, list[str]] = {}
    for log in logs:
        number = quantity(log.get("blockNumber"), "blockNumber of a log")
        if not first <= number <= last:
            raise InvalidNodeResponse(f"eth_getLogs returned block {number} for blocks {first} to {last}")
        if str(log.get("address")).lower() == address:
            by_block.setdefault(number, []).append(log.get("transactionHash"))
    return by_block
