"""What the code of functions can write, branch by branch, whether recorded calls went that way or not.

That nobody else writes to a variable, or that it only grows, holds only if no branch of any function does otherwise,
and functions may have branches, or be called at all, only later. A call is made up: the selector, arguments that are
all zero, and what the latest recorded call of the contract knew of storage. Each decision that comes is then forced the
way that no run has gone, until all branches that were met were taken, or the bound is reached. Such runs are no
executions that ever were; what they write is what the code can write, as far as decisions do not exclude each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer.decision.call_replaying import replays_of
from specminer.decision.call_runs import FunctionRuns
from specminer.decision.exploring import CallReplay
from specminer.decision.paths import PathStep
from specminer.decision.steps import StepReader, each_once
from specminer.decision.writes import SlotLeft, slots_left
from specminer.decoding import HistoryContext
from specminer.evm.frame import FrameKind
from specminer.shadow.arena import Arena
from specminer.shadow.forced_calls import ForcedRun, force

MAX_RUNS: Final = 256
"""Forced runs of one function."""
MAX_OPCODES: Final = 400_000
"""Opcodes that the runs of one function may take together."""
MAX_TOGETHER: Final = 4_000_000
"""Opcodes that the runs of all functions may take."""
_MAX_STEPS: Final = 20_000
"""Opcodes of one run."""
_MAX_SLOTS: Final = 64
_ARGUMENTS: Final = bytes(32 * 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchWay:
    """What one run of a made-up call decided and wrote."""

    steps: tuple[PathStep, ...]
    slots: tuple[SlotLeft, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionBranches:
    """What the code of a function can write."""

    name: str
    arena: Arena
    ways: tuple[BranchWay, ...]
    """Those that returned and wrote something."""
    whole: bool
    """Whether all branches were taken that were met."""
    opcodes: int
    """What the runs took."""


def explore_branches(
    context: HistoryContext, of_functions: Sequence[FunctionRuns], *, most: int = MAX_TOGETHER
) -> Iterator[FunctionBranches]:
    """Yield what the functions of the interface can write; read-only ones are left out.

    Those of which no call was accepted come first: of the others recorded calls tell something.

    Args:
        context: the history.
        of_functions: its calls, executed alone.
        most: opcodes that all runs may take together.

    """
    template = _template(context, of_functions)
    if template is None:
        return
    accepted = np.unique(context.calls.function[context.history.accepted])
    accepted_functions = {context.calls.functions[row] for row in accepted.tolist()}
    candidates = [
        (item.name in accepted_functions, selector, item.name)
        for selector, item in context.interface.functions.items()
        if not item.read_only
    ]
    for _, selector, name in sorted(candidates):
        if most <= 0:
            return
        branches = _BranchExplorer(template, selector, min(most, MAX_OPCODES)).explore(name)
        most -= branches.opcodes
        yield branches


def _template(context: HistoryContext, of_functions: Sequence[FunctionRuns]) -> CallReplay | None:
    """Return the latest recorded call, with which others are made up; ``None`` if none could be executed alone."""
    creations = context.is_constructor
    rows = [run.invocation for item in of_functions for run in item.runs if not creations[run.invocation]]
    return replays_of(context.history, of_functions)(max(rows)) if rows else None


class _BranchExplorer:
    """Takes the branches of one function, each once."""

    def __init__(self, template: CallReplay, selector: bytes, most: int) -> None:
        self._replay = replace(
            template,
            recording=replace(
                template.recording, kind=FrameKind.CALL, data=selector + _ARGUMENTS, value=0, static=False
            ),
        )
        self._arena = Arena()
        self._reader = StepReader(arena=self._arena)
        self._maximum = self._remaining = most

    def explore(self, name: str) -> FunctionBranches:
        """Return what the function can write."""
        visited: set[object] = set()
        ways: dict[object, BranchWay] = {}
        waiting: list[frozenset[int]] = [frozenset()]
        tries = 0
        while waiting and tries < MAX_RUNS and self._remaining > 0:
            flips = waiting.pop()
            tries += 1
            run = self._run(flips)
            if run is None:
                continue
            steps = self._reader.visits(run.record)
            waiting += self._untaken(steps, flips, visited)
            slots, _ = slots_left(run.record, _MAX_SLOTS)
            if slots and run.ended and run.halt is None:
                ways.setdefault(_written_places(slots), BranchWay(steps=steps, slots=tuple(slots)))
        return FunctionBranches(
            name=name,
            arena=self._arena,
            ways=tuple(ways.values()),
            whole=not waiting,
            opcodes=self._maximum - self._remaining,
        )

    @staticmethod
    def _untaken(
        steps: Sequence[PathStep], flips: frozenset[int], visited: set[object]
    ) -> list[frozenset[int]]:
        """Return what to force so that runs take the branches of a run that none has taken; ``visited`` grows."""
        later_steps = [step for step in steps if step.position > max(flips, default=-1)]
        visited.update((step.site, step.counter, step.way) for step in later_steps)
        first = {step.position for step in each_once(steps)}
        forced = []
        for step in later_steps:
            other = (step.site, step.counter, not step.way)
            if other not in visited and step.position in first:  # what was decided before stays so
                visited.add(other)
                forced.append(flips | {step.position})
        return forced

    def _run(self, flips: Collection[int]) -> ForcedRun | None:
        run = force(
            self._replay.recording,
            self._replay.fork,
            self._replay.block,
            self._replay.codes,
            arena=self._arena,
            flips=flips,
            fact=self._reader.condition,
            max_steps=_MAX_STEPS,
            recorded=False,
        )
        self._remaining -= 0 if run is None else run.opcodes
        return run


def _written_places(slots: Sequence[SlotLeft]) -> frozenset[object]:
    return frozenset(
        (slot.slot_place, tuple((item.shift, item.bits, item.node, item.value) for item in slot.fields))
        for slot in slots
    )
