"""One history as the tables of other tools hold it: ethereum-etl and public data sets, cryo, Xatu."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow
import pyarrow.parquet

from tests.support.exports import Record, as_csv

Row = dict[str, Any]


def etl_transaction(record: Record) -> Row:
    """Return a record of ``txlist`` as ethereum-etl writes it."""
    return {
        "hash": record["hash"],
        "nonce": int(record["nonce"]),
        "block_hash": record["blockHash"],
        "block_number": int(record["blockNumber"]),
        "transaction_index": int(record["transactionIndex"]),
        "from_address": record["from"],
        "to_address": record["to"] or None,
        "value": record["value"],
        "gas": int(record["gas"]),
        "gas_price": int(record["gasPrice"]),
        "input": record["input"],
        "block_timestamp": int(record["timeStamp"]),
        "max_fee_per_gas": None,
        "max_priority_fee_per_gas": None,
        "transaction_type": 0,
    }


def etl_receipt(record: Record) -> Row:
    """Return the row of receipts that belongs to a record."""
    return {
        "transaction_hash": record["hash"],
        "transaction_index": int(record["transactionIndex"]),
        "block_hash": record["blockHash"],
        "block_number": int(record["blockNumber"]),
        "cumulative_gas_used": 0,
        "gas_used": int(record["gasUsed"]),
        "contract_address": record["contractAddress"] or None,
        "root": None,
        "status": int(record["txreceipt_status"]),
        "effective_gas_price": int(record["gasPrice"]),
    }


def query_transaction(record: Record) -> Row:
    """Return a record as a query on a public data set gives it: joined with its receipt, the time as text."""
    moment = datetime.fromtimestamp(int(record["timeStamp"]), UTC)
    return etl_transaction(record) | {
        "receipt_gas_used": int(record["gasUsed"]),
        "receipt_contract_address": record["contractAddress"] or None,
        "receipt_status": int(record["txreceipt_status"]),
        "block_timestamp": moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
    }


def pandas_transaction(record: Record) -> Row:
    """Return the same after pandas read and wrote it: whole numbers as floats, what is missing as ``nan``."""
    row = query_transaction(record)
    for name in ("nonce", "block_number", "transaction_index", "gas", "receipt_gas_used", "receipt_status"):
        row[name] = f"{row[name]}.0"
    return {name: "nan" if value is None else value for name, value in row.items()}


def cryo_transaction(record: Record) -> Row:
    """Return a record as cryo writes it: bytes, the value in three forms, no time unless it is asked for."""
    value = int(record["value"])
    return {
        "block_number": int(record["blockNumber"]),
        "transaction_index": int(record["transactionIndex"]),
        "transaction_hash": octets(record["hash"]),
        "nonce": int(record["nonce"]),
        "from_address": octets(record["from"]),
        "to_address": octets(record["to"]) if record["to"] else None,
        "value_binary": value.to_bytes(32, "big"),
        "value_string": str(value),
        "value_f64": float(value),
        "input": octets(record["input"]),
        "gas_limit": int(record["gas"]),
        "gas_used": int(record["gasUsed"]),
        "gas_price": int(record["gasPrice"]),
        "transaction_type": 2,
        "success": record["txreceipt_status"] == "1",
        "chain_id": 31337,
    }


def cryo_hex_transaction(record: Record) -> Row:
    """Return a record as ``cryo --hex`` writes it, with the columns that are not there by default."""
    row = cryo_transaction(record)
    del row["value_string"], row["value_f64"]
    told = {name: f"0x{item.hex()}" if isinstance(item, bytes) else item for name, item in row.items()}
    told["value_binary"] = f"0x{int(record['value']):064x}"
    return told | {"block_hash": record["blockHash"], "timestamp": int(record["timeStamp"])}


def cryo_block(record: Record) -> Row:
    """Return the row of blocks that belongs to a record, as cryo writes it."""
    return {
        "block_hash": octets(record["blockHash"]),
        "author": bytes(20),
        "block_number": int(record["blockNumber"]),
        "gas_used": 1,
        "extra_data": b"",
        "timestamp": int(record["timeStamp"]),
        "base_fee_per_gas": None,
        "chain_id": 31337,
    }


def xatu_transaction(record: Record) -> Row:
    """Return a record as a row of ``canonical_execution_transaction``: text in bytes, the value little-endian."""
    return {
        "updated_date_time": 1,
        "block_number": int(record["blockNumber"]),
        "transaction_index": int(record["transactionIndex"]),
        "transaction_hash": record["hash"].encode(),
        "nonce": int(record["nonce"]),
        "from_address": record["from"].encode(),
        "to_address": record["to"].encode() or None,
        "value": int(record["value"]).to_bytes(32, "little"),
        "input": record["input"].encode(),
        "gas_limit": int(record["gas"]),
        "gas_used": int(record["gasUsed"]),
        "gas_price": int(record["gasPrice"]),
        "transaction_type": 2,
        "success": record["txreceipt_status"] == "1",
        "meta_network_id": 1,
        "meta_network_name": b"mainnet",
    }


def xatu_block(record: Record) -> Row:
    """Return the row of ``canonical_execution_block`` that belongs to a record."""
    return {
        "updated_date_time": 1,
        "block_date_time": datetime.fromtimestamp(int(record["timeStamp"]), UTC),
        "block_number": int(record["blockNumber"]),
        "block_hash": record["blockHash"].encode(),
        "author": b"0x" + b"00" * 20,
        "gas_used": 1,
        "base_fee_per_gas": None,
        "meta_network_id": 1,
        "meta_network_name": b"mainnet",
    }


def octets(text: str) -> bytes:
    """Return the bytes that a text in ``0x`` hexadecimal stands for."""
    return bytes.fromhex(text[2:])


def write_json(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as a JSON array."""
    path.write_text(json.dumps(list(rows)), encoding="utf-8")
    return path


