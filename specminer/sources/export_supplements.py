"""What tables hold besides transactions and calls: receipts and blocks, which complete transactions, and the rest.

ethereum-etl writes transactions, receipts and blocks as three tables, cryo and Xatu transactions and blocks as two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from specminer.history.trace import Address, Hash
from specminer.sources.export_blocks import BlockValues, block_values
from specminer.sources.export_fields import (
    Fields,
    RecordError,
    is_given,
    read_address,
    read_bytes,
    read_flag,
    read_number,
    read_optional,
    read_time,
)
from specminer.sources.exported import ExportedTransaction, is_trace_row
from specminer.sources.saved_traces import is_trace_table


class RecordKind(Enum):
    """What a record is about."""

    TRANSACTION = "transactions"
    CALL = "internal calls"
    RECEIPT = "receipts"
    BLOCK = "blocks"
    LOG = "logs"
    STORAGE_DIFF = "storage_diffs"
    STORAGE_READ = "storage_reads"
    TRACE = "traces of a JavaScript tracer"
    UNUSED = "something that no history needs"


_BLOCK_ONLY: Final = frozenset(("parent_hash", "author", "block_date_time", "extra_data", "parentHash"))
_LOG_ONLY: Final = frozenset(("log_index", "topic0", "topics", "logIndex"))


_UNUSED: Final = (
    frozenset(("relationship",)),
    frozenset(("transfer_index",)),
    frozenset(("create_index",)),
    frozenset(("op", "pc")),
    frozenset(("address", "from_value", "to_value")),
    frozenset(("address", "from_value_string", "to_value_string")),
    frozenset(("address", "from_value_binary", "to_value_binary")),
)
"""Columns by which tables are known that nothing is read from: cryo's address_appearances, native_transfers, contracts,
geth_opcodes and vm_traces, differences of balances, nonces and code."""


def record_kind(fields: Fields) -> RecordKind:
    """Tell by its fields what a record is about; what nothing tells is taken for a transaction."""
    names = fields.keys()
    if is_trace_table(fields):
        return RecordKind.TRACE
    if any(unused <= names for unused in _UNUSED) and "slot" not in names:
        return RecordKind.UNUSED
    if "slot" in names:
        return RecordKind.STORAGE_DIFF if "to_value" in names else RecordKind.STORAGE_READ
    if _LOG_ONLY & names:
        return RecordKind.LOG
    if _BLOCK_ONLY & names and not {"from", "input"} & names:
        return RecordKind.BLOCK
    if {"gasPrice", "nonce"} & names:
        return RecordKind.TRANSACTION
    if {"cumulative_gas_used", "cumulativeGasUsed"} & names and "input" not in names:
        return RecordKind.RECEIPT
    if is_trace_row(fields) or {"errCode", "callType", "type"} & names:
        return RecordKind.CALL
    return RecordKind.TRANSACTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How a transaction ended."""

    hash: Hash
    gas_used: int | None
    succeeded: bool | None
    created: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """What a table tells of a block."""

    number: int
    hash: Hash | None
    timestamp: int | None
    values: BlockValues | None


def receipt_of(fields: Fields) -> Receipt:
    """Read a row of receipts.

    Raises:
        RecordError: a field is missing or malformed.

    """
    with_status = {**fields, "status": fields.get("status", fields.get("txreceipt_status"))}
    created = "contract_address" if "contract_address" in fields else "contractAddress"
    return Receipt(
        hash=Hash(read_bytes(fields, "hash", 32)),
        gas_used=read_optional(fields, "gasUsed"),
        succeeded=read_flag(with_status, "status"),
        created=read_address(fields, created),
    )


def block_of_row(fields: Fields) -> BlockRow:
    """Read a row of blocks.

    Raises:
        RecordError: a field is missing or malformed.

    """
    number = "blockNumber" if "blockNumber" in fields else "number"
    hashed = "blockHash" if is_given(fields, "blockHash") else "hash"
    canonical = dict(fields)
    if is_given(fields, "block_date_time") and not is_given(fields, "timeStamp"):
        canonical["timeStamp"] = fields["block_date_time"]
    if is_given(fields, "author"):
        canonical["miner"] = fields["author"]
    limit = next((name for name in ("gas_limit", "gas") if is_given(fields, name)), None)
    if limit is not None:
        canonical["blockGasLimit"] = fields[limit]
    return BlockRow(
        number=read_number(fields, number),
        hash=Hash(read_bytes(fields, hashed, 32)) if is_given(fields, hashed) else None,
        timestamp=read_time(canonical),
        values=block_values(canonical),
    )


def complete_all(
    items: Iterable[ExportedTransaction], receipts: Mapping[Hash, Receipt], blocks: Mapping[int, BlockRow]
) -> tuple[ExportedTransaction, ...]:
    """Return transactions with what receipts and blocks tell of them, where they do not tell it themselves."""
    return tuple(_complete(item, receipts.get(item.hash), blocks.get(item.block)) for item in items)


def _complete(
    item: ExportedTransaction, receipt: Receipt | None, block: BlockRow | None
) -> ExportedTransaction:
    if receipt is not None:
        item = replace(
            item,
            gas_used=receipt.gas_used if item.gas_used is None else item.gas_used,
            succeeded=receipt.succeeded if item.succeeded is None else item.succeeded,
            created=receipt.created if item.created is None and item.to is None else item.created,
        )
    if block is not None:
        if item.block_hash is not None and block.hash is not None and item.block_hash != block.hash:
            raise RecordError(
                f"block {block.number} has hash 0x{block.hash.hex()}, but transaction 0x{item.hash.hex()} (record "
                f"{item.record}) is of block 0x{item.block_hash.hex()}: one of the tables is of another chain"
            )
        item = replace(
            item,
            block_hash=block.hash if item.block_hash is None else item.block_hash,
            timestamp=block.timestamp if item.timestamp is None else item.timestamp,
            block_values=block.values if item.block_values is None else item.block_values,
        )
    return item
