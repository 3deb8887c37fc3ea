"""Guards of single transitions, where they differ from the function's.

A *passage* is what became of the calls of one function, in one role, that came to one state. The function's guard
holds in all of them; what it leaves open is looked at once more in each passage alone: rejections that only the
calls of this state explain, and what tells the targets apart where accepted calls lead to several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer.evm.code_constants import Constants
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.inference.conjunctions import formula_of, simplify_clauses
from specminer.inference.entity_terms import Entities
from specminer.inference.function_guards import LearnedGuards, open_calls
from specminer.inference.guard_description import MIN_HELD_OUT, JudgedFunction, first_part
from specminer.inference.guard_learning import ACCEPTED, MIN_CALLS, LearnedClause, Learner, truth_of
from specminer.inference.guard_literals import LiteralEvaluator, opposite
from specminer.interaction import Interactions
from specminer.learning.tuning_result import Tuning
from specminer.predicate import text
from specminer.specification import ConditionOrigin, GuardKind, GuardTest

MAX_TARGETS: Final = 6
"""Targets of one event that are told apart: those that most calls lead to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageCondition:
    """One condition of a transition."""

    clause: LearnedClause
    origin: ConditionOrigin
    kind: GuardKind | None = None
    """Of a condition of the function: what it rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCalls:
    """The ``n`` calls of one function, in one role, that came to one state, in chain order.

    Calls of which it is not known where they came to, or led, are left out.
    """

    function: JudgedFunction
    source: int
    role: int
    """Position in ``Interactions.roles``, or ``MISSING``."""
    event: IntColumn
    """Rows of the interactions' events; shape (n,), as all columns."""
    call: IntColumn
    """Positions in the function's situation."""
    symbol: IntColumn
    """Position in the table's symbols."""
    target: IntColumn
    accepted: BoolColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedTransition:
    """A transition that calls took, with its conditions."""

    passage: StateCalls
    symbol: int
    target: int
    parts: tuple[PassageCondition, ...]
    """What holds of the calls that take it: of the function, of the state, of the target."""
    broken: tuple[LearnedClause, ...]
    """Conditions of the function that the calls of this passage do not keep."""
    is_taken: BoolColumn
    """Which calls of the passage took it."""
    held_out: GuardTest | None
    """How what was learned from this passage's first calls does on the later ones; ``None`` if there is nothing
    of its own, or nothing to test it on."""

    @property
    def siblings(self) -> BoolColumn:
        """Which calls of the passage had the same event and led elsewhere."""
        passage = self.passage
        is_sibling: BoolColumn = (
            passage.accepted & (passage.symbol == self.symbol) & (passage.target != self.target)
        )
        return is_sibling

    def of(self, *origins: ConditionOrigin) -> tuple[LearnedClause, ...]:
        """Return the conditions that were learned from something."""
        return tuple(part.clause for part in self.parts if part.origin in origins)


def ways(
    learned: LearnedGuards, tuning: Tuning, interactions: Interactions, entities: Entities
) -> tuple[GuardedTransition, ...]:
    """Return the transitions of the chosen automaton that calls took, with what was learned of each."""
    kinds_by_function: dict[str, dict[LearnedClause, GuardKind]] = {}
    for item in learned.guards:
        if item.guard.kind is not GuardKind.OBSERVED:
            own = kinds_by_function.setdefault(item.guard.scope, {})
            own.update((clause, item.guard.kind) for clause in item.clauses if clause not in own)
    guarded_transitions: list[GuardedTransition] = []
    for function in learned.functions:
        whole = kinds_by_function.get(function.meaning.situation.function, {})
        passages = list(_passages(function, tuning, interactions, entities))
        for passage in passages:
            guarded_transitions += transitions(passage, whole, learned.constants, several=len(passages) > 1)
    return tuple(guarded_transitions)


def _passages(
    function: JudgedFunction, tuning: Tuning, interactions: Interactions, entities: Entities
) -> Iterator[StateCalls]:
    situation = function.meaning.situation
    event, call = entities.events(situation)
    if not len(event):
        return
    order = np.lexsort((event, call))
    event, call = event[order], call[order]
    before, after = tuning.state_before[event], tuning.state_after[event]
    role = interactions.role[event]
    is_known = ~tuning.uncertain(tuning.chosen_point)[event]
    for source, role_number in np.unique(np.stack([before, role], axis=1), axis=0).tolist():
        own = np.flatnonzero(is_known & (before == source) & (role == role_number))
        if not len(own):
            continue
        yield StateCalls(
            function=function,
            source=source,
            role=role_number,
            event=event[own],
            call=call[own],
            symbol=tuning.table.symbol[event[own]],
            target=after[own],
            accepted=situation.accepted[call[own]],
        )


