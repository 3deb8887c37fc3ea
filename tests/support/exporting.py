"""A chain as a block explorer would export it, read from the node that made it."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from tests.support.anvil import Anvil
from tests.support.exports import Record


def txlist(anvil: Anvil, touching: Collection[str] | None = None) -> list[Record]:
    """Return the chain's transactions, or those to or creating the addresses given, as ``txlist`` records."""
    wanted = None if touching is None else {address.lower() for address in touching}
    found: list[Record] = []
    for number in range(1, anvil.block_number() + 1):
        block = anvil.rpc("eth_getBlockByNumber", hex(number), True)
        for item in block["transactions"]:
            receipt = anvil.rpc("eth_getTransactionReceipt", item["hash"])
            created = receipt.get("contractAddress") or ""
            if wanted is not None and not {str(item["to"]).lower(), created.lower()} & wanted:
                continue
            found.append(
                {
                    "blockNumber": str(number),
                    "timeStamp": str(int(block["timestamp"], 16)),
                    "hash": item["hash"],
                    "nonce": str(int(item["nonce"], 16)),
                    "blockHash": block["hash"],
                    "transactionIndex": str(int(item["transactionIndex"], 16)),
                    "from": item["from"],
                    "to": item["to"] or "",
                    "value": str(int(item["value"], 16)),
                    "gas": str(int(item["gas"], 16)),
                    "gasPrice": str(int(receipt["effectiveGasPrice"], 16)),
                    "gasUsed": str(int(receipt["gasUsed"], 16)),
                    "isError": "0" if receipt["status"] == "0x1" else "1",
                    "txreceipt_status": str(int(receipt["status"], 16)),
                    "input": item["input"],
                    "contractAddress": "" if item["to"] else created,
                }
            )
    return found


def write_txlist(anvil: Anvil, path: Path, touching: Collection[str] | None = None) -> Path:
    """Write :func:`txlist` to a file and return its path."""
    path.write_text(json.dumps(txlist(anvil, touching)), encoding="utf-8")
    return path