def write_lines(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as a JSON object on each line."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as Parquet."""
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    return path


def _blocks(records: Sequence[Record], row: Callable[[Record], Row]) -> list[Row]:
    return list({record["blockNumber"]: row(record) for record in records}.values())


def _rows(records: Sequence[Record], row: Callable[[Record], Row]) -> list[Row]:
    return list(map(row, records))


Writer = Callable[[Path, Sequence[Record]], list[Path]]

FORMATS: Final[Mapping[str, Writer]] = {
    "explorer-json": lambda folder, records: [write_json(folder / "a.json", records)],
    "explorer-answer": lambda folder, records: [
        _written(
            folder / "a.json", json.dumps({"status": "1", "message": "OK", "result": list(records)}).encode()
        )
    ],
    "explorer-csv": lambda folder, records: [_written(folder / "a.csv", as_csv(records))],
    "etl-csv": lambda folder, records: [
        write_csv(folder / "receipts.csv", _rows(records, etl_receipt)),
        write_csv(folder / "transactions.csv", _rows(records[::-1], etl_transaction)),
    ],
    "etl-ndjson": lambda folder, records: [
        write_lines(folder / "transactions.json", _rows(records, etl_transaction)),
        write_lines(folder / "receipts.json", _rows(records, etl_receipt)),
    ],
    "query-json": lambda folder, records: [
        write_json(folder / "a.json", _rows(records[::-1], query_transaction))
    ],
    "query-ndjson": lambda folder, records: [write_lines(folder / "a", _rows(records, query_transaction))],
    "query-parquet": lambda folder, records: [
        write_parquet(folder / "a.parquet", _rows(records[::-1], query_transaction))
    ],
    "pandas-csv": lambda folder, records: [write_csv(folder / "a.csv", _rows(records, pandas_transaction))],
    "cryo-parquet": lambda folder, records: [
        write_parquet(folder / "ethereum__transactions__0_to_9.parquet", _rows(records, cryo_transaction)),
        write_parquet(folder / "ethereum__blocks__0_to_9.parquet", _blocks(records, cryo_block)),
    ],
    "cryo-hex-parquet": lambda folder, records: [
        write_parquet(folder / "a.parquet", _rows(records, cryo_hex_transaction))
    ],
    "cryo-hex-csv": lambda folder, records: [
        write_csv(folder / "a.csv", _rows(records, cryo_hex_transaction))
    ],
    "xatu-parquet": lambda folder, records: [
        write_parquet(folder / "transaction.parquet", _rows(records, xatu_transaction)),
        write_parquet(folder / "block.parquet", _blocks(records, xatu_block)),
    ],
}
"""Each format of transactions, by name: what writes a history in it."""


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