def transitions(
    passage: StateCalls, whole: Mapping[LearnedClause, GuardKind], code_constants: Constants, *, several: bool
) -> Iterator[GuardedTransition]:
    """Yield the transitions of a passage.

    Args:
        passage: the calls.
        whole: what the function demands, with what each condition rests on.
        code_constants: the numbers in the contract's code.
        several: whether the function has other passages; if not, all that its rejections show was learned from them.

    """
    if not passage.accepted.any():
        return
    every = np.ones(len(passage.call), dtype=np.bool_)
    early = first_part(len(every))
    conditions, broken_conditions = _keep_conditions(passage, tuple(whole))
    own = _own(passage, conditions, code_constants, every) if several or broken_conditions else ()
    first = _own(passage, conditions, code_constants, early) if own else ()
    for symbol in np.unique(passage.symbol[passage.accepted]).tolist():
        same = passage.accepted & (passage.symbol == symbol)
        targets, counts = np.unique(passage.target[same], return_counts=True)
        clauses_by_target = _target_conditions(passage, same, targets, counts, code_constants)
        early_clauses = (
            _target_conditions(passage, same & early, targets, counts, code_constants)
            if clauses_by_target
            else {}
        )
        for target in targets.tolist():
            leads_there = same & (passage.target == target)
            there = clauses_by_target.get(target, ())
            yield GuardedTransition(
                passage=passage,
                symbol=symbol,
                target=target,
                parts=_parts(passage, whole, conditions, own, there),
                broken=broken_conditions,
                is_taken=leads_there,
                held_out=_held_out(
                    passage, ~early, leads_there, same & ~leads_there, first, early_clauses.get(target, ())
                )
                if own or there
                else None,
            )


def _keep_conditions(
    passage: StateCalls, whole: Sequence[LearnedClause]
) -> tuple[tuple[LearnedClause, ...], tuple[LearnedClause, ...]]:
    """Return the function's conditions that the passage's accepted calls keep, and those that they do not."""
    calls = passage.call[passage.accepted]
    conditions: list[LearnedClause] = []
    broken_conditions: list[LearnedClause] = []
    for clause in whole:
        wrong = int(np.sum(truth_of(passage.function.meaning, clause.literals, calls).false))
        (conditions if wrong <= (1 - ACCEPTED) * len(calls) else broken_conditions).append(clause)
    return tuple(conditions), tuple(broken_conditions)


def _refused_calls(passage: StateCalls, clauses: Sequence[LearnedClause]) -> BoolColumn:
    """Return the calls of a passage that some of the conditions refuse."""
    false = [truth_of(passage.function.meaning, clause.literals, passage.call).false for clause in clauses]
    is_refused: BoolColumn = np.logical_or.reduce([np.zeros(len(passage.call), np.bool_), *false])
    return is_refused


def _own(
    passage: StateCalls, conditions: Sequence[LearnedClause], code_constants: Constants, sample: BoolColumn
) -> tuple[LearnedClause, ...]:
    """Return conditions that explain rejections of this passage that the function's do not explain."""
    left = (
        ~passage.accepted
        & ~_refused_calls(passage, conditions)
        & sample
        & open_calls(passage.function)[passage.call]
    )
    if int(np.sum(left)) < MIN_CALLS:
        return ()
    meaning = passage.function.meaning
    rows = np.zeros(len(meaning.situation), dtype=np.bool_)
    rows[passage.call[(passage.accepted & sample) | left]] = True
    return tuple(Learner(meaning, passage.function.cause, code_constants, rows).required_clauses({}))


