"""From rejected paths to clauses: which conditions a call would have had to meet, and what gets it around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from specminer.decision.aliases import Slots, evaluate_by_slots, slots_of
from specminer.decision.call_runs import FunctionRuns
from specminer.decision.checks import qualifies
from specminer.decision.clause_shapes import Sizes, same_shape
from specminer.decision.exploring import BranchExplorer
from specminer.decision.idioms import spares_product
from specminer.decision.implications import without_implied
from specminer.decision.paths import Check, Joint, PathCondition, PathStep, Site
from specminer.decision.sites import AcceptedPath, Facts, Loops, facts_of
from specminer.shadow.arena import UNKNOWN, Arena
from specminer.shadow.evaluation import evaluate

MAX_ALTERNATIVES = 12
"""Conditions that qualify a clause, as far as the code alone tells them; accepted calls may ask for more."""


class TrailStep(NamedTuple):
    """A decision on the way to a rejection."""

    number: int
    """Index of the step that it is, or whose fact it asks for once more: ``a or b``, and later ``if a``."""
    step: PathStep
    repeats: bool
    """Whether the fact was decided before."""


Trail = Sequence[TrailStep]
"""Decisions in the order in which a path made them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPath:
    """A path that ends with a rejection: one that calls took, or one on which decisions were forced."""

    steps: tuple[PathStep, ...]
    run: int
    """Position of the run that took it, or whose decisions were forced."""
    flips: frozenset[int] = frozenset()
    first: int = 0
    """Index of the first step that may have been the cause."""
    visits: tuple[PathStep, ...] = ()
    """All its decisions, with those that repeat an earlier one."""

    def trail(self, end: int) -> Trail:
        """Return its decisions before a step, the repeated ones among them, in order."""
        limit = self.steps[end].position
        index = {step.condition.node: number for number, step in enumerate(self.steps[:end])}
        items = [TrailStep(number, step, False) for number, step in enumerate(self.steps[:end])]
        first_visits = {(step.position, step.condition.node) for step in self.steps}
        items += [
            TrailStep(index[step.condition.node], step, True)
            for step in self.visits
            if step.position < limit
            and step.condition.node in index
            and (step.position, step.condition.node) not in first_visits
        ]
        return sorted(items, key=lambda item: (item.step.position, item.number))


@dataclass(slots=True, kw_only=True)
class ClauseDraft:
    """A clause that is being written."""

    conditions: tuple[PathCondition, ...]
    check: Check
    coded: bool
    site: Site
    """Where its first condition was decided."""
    rejected_runs: list[int] = field(default_factory=list)
    """Positions of the runs that it rejected."""
    outputs: dict[bytes, None] = field(default_factory=dict)
    each: bool = False

    def violated_by(self, facts: Facts) -> bool:
        """Return whether a path decided all its conditions the rejecting way."""
        return all(facts.get(item.node) is (not item.holds) for item in self.conditions)


