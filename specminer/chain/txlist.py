"""Reads the exports of block explorers: transactions (``txlist``) and internal calls (``txlistinternal``).

Three shapes, each plain, gzip or zstd: a JSON array of records; the answer of an explorer's API,
``{"status": ..., "message": ..., "result": [...]}``; CSV with a header line. They hold transactions without
traces, to be executed again.

An export is evidence, so it is taken as it is or not at all: the chain's order, oldest first, and each
transaction once. A file that is out of order or holds a transaction twice was cut, sorted or put
together by hand, and what else was lost then cannot be seen.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer._support.opening import opened
from specminer.chain.export_fields import Fields, RecordError
from specminer.chain.exported import (
    REQUIRED,
    REQUIRED_CALL,
    ExportedCall,
    ExportedTransaction,
    call_of,
    check_follows,
    check_present,
    is_reward,
    is_trace_row,
    transaction_of,
)
from specminer.chain.traceline import FORMAT
from specminer.errors import FileFormatError, plain
from specminer.nesting import check_nesting
from specminer.trace import Hash

MAX_BYTES: Final = 1 << 30
"""Of a file's content, unpacked: about a million transactions, all of which are held in memory."""
MAX_RECORD: Final = 16 << 20
"""Bytes of a record; no chain takes a transaction of that size."""
_HEAD: Final = 1 << 16
"""Bytes that are looked at to tell the kind of a file."""
_PIECE: Final = 1 << 20

