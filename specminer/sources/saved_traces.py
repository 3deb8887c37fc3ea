"""Reads traces that somebody saved: the answers of ``debug_trace*`` as they came, or tables of them as cryo writes.

Understood are our JavaScript tracer, whose answer names its transaction; ``structLogs``; and callTracer with both modes
of prestateTracer. For the latter the transaction is named by what is around the answer (``txHash``, as in the answer
for a whole block), by the row, or by the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer._support.nesting import check_nesting
from specminer.history.trace import Hash
from specminer.sources.export_fields import Fields, RecordError, describe_value, read_bytes
from specminer.sources.export_rows import read_content, read_rows
from specminer.sources.exported import NAMELESS


class Answer(Enum):
    """What kind of trace an answer is."""

    JAVASCRIPT = "javascript"
    STRUCT_LOGS = "structLogs"
    CALLS = "callTracer"
    BEFORE = "prestateTracer"
    CHANGES = "prestateTracer in diff mode"


SavedTraces = dict[Hash, dict[Answer, Any]]
"""The answers for each transaction."""
_SHAPES: Final = re.compile(
    rb'"v"\s*:\s*1\s*[,}]|"structLogs"|"txHash"|"pre"\s*:\s*\{|"post"\s*:\s*\{|"calls"\s*:\s*\[\s*\{'
)
_HASH_PATTERN: Final = re.compile(r"0x([0-9a-fA-F]{64})")


def is_saved_trace(head: bytes) -> bool:
    """Whether a text that begins so is JSON of traces."""
    return head[:1] in (b"[", b"{") and _SHAPES.search(head) is not None


def is_trace_table(fields: Fields) -> bool:
    """Whether a row is of a table of JavaScript traces, as cryo writes it."""
    return "output" in fields and "hash" in fields and not {"from", "input", "slot"} & fields.keys()


def read_saved(path: Path) -> SavedTraces:
    """Return the traces of a file of JSON: one answer, a list of answers, or one on each line.

    Raises:
        FileFormatError: it cannot be read, is no JSON, is nested too deep, or does not say whose traces they are.

    """
    name = plain(path)
    traces: SavedTraces = {}
    own = _HASH_PATTERN.search(path.name)
    transaction = None if own is None else Hash(bytes.fromhex(own[1]))
    for where, document in read_documents(read_content(path), name):
        try:
            _collect(document, transaction, traces)
        except RecordError as error:
            raise FileFormatError(f"{name}{where}: {error}") from None
    return traces


def read_trace_table(path: Path) -> SavedTraces:
    """Return the traces of a table of JavaScript traces.

    Raises:
        FileFormatError: it cannot be read, or a row does not hold what our tracer answers.

    """
    traces: SavedTraces = {}
    for where, fields in read_rows(path, ("hash", "output")):
        try:
            transaction = Hash(read_bytes(fields, "hash", 32))
            text = fields.get("output")
            if not isinstance(text, str):
                raise RecordError(f"output should be JSON text, got {describe_value(text)}")
            document = _decode_json(text.encode())
            if isinstance(document, dict) and set(document) == {"result"}:
                document = document["result"]
            _collect(document, transaction, traces)
        except (RecordError, ValueError) as error:
            raise FileFormatError(f"{plain(path)}, {where}: {plain(error, 200)}") from None
    return traces


def read_documents(text: bytes, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the JSON values of a text, with their places for messages: one, or one on each line.

    Raises:
        FileFormatError: it is no JSON, or nested too deep.

    """
    try:
        yield "", _decode_json(text)
        return
    except ValueError as error:
        lines = text.splitlines()
        if len(lines) < 2:
            raise FileFormatError(f"{name} holds no traces: {plain(error, 120)}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield f", line {number}", _decode_json(line)
            except ValueError as error:
                raise FileFormatError(f"{name}, line {number}: {plain(error, 120)}") from None


def _decode_json(text: bytes) -> Any:
    check_nesting(text)
    return msgspec.json.decode(text)


def _collect(document: Any, transaction: Hash | None, traces: SavedTraces) -> None:
    """Add the answers in a document to those found.

    Raises:
        RecordError: an answer is none, or does not say of which transaction it is.

    """
    if isinstance(document, list):
        for item in document:
            _collect(item, transaction, traces)
        return
    if not isinstance(document, dict):
        raise RecordError(f"expected an object that a tracer answered, got {describe_value(document)}")
    key = next((name for name in ("txHash", "transactionHash") if name in document), None)
    if key is not None:
        transaction = Hash(read_bytes(document, key, 32))
    if "result" in document:
        _collect(document["result"], transaction, traces)
        return
    if "error" in document and ("jsonrpc" in document or key is not None):
        return  # the node could not trace this one
    if "transaction_traces" in document:
        raise RecordError(NAMELESS)
    kind = _kind(document)
    if kind is Answer.JAVASCRIPT and document.get("tx") not in (None, "0x"):
        transaction = Hash(read_bytes(document, "tx", 32))
    if transaction is None:
        raise RecordError(
            f"an answer of {kind.value} does not say of which transaction it is; keep the whole answer for a block, "
            'put it into {"txHash": "0x...", "result": ...}, or name the file by the hash'
        )
    traces.setdefault(transaction, {})[kind] = document


def _kind(answer: dict[str, Any]) -> Answer:
    if answer.get("v") == 1 and "steps" in answer:
        return Answer.JAVASCRIPT
    if "structLogs" in answer:
        return Answer.STRUCT_LOGS
    if {"pre", "post"} <= answer.keys():
        return Answer.CHANGES
    if {"type", "from"} <= answer.keys():
        return Answer.CALLS
    if answer and all(re.fullmatch("0x[0-9a-fA-F]{40}", key) for key in answer):
        return Answer.BEFORE
    raise RecordError(
        "an answer is none of our tracer (`specminer tracer` prints it), structLogs, callTracer or prestateTracer"
    )
