"""From rejected paths to clauses: which conditions a call would have had to meet, and what gets it around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from specminer.decision.aliases import Slots, evaluate_by_slots, slots_of
from specminer.decision.checks import qualifies
from specminer.decision.exploring import Explorer
from specminer.decision.implications import without_implied
from specminer.decision.paths import Check, Condition, Joint, Step
from specminer.decision.runs import FunctionRuns
from specminer.decision.shapes import same_shape
from specminer.evm.shadow.arena import UNKNOWN, Arena
from specminer.evm.shadow.evaluation import evaluate

MAX_ALTERNATIVES = 12
"""Conditions that qualify a clause, as far as the code alone tells them; accepted calls may ask for more."""

Facts = dict[int, bool]
"""What a path decided: nodes, and whether they were not zero."""


def facts_of(steps: Sequence[Step]) -> Facts:
    """Return the facts of some steps."""
    return {step.condition.node: step.condition.holds for step in steps if step.condition.node != UNKNOWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPath:
    """A path that ends with a rejection: one that calls took, or one on which decisions were forced."""

    steps: tuple[Step, ...]
    run: int
    """Position of the run that took it, or whose decisions were forced."""
    flips: frozenset[int] = frozenset()
    first: int = 0
    """Index of the first step that may have been the cause."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """A clause that is being written."""

    conditions: tuple[Condition, ...]
    check: Check
    coded: bool
    counter: int
    """Program counter of the jump that decided its first condition."""
    stopped: list[int] = field(default_factory=list)
    """Positions of the runs that it rejected."""
    outputs: dict[bytes, None] = field(default_factory=dict)
    each: bool = False

    def violated_by(self, facts: Facts) -> bool:
        """Return whether a path decided all its conditions the rejecting way."""
        return all(facts.get(item.node) is (not item.holds) for item in self.conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedPath:
    """A path that returned."""

    facts: Facts
    runs: tuple[int, ...]
    """Positions of the runs that took it."""

    def decides(self, condition: Condition) -> bool:
        """Return whether its calls decided that a condition holds."""
        return self.facts.get(condition.node) is condition.holds


@dataclass(slots=True, kw_only=True)
class ClauseWriter:
    """Finds what a rejected path would have had to decide otherwise."""

    runs: FunctionRuns
    accepted: Sequence[AcceptedPath]
    explorer: Explorer | None
    _values: dict[tuple[int, int], bool | None] = field(default_factory=dict)
    """Whether nodes are not zero, by run and node."""
    _slots: dict[int, Slots] = field(default_factory=dict)
    """What slots held, by run."""

    @property
    def arena(self) -> Arena:
        """Holds the expressions."""
        return self.runs.arena

    def conditions(self, path: RejectedPath, deciding: int) -> tuple[Condition, ...] | None:
        """Return the conditions of which an accepted call meets at least one; ``None`` if they cannot be told.

        Args:
            path: the rejected path.
            deciding: index of the step that rejected it.

        """
        steps = path.steps
        if not 0 <= deciding < len(steps) or steps[deciding].condition.node == UNKNOWN:
            return None
        chosen = [deciding, *self._alternatives(path, deciding)]
        remaining = list(self.accepted)
        for index in chosen:
            remaining = self._unmet(remaining, steps[index].condition.negated)
        while remaining:
            best = self._most_telling(steps, deciding, remaining)
            if best is None:
                return None
            chosen.append(best)
            remaining = self._unmet(remaining, steps[best].condition.negated)
        conditions = [steps[index].condition.negated for index in dict.fromkeys(chosen)]
        return without_implied(self.arena, conditions)

    def _unmet(self, paths: Sequence[AcceptedPath], condition: Condition) -> list[AcceptedPath]:
        """Return the paths on which some call does not meet a condition, also if it never came to decide it."""
        return [path for path in paths if not self._meets(path, condition)]

    def _meets(self, path: AcceptedPath, condition: Condition) -> bool:
        if condition.node in path.facts:
            return path.decides(condition)
        return all(self._value(run, condition.node) is condition.holds for run in path.runs)

    def _value(self, run: int, node: int) -> bool | None:
        """Return whether a node is not zero in a run; ``None`` if the run does not know."""
        key = (run, node)
        if key not in self._values:
            inputs = self.runs.runs[run].record.inputs
            try:
                self._values[key] = evaluate(self.arena, node, inputs) != 0
            except KeyError:
                self._values[key] = self._value_by_slots(run, node)
        return self._values[key]

    def _value_by_slots(self, run: int, node: int) -> bool | None:
        inputs = self.runs.runs[run].record.inputs
        if run not in self._slots:
            self._slots[run] = slots_of(self.arena, inputs)
        try:
            return evaluate_by_slots(self.arena, node, inputs, self._slots[run]) != 0
        except KeyError:
            return None

    def _alternatives(self, path: RejectedPath, deciding: int) -> list[int]:
        """Return the steps whose other way leads around the deciding one; of a loop's the last."""
        if self.explorer is None:
            return []
        chosen: list[int] = []
        for index in range(deciding - 1, -1, -1):
            if len(chosen) >= MAX_ALTERNATIVES:
                break
            step, decider = path.steps[index], path.steps[deciding]
            if step.position == decider.position:
                if decider.joint is Joint.ALL:
                    chosen.append(index)
            elif self._says_more(path.steps, index, chosen) and (
                self._led_around(path.steps, index, [deciding, *chosen])
                or self.explorer.leads_around(path.run, path.flips, path.steps, index, [deciding, *chosen])
            ):
                chosen.append(index)
        return chosen

    def _led_around(self, steps: Sequence[Step], index: int, at: Sequence[int]) -> bool:
        """Return whether an accepted call decided the same up to a step, and then never came to the deciding one.

        Args:
            steps: of the rejected path.
            index: which of them the call decided otherwise.
            at: the deciding one, and then those that are known to lead around it: the call took none of their ways.

        """
        wanted = facts_of(steps[:index])
        other = steps[index].condition.negated
        avoided = steps[at[0]].condition.node
        ways = [steps[chosen].condition.negated for chosen in at[1:]]
        return any(
            path.decides(other)
            and avoided not in path.facts
            and not any(map(path.decides, ways))
            and all(path.facts.get(node) is holds for node, holds in wanted.items())
            for path in self.accepted
        )

    def _says_more(self, steps: Sequence[Step], index: int, chosen: Sequence[int]) -> bool:
        """Return whether a step may qualify a clause, and is not an earlier round of one that does."""
        step = steps[index]
        if step.condition.node == UNKNOWN or not qualifies(self.arena, step.condition):
            return False
        return not any(
            step.counter == steps[other].counter
            and same_shape(self.arena, step.condition.node, steps[other].condition.node)
            for other in chosen
        )

    def _most_telling(
        self, steps: Sequence[Step], deciding: int, remaining: Sequence[AcceptedPath]
    ) -> int | None:
        """Return the step that most accepted calls decided otherwise; of several the one nearest to the end.

        Where none did, it is one that they would have decided otherwise.
        """
        for tells in (AcceptedPath.decides, self._meets):
            counts = [
                sum(len(path.runs) for path in remaining if tells(path, step.condition.negated))
                if step.condition.node != UNKNOWN
                else 0
                for step in steps
            ]
            best = max(range(len(steps)), key=lambda index: (counts[index], index <= deciding, index))
            if counts[best]:
                return best
        return None
