"""Reads the exports of block explorers: transactions (``txlist``) and internal calls (``txlistinternal``).

Three shapes, each plain, gzip or zstd: a JSON array of records; the answer of an explorer's API,
``{"status": ..., "message": ..., "result": [...]}``; CSV with a header line. They hold transactions without
traces, to be executed again.

An export is evidence, so it is taken as it is or not at all: the chain's order, oldest first, and each
transaction once. A file that is out of order or holds a transaction twice was cut, sorted or put
together by hand, and what else was lost then cannot be seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from itertools import pairwise
from pathlib import Path

from specminer._support.errors import FileFormatError, plain
from specminer._support.opening import open_text
from specminer._support.text import count_of
from specminer.history.trace import Hash
from specminer.sources.export_fields import Fields, RecordError
from specminer.sources.export_names import FIELD_NAMES, IS_TABLE
from specminer.sources.export_rows import HEAD, field_names, header_line, is_lines, read_rows
from specminer.sources.export_supplements import (
    BlockRow,
    Receipt,
    RecordKind,
    block_of_row,
    receipt_of,
    record_kind,
)
from specminer.sources.exported import (
    REQUIRED,
    REQUIRED_CALL,
    ExportedCall,
    ExportedTransaction,
    call_of,
    check_follows,
    is_genesis,
    is_reward,
    is_trace_row,
    mark_undone_calls,
    transaction_of,
)
from specminer.sources.nested_traces import is_nested_trace
from specminer.sources.parquet_rows import is_parquet
from specminer.sources.saved_traces import is_saved_trace
from specminer.sources.state_dumps import is_state
from specminer.sources.traceline import FORMAT


class FileKind(Enum):
    """What a file holds that a history can be read from."""

    TRACES = "traces"
    """A trace file, for :class:`specminer.sources.tracefile.TraceFile`."""
    EXPORT = "export"
    """A list or table, for :func:`kind_of_records`."""
    SAVED = "saved"
    """Answers of a node's tracers, for :func:`specminer.sources.saved_traces.read_saved`."""
    STATE = "state"
    """Accounts with code and storage, for :func:`specminer.sources.state_dumps.read_state`."""
    NESTED = "nested"
    """Answers of ``trace_*``, for :func:`specminer.sources.nested_traces.read_nested`."""


def kind_of(path: Path) -> FileKind:
    """Tell by its beginning what a file holds, without checking the rest.

    Raises:
        FileFormatError: it cannot be read, is empty, or is neither.

    """
    if is_parquet(path):
        return FileKind.EXPORT
    with open_text(path) as file:
        head = file.read(HEAD).lstrip()
    if not head:
        raise FileFormatError(
            f"{plain(path)} is empty; expected a trace file, or an explorer's export of transactions; leave it out if "
            "the tool that wrote it had nothing to write"
        )
    if not (head[:1] == b"{" and FORMAT.encode() in head):
        if is_nested_trace(head):
            return FileKind.NESTED
        if is_state(head):
            return FileKind.STATE
        if is_saved_trace(head):
            return FileKind.SAVED
    if head[:1] == b"[":
        return FileKind.EXPORT
    if head[:1] == b"{":
        key = re.match(rb'\{\s*"(\w{1,40})"', head)
        if re.search(rb'"format"\s*:', head) and FORMAT.encode() in head:
            return FileKind.TRACES
        if key is not None and (key[1] in (b"status", b"message", b"result") or _lists_records(head)):
            return FileKind.EXPORT
    elif set(field_names(header_line(head))) & {*REQUIRED, *REQUIRED_CALL}:
        return FileKind.EXPORT
    raise FileFormatError(
        f"{plain(path)} is neither a trace file (as `specminer export` writes it) nor an explorer's export of "
        "transactions (txlist: a JSON array, the API's answer, or CSV with a header line)"
    )


def _lists_records(head: bytes) -> bool:
    """Whether a text begins with a line that is a record of a table."""
    if not is_lines(head):
        return False
    fields = re.findall(rb'"(\w{1,60})"\s*:', head.split(b"\n", 1)[0])
    names = {FIELD_NAMES.get(name.decode(), name.decode()) for name in fields}
    return bool(names & {*REQUIRED, *REQUIRED_CALL, "slot"})


def kind_of_records(path: Path) -> RecordKind | None:
    """Tell by its first record what the records of a file are about; ``None`` if it has none.

    Raises:
        FileFormatError: it cannot be read, or holds no records.

    """
    return next((record_kind(fields) for _, fields in read_rows(path, ())), None)