CSV_NAMES: Final[Mapping[str, str]] = {
    # ethereum-etl, BigQuery
    "block_number": "blockNumber",
    "block_hash": "blockHash",
    "block_timestamp": "timeStamp",
    "transaction_index": "transactionIndex",
    "from_address": "from",
    "to_address": "to",
    "gas_price": "gasPrice",
    "receipt_gas_used": "gasUsed",
    "receipt_status": "txreceipt_status",
    "receipt_contract_address": "contractAddress",
    "transaction_hash": "hash",
    "transactionHash": "hash",
    "trace_address": "traceId",
    "gas_used": "gasUsed",
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


class FileKind(Enum):
    """What a file holds that a history can be read from."""

    TRACES = "traces"
    """A trace file, for :class:`specminer.chain.tracefile.TraceFile`."""
    EXPORT = "export"
    """An explorer's export, for :func:`read_transactions`."""


def kind_of(path: Path) -> FileKind:
    """Tell by its beginning what a file holds, without checking the rest.

    Raises:
        FileFormatError: it cannot be read, is empty, or is neither.

    """
    with opened(path) as file:
        head = file.read(_HEAD).lstrip()
    if not head:
        raise FileFormatError(
            f"{plain(path)} is empty; expected a trace file, or an explorer's export of transactions"
        )
    if head[:1] == b"[":
        return FileKind.EXPORT
    if head[:1] == b"{":
        key = re.match(rb'\{\s*"(\w{1,40})"', head)
        if re.search(rb'"format"\s*:', head) and FORMAT.encode() in head:
            return FileKind.TRACES
        if key is not None and key[1] in (b"status", b"message", b"result"):
            return FileKind.EXPORT
    elif set(_names(_header(head))) & {*REQUIRED, *REQUIRED_CALL}:
        return FileKind.EXPORT
    raise FileFormatError(
        f"{plain(path)} is neither a trace file (as `specminer export` writes it) nor an explorer's export of "
        "transactions (txlist: a JSON array, the API's answer, or CSV with a header line)"
    )


def read_transactions(path: Path) -> tuple[ExportedTransaction, ...]:
    """Read an export of transactions, in the chain's order.

    Raises:
        FileFormatError: unreadable, too large, empty, cut off, out of order, a transaction twice, a field
            missing or malformed; names file, record and field.

    """
    found: list[ExportedTransaction] = []
    seen: dict[Hash, int] = {}
    name = plain(path)

    def add(fields: Fields, record: int) -> None:
        item = transaction_of(fields, record)
        if item.hash in seen:
            raise RecordError(
                f"hash 0x{item.hash.hex()} is that of record {seen[item.hash]}; a transaction stands once in an "
                "export"
            )
        if found:
            check_follows(item, found[-1])
        seen[item.hash] = record
        found.append(item)

    _read(path, REQUIRED, add)
    if not found:
        raise FileFormatError(
            f"{name} holds no transactions; expected at least the one that created a contract"
        )
    return tuple(found)


def read_calls(path: Path) -> tuple[ExportedCall, ...]:
    """Read an export of internal calls, in the chain's order; none at all are fine.

    Understood are an explorer's list, and rows of traces as public data sets have them, in any order.

    Raises:
        FileFormatError: unreadable, too large, cut off, out of order, a call twice, a field missing or
            malformed; names file, record and field.

    """
    found: list[ExportedCall] = []
    seen: dict[tuple[Hash, tuple[int, ...]], int] = {}

    sorted_later = False

    def add(fields: Fields, record: int) -> None:
        nonlocal sorted_later
        if is_reward(fields):
            return
        item = call_of(fields, record)
        sorted_later = sorted_later or is_trace_row(fields)
        if not sorted_later and found and item.block < found[-1].block:
            raise RecordError(
                f"blockNumber is {item.block} after block {found[-1].block} in record {found[-1].record}; expected "
                "the chain's order, oldest first (an explorer's sort=asc)"
            )
        if item.trace is not None:
            first = seen.setdefault((item.hash, item.trace), record)
            if first != record:
                raise RecordError(f"hash and traceId are those of record {first}; a call stands once")
        found.append(item)

    _read(path, REQUIRED_CALL, add)
    if sorted_later:
        found.sort(key=lambda item: (item.block, -1 if item.index is None else item.index, item.trace or ()))
    return tuple(found)


def _read(path: Path, required: tuple[str, ...], add: Callable[[Fields, int], None]) -> None:
    """Hand each record to ``add``, which raises a RecordError for what is wrong with it."""
    name = plain(path)
    text = _content(path)
    records = _json(text, name) if text[:1] in (b"[", b"{") else _csv(text, name, required)
    for number, (where, fields) in enumerate(records, 1):
        try:
            add(fields, number)
        except RecordError as error:
            raise FileFormatError(f"{name}, {where}: {error}") from None


def _content(path: Path) -> bytes:
    parts, size = [], 0
    with opened(path) as file:
        while part := file.read(_PIECE):
            parts.append(part)
            size += len(part)
            if size > MAX_BYTES:
                raise FileFormatError(
                    f"{plain(path)} holds more than {MAX_BYTES >> 20} MiB when unpacked; an export of so many "
                    "transactions cannot be read"
                )
    return b"".join(parts).lstrip(b" \t\r\n")


# -- JSON -------------------------------------------------------------------------------------------


_FLAT: Final = rb'\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"|\[[0-9, ]*+\])*+'
"""A record but for its end: records hold no objects, and no lists but of numbers (where in the tree of calls)."""
_RECORD: Final = re.compile(rb"\s*+(" + _FLAT + rb"\})\s*+([,\]])", re.DOTALL)
_OPEN_RECORD: Final = re.compile(_FLAT, re.DOTALL)
_EMPTY: Final = re.compile(rb"\s*+\]")
_SPACE: Final = re.compile(rb"\s*+")
_RESULT: Final = re.compile(rb'"result"\s*:\s*')


class _Answer(msgspec.Struct):
    """What an explorer's API answers."""

    result: Any
    status: str | int = ""
    message: str | None = None


def _json(text: bytes, name: str) -> Iterator[tuple[str, Fields]]:
    """Yield the records one by one: what a file holds is never decoded all at once."""
    inside = text[:1] == b"{"
    start = place = _in_answer(text, name) if inside else 1
    number = 0
    empty = _EMPTY.match(text, place)
    if empty:
        place = empty.end()
    while not empty:
        number += 1
        found = _RECORD.match(text, place)
        if found is None:
            raise FileFormatError(f"{name}, record {number} {_fault(text, place)}")
        yield f"record {number}", _renamed(_decoded(found[1], number, name))
        place = found.end()
        if found[2] == b"]":
            break
    rest = text[place:].strip()
    if inside:
        around = text[: start - 1] + b"[]" + rest
        try:
            check_nesting(around)
            msgspec.json.decode(around, type=_Answer)
        except (msgspec.DecodeError, ValueError) as error:
            raise FileFormatError(f"{name}, behind record {number}: {plain(error)}") from None
    elif rest:
        raise FileFormatError(
            f"{name}, behind record {number}: more follows the end of the list; give one list, in the chain's order"
        )


def _decoded(text: bytes, number: int, name: str) -> Fields:
    if len(text) > MAX_RECORD:
        raise FileFormatError(f"{name}, record {number} is longer than {MAX_RECORD >> 20} MiB")
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, ValueError) as error:
        raise FileFormatError(f"{name}, record {number} is no JSON object: {plain(error)}") from None


def _renamed(fields: Fields) -> Fields:
    """Return a record with its fields under the names that explorers' APIs use."""
    found = dict(fields)
    for name in fields:
        known = CSV_NAMES.get(name)
        if known is not None and known not in fields:
            found[known] = found.pop(name)
    return found


