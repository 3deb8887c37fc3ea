"""Versions of a contract's code: what each of them demands is found by itself, and told with when it ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from specminer.decision.call_runs import FunctionRuns
from specminer.decision.deciding import decide
from specminer.decision.exploring import MAX_FORCED_OPCODES, Replays
from specminer.decision.implications import all_imply
from specminer.decision.paths import (
    MAX_OUTPUTS,
    Cause,
    Clause,
    ClauseKind,
    FunctionDecisions,
    Path,
    PathCondition,
    PathStep,
)
from specminer.shadow.arena import UNKNOWN, Arena

MAX_VERSIONS: Final = 8
"""Versions of one function that are looked at by themselves."""
NOT_TOLD: Final = "no block tells the version of the code whose condition it was from the others"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSpans:
    """In which blocks each version of the code ran, by its number in :attr:`CallRun.code`."""

    first: Mapping[int, int]
    last: Mapping[int, int]

    def in_order(self, codes: Iterable[int]) -> tuple[int, ...] | None:
        """Return some versions in the order in which they ran; ``None`` if some ran in turns, or one is not known."""
        distinct = set(codes)
        if not distinct <= self.first.keys():
            return None
        order = sorted(distinct, key=lambda code: (self.first[code], self.last[code]))
        in_turns = any(self.last[one] > self.first[other] for one, other in pairwise(order))
        return None if in_turns else tuple(order)


def spans_of(ran: Iterable[tuple[int, int]]) -> CodeSpans:
    """Return the spans of versions from pairs: a version, and a block in which it ran."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for code, block in ran:
        first[code] = min(first.get(code, block), block)
        last[code] = max(last.get(code, block), block)
    return CodeSpans(first=first, last=last)


