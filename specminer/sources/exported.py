"""What a block explorer says of transactions and internal calls: values, and how its records become them.

Explorers write every field as a text: numbers in decimal, bytes in ``0x`` hexadecimal, what is not there
as the empty text. Numbers and nulls of JSON are understood too, and what passing through other programs makes of them:
``1.0``, ``nan``, times as dates, or in milliseconds. Rows of traces from public data sets become internal calls. Fields
that are not needed are not looked at.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from specminer.contracts.transaction_types import NOT_CALLS, SET_CODE, is_foreign, is_of_system, type_of
from specminer.history.trace import WORD_LIMIT, Address, Hash
from specminer.sources.export_blocks import BlockRecord, BlockValues, block_values
from specminer.sources.export_fields import (
    INDEX_LIMIT,
    Fields,
    RecordError,
    describe_value,
    is_given,
    read_address,
    read_bytes,
    read_flag,
    read_number,
    read_optional,
    read_sender,
    read_time,
)

REQUIRED: Final = ("hash", "blockNumber", "from", "to", "value", "gas", "input")
"""Fields without which a transaction cannot be executed again; ``to`` and ``input`` may be empty."""
REQUIRED_CALL: Final = ("hash", "blockNumber", "from", "to", "value", "type")


class CallType(Enum):
    """How an internal call was made."""

    CALL = "call"
    CALLCODE = "callcode"
    DELEGATECALL = "delegatecall"
    STATICCALL = "staticcall"
    CREATE = "create"
    CREATE2 = "create2"
    SELFDESTRUCT = "selfdestruct"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTransaction:
    """One transaction as an explorer has it: everything needed to execute it again, and how it ended."""

    hash: Hash
    block: int
    block_hash: Hash | None
    index: int | None
    """Position in the block."""
    timestamp: int | None
    """Unix seconds."""
    sender: Address
    to: Address | None
    """``None`` for a creation."""
    created: Address | None
    """The contract that a creation made, where the explorer says it."""
    value: int
    gas: int
    """The limit."""
    gas_price: int | None
    """In wei."""
    gas_used: int | None
    nonce: int | None
    succeeded: bool | None
    """By the receipt where the explorer has one (not before Byzantium), else by its own flag."""
    data: bytes
    """Calldata; the creation code for a creation."""
    record: int
    """1, 2, 3, ...: place in the export, for messages."""
    block_values: BlockValues | None = field(default=None, repr=False)
    """What the record tells of its block besides; not shown, since few exports have it."""
    type: int | None = field(default=None, repr=False)
    """As EIP-2718 counts, on the chain that it is of; not shown, since few exports have it."""

    @property
    def is_call(self) -> bool:
        """Whether it calls its receiver with the calldata, or creates a contract, as transactions mostly do."""
        return self.type not in NOT_CALLS and not is_of_system(
            self.type, self.sender, self.to, self.gas_price
        )

    @property
    def gas_is_evidence(self) -> bool:
        """Whether other gas than recorded means that it went another way.

        Types of other chains have rules of their own; and what a transaction of type 4 pays for those whom it lets
        delegate is in no list.
        """
        return not is_foreign(self.type) and self.type != SET_CODE

    def of_block(self) -> BlockRecord:
        """Return what the record tells of its block."""
        return BlockRecord(
            number=self.block,
            hash=self.block_hash,
            timestamp=self.timestamp,
            values=self.block_values,
            source=f"transaction 0x{self.hash.hex()} (record {self.record})",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedCall:
    """One internal call as an explorer has it."""

    hash: Hash
    """Of the transaction in which it happened."""
    block: int
    index: int | None
    """The transaction's position in the block."""
    timestamp: int | None
    sender: Address
    to: Address | None
    created: Address | None
    value: int
    type: CallType
    gas: int | None
    gas_used: int | None
    data: bytes
    """Calldata, which explorers often leave out."""
    succeeded: bool | None
    trace: tuple[int, ...] | None
    """Where in the tree of calls: ``(0, 1)`` is the second call that the first one made."""
    record: int
    block_values: BlockValues | None = field(default=None, repr=False)
    """What the record tells of its block besides; not shown, since few exports have it."""
    undone: bool = field(default=False, repr=False)
    """Whether a call around it failed, so that nothing of it stayed; how it ended itself is not known then."""

    def of_block(self) -> BlockRecord:
        """Return what the record tells of its block."""
        return BlockRecord(
            number=self.block,
            hash=None,
            timestamp=self.timestamp,
            values=self.block_values,
            source=f"an internal call of transaction 0x{self.hash.hex()} (record {self.record})",
        )


