"""Recorded calls, executed alone under the shadow: what each of them decided, wrote, logged and called."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer.decision.call_columns import CallColumns
from specminer.decision.call_runs import CallRun, FunctionRuns, Inference
from specminer.decision.code_numbers import CodeNumbers
from specminer.decision.doubtful_calls import DoubtfulCalls, EndedRun
from specminer.decision.inferred_calls import InferredCalls, InferredWay
from specminer.decision.likeness import Likeness, spread
from specminer.decision.recordings import UNKNOWN_READ, NotRecorded, RecordedCall, Recordings
from specminer.decision.value_matching import KnownPath, known_path, match_calls
from specminer.decoding.history_context import HistoryContext
from specminer.evm.alone import Pursuit, pursue
from specminer.evm.execution_recorder import MAX_RECORDED
from specminer.evm.taped_instructions import taped_instructions
from specminer.history.contract_history import MISSING, RETURNED, IntColumn, RowColumn
from specminer.shadow.arena import Arena
from specminer.shadow.observer import Shadow
from specminer.shadow.record import ShadowRecord

BOUND: Final = 8
"""Calls of one kind that are executed: of one function, ended in one way, with accesses and answers of one shape."""
MAX_EXECUTED: Final = 2_000
"""Calls of one function that are executed."""
_SLOT: Final = re.compile("slot 0x[0-9a-f]+")


def run_calls(
    context: HistoryContext, *, bound: int = BOUND, most: int = MAX_EXECUTED
) -> tuple[FunctionRuns, ...]:
    """Execute calls of each function alone; those that were rolled back by a caller, and read-only ones, are left out.

    Calls that are alike from outside are executed only in part; the others are matched to the paths that these took.
    Of those that took none of them, more are executed, until nothing is left or ``most`` is reached.

    Args:
        context: the history.
        bound: how many calls are executed at a time of those that are alike in function, outcome, reason, and in the
            shape of their accesses and answers; they are spread evenly over the history.
        most: how many calls of one function are executed at most.

    Returns:
        The functions that were called, by their number.

    """
    tools = _Tools(
        context=context,
        recordings=Recordings(context.history),
        columns=CallColumns(context.history),
        likeness=Likeness(context.history),
        bound=bound,
    )
    function = context.calls.function
    rows = np.flatnonzero(context.is_event).astype(np.int32)
    return tuple(
        _FunctionRunner(tools, number).run(rows[function[rows] == number], most)
        for number in np.unique(function[rows]).tolist()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tools:
    """What running the calls of a history takes."""

    context: HistoryContext
    recordings: Recordings
    columns: CallColumns
    likeness: Likeness
    bound: int
    codes: CodeNumbers = field(default_factory=CodeNumbers)


class _FunctionRunner:
    """Executes and matches the calls of one function."""

    def __init__(self, tools: _Tools, function: int) -> None:
        self._tools = tools
        self._function = function
        self._arena = Arena()
        self._runs: list[CallRun] = []
        self._unproved: Counter[str] = Counter()
        self._matched_runs: list[tuple[RowColumn, IntColumn]] = []
        self._doubtful: list[int] = []
        """Rejected calls that read values which are not known."""
        self._inferred: dict[int, Inference] = {}

    def run(self, rows: RowColumn, most: int) -> FunctionRuns:
        """Run the calls in some rows; of them at most so many are executed."""
        groups = []
        for group in self._tools.likeness.groups(rows):
            lack = self._tools.recordings.lack(int(group[0]))
            if lack is None:
                group = self._set_aside(group)
                groups += [group] if len(group) else []
            else:
                self._unproved[lack] += len(group)
        first = spread(groups, self._tools.bound, most)
        left = most - sum(map(len, first))
        for group, samples in zip(groups, first, strict=True):
            left -= self._exhaust(group, samples, left)
        self._match_doubtful()
        return self._assemble_runs(len(rows))

    def _exhaust(self, rows: RowColumn, samples: RowColumn, most: int) -> int:
        """Execute some calls of a group, then more of those that took none of the paths; return how many more."""
        more = 0
        while len(samples):
            before = len(self._runs)
            paths = [path for row in samples.tolist() if (path := self._execute(row)) is not None]
            rows = np.setdiff1d(rows, samples, assume_unique=True)
            if len(self._runs) == before or not len(rows):
                break
            rows = self._match(paths, rows)
            samples = spread([rows], self._tools.bound, most - more)[0]
            more += len(samples)
        return more

    def _match(self, paths: list[KnownPath], rows: RowColumn) -> RowColumn:
        """Match calls to paths; return those that took none of them."""
        history = self._tools.context.history
        run_numbers = match_calls(paths, self._arena, self._tools.columns, history, rows)
        is_matched = run_numbers != MISSING
        self._matched_runs.append((rows[is_matched], run_numbers[is_matched]))
        left: RowColumn = rows[~is_matched]
        return left

    def _set_aside(self, rows: RowColumn) -> RowColumn:
        """Return the calls of a group without those that read values which are not known."""
        doubtful = rows[self._tools.likeness.reads_unknown(rows)]
        if not len(doubtful):
            return rows
        self._unproved[UNKNOWN_READ] += len(doubtful)
        if self._tools.context.history.invocation_outcome[doubtful[0]] != RETURNED:
            self._doubtful += doubtful.tolist()
        left: RowColumn = np.setdiff1d(rows, doubtful, assume_unique=True)
        return left

    def _match_doubtful(self) -> None:
        """Match rejected calls that read values which are not known, as far as the rest tells their paths."""
        rows = np.array(sorted(self._doubtful), dtype=np.int32)
        if not len(rows):
            return
        run_numbers = self._taken_of_doubtful(rows)
        is_matched = run_numbers != MISSING
        self._matched_runs.append((rows[is_matched], run_numbers[is_matched]))
        self._inferred |= dict.fromkeys(rows[is_matched].tolist(), Inference.WAY)
        self._infer(rows[~is_matched])
        self._unproved[UNKNOWN_READ] -= len(self._inferred)
        self._unproved += Counter()  # without what is none

    def _taken_of_doubtful(self, rows: RowColumn) -> IntColumn:
        """Return the number of the run whose path each of these calls must have taken, or ``MISSING``; shape (r,)."""
        runs = [
            EndedRun(number=number, invocation=run.invocation, record=run.record, feeds=run.feeds)
            for number, run in enumerate(self._runs)
            if run.feeds and not run.assuming
        ]
        tools = self._tools
        if not tools.likeness.run_one_code([*rows.tolist(), *(run.invocation for run in runs)]):
            return np.full(len(rows), MISSING, dtype=np.int64)
        return DoubtfulCalls(runs, self._arena, tools.columns, tools.context.history, rows).matches()

    def _infer(self, rows: RowColumn) -> None:
        """Infer the ways of calls that read values which are not known, whether others went them or not."""
        tools = self._tools
        calls = InferredCalls(tools.context.history, tools.recordings, self._arena)
        numbers: dict[object, int] = {}
        for number, run in enumerate(self._runs):
            numbers.setdefault((run.code, calls.key(run.record, run.halt)), number)
        for row in rows.tolist():
            way = calls.way(row)
            if way is None:
                continue
            code = tools.codes.number(way.call.codes, way.run.record)
            number = numbers.setdefault((code, way.key), len(self._runs))
            self._inferred[row] = way.inference
            if number < len(self._runs):
                run_numbers = np.array([number], dtype=np.int64)
                self._matched_runs.append((np.array([row], dtype=np.int32), run_numbers))
            else:
                self._runs.append(inferred_run(row, way, code))

    def _execute(self, row: int) -> KnownPath | None:
        """Execute a call; return the path that it took, if others can be matched to it."""
        history = self._tools.context.history
        try:
            call = self._tools.recordings.of(row)
        except NotRecorded as lack:
            self._unproved[str(lack)] += 1
            return None
        execution = execute_alone(call, self._arena)
        record, pursuit = execution.record, execution.pursuit
        if record is None or pursuit.reason is not None:
            self._unproved[_SLOT.sub("slot", pursuit.reason or "nothing ran")] += 1
            return None
        record.source(call.block.number, "block")  # versions of the code are told apart by it
        creates = call.recordings[0].kind.creates
        path = None  # of a creation: what its arguments are is not told by columns
        if not creates:
            path = known_path(
                record,
                len(self._runs),
                written=history.access_write[history.accesses(row)].tolist(),
                recorded=call.recordings[0].answers is not None,
            )
        self._runs.append(
            CallRun(
                invocation=row,
                record=record,
                halt=pursuit.halt,
                output=pursuit.output,
                accepted=bool(history.accepted[row]),
                assuming=pursuit.assuming,
                variant=execution.variant,
                code=0 if creates else self._tools.codes.number(call.codes, record),
                feeds={} if path is None else path.feeds,
            )
        )
        return path

    def _assemble_runs(self, count: int) -> FunctionRuns:
        """Return what came of so many calls, the runs in chain order."""
        runs = self._runs
        order = sorted(range(len(runs)), key=lambda number: runs[number].invocation)
        rank = np.zeros(len(runs), dtype=np.int32)
        rank[order] = np.arange(len(runs), dtype=np.int32)
        matched = np.concatenate([np.zeros(0, dtype=np.int32), *(rows for rows, _ in self._matched_runs)])
        run_numbers = np.concatenate(
            [np.zeros(0, dtype=np.int64), *(numbers for _, numbers in self._matched_runs)]
        )
        ascending = np.argsort(matched)
        return FunctionRuns(
            function=self._function,
            arena=self._arena,
            runs=tuple(runs[number] for number in order),
            unproved=dict(self._unproved),
            unpursued=count - len(runs) - sum(self._unproved.values()) - len(matched),
            matched_rows=matched[ascending],
            matched_run=rank[run_numbers[ascending]],
            inferred=self._inferred,
        )


def inferred_run(invocation: int, way: InferredWay, code: int) -> CallRun:
    """Return the run of a call whose way is inferred; of values that are not known it says nothing."""
    return CallRun(
        invocation=invocation,
        record=way.known_record(),
        halt=way.run.halt,
        output=way.output,
        accepted=False,
        variant=way.variant,
        inferred=True,
        code=code,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoneExecution:
    """What came of executing a call alone."""

    record: ShadowRecord | None
    """What the shadow tells; ``None`` if nothing ran."""
    pursuit: Pursuit
    variant: int
    """Which of :attr:`RecordedCall.variants` was executed."""


def execute_alone(call: RecordedCall, arena: Arena) -> LoneExecution:
    """Execute a call alone under the shadow: the variant that is proved, else the likeliest one."""
    first: LoneExecution | None = None
    for variant, (fork, recording) in enumerate(call.variants):
        shadow = Shadow({recording.contract}, arena, room=MAX_RECORDED, foundation=taped_instructions)
        pursuit = pursue(recording, fork, call.block, call.codes, observer=shadow)
        record = shadow.records[0] if shadow.records else None
        if pursuit.proved and record is not None and _is_unsure(call, record):
            pursuit = Pursuit(reason="it decides upon gas left, which was not recorded")
        elif pursuit.assuming and not pursuit.proved:
            pursuit = Pursuit(reason="it makes calls whose answers were not recorded")
        execution = LoneExecution(record=record, pursuit=pursuit, variant=variant)
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
