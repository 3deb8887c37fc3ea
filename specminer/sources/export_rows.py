"""Reads the records of exported files one by one, whatever their form, with the fields named as explorers' APIs do.

Forms: a JSON array of records; the answer of an explorer's API, ``{"status": ..., "message": ..., "result": [...]}``;
a JSON object on each line; CSV with a header line; each of them plain, gzip or zstd; and Parquet. What a file
holds is never decoded all at once.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer._support.nesting import check_nesting
from specminer._support.opening import open_text
from specminer.sources.export_fields import Fields, RecordError
from specminer.sources.export_names import FIELD_NAMES, canonical_row
from specminer.sources.exported import REQUIRED, REQUIRED_CALL, check_present, is_trace_row
from specminer.sources.parquet_rows import is_parquet, parquet_rows

MAX_BYTES: Final = 1 << 30
"""Of a file's content, unpacked: about a million transactions, all of which are held in memory."""
MAX_RECORD: Final = 16 << 20
"""Bytes of a record; no chain takes a transaction of that size."""
HEAD: Final = 1 << 16
"""Bytes that are looked at to tell the kind of a file."""
_PIECE: Final = 1 << 20


def read_rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[str, Fields]]:
    """Yield the records of a file with their places in it, for messages.

    ``required`` are the fields that a CSV's header line has to have.

    Raises:
        FileFormatError: unreadable, too large, cut off, no JSON or CSV, a field missing; names file and record.

    """
    for where, fields in _raw_rows(path, required):
        yield where, canonical_row(fields)


def _raw_rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[str, Fields]]:
    if is_parquet(path):
        return parquet_rows(path)
    name, text = plain(path), read_content(path)
    if is_lines(text[:HEAD]):
        return _lines(text, name)
    return _json(text, name) if text[:1] in (b"[", b"{") else _csv(text, name, required)


