"""What the code demands although nobody tried: decisions of accepted calls, forced the other way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from specminer.decision.checks import check_of, shape_of
from specminer.decision.clause_shapes import same_shape
from specminer.decision.clauses import ClauseDraft, ClauseWriter, RejectedPath
from specminer.decision.exploring import BranchExplorer, ForcedPath
from specminer.decision.idioms import RejectionIdiom, spares_product, subtracts_before, subtracts_next
from specminer.decision.implications import is_tautology
from specminer.decision.paths import Check, Joint, Path, PathCondition, PathStep, Site
from specminer.shadow.arena import UNKNOWN

_FURTHER: Final = 3
"""How many decisions, one behind the other, are forced to see what else stops a call."""
_MOST_CONDITIONS: Final = 4
"""Conditions of a coded clause; what depends on more is too far from what calls did."""
_ROUNDS: Final = 2
"""Rounds of a loop in which a condition is tried."""
_UNTRIED: Final = (Check.CALLDATA, Check.PAYABILITY, Check.DECODING, Check.MEMORY)
"""What compilers demand of every call: it is not told unless it rejected one."""


def coded_drafts(
    writer: ClauseWriter, explorer: BranchExplorer, accepted: Sequence[Path], required: Sequence[ClauseDraft]
) -> list[ClauseDraft]:
    """Return the clauses that the code demands of accepted calls, and that rejected none.

    Args:
        writer: finds what qualifies a clause.
        explorer: forces decisions.
        accepted: the paths that returned.
        required: clauses that are known; their first conditions are not tried again.

    """
    search = _Search(writer=writer, explorer=explorer)
    search.tried_steps |= {(draft.conditions[0], draft.site) for draft in required}
    for own in (True, False):  # what the source states comes first: forced runs are bounded
        for path in accepted:
            for index, step in enumerate(path.steps):
                if (shape_of(writer.arena, step.condition) is Check.OWN) is own:
                    search.try_step(path, index)
    return search.drafts


@dataclass(slots=True, kw_only=True)
class _Search:
    writer: ClauseWriter
    explorer: BranchExplorer
    tried_steps: set[tuple[PathCondition, Site]] = field(default_factory=set)
    drafts: list[ClauseDraft] = field(default_factory=list)
    _rounds: dict[Site, list[int]] = field(default_factory=dict)
    """Nodes that were tried, by site."""

    def try_step(self, path: Path, index: int) -> None:
        """Force one decision of an accepted path, and what then stops the call."""
        step = path.steps[index]
        if self._is_settled(step):
            return
        steps, flips = path.steps[:index], frozenset({step.position})
        negated = step._replace(condition=step.condition.negation, joint=Joint.ALONE, way=not step.way)
        for _ in range(_FURTHER):
            forced = self.explorer.run(path.runs[0], flips)
            if forced is None or not forced.rejected or forced.calls_after:
                return
            later_steps = list(forced.after(step.position))
            if later_steps and spares_product(self.writer.arena, path.steps, index):
                return  # what is demanded of the product says it
            rejected = RejectedPath(
                steps=(*steps, negated, *later_steps),
                run=path.runs[0],
                flips=flips,
                first=index,
                visits=forced.visits,
            )
            deciding = self.explorer.deciding_step(rejected.run, flips, rejected.steps, index)
            if deciding is None or (deciding == index and self._is_out_of_range(step, path, forced)):
                return
            self._write(rejected, deciding, forced)
            if deciding == index:
                return
            flips = flips | {rejected.steps[deciding].position}

    def _is_settled(self, step: PathStep) -> bool:
        """Return whether a step need not be tried, and note that it was."""
        condition = step.condition
        if condition.node == UNKNOWN or (condition, step.site) in self.tried_steps or step.joint is Joint.ANY:
            return True  # the truths behind one that sufficed are not known
        if self.writer.is_alive(step):
            return True  # accepted calls went the other way
        self.tried_steps.add((condition, step.site))
        arena = self.writer.arena
        if shape_of(arena, condition) in _UNTRIED:
            return True
        if self.writer.sizes.is_complex(condition.node):
            return True  # nobody could read it
        rounds = self._rounds.setdefault(step.site, [])
        repeats = self.writer.loops.repeats(step.site)
        alike = sum(repeats or same_shape(arena, node, condition.node) for node in rounds)
        rounds.append(condition.node)
        return alike >= _ROUNDS

    def _is_out_of_range(self, step: PathStep, path: Path, forced: ForcedPath) -> bool:
        """Return whether a loop was forced to go on where there is nothing more, and met what is not there."""
        if not forced.constant_jumps:
            return False
        node = step.condition.node
        return self.writer.loops.repeats(step.site) or any(
            node in self.writer.arena.below(other.condition.node)
            for other in path.steps
            if other.condition.node != node and shape_of(self.writer.arena, other.condition) is Check.CALLDATA
        )

    def _write(self, path: RejectedPath, deciding: int, forced: ForcedPath) -> None:
        conditions = self.writer.conditions(path, deciding)
        if conditions is None or len(conditions) > _MOST_CONDITIONS:
            return
        if is_tautology(self.writer.arena, conditions):
            return  # what was forced no call can meet
        self.drafts.append(
            ClauseDraft(
                conditions=conditions,
                check=check_of(self.writer.arena, conditions[0], self._rejection(path, deciding, forced)),
                coded=True,
                site=path.steps[deciding].site,
                each=conditions[0] != path.steps[deciding].condition.negation,
                outputs={forced.output: None},
            )
        )

    def _rejection(self, path: RejectedPath, deciding: int, forced: ForcedPath) -> RejectionIdiom:
        """Return how the code ends a call for which a condition does not hold."""
        step, subtracts = path.steps[deciding], False
        if deciding == path.first:  # it stands in the record of the call itself
            decision = self.writer.runs.runs[path.run].record.decisions[step.position]
            code = self.explorer.code(path.run, forced.ending)
            subtracts = subtracts_before(self.writer.arena, decision.condition) or subtracts_next(
                code, step.counter, decision.taken
            )
        return RejectionIdiom(
            output=forced.output,
            coded=True,
            invalid=forced.invalid,
            subtracts=subtracts,
            enums=self.writer.runs.enums,
        )
