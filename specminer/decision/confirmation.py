"""Which calls executing them alone would prove: those that were, and those that took a proved path in every respect.

A call that was matched to a path decides as it did, and wrote what the path writes. It is confirmed if it also
accessed the slots that the path's expressions say, called the accounts that they say with the ether that they say, and
returned what the path always returns. Then every instruction did what was recorded. Calls of which an expression
cannot be read from columns are not confirmed: they have to be executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from specminer._support.texts import read_windows, sizes_of
from specminer.decision.call_columns import CallColumns, objects
from specminer.decision.call_runs import CallRun, FunctionRuns
from specminer.decision.feeds import Feed, FeedReader, gather
from specminer.decision.value_matching import CallValues
from specminer.decision.vectors import Value
from specminer.evm.frame import FrameKind
from specminer.evm.taped_instructions import is_precompiled
from specminer.evm.world import ADDRESS_MASK
from specminer.history.contract_history import MISSING, BoolColumn, History, RowColumn
from specminer.shadow.record import ShadowRecord

_TOGETHER: Final = 1 << 15
"""Calls that are looked at together: their values take memory."""
_DELEGATING: Final = (FrameKind.DELEGATECALL, FrameKind.CALLCODE)
_VALUED: Final = (FrameKind.CALL, FrameKind.CALLCODE, FrameKind.CREATE, FrameKind.CREATE2)


class _Claim(NamedTuple):
    """What the recording of a call has to hold, if the call took a path in every respect."""

    column: Feed
    node: int | None
    """What it has to be; ``None`` for ``value``."""
    value: int
    mask: int | None = None
    """The bits of the node that count; ``None`` for all."""


def confirmed_calls(history: History, runs: Sequence[FunctionRuns]) -> BoolColumn:
    """Return which invocations executing alone would prove, as far as runs and columns tell; shape (n,)."""
    is_confirmed = np.zeros(len(history), dtype=np.bool_)
    columns = CallColumns(history)
    for function in runs:
        is_confirmed[[run.invocation for run in function.runs if not run.inferred]] = True
        sure = ~np.isin(function.matched_rows, list(function.inferred))
        for number in np.unique(function.matched_run[sure]).tolist():
            run, rows = function.runs[number], function.matched_rows[sure & (function.matched_run == number)]
            for start in range(0, len(rows), _TOGETHER):
                part = rows[start : start + _TOGETHER]
                is_confirmed[part] = _confirm(history, columns, run, part)
    return is_confirmed


def _confirm(history: History, columns: CallColumns, run: CallRun, rows: RowColumn) -> BoolColumn:
    """Return which calls took the path of a run in every respect; shape (r,)."""
    record, answers = run.record, history.answers
    answered = answers is not None and answers.invocation_calls[run.invocation] != MISSING
    nothing = np.zeros(len(rows), dtype=np.bool_)
    if record.is_truncated or record.questions or record.output_varies or run.assuming:
        return nothing
    if record.accessed != len(record.access_slots) or (record.calls and not answered):
        return nothing
    claims = list(_claims(record))
    nodes = [item.node for item in claims if item.node is not None]
    nodes += [part[0] for _, part in record.output]
    reader, visited, feeds = FeedReader(record, answers_recorded=answered), set[int](), dict[int, Feed]()
    if not all(gather(record.arena, node, visited, reader, feeds) for node in nodes):
        return nothing
    values = CallValues(record.arena, feeds, columns, rows)
    right = columns.asks_nothing(rows) & _returned_as_recorded(history, run, values)
    for claim in claims:
        expected = claim.value if claim.node is None else values.value(claim.node)
        if claim.mask is not None:
            expected = expected & claim.mask
        if claim.column.kind == "fixed":
            right &= np.equal(expected, claim.value).astype(np.bool_)
        else:
            recorded, is_recorded = columns.column(claim.column, rows)
            right &= is_recorded & np.equal(recorded, expected).astype(np.bool_)
    return right & values.is_known


def _returned_as_recorded(history: History, run: CallRun, values: CallValues) -> BoolColumn:
    """Return of which calls the output is recorded that a path ends with; shape (r,)."""
    size = 8 * len(run.output)
    expected: Value = int.from_bytes(run.output, "big")
    for start, (node, first, count) in run.record.output:
        shift, ones = size - 8 * (start + count), (1 << 8 * count) - 1
        part = (values.value(node) >> 8 * (32 - first - count)) & ones
        expected = (expected & ~(ones << shift)) | (part << shift)
    length = len(run.output)
    has_size: BoolColumn = np.equal(sizes_of(history.invocation_output)[values.rows], length)
    if not length:
        return has_size
    recorded = read_windows(history.invocation_output, values.rows, 0, length).tobytes()
    outputs = objects(
        [int.from_bytes(recorded[at : at + length], "big") for at in range(0, len(recorded), length)]
    )
    return has_size & np.equal(outputs, expected).astype(np.bool_)


def _claims(record: ShadowRecord) -> Iterator[_Claim]:
    """Yield what has to be recorded of a call that took the path of a run."""
    for number, (node, slot) in enumerate(record.access_slots):
        yield _Claim(Feed("slot", number), node, slot)
    outside = 0
    for call in record.calls:
        creates = call.kind.creates
        if not is_precompiled(call.to) and (
            call.kind in _DELEGATING or (call.to == record.contract and not creates)
        ):
            yield _Claim(Feed("fixed", call.to), call.to_node, call.to, ADDRESS_MASK)
            continue
        if not creates:
            yield _Claim(Feed("call_to", outside), call.to_node, call.to, ADDRESS_MASK)
        if call.kind in _VALUED:
            yield _Claim(Feed("call_value", outside), call.value_node, call.value)
        yield _Claim(Feed("call_kind", outside), None, int(call.kind))
        outside += 1
