"""From the runs of a function to its paths, its clauses and the cause of each rejection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from specminer.decision.call_runs import FunctionRuns
from specminer.decision.checks import check_of
from specminer.decision.clauses import ClauseDraft, ClauseWriter, RejectedPath
from specminer.decision.coding import coded_drafts
from specminer.decision.exploring import MAX_FORCED_OPCODES, BranchExplorer, Replays
from specminer.decision.idioms import RejectionIdiom
from specminer.decision.merging import merge
from specminer.decision.paths import MAX_OUTPUTS, Cause, Clause, ClauseKind, FunctionDecisions, Path, PathStep
from specminer.decision.readings import read_alike
from specminer.decision.sites import accepted_path, facts_of, find_loops
from specminer.decision.steps import StepReader, find_paths
from specminer.evm.halts import Halt
from specminer.shadow.arena import UNKNOWN

ALWAYS_REJECTS = "the code rejects every call that comes here; no decision leads elsewhere"
NO_FUNCTION = "the contract has no such function"
TOO_LARGE = "it was decided upon an expression that became too large"
UNTOLD = "accepted calls took the same decisions"


def decide(
    runs: FunctionRuns, replays: Replays | None = None, *, max_forced: int = MAX_FORCED_OPCODES
) -> FunctionDecisions:
    """Find what rejected the calls of a function, and what its code demands.

    Args:
        runs: the calls, executed alone.
        replays: what it takes to run them again, so that decisions can be forced; without it there are no coded
            clauses, and what qualifies a clause is told by accepted calls only.
        max_forced: opcodes that forced runs may take.

    """
    reader = StepReader(arena=runs.arena)
    paths, readings = read_alike(runs.arena, find_paths(runs, reader))
    runs = replace(runs, own_nodes=readings.own_nodes)
    accepted = [accepted_path(path) for path in paths if path.returned]
    loops = find_loops(path.visits for path in paths)
    explorer = None
    if replays is not None:
        explorer = BranchExplorer(
            runs=runs,
            reader=reader,
            readings=readings,
            replays=replays,
            accepted_sites=frozenset(
                step.site for path in paths if path.returned for step in path.visits if step.site[0]
            ),
            loops=loops,
            remaining_opcodes=max_forced,
            usual_conditions=frozenset(
                step.condition for path in paths if path.returned for step in path.steps
            ),
        )
    writer = ClauseWriter(runs=runs, accepted=accepted, explorer=explorer, loops=loops)
    required = _Rejections(runs=runs, writer=writer)
    for path in paths:
        if not path.returned:
            required.explain(path)
    drafts = [*required.drafts]
    if explorer is not None:
        drafts += coded_drafts(writer, explorer, [path for path in paths if path.returned], drafts)
    merged_clauses = merge(runs.arena, drafts, loops)
    calls = _Calls(runs)
    clauses = [_clause(calls, paths, draft) for draft in merged_clauses.drafts]
    causes = _causes(calls, paths, required, merged_clauses.position)
    return FunctionDecisions(
        runs=runs,
        paths=paths,
        clauses=tuple(clauses),
        causes=tuple(causes),
        untried_ways=() if explorer is None else tuple(explorer.untried_ways.values()),
    )


@dataclass(slots=True, kw_only=True)
class _Rejections:
    """Explains rejected paths one after another."""

    runs: FunctionRuns
    writer: ClauseWriter
    drafts: list[ClauseDraft] = field(default_factory=list)
    draft_of: dict[int, int] = field(default_factory=dict)
    """By position of the run."""
    reason_of: dict[int, str] = field(default_factory=dict)

    def explain(self, path: Path) -> None:
        """Find the clause that rejected the calls of a path."""
        draft_or_reason = self._find(path)
        for number in path.runs:
            if isinstance(draft_or_reason, str):
                self.reason_of[number] = draft_or_reason
                continue
            draft = self.drafts[draft_or_reason]
            draft.rejected_runs.append(number)
            if len(draft.outputs) < MAX_OUTPUTS:
                draft.outputs[self.runs.runs[number].output] = None
            self.draft_of[number] = draft_or_reason

    def _find(self, path: Path) -> int | str:
        steps, facts = path.steps, facts_of(path.steps)
        if not steps:
            return ALWAYS_REJECTS if path.found_function else NO_FUNCTION
        rejected = RejectedPath(steps=steps, run=path.runs[0], visits=path.visits)
        deciding = self._deciding(rejected)
        if deciding is None:
            return ALWAYS_REJECTS if path.found_function else NO_FUNCTION
        if steps[deciding].condition.node == UNKNOWN:
            return TOO_LARGE
        head = steps[deciding].condition.negation
        for number, draft in enumerate(self.drafts):
            if draft.conditions[0] == head and draft.violated_by(facts):
                return number
        conditions = self.writer.conditions(rejected, deciding)
        if conditions is None:
            return UNTOLD
        for number, draft in enumerate(self.drafts):
            if frozenset(draft.conditions) == frozenset(conditions):
                draft.each |= conditions[0] != head
                return number
        run = self.runs.runs[path.runs[0]]
        rejection = RejectionIdiom(
            output=run.output, invalid=run.halt is Halt.INVALID_OPCODE, enums=self.runs.enums
        )
        check = check_of(self.runs.arena, head, rejection)
        self.drafts.append(
            ClauseDraft(
                conditions=conditions,
                check=check,
                coded=False,
                site=steps[deciding].site,
                each=conditions[0] != head,
            )
        )
        return len(self.drafts) - 1

    def _deciding(self, path: RejectedPath) -> int | None:
        """Return the index of the step that rejected a path; ``None`` if none did."""
        explorer, steps = self.writer.explorer, path.steps
        if explorer is not None:
            observed = self._last_left_otherwise(steps)
            forced = explorer.deciding_step(path.run, path.flips, steps, observed=observed)
            if forced is not None:
                return forced
        last_step = self._last_told(path)
        return len(steps) - 1 if last_step is None and explorer is None else last_step

    def _last_left_otherwise(self, steps: Sequence[PathStep]) -> int | None:
        """Return the last step at whose site all accepted calls went the other way; ``None`` if there is none."""
        for index in range(len(steps) - 1, -1, -1):
            if self.writer.always_left_otherwise(steps[index]):
                return index
        return None

    def _last_told(self, path: RejectedPath) -> int | None:
        """Return the last step that an accepted call decided otherwise; ``None`` if there is none."""
        for index in range(len(path.steps) - 1, -1, -1):
            other = path.steps[index].condition.negation
            if any(item.decides(other) for item in self.writer.accepted):
                return index
        return None


def _clause(calls: _Calls, paths: tuple[Path, ...], draft: ClauseDraft) -> Clause:
    head = draft.conditions[0]
    passed = undecided = 0
    for path in paths:
        if path.returned:
            value = facts_of(path.steps).get(head.node)
            count = sum(calls.count_accepted(number) for number in path.runs)
            passed += count if value is head.holds else 0
            undecided += count if value is None else 0
    return Clause(
        conditions=draft.conditions,
        kind=ClauseKind.REQUIRED if draft.rejected_runs else ClauseKind.CODED,
        check=draft.check,
        rejected_calls=tuple(sorted(row for number in draft.rejected_runs for row in calls.rows(number))),
        pass_count=passed,
        undecided=undecided,
        outputs=tuple(islice(draft.outputs, MAX_OUTPUTS)),
        each=draft.each,
    )


class _Calls:
    """The calls that runs stand for: their own, and those that took the same path."""

    def __init__(self, runs: FunctionRuns) -> None:
        self._runs = runs.runs
        self._matched_rows: dict[int, list[int]] = defaultdict(list)
        for row, number in zip(runs.matched_rows.tolist(), runs.matched_run.tolist(), strict=True):
            self._matched_rows[number].append(row)

    def rows(self, number: int) -> list[int]:
        """Return the invocations that a run stands for."""
        return [self._runs[number].invocation, *self._matched_rows.get(number, ())]

    def count_accepted(self, number: int) -> int:
        """Return how many accepted calls a run stands for."""
        return len(self.rows(number)) if self._runs[number].accepted else 0


def _causes(
    calls: _Calls, paths: tuple[Path, ...], required: _Rejections, position: dict[int, int]
) -> list[Cause]:
    causes = []
    for number in (number for path in paths if not path.returned for number in path.runs):
        draft = required.draft_of.get(number)
        clause = None if draft is None else position[draft]
        reason = required.reason_of.get(number)
        causes += [Cause(invocation=row, clause=clause, reason=reason) for row in calls.rows(number)]
    return sorted(causes, key=lambda cause: cause.invocation)