def transaction_of(fields: Fields, record: int) -> ExportedTransaction:
    """Read a record of ``txlist``.

    Raises:
        RecordError: a field is missing or malformed, or contradicts another.

    """
    check_present(fields, REQUIRED)
    to, created = read_address(fields, "to"), read_address(fields, "contractAddress")
    if to is not None and created is not None:
        raise RecordError(
            "'to' and 'contractAddress' are both given; expected one: the contract called, or the one created"
        )
    receipt, flag = read_flag(fields, "txreceipt_status"), read_flag(fields, "isError")
    return ExportedTransaction(
        hash=Hash(read_bytes(fields, "hash", 32)),
        block=read_number(fields, "blockNumber"),
        block_hash=Hash(read_bytes(fields, "blockHash", 32)) if is_given(fields, "blockHash") else None,
        index=read_optional(fields, "transactionIndex", INDEX_LIMIT),
        timestamp=read_time(fields),
        sender=read_sender(fields),
        to=to,
        created=created,
        value=read_number(fields, "value", WORD_LIMIT),
        gas=read_number(fields, "gas"),
        gas_price=read_optional(fields, "gasPrice", WORD_LIMIT),
        gas_used=read_optional(fields, "gasUsed"),
        nonce=read_optional(fields, "nonce"),
        succeeded=receipt if receipt is not None or flag is None else not flag,
        data=read_bytes(fields, "input"),
        record=record,
        block_values=block_values(fields),
        type=type_of(fields["type"]) if is_given(fields, "type") else None,
    )


def call_of(fields: Fields, record: int) -> ExportedCall:
    """Read a record of ``txlistinternal``.

    Raises:
        RecordError: a field is missing or malformed.

    """
    if "hash" not in fields and "transactionHash" in fields:  # how Blockscout calls it
        fields = {**fields, "hash": fields["transactionHash"]}
    if is_trace_row(fields):
        fields = _from_trace_row(fields)
    check_present(fields, REQUIRED_CALL)
    if fields["hash"] in (None, "") and "subtraces" in fields:
        raise RecordError(NAMELESS)
    failed = read_flag(fields, "isError")
    return ExportedCall(
        hash=Hash(read_bytes(fields, "hash", 32)),
        block=read_number(fields, "blockNumber"),
        index=read_optional(fields, "transactionIndex", INDEX_LIMIT),
        timestamp=read_time(fields),
        sender=read_sender(fields),
        to=read_address(fields, "to"),
        created=read_address(fields, "contractAddress"),
        value=read_number(fields, "value", WORD_LIMIT),
        type=_call_type(fields),
        gas=read_optional(fields, "gas"),
        gas_used=read_optional(fields, "gasUsed"),
        data=read_bytes(fields, "input") if is_given(fields, "input") else b"",
        succeeded=None if failed is None else not failed,
        trace=_trace(fields),
        record=record,
        block_values=block_values(fields),
        undone=is_given(fields, UNDONE),
    )


UNDONE: Final = "undone"
"""The field of a kept record that says that a call around it failed."""
NAMELESS: Final = (
    "does not say of which transaction the call is (transaction_hash is empty), as ethereum-etl's export_geth_traces "
    "leaves it; its export_traces tells it"
)
_DATA_SET: Final = ("trace_type", "call_type", "subtraces", "reward_type")


def is_trace_row(fields: Fields) -> bool:
    """Whether a record is a row of traces from a public data set, rather than one of an explorer's internal list."""
    has_data_set_field = any(name in fields for name in _DATA_SET)
    return has_data_set_field or (
        "traceId" in fields and not {"isError", "errCode", "callType"} & fields.keys()
    )


def is_reward(fields: Fields) -> bool:
    """Whether a row of traces is no call: a block's reward, or an account of the first block."""
    kind = fields.get("trace_type", fields.get("type"))
    return is_trace_row(fields) and isinstance(kind, str) and kind.lower() in ("reward", "genesis", "daofork")


def mark_undone_calls(calls: Sequence[ExportedCall]) -> list[ExportedCall]:
    """Return calls in which those have failed around which another listed call of their transaction failed.

    Nodes tell of such a call only how it ended itself, though nothing of it stayed. The first frame of a
    transaction has no place in the tree; where several calls have none, their places are not known.
    """
    failed: dict[Hash, set[tuple[int, ...]]] = defaultdict(set)
    placeless = Counter(call.hash for call in calls if call.trace is None)
    for call in calls:
        if call.succeeded is False and (call.trace is not None or placeless[call.hash] == 1):
            failed[call.hash].add(call.trace or ())
    return [
        replace(call, succeeded=False, undone=True)
        if call.succeeded is not False
        and call.trace
        and any(call.trace[:depth] in failed[call.hash] for depth in range(len(call.trace)))
        else call
        for call in calls
    ]


def is_genesis(fields: Fields) -> bool:
    """Whether a record is no transaction, but how an explorer shows a balance of the first block."""
    value = fields.get("hash")
    return isinstance(value, str) and value[:7] == "GENESIS"


