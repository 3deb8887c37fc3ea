"""What a transition's guard says beyond its source state: conditions that follow from the state are dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from specminer.inference.conjunctions import formula_of
from specminer.inference.guard_learning import LearnedClause
from specminer.inference.reasons import StateFacts, reason
from specminer.inference.solver_questions import ObligationLog
from specminer.inference.state_formulas import Frames, FunctionSpace
from specminer.inference.transition_guards import GuardedTransition, PassageCondition
from specminer.predicate import Formula, text
from specminer.specification import GuardKind, Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedCondition:
    """A condition that need not be told."""

    part: PassageCondition
    reason: str
    """What it follows from, as a phrase."""
    proof: Proof
    """``UNPROVED`` where there is no solver: it is evident from the literals alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCondition:
    """A condition that is told."""

    part: PassageCondition
    clause: LearnedClause
    """Without the choices that the state rules out."""


@dataclass(frozen=True, kw_only=True)
class GuardFormulas:
    """A transition with its guard, counted."""

    way: GuardedTransition
    frame: FunctionSpace
    kept_conditions: tuple[KeptCondition, ...]
    dropped_conditions: tuple[DroppedCondition, ...]

    @cached_property
    def conjunction(self) -> Formula:
        """All conditions, without the state."""
        return formula_of(self.way.passage.function.meaning, [part.clause for part in self.way.parts])

    @cached_property
    def evident_guard(self) -> Formula:
        """The conditions that rejections show, or the target, and that do not follow from the state."""
        clauses = [item.clause for item in self.kept_conditions if item.part.kind is not GuardKind.CODED]
        return formula_of(self.way.passage.function.meaning, clauses)

    @property
    def text(self) -> str:
        """The conditions that do not follow from the state; ``true`` if all do."""
        return text(self.frame.language, self.evident_guard)


def passable(
    frames: Frames, state_facts: StateFacts, transitions: Iterable[GuardedTransition], log: ObligationLog
) -> list[GuardFormulas]:
    """Return the transitions with what their guards say beyond the state; what is dropped with its proof."""
    return [_passable(frames, state_facts, way, log) for way in transitions]


def _passable(
    frames: Frames, state_facts: StateFacts, way: GuardedTransition, log: ObligationLog
) -> GuardFormulas:
    passage = way.passage
    meaning = passage.function.meaning
    frame = frames.of(meaning, passage.role)
    remaining: list[KeptCondition] = []
    dropped_conditions: list[DroppedCondition] = []
    for part in way.parts:
        because = reason(
            frame,
            passage.source,
            state_facts,
            [],
            [meaning.formula(literal) for literal in part.clause.literals],
            text(frame.language, formula_of(meaning, (part.clause,))),
            meaning.situation.function,
            log,
        )
        if because is None:
            remaining.append(KeptCondition(part=part, clause=_narrow(frame, state_facts, way, part, log)))
        else:
            dropped_conditions.append(DroppedCondition(part=part, reason=because[0], proof=because[1]))
    return GuardFormulas(
        way=way, frame=frame, kept_conditions=tuple(remaining), dropped_conditions=tuple(dropped_conditions)
    )


def _narrow(
    frame: FunctionSpace,
    state_facts: StateFacts,
    way: GuardedTransition,
    part: PassageCondition,
    log: ObligationLog,
) -> LearnedClause:
    """Return a disjunction without what cannot be in the state that is left, as far as that is proved."""
    meaning = way.passage.function.meaning
    possible = []
    for literal in part.clause.literals if len(part.clause.literals) > 1 else ():
        opposite = meaning.language.negation(meaning.formula(literal))
        because = reason(
            frame,
            way.passage.source,
            state_facts,
            [],
            [opposite],
            text(frame.language, opposite),
            meaning.situation.function,
            log,
        )
        if because is None:
            possible.append(literal)
    return replace(part.clause, literals=tuple(possible)) if possible else part.clause