def _target_conditions(
    passage: StateCalls, same: BoolColumn, targets: IntColumn, counts: IntColumn, code_constants: Constants
) -> dict[int, tuple[LearnedClause, ...]]:
    """Return for each target what tells the calls that lead there from those that lead elsewhere.

    What the code decided is tried first.
    """
    if np.sum(counts >= MIN_CALLS) < 2:
        return {}
    meaning = passage.function.meaning
    cause = np.zeros(len(meaning.situation), dtype=np.int64)
    cause[passage.call[same]] = passage.target[same]
    rows = np.zeros(len(meaning.situation), dtype=np.bool_)
    rows[passage.call[same]] = True
    decided = passage.function.decided_calls
    branches = decided.branches if decided is not None else ()
    clauses_by_target: dict[int, tuple[LearnedClause, ...]] = {}
    for target in targets[np.argsort(-counts, kind="stable")][:MAX_TARGETS].tolist():
        accepted = rows & (cause == target)
        target_meaning = LiteralEvaluator(replace(meaning.situation, accepted=accepted))
        for literals in (branches, None) if branches else (None,):
            clauses = Learner(
                target_meaning, cause, code_constants, rows, checked=False, literals=literals
            ).required_clauses({})
            if clauses:
                clauses_by_target[target] = simplify_clauses(meaning, clauses)
                break
    if len(targets) == 2:
        return _oppose(passage, same, clauses_by_target, targets.tolist())
    return clauses_by_target


def _oppose(
    passage: StateCalls,
    same: BoolColumn,
    clauses_by_target: dict[int, tuple[LearnedClause, ...]],
    targets: Sequence[int],
) -> dict[int, tuple[LearnedClause, ...]]:
    """Return of two targets the better condition, and its opposite for the other one, where it is but one."""
    meaning = passage.function.meaning
    choices = []
    for target, clauses in clauses_by_target.items():
        if len(clauses) != 1 or len(clauses[0].literals) != 1:
            continue
        truth = truth_of(meaning, clauses[0].literals, passage.call[same])
        there = passage.target[same] == target
        wrong = int(np.sum(truth.is_known & (truth.is_true != there)))
        if wrong <= (1 - ACCEPTED) * len(there):
            choices.append((wrong, meaning.price(clauses[0].literals[0]), target, clauses[0]))
    if not choices:
        return clauses_by_target
    *_, target, clause = min(choices, key=lambda item: item[:3])
    other = next(item for item in targets if item != target)
    return {target: (clause,), other: (_opposite(clause),)}


def _opposite(clause: LearnedClause) -> LearnedClause:
    (literal,) = clause.literals
    return LearnedClause(literals=(opposite(literal),), causes=clause.causes)


def _parts(
    passage: StateCalls,
    whole: Mapping[LearnedClause, GuardKind],
    conditions: Sequence[LearnedClause],
    own: Sequence[LearnedClause],
    there: Sequence[LearnedClause],
) -> tuple[PassageCondition, ...]:
    """Return all conditions, without what follows from others."""
    meaning = passage.function.meaning
    clauses = simplify_clauses(meaning, [*conditions, *own]) if own else tuple(conditions)
    kinds = {clause.literals: kind for clause, kind in whole.items()}
    parts = [
        PassageCondition(
            clause=clause,
            origin=ConditionOrigin.FUNCTION if clause.literals in kinds else ConditionOrigin.STATE,
            kind=kinds.get(clause.literals),
        )
        for clause in clauses
    ]
    literals = {clause.literals for clause in clauses}
    return (
        *parts,
        *(
            PassageCondition(clause=clause, origin=ConditionOrigin.TARGET)
            for clause in there
            if clause.literals not in literals
        ),
    )


def _held_out(
    passage: StateCalls,
    later: BoolColumn,
    leads_there: BoolColumn,
    elsewhere: BoolColumn,
    own: Sequence[LearnedClause],
    there: Sequence[LearnedClause],
) -> GuardTest | None:
    """Return how conditions learned from the earlier calls do on the later ones."""
    if int(np.sum(later)) < MIN_HELD_OUT:
        return None
    meaning = passage.function.meaning
    clauses = [*own, *there]
    refused = _refused_calls(passage, clauses)
    others = later & (~passage.accepted | elsewhere) if own else later & elsewhere
    return GuardTest(
        text=text(meaning.language, formula_of(meaning, clauses)) if clauses else "",
        accepted=int(np.sum(later & leads_there)),
        refused=int(np.sum(refused & later & leads_there)),
        rejected=int(np.sum(others)),
        explained=int(np.sum(refused & others)),
    )
