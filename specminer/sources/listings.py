"""What files list of contracts, and how several such lists become one, in the chain's order.

A *list* holds the transactions to one contract, or the internal calls that concern it, as one explorer's export does.
Lists of contracts that call one another are executed together, so they are merged: each transaction once, with
all that the lists together tell of it. What they contradict each other in is an error, which names both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, Final

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer.history.trace import Address, Hash
from specminer.sources.export_blocks import BlockValues
from specminer.sources.export_fields import Fields
from specminer.sources.exported import (
    UNDONE,
    CallType,
    ExportedCall,
    ExportedTransaction,
    call_of,
    transaction_of,
)
from specminer.sources.saved_traces import SavedTraces
from specminer.sources.state_dumps import ChainState
from specminer.sources.storage_diffs import StorageDiffs


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one or more files list of one contract."""

    owner: Address
    """The contract whose list it is."""
    origin: str
    """Where it came from, for messages."""
    transactions: tuple[ExportedTransaction, ...] = ()
    calls: tuple[ExportedCall, ...] = ()

    @property
    def core(self) -> frozenset[Address]:
        """The contracts that the list is about: its owner, those created, and those that transactions call."""
        addresses = {address for item in self.transactions for address in (item.to, item.created)}
        addresses |= {call.created for call in self.calls if creates(call)}
        return frozenset(address for address in addresses if address is not None) | {self.owner}

    @property
    def contracts(self) -> frozenset[Address]:
        """The contracts that the list creates or calls, and its owner."""
        addresses = {address for call in self.calls for address in (call.to, call.created)}
        return self.core | {address for address in addresses if address is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedWorld:
    """What is imported together."""

    lists: tuple[Listing, ...]
    codes: Mapping[Address, bytes] = field(default_factory=dict)
    """Runtime code of contracts whose creation is in no list, or cannot be executed."""
    traces: SavedTraces = field(default_factory=dict)
    """What tracers answered for transactions, by their hashes."""
    state: ChainState | None = None
    """Code and storage of contracts that no list creates."""
    diffs: StorageDiffs = field(default_factory=dict)
    """What nodes say of the storage that transactions found and left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedList:
    """Several lists as one, in the chain's order."""

    transactions: tuple[ExportedTransaction, ...]
    calls: tuple[ExportedCall, ...]
    unordered: tuple[int, ...] = ()
    """Blocks in which nothing tells the order of transactions of several lists; they stand by list there."""


def main_contract(transactions: Sequence[ExportedTransaction]) -> Address | None:
    """Return the contract whose list this is: the one called most; of equals the first by address."""
    called = Counter(item.to for item in transactions if item.to is not None)
    return min(called, key=lambda item: (-called[item], item)) if called else None


def merge_lists(lists: Sequence[Listing]) -> MergedList:
    """Merge lists, given in any order.

    Raises:
        FileFormatError: two lists tell different things of one transaction, or two transactions have one place.

    """
    if len(lists) == 1:
        return MergedList(transactions=lists[0].transactions, calls=_merged_calls(lists))
    transactions, unordered = _in_order(_merged_transactions(lists), lists)
    return MergedList(transactions=transactions, calls=_merged_calls(lists), unordered=unordered)


def _merged_transactions(lists: Sequence[Listing]) -> list[tuple[int, ExportedTransaction]]:
    """Return each transaction once, with the number of the list that holds it first."""
    merged: dict[Hash, tuple[int, ExportedTransaction]] = {}
    for number, listing in enumerate(lists):
        for item in listing.transactions:
            earlier = merged.get(item.hash)
            if earlier is None:
                merged[item.hash] = (number, item)
            else:
                merged[item.hash] = (earlier[0], _join_records(earlier[1], item, lists[earlier[0]], listing))
    return list(merged.values())


def _join_records(
    first: ExportedTransaction, second: ExportedTransaction, first_list: Listing, second_list: Listing
) -> ExportedTransaction:
    """Return what two records tell of one transaction together."""
    filled: dict[str, Any] = {}
    for column in fields(ExportedTransaction):
        own, other = getattr(first, column.name), getattr(second, column.name)
        if column.name == "record" or own == other or other is None:
            continue
        if column.name == "block_values" and own is not None:
            continue  # compared where all that is told of a block is put together
        if own is not None:
            raise FileFormatError(
                f"{plain(first_list.origin)} (record {first.record}) and {plain(second_list.origin)} (record "
                f"{second.record}) tell different things of transaction 0x{first.hash.hex()} ({column.name}: "
                f"{_show_value(own)} and {_show_value(other)}); one of them is wrong, or of another chain"
            )
        filled[column.name] = other
    return replace(first, **filled)


def _show_value(value: object) -> str:
    return plain(f"0x{value.hex()}" if isinstance(value, bytes) else f"{value}", 70)


def _in_order(
    merged: Sequence[tuple[int, ExportedTransaction]], lists: Sequence[Listing]
) -> tuple[tuple[ExportedTransaction, ...], tuple[int, ...]]:
    blocks: dict[int, list[tuple[int, ExportedTransaction]]] = defaultdict(list)
    for number, item in merged:
        blocks[item.block].append((number, item))
    ordered: list[ExportedTransaction] = []
    unordered: list[int] = []
    for block in sorted(blocks):
        group = blocks[block]
        items = [item for _, item in group]
        if all(item.index is not None for item in items):
            group.sort(key=lambda row: row[1].index or 0)
            _check_places(group, lists)
            items = [item for _, item in group]
        elif len({number for number, _ in group}) > 1:
            unordered.append(block)
            items = _by_nonce(items)
        ordered += items
    return tuple(ordered), tuple(unordered)


def _check_places(group: Sequence[tuple[int, ExportedTransaction]], lists: Sequence[Listing]) -> None:
    for (first, one), (second, other) in pairwise(group):
        if one.index == other.index:
            raise FileFormatError(
                f"two transactions have place {one.index} (transactionIndex) in block {one.block}: "
                f"0x{one.hash.hex()} of {plain(lists[first].origin)} and 0x{other.hash.hex()} of "
                f"{plain(lists[second].origin)}; one of them is wrong, or of another chain"
            )


def _by_nonce(items: Sequence[ExportedTransaction]) -> list[ExportedTransaction]:
    """Return transactions with those of each sender in the order of its nonces, at the places of that sender."""
    queues: dict[Address, list[ExportedTransaction]] = defaultdict(list)
    for item in items:
        queues[item.sender].append(item)
    for queue in queues.values():
        if all(item.nonce is not None for item in queue):
            queue.sort(key=lambda item: item.nonce or 0)
        queue.reverse()
    return [queues[item.sender].pop() for item in items]


def _merged_calls(lists: Sequence[Listing]) -> tuple[ExportedCall, ...]:
    """Return each internal call once: as often as the list that has it most often."""
    if len(lists) == 1:
        return lists[0].calls
    merged_counts: Counter[ExportedCall] = Counter()
    merged: list[ExportedCall] = []
    for listing in lists:
        counts: Counter[ExportedCall] = Counter()
        for call in listing.calls:
            key = _call_key(call)
            counts[key] += 1
            if counts[key] > merged_counts[key]:
                merged_counts[key] += 1
                merged.append(call)
    merged.sort(key=lambda call: (call.block, -1 if call.index is None else call.index))
    return tuple(merged)


def _call_key(call: ExportedCall) -> ExportedCall:
    """Return a call without what lists may differ in, so that equal calls are found."""
    same: dict[str, Any] = {"record": 0, "block_values": None, "timestamp": None, "index": None}
    same |= {"gas": None, "gas_used": None, "succeeded": None, "undone": False}
    return replace(call, **(same if call.trace is None else same | {"data": b""}))


# -- records as they are kept -----------------------------------------------------------------------


_ORDER: Final = "order"
"""The field of a kept record that tells which of its file it was, where the chain's order may not be told otherwise."""


def transaction_fields(item: ExportedTransaction) -> dict[str, str]:
    """Return a transaction as a record that :func:`specminer.sources.exported.transaction_of` reads."""
    fields = {
        "hash": _hex(item.hash),
        "blockNumber": str(item.block),
        "blockHash": _hex(item.block_hash),
        "transactionIndex": _decimal(item.index),
        "timeStamp": _decimal(item.timestamp),
        "from": _hex(item.sender),
        "to": _hex(item.to),
        "contractAddress": _hex(item.created),
        "value": str(item.value),
        "gas": str(item.gas),
        "gasPrice": _decimal(item.gas_price),
        "gasUsed": _decimal(item.gas_used),
        "nonce": _decimal(item.nonce),
        "txreceipt_status": "" if item.succeeded is None else str(int(item.succeeded)),
        "input": _hex(item.data),
        "type": _decimal(item.type),
    }
    if item.index is None:
        fields[_ORDER] = str(item.record)
    return fields | _block_fields(item.block_values)


def call_fields(call: ExportedCall) -> dict[str, str]:
    """Return an internal call as a record that :func:`specminer.sources.exported.call_of` reads."""
    fields = {
        "hash": _hex(call.hash),
        "blockNumber": str(call.block),
        "transactionIndex": _decimal(call.index),
        "timeStamp": _decimal(call.timestamp),
        "from": _hex(call.sender),
        "to": _hex(call.to),
        "contractAddress": _hex(call.created),
        "value": str(call.value),
        "input": _hex(call.data),
        "type": call.type.value,
        "gas": _decimal(call.gas),
        "gasUsed": _decimal(call.gas_used),
        "isError": "" if call.succeeded is None else str(int(not call.succeeded)),
        "traceId": "" if call.trace is None else "_".join(map(str, call.trace)),
        _ORDER: str(call.record),
        UNDONE: "1" if call.undone else "",
    }
    return fields | _block_fields(call.block_values)


def pack_record(fields: Mapping[str, str]) -> bytes:
    """Return a record as it is kept, without what it does not tell; ``to`` and ``input`` stand always."""
    needed = {"to", "input", "isError"}
    return msgspec.json.encode({name: text for name, text in fields.items() if text or name in needed})


def unpack_record(record: bytes) -> Fields:
    """Return a kept record.

    Raises:
        ValueError: it is none.

    """
    try:
        return msgspec.json.decode(record, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise ValueError("this is no kept record") from error


def read_kept(owner: Address, origin: str, transactions: Iterable[bytes], calls: Iterable[bytes]) -> Listing:
    """Return the list that kept records make.

    Raises:
        ValueError: one is none.

    """
    items = [transaction_of(fields, _order(fields)) for fields in map(unpack_record, transactions)]
    items.sort(key=lambda item: (item.block, -1 if item.index is None else item.index, item.record))
    inner = [call_of(fields, _order(fields)) for fields in map(unpack_record, calls)]
    inner.sort(key=lambda call: (call.block, -1 if call.index is None else call.index, call.record))
    return Listing(owner=owner, origin=origin, transactions=tuple(items), calls=tuple(inner))


def _order(fields: Fields) -> int:
    order = fields.get(_ORDER, "0")
    return int(order) if order.isdecimal() else 0


def creates(call: ExportedCall) -> bool:
    """Whether a call created a contract that stayed, as far as the list tells."""
    return call.type in (CallType.CREATE, CallType.CREATE2) and call.succeeded is not False


def _hex(value: bytes | None) -> str:
    return "" if value is None else f"0x{value.hex()}"


def _decimal(value: int | None) -> str:
    return "" if value is None else str(value)


def _block_fields(values: BlockValues | None) -> dict[str, str]:
    if values is None:
        return {}
    return {
        "baseFeePerGas": _decimal(values.base_fee),
        "miner": _hex(values.beneficiary),
        "blockGasLimit": _decimal(values.gas_limit),
        "prevRandao": _decimal(values.randomness),
    }
