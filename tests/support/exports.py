"""Exports as block explorers write them, of a chain that never was."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from typing import Final

import zstandard

Record = dict[str, str]

SENDER: Final = "0x" + "5e" * 20
CREATED: Final = "0x" + "c0" * 20

SHAPES: Final[dict[str, Callable[[Sequence[Record]], bytes]]] = {
    "array": lambda records: json.dumps(list(records)).encode(),
    "lines": lambda records: json.dumps(list(records), indent=1).encode(),
    "answer": lambda records: json.dumps({"status": "1", "message": "OK", "result": list(records)}).encode(),
    "answer, result first": lambda records: json.dumps(
        {"result": list(records), "message": "OK", "status": "1"}
    ).encode(),
    "csv": lambda records: as_csv(records),
    "csv, semicolons": lambda records: as_csv(records, ";"),
}
PACKINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
}


CODE: Final = "0x600a600c600039600a6000f3" + "60005460010160005500"
"""Creates a contract that adds one to its slot 0, whatever it is called with."""


def counted(count: int, each_block: int = 3) -> list[Record]:
    """Return the records of a counter that was created and then called; how much gas they used is not known."""
    records = [record | {"gasUsed": ""} for record in transactions(count, each_block)]
    records[0]["input"] = CODE
    return records


def as_csv(records: Sequence[Record], delimiter: str = ",") -> bytes:
    """Return records as CSV with a header line."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(records[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue().encode()


def transaction(number: int, block: int, index: int, **fields: str) -> Record:
    """Return a record of ``txlist``; number 0 creates the contract, the others call it."""
    first = number == 0
    return {
        "blockNumber": str(block),
        "timeStamp": str(1_500_000_000 + 12 * block),
        "hash": f"0x{number + 1:064x}",
        "nonce": str(number),
        "blockHash": f"0x{block + (1 << 200):064x}",
        "transactionIndex": str(index),
        "from": SENDER,
        "to": "" if first else CREATED,
        "value": str(number * 10**18),
        "gas": "3000000",
        "gasPrice": "1000000000",
        "isError": "0",
        "txreceipt_status": "1",
        "input": "0x6001600c60003960016000f300" if first else f"0x{number:08x}",
        "contractAddress": CREATED if first else "",
        "cumulativeGasUsed": "5000000",
        "gasUsed": "21000",
        "functionName": 'f(uint256 _a, string "b")',
    } | fields


def transactions(count: int, each_block: int = 3) -> list[Record]:
    """Return the records of a contract that was created and then called."""
    return [
        transaction(number, 100 + 7 * (number // each_block), 2 * (number % each_block) + 1)
        for number in range(count)
    ]


def call(number: int, block: int, **fields: str) -> Record:
    """Return a record of ``txlistinternal``."""
    return {
        "blockNumber": str(block),
        "timeStamp": str(1_500_000_000 + 12 * block),
        "hash": f"0x{number + 1:064x}",
        "from": CREATED,
        "to": SENDER,
        "value": "17",
        "contractAddress": "",
        "input": "",
        "type": "call",
        "gas": "2300",
        "gasUsed": "0",
        "traceId": f"0_{number}",
        "isError": "0",
        "errCode": "",
    } | fields
