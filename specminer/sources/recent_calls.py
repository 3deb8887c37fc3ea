"""Recent calls of contracts on a chain, to try out what a node can do."""

from __future__ import annotations

from typing import Any, Final

from specminer._support.errors import ChainError, InvalidNodeResponse, NodeRefused
from specminer.history.trace import Hash
from specminer.sources.envelopes import block_of, envelope_of
from specminer.sources.node import Node, octets, quantity
from specminer.sources.trace_matching import Envelope

SEARCHED: Final = 50
"""Blocks searched backwards for a transaction to try the tracers on."""


def recent_calls(node: Node, count: int, blocks: int = SEARCHED) -> list[Envelope]:
    """Return recent transactions that called contracts, to try tracers on; the newest first."""
    envelopes: list[Envelope] = []
    try:
        head = quantity(node.call("eth_blockNumber"), "block number")
        for number in range(head, max(head - blocks, -1), -1):
            answer = node.call("eth_getBlockByNumber", hex(number), True)
            transactions = answer.get("transactions") if isinstance(answer, dict) else None
            for item in transactions if isinstance(transactions, list) else ():
                envelope = _envelope_of_call(node, answer, item)
                if envelope is not None:
                    envelopes.append(envelope)
                if len(envelopes) >= count:
                    return envelopes
    except (NodeRefused, InvalidNodeResponse):
        pass
    return envelopes


def _envelope_of_call(node: Node, block: Any, item: Any) -> Envelope | None:
    """Read a transaction of a block if it called a contract that has code."""
    if not isinstance(item, dict) or not item.get("to") or item.get("input") in (None, "0x"):
        return None
    try:
        if not octets(node.call("eth_getCode", item["to"], "latest"), "code"):
            return None
        hash_ = Hash(octets(item.get("hash"), "a transaction hash", 32))
        receipt = node.call("eth_getTransactionReceipt", item["hash"])
        return envelope_of(hash_, item, receipt, block_of(block))
    except ChainError:
        return None  # of a kind that does not serve as a sample
