"""Finds the guards of all functions of a history: from what their code decided, or learned where that is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from specminer.decoding import HistoryContext
from specminer.evm.code_constants import Constants, constants
from specminer.history.contract_history import BoolColumn
from specminer.inference.decided_clauses import FollowedFunction, decided_calls
from specminer.inference.entity_terms import Entities
from specminer.inference.guard_description import (
    JudgedFunction,
    decided_guard,
    first_part,
    learned_guard,
    observed_guard,
    refused_by,
)
from specminer.inference.guard_learning import ACCEPTED, LearnedClause, Learner, tellable, truth_of
from specminer.inference.guard_literals import LiteralEvaluator
from specminer.inference.guard_terms import Terms
from specminer.inference.learned_guard import LearnedGuard
from specminer.inference.observed_guards import Elsewhere, find_observed
from specminer.specification import GuardKind

MAX_CODES = 8
"""Codes whose numbers are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedGuards:
    """What was found of a history."""

    guards: tuple[LearnedGuard, ...]
    """Of each function what is required, then what is coded, learned and observed."""
    functions: tuple[JudgedFunction, ...]
    """All that have calls that count, by number."""
    constants: Constants
    """The numbers in the contract's code."""
    causes: tuple[str, ...]
    """Why calls were rejected, in the contract's own words, ascending; empty where it gave no reason."""


def guards(context: HistoryContext, causes: Sequence[str], seed: int = 0) -> tuple[LearnedGuard, ...]:
    """Return the learned guards of all functions, with whole names; the arguments are those of :func:`learn`."""
    return learn(context, causes, seed).guards


def learn(
    context: HistoryContext,
    causes: Sequence[str],
    seed: int = 0,
    entities: Entities | None = None,
    followed: Mapping[int, FollowedFunction] | None = None,
) -> LearnedGuards:
    """Find the guards of all functions.

    Args:
        context: the history and what it means.
        causes: why each invocation was rejected, in the contract's own words; empty for accepted ones.
        seed: of the permutation test.
        entities: storage of the interaction's own entity is called by its short name; ``None``: by its whole name.
        followed: what calls decided, by number of the function, where the code was followed; guards of other
            functions are learned.

    """
    names = tuple(sorted(set(causes)))
    code_constants = constants(_codes(context), _selectors(context))
    functions = functions_of(context, causes, entities, followed)
    first = _learn_conditions(functions, names, code_constants, trained=True)
    final = _learn_conditions(functions, names, code_constants, trained=False)
    elsewhere = _elsewhere(functions)
    guards: list[LearnedGuard] = []
    for function, early, clauses in zip(functions, first, final, strict=True):
        own = _guards(context, function, _lasting(function, clauses, early), early, names)
        observations = find_observed(
            function.meaning, [clause for item in own for clause in item.clauses], elsewhere, seed
        )
        guards += own
        guards += [observed_guard(function, item) for item in observations]
    return LearnedGuards(guards=tuple(guards), functions=functions, constants=code_constants, causes=names)


def functions_of(
    context: HistoryContext,
    causes: Sequence[str],
    entities: Entities | None = None,
    followed: Mapping[int, FollowedFunction] | None = None,
) -> tuple[JudgedFunction, ...]:
    """Return the functions of a history that have calls that count, with their terms, by number.

    The arguments are those of :func:`learn`.
    """
    names = tuple(sorted(set(causes)))
    followed = followed or {}
    number_of = {name: number for number, name in enumerate(names)}
    numbers = np.array([number_of[cause] for cause in causes], dtype=np.int64)
    terms = Terms(context)
    functions: list[JudgedFunction] = []
    for number in range(len(context.calls.functions)):
        situation = terms.situation(number)
        if situation is None:
            continue
        decided = None
        if number in followed:
            situation, decided = decided_calls(situation, followed[number])
        if entities is not None:
            situation = entities.shorten_names(situation, () if decided is None else decided.terms_together)
        functions.append(
            JudgedFunction(
                number=number,
                meaning=LiteralEvaluator(situation),
                cause=numbers[situation.rows],
                decided_calls=decided,
            )
        )
    return tuple(functions)