def _in_answer(text: bytes, name: str) -> int:
    """Return where the records begin in an API's answer.

    Raises:
        FileFormatError: there are none; says what the explorer said.

    """
    found = _RESULT.search(text[:_HEAD])
    if found is not None and text[found.end() : found.end() + 1] == b"[":
        return found.end() + 1
    try:
        if len(text) > _HEAD:
            raise ValueError("there is no list in 'result'")
        check_nesting(text)
        answer = msgspec.json.decode(text, type=_Answer)
    except (msgspec.DecodeError, ValueError) as error:
        raise FileFormatError(
            f"{name} is no explorer's export: {plain(error)}; expected a JSON array of records, or an API's answer "
            "with one in 'result'"
        ) from None
    said = answer.result if isinstance(answer.result, str) else answer.message or "nothing"
    raise FileFormatError(
        f"{name} holds an explorer's refusal in place of records (status {plain(answer.status, 20)}): "
        f"{plain(said, 160)}; ask the explorer again"
    )


def _fault(text: bytes, place: int) -> str:
    """Say what is wrong with a record that cannot be told from its surroundings."""
    space = _SPACE.match(text, place)
    place = space.end() if space else place
    if place == len(text):
        return "is missing, and so is the end of the list: the file is cut off"
    found = _OPEN_RECORD.match(text, place)
    if found is None:
        came = plain(text[place : place + 40].decode("utf-8", "replace"), 40)
        return f"should be an object with the fields of a transaction, got {came!r}"
    match text[found.end() : found.end() + 1]:
        case b"}":
            return "should be followed by a comma or the end of the list"
        case b"[" | b"{":
            return "holds a list or an object; expected fields that are texts or numbers"
        case _:
            return "does not end: the file is cut off"


# -- CSV --------------------------------------------------------------------------------------------


def _header(text: bytes) -> str:
    return text[:_HEAD].split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")


def _delimiter(header: str) -> str:
    """Return what separates the columns; spreadsheets of some countries write semicolons."""
    return max((",", ";", "\t"), key=header.count)


def _names(header: str) -> list[str]:
    """Return the columns' fields, each under the name that explorers' APIs use."""
    try:
        row = next(csv.reader([header], delimiter=_delimiter(header)), [])
    except csv.Error:
        return []
    return [CSV_NAMES.get(name.strip(), name.strip()) for name in row]


def _csv(text: bytes, name: str, required: tuple[str, ...]) -> Iterator[tuple[str, Fields]]:
    header = _header(text)
    names = _names(header)
    if not text:
        raise FileFormatError(f"{name} is empty; expected records in JSON or CSV")
    if not set(names) & {*REQUIRED, *REQUIRED_CALL}:
        raise FileFormatError(
            f"{name} is neither JSON nor CSV with a header line of fields such as hash and blockNumber"
        )
    for field in {*names} & {*required}:
        if names.count(field) > 1:
            raise FileFormatError(f"{name}, header: two columns hold the field {field}; expected one")
    try:
        check_present(names, required)
    except RecordError as error:
        advice = ""
        if required is REQUIRED and "input" not in names and "hash" in names:
            advice = (
                "; the files that explorers offer in the browser lack the calldata, those of their API (txlist) "
                "have it"
            )
        raise FileFormatError(f"{name}, header: {error}{advice}") from None
    if not text.endswith(b"\n"):
        raise FileFormatError(
            f"{name} does not end with the end of a line, so its last record may be cut off; if it is whole, end "
            "that line"
        )
    yield from _csv_rows(text, names, _delimiter(header), name)


def _csv_rows(text: bytes, names: list[str], delimiter: str, name: str) -> Iterator[tuple[str, Fields]]:
    size, number = 0, 0

    def lines() -> Iterator[str]:
        nonlocal size
        for line in io.BytesIO(text):
            size += len(line)
            if size > MAX_RECORD:
                raise ValueError(f"it is longer than {MAX_RECORD >> 20} MiB")
            yield line.decode("utf-8")

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        size, before = 0, csv.field_size_limit(MAX_RECORD)  # of the whole process: set back after each row
        try:
            row = next(reader, None)
        except (csv.Error, ValueError) as error:
            where = f"record {number}" if number else "header"
            raise FileFormatError(f"{name}, {where}: {plain(error)}; expected CSV in UTF-8") from None
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        if number > 0:
            where = f"record {number} (line {reader.line_num})"
            if len(row) != len(names):
                raise FileFormatError(
                    f"{name}, {where} has {len(row)} fields, expected {len(names)} as in the header"
                )
            yield where, dict(zip(names, row, strict=True))
        number += 1


__all__ = ["FileKind", "kind_of", "read_calls", "read_transactions"]