def decide_by_version(
    runs: FunctionRuns,
    spans: CodeSpans,
    replays: Replays | None = None,
    *,
    max_forced: int = MAX_FORCED_OPCODES,
) -> FunctionDecisions:
    """Find what rejected the calls of a function, and what each version of its code demands.

    Args:
        runs: the calls, executed alone.
        spans: when the versions ran.
        replays: as in :func:`decide`.
        max_forced: opcodes that forced runs may take, those of all versions together.

    """
    order = spans.in_order(run.code for run in runs.runs)
    if order is None or not 1 < len(order) <= MAX_VERSIONS:
        return decide(runs, replays, max_forced=max_forced)
    parts = [_Part.of(runs, code, replays, max_forced // len(order)) for code in order]
    return _Joining(runs, spans, parts).join()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What the calls of one version decided."""

    code: int
    decisions: FunctionDecisions
    run_positions: tuple[int, ...]
    """Where its runs stand among those of the function."""
    accepted: int
    """How many accepted calls its paths stand for."""

    @classmethod
    def of(cls, runs: FunctionRuns, code: int, replays: Replays | None, max_forced: int) -> _Part:
        numbers = [number for number, run in enumerate(runs.runs) if run.code == code]
        new = np.full(len(runs.runs) + 1, -1, dtype=np.int32)
        new[numbers] = np.arange(len(numbers), dtype=np.int32)
        is_own = new[runs.matched_run] >= 0
        own = replace(
            runs,
            runs=tuple(runs.runs[number] for number in numbers),
            matched_rows=runs.matched_rows[is_own],
            matched_run=new[runs.matched_run[is_own]],
        )
        decisions = decide(own, replays, max_forced=max_forced)
        accepted = sum(run.accepted for run in own.runs)
        accepted += sum(own.runs[number].accepted for number in own.matched_run.tolist())
        return cls(code=code, decisions=decisions, run_positions=tuple(numbers), accepted=accepted)

    def rows(self, runs: Iterable[int]) -> Iterator[int]:
        """Yield the invocations that some of its runs stand for."""
        own = self.decisions.runs
        run_numbers = set(runs)
        yield from (own.runs[number].invocation for number in run_numbers)
        for row, number in zip(own.matched_rows.tolist(), own.matched_run.tolist(), strict=True):
            if number in run_numbers:
                yield row


class _Joining:
    """Joins what the versions of a function's code demand, which are in the order in which they ran."""

    def __init__(self, runs: FunctionRuns, spans: CodeSpans, parts: Sequence[_Part]) -> None:
        self._runs = runs
        self._spans = spans
        self._parts = parts
        self._clauses: list[Clause] = []
        self._position: dict[tuple[int, int], int] = {}
        """From a part, and a clause of its own, to where that clause is now."""
        self._ranges: list[tuple[int, int]] = []
        """Of each clause the first and the last part that demand it."""
        self._stopped_by: dict[int, int] = {}
        """Clauses that only calls of other versions told, by the calls that they rejected."""

    def join(self) -> FunctionDecisions:
        """Return the decisions of all versions."""
        for conditions, clauses_of_part in self._alike().items():
            for first, last in self._groups(conditions, sorted(clauses_of_part)):
                self._add(
                    conditions,
                    {part: clauses_of_part[part] for part in clauses_of_part if first <= part <= last},
                    first,
                    last,
                )
        self._explain()
        order = sorted(
            range(len(self._clauses)),
            key=lambda number: (
                not self._clauses[number].rejected_calls,
                -len(self._clauses[number].rejected_calls),
                number,
            ),
        )
        rank = {number: index for index, number in enumerate(order)}
        own_nodes = {
            part.run_positions[number]: nodes
            for part in self._parts
            for number, nodes in part.decisions.runs.own_nodes.items()
        }
        return FunctionDecisions(
            runs=replace(self._runs, own_nodes=own_nodes),
            paths=tuple(
                replace(path, runs=tuple(part.run_positions[number] for number in path.runs))
                for part in self._parts
                for path in part.decisions.paths
            ),
            clauses=tuple(self._clauses[number] for number in order),
            causes=tuple(sorted(self._causes(rank), key=lambda cause: cause.invocation)),
            untried_ways=tuple(
                replace(way, run=part.run_positions[way.run])
                for part in self._parts
                for way in part.decisions.untried_ways
            ),
        )

    def _alike(self) -> dict[tuple[PathCondition, ...], dict[int, list[int]]]:
        """Return for each clause which versions have it, and where among their own clauses."""
        first_conditions: dict[object, tuple[PathCondition, ...]] = {}
        clauses_of_parts: dict[tuple[PathCondition, ...], dict[int, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for number, part in enumerate(self._parts):
            for position, clause in enumerate(part.decisions.clauses):
                key = frozenset(clause.conditions), clause.each
                clauses_of_parts[first_conditions.setdefault(key, clause.conditions)][number].append(position)
        return clauses_of_parts

    def _groups(
        self, conditions: tuple[PathCondition, ...], holders: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        """Yield the first and the last of neighbouring versions that demand a clause; others are between groups."""
        demands = [
            number in holders or self._demands(part, conditions) for number, part in enumerate(self._parts)
        ]
        start = None
        for number in range(len(demands) + 1):
            if number < len(demands) and demands[number]:
                start = number if start is None else start
            elif start is not None:
                if any(start <= holder < number for holder in holders):
                    yield start, number - 1
                start = None

    def _demands(self, part: _Part, conditions: tuple[PathCondition, ...]) -> bool:
        """Return whether a version demands a clause that is not its own: it demands more, or accepted nothing."""
        arena = self._runs.arena
        return not part.accepted or any(
            all_imply(arena, clause.conditions, conditions) for clause in part.decisions.clauses
        )

    def _add(
        self,
        conditions: tuple[PathCondition, ...],
        clauses_of_part: Mapping[int, Sequence[int]],
        first: int,
        last: int,
    ) -> None:
        """Add a clause that the versions from the first to the last demand, and those before and behind do not."""
        own = [(number, position) for number in clauses_of_part for position in clauses_of_part[number]]
        clauses = [self._parts[number].decisions.clauses[position] for number, position in own]
        others = sum(
            part.accepted for number, part in enumerate(self._parts) if number not in clauses_of_part
        )
        required = any(clause.kind is ClauseKind.REQUIRED for clause in clauses)
        best = next(item for item in clauses if (item.kind is ClauseKind.REQUIRED) is required)
        since, until = self._limits(first, last)
        limits = _limits_of(self._runs.arena, since, until)
        if limits is None:
            return
        for key in own:
            self._position[key] = len(self._clauses)
        self._ranges.append((first, last))
        self._clauses.append(
            replace(
                best,
                conditions=(*conditions, *limits),
                rejected_calls=tuple(sorted(row for clause in clauses for row in clause.rejected_calls)),
                pass_count=sum(clause.pass_count for clause in clauses),
                undecided=others + sum(clause.undecided for clause in clauses),
                outputs=tuple(dict.fromkeys(item for clause in clauses for item in clause.outputs))[
                    :MAX_OUTPUTS
                ],
                since=since,
                until=until,
            )
        )

    def _limits(self, first: int, last: int) -> tuple[int | None, int | None]:
        """Return the first block of the first version, and the first one behind the last version.

        A block in which a version and the one before it ran counts as the earlier one's.
        """
        first_block, last_block = self._spans.first, self._spans.last
        codes = [part.code for part in self._parts]
        since = max(first_block[codes[first]], last_block[codes[first - 1]] + 1) if first else None
        until = None
        if last + 1 < len(codes):
            until = first_block[codes[last + 1]]
        return since, until

    def _explain(self) -> None:
        """Find the clauses of rejected calls of a version in which nothing leads elsewhere: no call was accepted."""
        for number, part in enumerate(self._parts):
            unexplained = {cause.invocation for cause in part.decisions.causes if cause.clause is None}
            for path in part.decisions.paths if unexplained else ():
                rows = unexplained.intersection(part.rows(path.runs))
                position = self._violated_clause(number, path) if rows and not path.returned else None
                if position is not None:
                    self._stopped_by |= dict.fromkeys(rows, position)
                    clause = self._clauses[position]
                    self._clauses[position] = replace(
                        clause,
                        kind=ClauseKind.REQUIRED,
                        rejected_calls=tuple(sorted({*clause.rejected_calls, *rows})),
                    )

    def _violated_clause(self, part: int, path: Path) -> int | None:
        """Return a clause that a version demands and of which a path decided all conditions the rejecting way."""
        facts = {step.condition.node: step.condition.holds for step in path.steps}
        for position, clause in enumerate(self._clauses):
            first, last = self._ranges[position]
            if first <= part <= last and all(
                item.node and facts.get(item.node) is (not item.holds) for item in clause.own_conditions
            ):
                return position
        return None

    def _causes(self, rank: Mapping[int, int]) -> Iterator[Cause]:
        for number, part in enumerate(self._parts):
            for cause in part.decisions.causes:
                if cause.clause is None:
                    position = self._stopped_by.get(cause.invocation)
                    reason = cause.reason
                else:
                    position = self._position.get((number, cause.clause))
                    reason = NOT_TOLD
                yield replace(
                    cause,
                    clause=None if position is None else rank[position],
                    reason=reason if position is None else None,
                )


def with_versions(runs: FunctionRuns, paths: Sequence[Path]) -> tuple[Path, ...] | None:
    """Return paths that begin with what tells the version of the code that their calls ran: how early they were.

    Args:
        runs: those of the function.
        paths: some of its paths.

    Returns:
        ``None`` if there is one version only, or blocks do not tell them apart.

    """
    block = runs.arena.node("block")
    spans = spans_of(
        (run.code, int(run.record.inputs[block])) for run in runs.runs if block in run.record.inputs
    )
    order = spans.in_order({runs.runs[number].code for path in paths for number in path.runs})
    if order is None or not 1 < len(order) <= MAX_VERSIONS:
        return None
    begins = [max(spans.first[code], spans.last[before] + 1) for before, code in pairwise(order)]
    comparisons = [runs.arena.make("lt", block, runs.arena.constant(begin)) for begin in begins]
    limits = [limit for limit in comparisons if limit]  # neither known already, nor unknown
    if len(limits) < len(comparisons):
        return None
    versioned_paths = []
    for path in paths:
        path_versions = {order.index(runs.runs[number].code) for number in path.runs}
        if len(path_versions) > 1:
            return None
        version = path_versions.pop()
        steps = tuple(
            PathStep(condition=PathCondition(limit, number >= version), frame=0, counter=-1, position=-1)
            for number, limit in enumerate(limits)
        )
        versioned_paths.append(replace(path, steps=(*steps, *path.steps)))
    return tuple(versioned_paths)


def _limits_of(arena: Arena, since: int | None, until: int | None) -> tuple[PathCondition, ...] | None:
    """Return conditions that hold where another version ran: before one block, or from another one on."""
    block = arena.node("block")
    limits = []
    for limit, before in ((since, True), (until, False)):
        if limit is not None:
            node = arena.make("lt", block, arena.constant(limit))
            if not node or node == UNKNOWN:
                return None
            limits.append(PathCondition(node, before))
    return tuple(limits)


BlockOf = Callable[[int], int]
"""From an invocation to the number of its block."""


def spans_of_runs(functions: Iterable[FunctionRuns], block_of: BlockOf) -> CodeSpans:
    """Return when the versions ran of which there are runs, or calls that took the path of one."""
    ran: list[tuple[int, int]] = []
    for item in functions:
        codes = np.array([run.code for run in item.runs], dtype=np.int64)
        rows = np.concatenate([[run.invocation for run in item.runs], item.matched_rows]).astype(np.int64)
        code = codes[np.concatenate([np.arange(len(codes)), item.matched_run]).astype(np.int64)]
        for number in np.unique(code[code != 0]).tolist():
            version_rows = rows[
                code == number
            ]  # in chain order, so the first and the last row have all that is asked
            ran += [(number, block_of(int(row))) for row in (version_rows.min(), version_rows.max())]
    return spans_of(ran)