def _guards(
    context: HistoryContext,
    function: JudgedFunction,
    clauses: Sequence[LearnedClause],
    early: Sequence[LearnedClause],
    names: Sequence[str],
) -> list[LearnedGuard]:
    """Return the guards of a function that are more than observed, those that say something."""
    decided = function.decided_calls
    if decided is None:
        rows = np.ones(len(function.cause), dtype=np.bool_)
        guards = [learned_guard(context, function, clauses, early, names, rows)]
        return [item for item in guards if item.guard.conditions or item.guard.rejected]
    required_guard, coded_guard = (
        decided_guard(context, function, decided, kind, names)
        for kind in (GuardKind.REQUIRED, GuardKind.CODED)
    )
    guards = [required_guard] if required_guard.guard.conditions or required_guard.guard.rejected else []
    guards += [coded_guard] if coded_guard.guard.conditions else []
    if clauses:
        rows = open_calls(function)
        guards.append(learned_guard(context, function, clauses, early, names, rows))
    return guards


def open_calls(function: JudgedFunction) -> BoolColumn:
    """Return the rejected calls of a function whose conditions have to be learned; shape (n,).

    Where the code was followed these are the calls that no decision explains, nor that of another call which was
    rejected for the same reason.
    """
    rejected, decided = ~function.accepted, function.decided_calls
    if decided is None:
        return rejected
    refused = refused_by(function.meaning, [item.clause for item in decided.clauses])
    explained = rejected & (decided.is_explained | refused)
    explained_causes = np.unique(function.cause[explained])
    is_open: BoolColumn = rejected & ~explained & ~np.isin(function.cause, explained_causes)
    return is_open


def _codes(context: HistoryContext) -> list[bytes]:
    """Return the codes that ran, each once."""
    codes: list[bytes] = []
    for contract in context.history.contracts:
        for code in (contract.code, *(item[1] for item in contract.implementations)):
            if code and code not in codes:
                codes.append(code)
    return codes[:MAX_CODES]


def _selectors(context: HistoryContext) -> frozenset[int]:
    """Return the selectors of functions and errors, as numbers."""
    interface = context.interface
    return frozenset(int.from_bytes(item, "big") for item in (*interface.functions, *interface.errors))


def _learn_conditions(
    functions: Sequence[JudgedFunction], names: Sequence[str], code_constants: Constants, *, trained: bool
) -> list[tuple[LearnedClause, ...]]:
    """Return the conditions of each function, learned from all its calls, or from the first part of them."""
    learners = []
    for function in functions:
        sample = first_part(len(function.cause)) if trained else np.ones(len(function.cause), np.bool_)
        open_ = open_calls(function) & sample
        sample &= function.accepted | open_
        learners.append(
            Learner(function.meaning, function.cause, code_constants, sample) if open_.any() else None
        )
    votes = [learner.votes() if learner is not None else {} for learner in learners]
    total: dict[tuple[int, str], float] = {}
    for own in votes:
        for vote, bits in own.items():
            if names[vote[0]]:  # no reason is no common reason
                total[vote] = total.get(vote, 0.0) + bits
    conditions: list[tuple[LearnedClause, ...]] = []
    for function, learner, own in zip(functions, learners, votes, strict=True):
        shared = {
            vote: bits - own.get(vote, 0.0) for vote, bits in total.items() if bits > own.get(vote, 0.0)
        }
        clauses = learner.required_clauses(shared) if learner is not None else []
        conditions.append(tuple(clause for clause in clauses if tellable(function.meaning, clause.literals)))
    return conditions


def _lasting(
    function: JudgedFunction, clauses: Sequence[LearnedClause], early: Sequence[LearnedClause]
) -> tuple[LearnedClause, ...]:
    """Return the conditions without those that failed: learned on the first calls, they refused later accepted ones.

    A bound at a number fails with any bound of the same terms.
    """
    later = ~first_part(len(function.cause)) & function.accepted
    failed: set[object] = set()
    for clause in early:
        truth = truth_of(function.meaning, clause.literals)
        wrong, tested = int(np.sum(truth.false & later)), int(np.sum(truth.is_known & later))
        if wrong > (1 - ACCEPTED) * tested:
            failed |= {clause.literals, _bounded_term(clause)}
    return tuple(
        clause
        for clause in clauses
        if clause.literals not in failed and _bounded_term(clause) not in failed - {None}
    )


def _bounded_term(clause: LearnedClause) -> object:
    """Return the term of a bound at a number; ``None`` for other conditions."""
    (literal, *others) = clause.literals
    ordered = literal.sign.value in ("<", "<=", ">", ">=")
    return (literal.left,) if ordered and literal.right is None and not others else None


def _elsewhere(functions: Iterable[JudgedFunction]) -> Elsewhere:
    terms_by_field: dict[tuple[int, int], list[tuple[LiteralEvaluator, int]]] = {}
    for function in functions:
        for index, term in enumerate(function.meaning.situation.terms):
            if term.stored:
                terms_by_field.setdefault((term.variable, term.field), []).append((function.meaning, index))
    return terms_by_field
