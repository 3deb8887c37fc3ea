"""Recorded calls, executed alone under the shadow: what each of them decided, wrote, logged and called."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decision.recordings import NotRecorded, RecordedCall, Recordings
from specminer.decoding.context import HistoryContext
from specminer.evm.alone import Pursuit, pursue
from specminer.evm.halts import Halt
from specminer.evm.instructions.taped import taped_instructions
from specminer.evm.recorder import MAX_RECORDED
from specminer.evm.shadow.arena import Arena
from specminer.evm.shadow.observer import Shadow
from specminer.evm.shadow.record import ShadowRecord
from specminer.history import RETURNED, RowColumn

BOUND: Final = 24
"""Calls of one kind that are executed: of one function, ended in one way, with accesses and answers of one shape."""
MAX_EXECUTED: Final = 2_000
"""Calls of one function that are executed."""
_SLOT: Final = re.compile("slot 0x[0-9a-f]+")
_ERROR_WITH_TEXT: Final = bytes.fromhex("08c379a0")
_LONGEST_REASON: Final = 132
"""Bytes of an answer with a text that is compared as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRun:
    """One recorded call, executed alone and proved to be the recorded execution."""

    invocation: int
    """Row in the history."""
    record: ShadowRecord
    """Its decisions and effects, with what their sources held."""
    halt: Halt | None
    """How it ended without success; ``None`` if it returned. It never ran out of gas."""
    output: bytes
    """What it returned or reverted with."""
    accepted: bool
    """Whether its effects lasted; if not, the contract's own code rejected it."""
    assuming: bool = False
    """Whether answers of other contracts were not recorded, and taken to be empty; the call then ended as recorded."""
    variant: int = 0
    """Which of :attr:`RecordedCall.variants` it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRuns:
    """The runs of one function."""

    function: int
    """Position in ``context.calls.functions``."""
    arena: Arena
    """Holds the expressions of all runs; equal ones are one node."""
    runs: tuple[CallRun, ...]
    """In chain order."""
    unproved: Mapping[str, int]
    """How many calls could not be executed alone, by the reason."""
    unpursued: int
    """Calls that were not executed, because others like them were."""


def run_calls(
    context: HistoryContext, *, bound: int = BOUND, most: int = MAX_EXECUTED
) -> tuple[FunctionRuns, ...]:
    """Execute calls of each function alone; those that were rolled back by a caller, and read-only ones, are left out.

    Args:
        context: the history.
        bound: how many calls are executed of those that are alike in function, outcome, reason, and in the shape of
            their accesses and answers; they are spread evenly over the history.
        most: how many calls of one function are executed at most.

    Returns:
        The functions that were called, by their number.

    """
    recordings = Recordings(context.history)
    function = context.calls.function
    rows = np.flatnonzero(context.is_event).astype(np.int32)
    found = []
    for number in np.unique(function[rows]).tolist():
        own = rows[function[rows] == number]
        chosen = _spread(_alike(context, own), bound, most)
        found.append(_run_function(context, recordings, number, chosen, len(own) - len(chosen)))
    return tuple(found)


def _alike(context: HistoryContext, rows: RowColumn) -> Iterator[list[int]]:
    """Yield groups of calls that are alike."""
    history, answers = context.history, context.history.answers
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    firsts = np.searchsorted(history.access_invocation, rows)
    lasts = np.searchsorted(history.access_invocation, rows, side="right")
    written = history.access_write.tobytes()
    succeeded, called = b"", np.zeros((2, len(rows)), dtype=np.int64)
    if answers is not None:
        succeeded = answers.call_succeeded.tobytes()
        called = np.stack([np.searchsorted(answers.call_invocation, rows, side=s) for s in ("left", "right")])
    for row, outcome, first, last, start, end in zip(
        rows.tolist(),
        history.invocation_outcome[rows].tolist(),
        firsts.tolist(),
        lasts.tolist(),
        *called.tolist(),
        strict=True,
    ):
        output = history.invocation_output[row]
        texted = output[:4] == _ERROR_WITH_TEXT and len(output) <= _LONGEST_REASON
        reason = output if texted else output[:4]
        groups[
            outcome, b"" if outcome == RETURNED else reason, written[first:last], succeeded[start:end]
        ].append(row)
    yield from groups.values()


def _spread(groups: Iterator[list[int]], bound: int, most: int) -> list[int]:
    """Return rows out of each group, spread evenly over it, ascending."""
    chosen = []
    for rows in groups:
        count = min(bound, len(rows))
        chosen.append([rows[number * (len(rows) - 1) // max(1, count - 1)] for number in range(count)])
    while sum(map(len, chosen)) > most and any(len(rows) > 1 for rows in chosen):
        chosen = [rows[::2] for rows in chosen]  # groups that are large stay the larger ones
    return sorted([row for rows in chosen for row in rows][:most])


def _run_function(
    context: HistoryContext, recordings: Recordings, function: int, rows: Sequence[int], unpursued: int
) -> FunctionRuns:
    arena, accepted = Arena(), context.history.accepted
    runs: list[CallRun] = []
    unproved: Counter[str] = Counter()
    for row in rows:
        try:
            call = recordings.of(row)
        except NotRecorded as lack:
            unproved[str(lack)] += 1
            continue
        execution = execute_alone(call, arena)
        record, pursuit = execution.record, execution.pursuit
        if record is None or pursuit.reason is not None:
            unproved[_SLOT.sub("slot", pursuit.reason or "nothing ran")] += 1
            continue
        runs.append(
            CallRun(
                invocation=row,
                record=record,
                halt=pursuit.halt,
                output=pursuit.output,
                accepted=bool(accepted[row]),
                assuming=pursuit.assuming,
                variant=execution.variant,
            )
        )
    return FunctionRuns(
        function=function, arena=arena, runs=tuple(runs), unproved=dict(unproved), unpursued=unpursued
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What came of executing a call alone."""

    record: ShadowRecord | None
    """What the shadow tells; ``None`` if nothing ran."""
    pursuit: Pursuit
    variant: int
    """Which of :attr:`RecordedCall.variants` was executed."""


def execute_alone(call: RecordedCall, arena: Arena) -> Execution:
    """Execute a call alone under the shadow: the variant that is proved, else the likeliest one."""
    first: Execution | None = None
    for variant, (fork, recording) in enumerate(call.variants):
        shadow = Shadow({recording.contract}, arena, room=MAX_RECORDED, foundation=taped_instructions)
        pursuit = pursue(recording, fork, call.block, call.codes, observer=shadow)
        record = shadow.records[0] if shadow.records else None
        if pursuit.proved and record is not None and _is_unsure(call, record):
            pursuit = Pursuit(reason="it decides upon gas left, which was not recorded")
        elif pursuit.assuming and not pursuit.proved:
            pursuit = Pursuit(reason="it makes calls whose answers were not recorded")
        execution = Execution(record=record, pursuit=pursuit, variant=variant)
        if pursuit.proved:
            return execution
        first = first or execution
    assert first is not None, "there are always rules and a recording"
    return first


def _is_unsure(call: RecordedCall, record: ShadowRecord) -> bool:
    """Return whether a call decided upon gas left that is its own, not the recorded."""
    if call.recordings[0].gas_left:
        return False
    arena = record.arena
    return any(
        arena.kind(source) == "gas"
        for node in {item.condition for item in record.decisions}
        for source in arena.sources(node)
    )
