"""Reads saved answers of ``trace_block``, ``trace_transaction``, ``trace_filter`` and ``trace_replay*``.

Each trace is a call, which becomes one of an internal list; the answers to ``trace_replay*`` hold what a transaction
changed, too. They do not tell the block, so their calls are left: those of listed transactions are executed again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from specminer._support.errors import FileFormatError, plain
from specminer.history.trace import Hash
from specminer.sources.export_fields import Fields, RecordError, describe_value, read_bytes
from specminer.sources.export_rows import read_content
from specminer.sources.exported import ExportedCall, call_of, mark_undone_calls
from specminer.sources.saved_traces import read_documents
from specminer.sources.storage_diffs import StorageDiffs, add_evidence, diffs_of_state

_SHAPES: Final = re.compile(rb'"action"\s*:\s*\{|"stateDiff"\s*:\s*[{n]|"traceAddress"\s*:\s*\[')
_NO_CALLS: Final = ("reward", "genesis", "daofork")


@dataclass(slots=True, kw_only=True)
class NestedTraces:
    """What such answers hold."""

    calls: list[ExportedCall] = field(default_factory=list)
    diffs: StorageDiffs = field(default_factory=dict)
    unplaced: int = 0
    """Traces that do not tell their block."""


def is_nested_trace(head: bytes) -> bool:
    """Whether a text that begins so is JSON of such answers."""
    return head[:1] in (b"[", b"{") and _SHAPES.search(head) is not None


def read_nested(path: Path) -> NestedTraces:
    """Read answers: one, a list of them, or one on each line.

    Raises:
        FileFormatError: it cannot be read, is no JSON, is nested too deep, or holds something else.

    """
    name = plain(path)
    traces = NestedTraces()
    for where, document in read_documents(read_content(path), name):
        try:
            _collect(document, None, traces)
        except RecordError as error:
            raise FileFormatError(f"{name}{where}: {error}") from None
    traces.calls = mark_undone_calls(traces.calls)
    traces.calls.sort(
        key=lambda item: (item.block, -1 if item.index is None else item.index, item.trace or ())
    )
    return traces


def _collect(document: Any, transaction: Any, traces: NestedTraces) -> None:
    """Add what an answer, or a part of one, holds."""
    if isinstance(document, list):
        for item in document:
            _collect(item, transaction, traces)
        return
    if not isinstance(document, dict):
        raise RecordError(f"expected an object of a trace, got {describe_value(document)}")
    if "action" in document:
        _add_trace(document, transaction, traces)
        return
    if "result" in document:
        if document["result"] is not None:
            _collect(document["result"], transaction, traces)
        return
    if "error" in document and "jsonrpc" in document:
        return  # the node could not trace it
    if "stateDiff" not in document and "trace" not in document:
        raise RecordError("an object is neither a trace nor the answer to trace_replay*")
    transaction = document.get("transactionHash", transaction)
    if document.get("stateDiff") is not None:
        if transaction is None:
            raise RecordError(
                "a stateDiff does not say of which transaction it is (transactionHash); keep the answer to "
                "trace_replayBlockTransactions"
            )
        hash_ = Hash(read_bytes({"transactionHash": transaction}, "transactionHash", 32))
        for slot, evidence in diffs_of_state(document["stateDiff"]):
            add_evidence(traces.diffs, hash_, slot, evidence)
        traces.diffs.setdefault(hash_, {})
    if document.get("trace"):
        _collect(document["trace"], transaction, traces)


def _add_trace(document: dict[str, Any], transaction: Any, traces: NestedTraces) -> None:
    kind = document.get("type")
    if kind in _NO_CALLS:
        return
    hash_ = document.get("transactionHash", transaction)
    if document.get("blockNumber") is None or hash_ is None:
        traces.unplaced += 1
        return
    action, result = document["action"], document.get("result")
    if not isinstance(action, dict):
        raise RecordError(f"action should be an object, got {describe_value(action)}")
    traces.calls.append(call_of(_as_call(document, action, result, hash_), len(traces.calls) + 1))


def _as_call(document: dict[str, Any], action: dict[str, Any], result: Any, transaction: Any) -> Fields:
    """Return a trace as a record of an explorer's internal list."""
    kind, answer = document.get("type"), result if isinstance(result, dict) else {}
    fields: dict[str, Any] = {
        "hash": transaction,
        "blockNumber": document["blockNumber"],
        "transactionIndex": document.get("transactionPosition"),
        "from": action.get("from"),
        "to": action.get("to", ""),
        "value": action.get("value", "0x0"),
        "gas": action.get("gas"),
        "gasUsed": answer.get("gasUsed"),
        "input": action.get("input"),
        "type": action.get("callType", kind),
        "isError": "0" if document.get("error") in (None, "") else "1",
        "traceId": document.get("traceAddress"),
    }
    if kind == "create":
        method = action.get("creationMethod", "create")
        fields |= {"to": "", "input": action.get("init"), "contractAddress": answer.get("address")}
        fields["type"] = method
    elif kind in ("suicide", "selfdestruct"):
        fields |= {
            "from": action.get("address"),
            "to": action.get("refundAddress", ""),
            "type": "selfdestruct",
        }
        fields["value"] = action.get("balance", "0x0")
    return fields
