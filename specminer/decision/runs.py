"""Recorded calls, executed alone under the shadow: what each of them decided, wrote, logged and called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer.decision.call_columns import CallColumns
from specminer.decision.code_numbers import CodeNumbers
from specminer.decision.doubtful_calls import DoubtfulCalls, EndedRun
from specminer.decision.feeds import Feed
from specminer.decision.likeness import Likeness, spread
from specminer.decision.matching import KnownPath, known_path, match_calls
from specminer.decision.recordings import UNKNOWN_READ, NotRecorded, RecordedCall, Recordings
from specminer.decoding.context import HistoryContext
from specminer.evm.alone import Pursuit, pursue
from specminer.evm.halts import Halt
from specminer.evm.instructions.taped import taped_instructions
from specminer.evm.recorder import MAX_RECORDED
from specminer.evm.shadow.arena import Arena
from specminer.evm.shadow.observer import Shadow
from specminer.evm.shadow.record import ShadowRecord
from specminer.history import MISSING, RETURNED, IntColumn, RowColumn

BOUND: Final = 8
"""Calls of one kind that are executed: of one function, ended in one way, with accesses and answers of one shape."""
MAX_EXECUTED: Final = 2_000
"""Calls of one function that are executed."""
_SLOT: Final = re.compile("slot 0x[0-9a-f]+")


def _nothing() -> RowColumn:
    return np.zeros(0, dtype=np.int32)


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
    code: int = 0
    """Number of the code that ran, the same for all functions of a history; 0 for creations. Codes that differ in their
    constants only have one number."""
    feeds: Mapping[int, Feed] = field(default_factory=dict)
    """Where calls that took the same path have its sources, by node; empty if no call can be matched to it."""


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
    """Calls that were neither executed nor matched to the path of one that was, because of the bound."""
    matched: RowColumn = field(default_factory=_nothing)
    """Rows of calls that took the same path as an executed one, ascending; shape (m,)."""
    matched_run: RowColumn = field(default_factory=_nothing)
    """Position in ``runs`` of a call whose path it was; shape (m,)."""
    enums: frozenset[int] = frozenset()
    """Where in the data of the calls arguments stand that are values of enums, as far as the ABI says so."""
    own_nodes: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    """By position in ``runs``: from expressions that stand for those of several runs to the run's own; to 0 where it
    has more than one."""


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
        self._matched: list[tuple[RowColumn, IntColumn]] = []
        self._doubtful: list[int] = []
        """Rejected calls that read values which are not known."""

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
        for group, chosen in zip(groups, first, strict=True):
            left -= self._exhaust(group, chosen, left)
        self._match_doubtful()
        return self._told(len(rows))

    def _exhaust(self, rows: RowColumn, chosen: RowColumn, most: int) -> int:
        """Execute some calls of a group, then more of those that took none of the paths; return how many more."""
        more = 0
        while len(chosen):
            before = len(self._runs)
            paths = [path for row in chosen.tolist() if (path := self._execute(row)) is not None]
            rows = np.setdiff1d(rows, chosen, assume_unique=True)
            if len(self._runs) == before or not len(rows):
                break
            rows = self._match(paths, rows)
            chosen = spread([rows], self._tools.bound, most - more)[0]
            more += len(chosen)
        return more

    def _match(self, paths: list[KnownPath], rows: RowColumn) -> RowColumn:
        """Match calls to paths; return those that took none of them."""
        history = self._tools.context.history
        taken = match_calls(paths, self._arena, self._tools.columns, history, rows)
        found = taken != MISSING
        self._matched.append((rows[found], taken[found]))
        left: RowColumn = rows[~found]
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
        runs = [
            EndedRun(number=number, invocation=run.invocation, record=run.record, feeds=run.feeds)
            for number, run in enumerate(self._runs)
            if run.feeds and not run.assuming
        ]
        rows, tools = np.array(sorted(self._doubtful), dtype=np.int32), self._tools
        if not len(rows) or not tools.likeness.run_one_code(
            [*rows.tolist(), *(run.invocation for run in runs)]
        ):
            return
        taken = DoubtfulCalls(runs, self._arena, tools.columns, tools.context.history, rows).matches()
        found = taken != MISSING
        if found.any():
            self._unproved[UNKNOWN_READ] -= int(found.sum())
            self._unproved += Counter()  # without what is none
            self._matched.append((rows[found], taken[found]))

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

    def _told(self, count: int) -> FunctionRuns:
        """Return what came of so many calls, the runs in chain order."""
        runs = self._runs
        order = sorted(range(len(runs)), key=lambda number: runs[number].invocation)
        place = np.zeros(len(runs), dtype=np.int32)
        place[order] = np.arange(len(runs), dtype=np.int32)
        matched = np.concatenate([np.zeros(0, dtype=np.int32), *(rows for rows, _ in self._matched)])
        taken = np.concatenate([np.zeros(0, dtype=np.int64), *(numbers for _, numbers in self._matched)])
        ascending = np.argsort(matched)
        return FunctionRuns(
            function=self._function,
            arena=self._arena,
            runs=tuple(runs[number] for number in order),
            unproved=dict(self._unproved),
            unpursued=count - len(runs) - sum(self._unproved.values()) - len(matched),
            matched=matched[ascending],
            matched_run=place[taken[ascending]],
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
