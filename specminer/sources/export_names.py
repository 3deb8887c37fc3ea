"""The names and forms that fields have in other people's tables, brought to those of explorers' APIs.

Understood are ethereum-etl and the public data sets made with it, cryo, Xatu's tables of the canonical chain, JSON-RPC
objects of nodes, and what explorers offer for download. Values come as Python has them: bytes of Parquet become
``0x`` text, dates Unix seconds.

Sources: the schemas of blockchain-etl/ethereum-etl (docs/schema.md), paradigmxyz/cryo (crates/freeze/src/datasets) and
ethpandaops/xatu (deploy/migrations/clickhouse).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from specminer.sources.export_fields import Fields

FIELD_NAMES: Final[Mapping[str, str]] = {
    # ethereum-etl, BigQuery
    "block_number": "blockNumber",
    "block_hash": "blockHash",
    "block_timestamp": "timeStamp",
    "timestamp": "timeStamp",
    "transaction_index": "transactionIndex",
    "from_address": "from",
    "to_address": "to",
    "gas_price": "gasPrice",
    "receipt_gas_used": "gasUsed",
    "receipt_status": "txreceipt_status",
    "receipt_contract_address": "contractAddress",
    "receipt_effective_gas_price": "gasPrice",
    "transaction_hash": "hash",
    "transactionHash": "hash",
    "trace_address": "traceId",
    "gas_used": "gasUsed",
    "transaction_type": "type",
    "transactionType": "type",
    # cryo, Xatu
    "success": "txreceipt_status",
    "typ": "type",
    "action_from": "from",
    "action_to": "to",
    "action_value": "value",
    "action_gas": "gas",
    "action_input": "input",
    "action_call_type": "call_type",
    "action_type": "trace_type",
    "result_gas_used": "gasUsed",
    "result_address": "contractAddress",
    # what explorers offer for download in the browser; the calldata is not in these
    "Txhash": "hash",
    "Transaction Hash": "hash",
    "TxHash": "hash",
    "Parent Txhash": "hash",
    "Blockno": "blockNumber",
    "BlockNumber": "blockNumber",
    "UnixTimestamp": "timeStamp",
    "From": "from",
    "FromAddress": "from",
    "To": "to",
    "ToAddress": "to",
    "TxTo": "to",
    "ContractAddress": "contractAddress",
    "Value": "value",
    "Value(Wei)": "value",
    "Gas": "gas",
    "GasLimit": "gas",
    "GasPrice": "gasPrice",
    "GasUsed": "gasUsed",
    "Nonce": "nonce",
    "Input": "input",
    "InputData": "input",
    "Type": "type",
}
"""Other names of the fields, in CSV files and in rows of public data sets. Amounts in ether are not understood: they
are rounded."""
TABLE_FIELDS: Final = frozenset(("from_address", "block_number", "action_from"))
"""Names by which a row of a data set is told from a record of an explorer; such rows may come in any order."""
IS_TABLE: Final = "specminer:table"
"""A field that rows of data sets get: their order in the file tells nothing."""
_WIDE: Final = ("_string", "_binary", "_u64", "_u32", "_f64", "_f32")
"""What cryo puts behind the name of a column of 256-bit numbers, for each form it has; the exact ones first."""
_NUMBERS: Final = ("value", "gas", "gas_used", "action_value")
"""Columns that may be such."""


def canonical_row(fields: Fields) -> Fields:
    """Return a row with its fields under the names that explorers' APIs use, and values as these write them."""
    row = dict(fields)
    little = "meta_network_name" in row or "meta_network_id" in row
    for name in _NUMBERS:
        for suffix in _WIDE:
            if name not in row and f"{name}{suffix}" in row:
                row[name] = row[f"{name}{suffix}"]
        if isinstance(row.get(name), bytes):
            row[name] = int.from_bytes(row[name], "little" if little else "big")
        elif isinstance(row.get(name), str) and f"{name}_binary" in row:
            row[name] = _from_hexadecimal(row[name])
    row = {name: _plain_value(value) for name, value in row.items()}
    if "success" in row:
        row["success"] = _flag(row["success"])
    table = bool(TABLE_FIELDS & row.keys())
    if "gas_limit" in row and "gas" not in row and table:
        row["gas"] = row.pop("gas_limit")
    if row.get("action_init") not in (None, "", "0x"):
        row["action_input"] = row.pop("action_init")
    if "action_type" in row and row.get("result_address") not in (None, ""):
        row["action_to"] = row.pop("result_address")
    canonical = dict(row)
    for name in row:
        canonical_name = FIELD_NAMES.get(name)
        if canonical_name is not None and canonical_name not in row:
            value = canonical.pop(name)
            if canonical.get(canonical_name) in (None, ""):
                canonical[canonical_name] = value
    if table:
        canonical[IS_TABLE] = True
    return canonical


def _plain_value(value: Any) -> Any:
    """Return a value in the form that JSON has."""
    if isinstance(value, bytes):
        if value[:2] == b"0x" and value.isascii():  # text in a column of bytes
            return value.decode("ascii")
        return f"0x{value.hex()}"
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else str(value)
    if isinstance(value, datetime):
        return max(int(value.replace(tzinfo=value.tzinfo or UTC).timestamp()), 0)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _from_hexadecimal(text: str) -> int | str:
    """Return the number that bytes in ``0x`` hexadecimal are; any other text as it is."""
    return int(text, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,64}", text) else text


def _flag(value: Any) -> Any:
    """Return what says whether a transaction succeeded as 0 or 1, where it is a truth value."""
    if isinstance(value, bool):
        return int(value)
    return {"true": 1, "false": 0}.get(value.lower(), value) if isinstance(value, str) else value