def _from_trace_row(fields: Fields) -> Fields:
    """Return a row of traces as a record of an explorer's internal list."""
    kind = next(
        (fields[name] for name in ("call_type", "trace_type", "type") if is_given(fields, name)), "call"
    )
    kind = kind.lower() if isinstance(kind, str) else kind
    record = {**fields, "type": kind}
    if isinstance(kind, str) and kind.startswith("create"):
        record |= {"contractAddress": fields.get("to"), "to": ""}
    if "isError" not in fields:
        status = fields.get("status")
        worked = str(status).removesuffix(".0") == "1" if is_given(fields, "status") else True
        failed = is_given(fields, "error")
        record["isError"] = "0" if worked and not failed else "1"
        if not worked and not failed:  # data sets tell so that a call around it failed
            record[UNDONE] = "1"
    return record


def check_present(fields: Iterable[str], required: tuple[str, ...]) -> None:
    """Check that the fields are all there, and that they are not those of another export.

    Raises:
        RecordError: some are missing; names them.

    """
    there = set(fields)
    missing = [name for name in required if name not in there]
    lack = f"required field{'s' * (len(missing) > 1)} missing: {', '.join(missing)}; " if missing else ""
    internal = {"traceId", "errCode", "callType"} & there and not {"gasPrice", "nonce"} & there
    if {"tokenSymbol", "TokenSymbol", "tokenName"} & there:
        raise RecordError(
            f"{lack}this is an export of token transfers, expected one of transactions (txlist)"
        )
    if {"stateMutability", "inputs"} & there:
        raise RecordError(f"{lack}this is an ABI, which is given with --abi")
    if required is REQUIRED and internal:
        raise RecordError(
            f"{lack}this is an export of internal calls (txlistinternal), expected one of transactions (txlist)"
        )
    if required is REQUIRED_CALL and {"gasPrice", "nonce"} & there:
        raise RecordError(
            f"{lack}this is an export of transactions (txlist), expected one of internal calls (txlistinternal)"
        )
    if missing:
        raise RecordError(lack.removesuffix("; "))


def check_follows(item: ExportedTransaction, last: ExportedTransaction) -> None:
    """Check that a transaction can come after another one in one chain's order.

    Raises:
        RecordError: it cannot; names the field.

    """
    if item.block < last.block:
        raise RecordError(
            f"blockNumber is {item.block} after block {last.block} in record {last.record}; expected the chain's "
            "order, oldest first (an explorer's sort=asc)"
        )
    if item.block > last.block:
        if item.timestamp is not None and last.timestamp is not None and item.timestamp < last.timestamp:
            raise RecordError(
                f"timeStamp is {item.timestamp}, earlier than {last.timestamp} of the older block {last.block} in "
                f"record {last.record}; times of a chain's blocks only rise"
            )
        return
    if item.index is not None and last.index is not None and item.index <= last.index:
        raise RecordError(
            f"transactionIndex is {item.index} after {last.index} in record {last.record}, both of block "
            f"{item.block}; expected the chain's order, oldest first"
        )
    for name, own, other in (
        ("timeStamp", item.timestamp, last.timestamp),
        ("blockHash", item.block_hash, last.block_hash),
    ):
        if own is not None and other is not None and own != other:
            raise RecordError(
                f"{name} differs from that in record {last.record} of the same block {item.block}"
            )


_DEEPEST: Final = 1_100
"""Calls inside each other; a chain allows 1024."""


def _call_type(fields: Fields) -> CallType:
    value = fields["type"]
    if value == "call" and is_given(fields, "callType"):  # where Blockscout says which kind
        value = fields["callType"]
    value = {"suicide": "selfdestruct"}.get(value, value) if isinstance(value, str) else value
    try:
        return CallType(value)
    except ValueError:
        kinds = ", ".join(kind.value for kind in CallType)
        raise RecordError(f"type should be one of {kinds}; got {describe_value(value)}") from None


def _trace(fields: Fields) -> tuple[int, ...] | None:
    if not is_given(fields, "traceId") or fields["traceId"] in ([], "[]"):
        return None
    value = fields["traceId"]
    if isinstance(value, list) and len(value) <= _DEEPEST and all(type(item) is int for item in value):
        value = "_".join(map(str, value))
    if type(value) is int:
        value = str(value)
    if isinstance(value, str) and len(value) <= 10 * _DEEPEST:
        parts = re.split(r"[_, ]+", value.strip("[] "))
        if all(re.fullmatch("[0-9]{1,9}", part, re.ASCII) for part in parts):
            return tuple(map(int, parts))
    raise RecordError(f"traceId should be numbers with _ between them, got {describe_value(value)}")