def read_content(path: Path) -> bytes:
    """Return a file's content, unpacked.

    Raises:
        FileFormatError: it cannot be read, is damaged, or is too large.

    """
    if path.is_file():  # a small file may be a large one packed: it is measured before any of it is kept
        for _ in _pieces(path):
            pass
    parts = list(_pieces(path))
    return b"".join(parts).lstrip(b" \t\r\n")


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield what a file holds, unpacked; ``FileFormatError`` when it is too large."""
    size = 0
    with open_text(path) as file:
        while part := file.read(_PIECE):
            size += len(part)
            if size > MAX_BYTES:
                raise FileFormatError(
                    f"{plain(path)} holds more than {MAX_BYTES >> 20} MiB when unpacked; an export of so many "
                    "transactions cannot be read"
                )
            yield part


# -- JSON -------------------------------------------------------------------------------------------


_FLAT: Final = rb'\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"|\[[0-9, ]*+\])*+'
"""A record but for its end: records hold no objects, and no lists but of numbers (where in the tree of calls)."""
_RECORD: Final = re.compile(rb"\s*+(" + _FLAT + rb"\})\s*+([,\]])", re.DOTALL)
_FLAT_RECORD: Final = re.compile(_FLAT + rb"\}", re.DOTALL)
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
    start = position = _in_answer(text, name) if inside else 1
    number = 0
    empty = _EMPTY.match(text, position)
    if empty:
        position = empty.end()
    while not empty:
        number += 1
        match = _RECORD.match(text, position)
        if match is None:
            raise FileFormatError(f"{name}, record {number} {_fault(text, position)}")
        yield f"record {number}", _decode_record(match[1], number, name)
        position = match.end()
        if match[2] == b"]":
            break
    rest = text[position:].strip()
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


def _decode_record(text: bytes, number: int, name: str) -> Fields:
    if len(text) > MAX_RECORD:
        raise FileFormatError(f"{name}, record {number} is longer than {MAX_RECORD >> 20} MiB")
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, ValueError) as error:
        raise FileFormatError(f"{name}, record {number} is no JSON object: {plain(error)}") from None


def is_lines(head: bytes) -> bool:
    """Whether a text that begins so is a line for each record, each a JSON object."""
    first = re.match(rb'\s*+\{\s*+"(\w{1,60})"', head)
    return first is not None and first[1] not in (
        b"status",
        b"message",
        b"result",
        b"jsonrpc",
        b"id",
        b"format",
    )


def _lines(text: bytes, name: str) -> Iterator[tuple[str, Fields]]:
    number = 0
    for number, line in enumerate(io.BytesIO(text), 1):
        record = line.strip()
        if not record:
            continue
        if _FLAT_RECORD.fullmatch(record) is None:
            raise FileFormatError(
                f"{name}, line {number} should be a JSON object with fields that are texts or numbers; is the file cut "
                f"off? got {plain(record[:40].decode('utf-8', 'replace'), 40)!r}"
            )
        yield f"line {number}", _decode_record(record, number, name)


def _in_answer(text: bytes, name: str) -> int:
    """Return where the records begin in an API's answer.

    Raises:
        FileFormatError: there are none; says what the explorer said.

    """
    match = _RESULT.search(text[:HEAD])
    if match is not None and text[match.end() : match.end() + 1] == b"[":
        return match.end() + 1
    try:
        if len(text) > HEAD:
            raise ValueError("there is no list in 'result'")
        check_nesting(text)
        answer = msgspec.json.decode(text, type=_Answer)
    except (msgspec.DecodeError, ValueError) as error:
        raise FileFormatError(
            f"{name} is no explorer's export: {plain(error)}; expected a JSON array of records, or an API's answer "
            "with one in 'result'"
        ) from None
    reason = answer.result if isinstance(answer.result, str) else answer.message or "nothing"
    raise FileFormatError(
        f"{name} holds an explorer's refusal in place of records (status {plain(answer.status, 20)}): "
        f"{plain(reason, 160)}; ask the explorer again"
    )


def _fault(text: bytes, position: int) -> str:
    """Say what is wrong with a record that cannot be told from its surroundings."""
    space = _SPACE.match(text, position)
    position = space.end() if space else position
    if position == len(text):
        return "is missing, and so is the end of the list: the file is cut off"
    record = _OPEN_RECORD.match(text, position)
    if record is None:
        came = plain(text[position : position + 40].decode("utf-8", "replace"), 40)
        return f"should be an object with the fields of a transaction, got {came!r}"
    match text[record.end() : record.end() + 1]:
        case b"}":
            return "should be followed by a comma or the end of the list"
        case b"[" | b"{":
            return "holds a list or an object; expected fields that are texts or numbers"
        case _:
            return "does not end: the file is cut off"


# -- CSV --------------------------------------------------------------------------------------------


def header_line(text: bytes) -> str:
    """Return the first line of a text."""
    return text[:HEAD].split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")


def _delimiter(header: str) -> str:
    """Return what separates the columns; spreadsheets of some countries write semicolons."""
    return max((",", ";", "\t"), key=header.count)


def field_names(header: str) -> list[str]:
    """Return the columns' fields, each under the name that explorers' APIs use."""
    return [FIELD_NAMES.get(name, name) for name in _columns(header)]


def _columns(header: str) -> list[str]:
    """Return the names of the columns."""
    try:
        row = next(csv.reader([header], delimiter=_delimiter(header)), [])
    except csv.Error:
        return []
    return [name.strip() for name in row]


def _csv(text: bytes, name: str, required: tuple[str, ...]) -> Iterator[tuple[str, Fields]]:
    header = header_line(text)
    columns = _columns(header)
    names = list(canonical_row(dict.fromkeys(columns, "")))
    if not text:
        raise FileFormatError(f"{name} is empty; expected records in JSON or CSV")
    if not set(names) & {*REQUIRED, *REQUIRED_CALL}:
        raise FileFormatError(
            f"{name} is neither JSON nor CSV with a header line of fields such as hash and blockNumber"
        )
    for field in {*names} & {*required}:
        if sum(FIELD_NAMES.get(column, column) == field for column in columns) > 1:
            raise FileFormatError(f"{name}, header: two columns hold the field {field}; expected one")
    traced = required is REQUIRED_CALL and is_trace_row(dict.fromkeys(names))
    try:
        check_present([*names, "type"] if traced else names, required)  # data sets tell it in other columns
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
    yield from _csv_rows(text, columns, _delimiter(header), name)


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