@dataclass(slots=True, kw_only=True)
class ClauseWriter:
    """Finds what a rejected path would have had to decide otherwise."""

    runs: FunctionRuns
    accepted: Sequence[AcceptedPath]
    explorer: BranchExplorer | None
    loops: Loops = field(default_factory=Loops)
    _values: dict[tuple[int, int], bool | None] = field(default_factory=dict)
    """Whether nodes are not zero, by run and node."""
    _leading: dict[tuple[Site, bool, int], bool] = field(default_factory=dict)
    """Whether the other way at a site leads to a comparison."""
    _slots: dict[int, Slots] = field(default_factory=dict)
    """What slots held, by run."""
    sizes: Sizes = field(init=False)

    def __post_init__(self) -> None:
        """Prepare."""
        self.sizes = Sizes(self.arena)

    @property
    def arena(self) -> Arena:
        """Holds the expressions."""
        return self.runs.arena

    def conditions(self, path: RejectedPath, deciding: int) -> tuple[PathCondition, ...] | None:
        """Return the conditions of which an accepted call meets at least one; ``None`` if they cannot be told.

        The first is that of the step that rejected the path. Calls that come to its site leave it the other way. Those
        that do not come there left the path before, and the last site where they did qualifies the condition.

        Args:
            path: the rejected path.
            deciding: index of the step that rejected it.

        """
        steps = path.steps
        if not 0 <= deciding < len(steps) or steps[deciding].condition.node == UNKNOWN:
            return None
        indices = [deciding]
        trail = path.trail(deciding)
        remaining = [item for item in self.accepted if not self._is_met(item, steps, deciding, trail)]
        while remaining:
            best = self._last_left(steps[deciding], trail, remaining)
            if best is None:
                best = self._most_telling(steps, deciding, remaining)
            if best is None:
                return None
            indices.append(best)
            remaining = [item for item in remaining if not self._answers(item, steps[best])]
        indices += self._alternatives(path, deciding, indices)
        others = sorted({*indices} - {deciding}, reverse=True)
        return without_implied(self.arena, self._first_round(steps, (deciding, *others)))

    def _met_before(
        self, steps: Sequence[PathStep], index: int, end: int, *, last: bool = False
    ) -> int | None:
        """Return the first (or last) step before an end that decides what a step does in another round."""
        step = steps[index]
        if not self.loops.repeats(step.site):
            return None
        earlier = [
            other
            for other in range(end)
            if steps[other].site == step.site
            and same_shape(self.arena, steps[other].condition.node, step.condition.node)
        ]
        return (earlier[-1] if last else earlier[0]) if earlier else None

    def _first_round(self, steps: Sequence[PathStep], indices: Sequence[int]) -> list[PathCondition]:
        """Return the conditions of which some steps decided the opposite.

        Those of a loop are told of the first round in which the path met the first of them.
        """
        plain = [steps[index].condition.negation for index in indices]
        first = self._met_before(steps, indices[0], indices[0])
        if first is None:
            return plain
        conditions: list[PathCondition] = []
        for index in indices:
            same: int | None = index
            if index == indices[0]:
                same = first
            elif index > first or self.loops.repeats(steps[index].site):
                same = self._met_before(steps, index, first, last=True)
            if same is None:
                return plain
            same_way = steps[same].way == steps[index].way
            conditions.append(steps[same].condition.negation if same_way else steps[same].condition)
        return conditions

    def is_alive(self, step: PathStep) -> bool:
        """Return whether accepted calls left a step's site the other way."""
        other = not step.way
        return any(other in item.ways(step.site) for item in self.accepted)

    def always_left_otherwise(self, step: PathStep) -> bool:
        """Return whether accepted calls came to a step's site, and all left it the other way."""
        ways = {way for item in self.accepted for way in item.ways(step.site)}
        return ways == {not step.way}

    def _is_met(self, path: AcceptedPath, steps: Sequence[PathStep], deciding: int, trail: Trail) -> bool:
        """Return whether the calls of a path meet the condition at which another one was rejected."""
        decider = steps[deciding]
        if path.decides(decider.condition.negation):
            return True
        visits = path.at(decider.site)
        leaves = bool(visits) and path.leaves_otherwise(decider)
        if leaves and all(self._is_same_check(item, decider) for item in visits):
            return True
        reaches_site = bool(visits) or self._came_again(path, decider, trail)
        if reaches_site and self._left_at(path, decider, trail) is not None:
            return False  # a branch chose what was compared: what this one compares they need not meet
        return (reaches_site or not decider.site[0]) and self._meets(path, decider.condition.negation)

    @staticmethod
    def _came_again(path: AcceptedPath, decider: PathStep, trail: Trail) -> bool:
        """Return whether the calls of a path came to a step's site with what they had decided before, and passed."""
        return path.has_no_choice(decider, facts_of([item.step for item in trail]))

    def _is_same_check(self, visit: PathStep, step: PathStep) -> bool:
        """Return whether two decisions at one site compare the same, but for the round of a loop."""
        node, other = visit.condition.node, step.condition.node
        if node == other or (self.loops.repeats(step.site) and same_shape(self.arena, node, other)):
            return True
        return self.sizes.is_complex(node) and self.sizes.is_complex(other)

    def _left_at(self, path: AcceptedPath, decider: PathStep, trail: Trail) -> int | None:
        """Return the last step before one that the calls of an accepted path decided otherwise.

        Where they came to the same check nevertheless, that is none in a loop, nor one whose other way leads to the
        same comparison: it has to be what chose another one. What repeats an earlier decision counts if they decided
        upon the same.
        """
        reaches_site = bool(path.at(decider.site)) or self._came_again(path, decider, trail)
        for index, step, repeats in reversed(trail):
            if step.condition.node == UNKNOWN or not path.leaves_otherwise(step):
                continue
            if repeats and not path.decides(step.condition.negation):
                continue
            if not reaches_site or not (self.loops.repeats(step.site) or self._leads_to(step, decider)):
                return index
        return None

    def _leads_to(self, step: PathStep, decider: PathStep) -> bool:
        """Return whether accepted calls that left a step the other way made the comparison of another one."""
        key = (step.site, step.way, decider.condition.node)
        if key not in self._leading:
            self._leading[key] = any(
                key[2] in path.facts and path.leaves_otherwise(step) for path in self.accepted
            )
        return self._leading[key]

    def _last_left(self, decider: PathStep, trail: Trail, remaining: Sequence[AcceptedPath]) -> int | None:
        """Return the step that most of some paths left last; of several the one nearest to the end."""
        counts: Counter[int] = Counter()
        for path in remaining:
            index = self._left_at(path, decider, trail)
            if index is not None:
                counts[index] += len(path.runs)
        return max(counts, key=lambda index: (counts[index], index), default=None)

    @staticmethod
    def _tells(path: AcceptedPath, step: PathStep) -> bool:
        """Return whether the calls of a path decided a step of another one otherwise, whenever they came there."""
        return path.leaves_otherwise(step) or path.decides(step.condition.negation)

    def _answers(self, path: AcceptedPath, step: PathStep) -> bool:
        """Return whether the calls of a path decided a step otherwise, or would have."""
        return self._tells(path, step) or self._meets(path, step.condition.negation)

    def _meets(self, path: AcceptedPath, condition: PathCondition) -> bool:
        """Return whether all calls of a path meet a condition, also if they never came to decide it."""
        if condition.node in path.facts:
            return path.decides(condition)
        return all(self._value(run, condition.node) is condition.holds for run in path.runs)

    def _value(self, run: int, node: int) -> bool | None:
        """Return whether a node is not zero in a run; ``None`` if the run does not know."""
        node = self.runs.own_nodes.get(run, {}).get(node, node)
        if node == UNKNOWN:
            return None
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

    def _alternatives(self, path: RejectedPath, deciding: int, detours: Sequence[int]) -> list[int]:
        """Return the steps whose other way leads around the deciding one although no accepted call took it.

        Args:
            path: the rejected path.
            deciding: index of the step that rejected it.
            detours: indices of steps by which accepted calls are known to have got around it.

        """
        if self.explorer is None:
            return []
        alternatives: list[int] = []
        for index in range(deciding - 1, -1, -1):
            if len(alternatives) >= MAX_ALTERNATIVES:
                break
            step, decider = path.steps[index], path.steps[deciding]
            if step.position == decider.position:
                if decider.joint is Joint.ALL:
                    alternatives.append(index)
            elif (
                index not in detours
                and self._says_more(path.steps, index, alternatives)
                and not self.is_alive(step)
                and self.explorer.leads_around(
                    path.run, path.flips, path.steps, index, (deciding, *detours, *alternatives)
                )
            ):
                alternatives.append(index)
        return alternatives

    def _says_more(self, steps: Sequence[PathStep], index: int, alternatives: Sequence[int]) -> bool:
        """Return whether a step may qualify a clause, and is not an earlier round of one that does."""
        step = steps[index]
        node = step.condition.node
        if node == UNKNOWN or not qualifies(self.arena, step.condition):
            return False
        if self.arena.kind(node) == "sender":
            return False  # nobody calls from the zero address
        if spares_product(self.arena, steps, index):
            return False
        return not any(
            step.site == steps[other].site and same_shape(self.arena, node, steps[other].condition.node)
            for other in alternatives
        )

    def _most_telling(
        self, steps: Sequence[PathStep], deciding: int, remaining: Sequence[AcceptedPath]
    ) -> int | None:
        """Return the step that most accepted calls decided otherwise; of several the one nearest to the end.

        Where none did, it is one that they would have decided otherwise.
        """
        for tells in (AcceptedPath.decides, self._meets):
            counts = [
                sum(len(path.runs) for path in remaining if tells(path, step.condition.negation))
                if step.condition.node != UNKNOWN
                else 0
                for step in steps
            ]
            best = max(range(len(steps)), key=lambda index: (counts[index], index <= deciding, index))
            if counts[best]:
                return best
        return None