def read_receipts(path: Path) -> dict[Hash, Receipt]:
    """Read a table of receipts, by the hashes of their transactions.

    Raises:
        FileFormatError: it cannot be read, or a field is malformed; names file, record and field.

    """
    receipts: dict[Hash, Receipt] = {}

    def add(fields: Fields, record: int) -> None:
        receipt = receipt_of(fields)
        receipts[receipt.hash] = receipt

    _read(path, ("hash", "gasUsed"), add)
    return receipts


def read_blocks(path: Path) -> dict[int, BlockRow]:
    """Read a table of blocks, by their numbers.

    Raises:
        FileFormatError: it cannot be read, or a field is malformed; names file, record and field.

    """
    rows: dict[int, BlockRow] = {}

    def add(fields: Fields, record: int) -> None:
        row = block_of_row(fields)
        rows[row.number] = row

    _read(path, (), add)
    return rows


def read_transactions(
    path: Path, hear: Callable[[str], None] = lambda text: None
) -> tuple[ExportedTransaction, ...]:
    """Read an export of transactions, in the chain's order.

    What explorers list for the first block's balances is none; ``hear`` is told how many were passed over.

    Raises:
        FileFormatError: unreadable, too large, empty, cut off, out of order, a transaction twice, a field
            missing or malformed; names file, record and field.

    """
    transactions: list[ExportedTransaction] = []
    records: dict[Hash, int] = {}
    name, table, balances = plain(path), False, 0

    def add(fields: Fields, record: int) -> None:
        nonlocal table, balances
        if is_genesis(fields):
            balances += 1
            return
        item = transaction_of(fields, record)
        if item.hash in records:
            raise RecordError(
                f"hash 0x{item.hash.hex()} is that of record {records[item.hash]}; a transaction stands once in an "
                "export"
            )
        table = table or (IS_TABLE in fields and item.index is not None)
        if transactions and not table:
            check_follows(item, transactions[-1])
        records[item.hash] = record
        transactions.append(item)

    _read(path, REQUIRED, add)
    if balances:
        hear(
            f"{name} lists {count_of(balances, 'balance')} of the chain's first block (GENESIS_...), which "
            f"{'is no transaction' if balances == 1 else 'are no transactions'}; passed over"
        )
    if table:
        _sort_table(transactions, name)
    if not transactions:
        raise FileFormatError(
            f"{name} holds no transactions; expected at least the one that created a contract"
        )
    return tuple(transactions)


def _sort_table(transactions: list[ExportedTransaction], name: str) -> None:
    """Bring rows of a data set into the chain's order.

    Raises:
        FileFormatError: they do not tell it, or contradict it.

    """
    transactions.sort(key=lambda item: (item.block, -1 if item.index is None else item.index))
    for last, item in pairwise(transactions):
        try:
            check_follows(item, last)
        except RecordError as error:
            raise FileFormatError(f"{name}, record {item.record}: {error}") from None


def read_calls(path: Path) -> tuple[ExportedCall, ...]:
    """Read an export of internal calls, in the chain's order; none at all are fine.

    Understood are an explorer's list, and rows of traces as public data sets have them, in any order.

    Raises:
        FileFormatError: unreadable, too large, cut off, out of order, a call twice, a field missing or
            malformed; names file, record and field.

    """
    calls: list[ExportedCall] = []
    records: dict[tuple[Hash, tuple[int, ...]], int] = {}

    sorted_later = False

    def add(fields: Fields, record: int) -> None:
        nonlocal sorted_later
        if is_reward(fields):
            return
        item = call_of(fields, record)
        sorted_later = sorted_later or is_trace_row(fields)
        if not sorted_later and calls and item.block < calls[-1].block:
            raise RecordError(
                f"blockNumber is {item.block} after block {calls[-1].block} in record {calls[-1].record}; expected "
                "the chain's order, oldest first (an explorer's sort=asc)"
            )
        if item.trace is not None:
            first = records.setdefault((item.hash, item.trace), record)
            if first != record:
                raise RecordError(f"hash and traceId are those of record {first}; a call stands once")
        calls.append(item)

    _read(path, REQUIRED_CALL, add)
    if sorted_later:
        calls = mark_undone_calls(calls)
        calls.sort(key=lambda item: (item.block, -1 if item.index is None else item.index, item.trace or ()))
    return tuple(calls)


def _read(path: Path, required: tuple[str, ...], add: Callable[[Fields, int], None]) -> None:
    """Hand each record to ``add``, which raises a RecordError for what is wrong with it."""
    name = plain(path)
    for number, (where, fields) in enumerate(read_rows(path, required), 1):
        try:
            add(fields, number)
        except RecordError as error:
            raise FileFormatError(f"{name}, {where}: {error}") from None


__all__ = [
    "FileKind",
    "kind_of",
    "kind_of_records",
    "read_blocks",
    "read_calls",
    "read_receipts",
    "read_transactions",
]
