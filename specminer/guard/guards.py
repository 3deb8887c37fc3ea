"""Learns the guards of all functions of a history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer.decoding import ROLLED_BACK, HistoryContext
from specminer.guard.constants import Constants, constants
from specminer.guard.entity import Entities
from specminer.guard.guard import LearnedGuard
from specminer.guard.learning import Clause, Learner, tellable, truth_of
from specminer.guard.literal import Meaning
from specminer.guard.observed import Elsewhere, Observed, observed
from specminer.guard.simplifying import formula_of, simplified
from specminer.guard.terms import Terms
from specminer.history import CONSTRUCTOR, RETURNED, BoolColumn, IntColumn
from specminer.predicate import Formula, text
from specminer.predicate.smtlib import expression, symbol_sorts
from specminer.specification import Guard, GuardCondition, GuardKind, GuardTest, RejectionReason
from specminer.support import TRAINING_SHARE, wilson

MIN_HELD_OUT: Final = 5
"""With fewer calls behind the first part nothing is tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """The calls of a function, and why they were rejected."""

    number: int
    meaning: Meaning
    cause: IntColumn
    """Position in ``Learned.causes`` of why each call was rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned of a history."""

    guards: tuple[LearnedGuard, ...]
    """Of each function what is required, then what was only observed."""
    functions: tuple[Function, ...]
    """All that have calls that count, by number."""
    constants: Constants
    """The numbers in the contract's code."""
    causes: tuple[str, ...]
    """Why calls were rejected, in the contract's own words, ascending; empty where it gave no reason."""


def guards(context: HistoryContext, causes: Sequence[str], seed: int = 0) -> tuple[LearnedGuard, ...]:
    """Return the guards of all functions, with whole names; the arguments are those of :func:`learn`."""
    return learn(context, causes, seed).guards


def learn(
    context: HistoryContext, causes: Sequence[str], seed: int = 0, entities: Entities | None = None
) -> Learned:
    """Learn the guards of all functions.

    Args:
        context: the history and what it means.
        causes: why each invocation was rejected, in the contract's own words; empty for accepted ones.
        seed: of the permutation test.
        entities: storage of the interaction's own entity is called by its short name; ``None``: by its whole name.

    """
    names = tuple(sorted(set(causes)))
    number_of = {name: number for number, name in enumerate(names)}
    numbers = np.array([number_of[cause] for cause in causes], dtype=np.int64)
    known = constants(_codes(context), _selectors(context))
    terms = Terms(context)
    functions: list[Function] = []
    for number in range(len(context.calls.functions)):
        situation = terms.situation(number)
        if situation is not None:
            situation = situation if entities is None else entities.named(situation)
            functions.append(
                Function(number=number, meaning=Meaning(situation), cause=numbers[situation.rows])
            )
    first = _learned(functions, names, known, trained=True)
    final = _learned(functions, names, known, trained=False)
    elsewhere = _elsewhere(functions)
    found: list[LearnedGuard] = []
    for function, early, clauses in zip(functions, first, final, strict=True):
        found.append(_guard(context, function, clauses, early, names))
        seen = observed(function.meaning, clauses, elsewhere, seed)
        found += [_observed(function, item) for item in seen]
    return Learned(
        guards=tuple(item for item in found if item.guard.conditions or item.guard.rejected),
        functions=tuple(functions),
        constants=known,
        causes=names,
    )


def _codes(context: HistoryContext) -> list[bytes]:
    """Return the codes that ran, each once."""
    codes: list[bytes] = []
    for contract in context.history.contracts:
        for code in (contract.code, *(item[1] for item in contract.implementations)):
            if code and code not in codes:
                codes.append(code)
    return codes[:8]


def _selectors(context: HistoryContext) -> frozenset[int]:
    """Return the selectors of functions and errors, as numbers."""
    interface = context.interface
    return frozenset(int.from_bytes(item, "big") for item in (*interface.functions, *interface.errors))


def _learned(
    functions: Sequence[Function], names: Sequence[str], known: Constants, *, trained: bool
) -> list[tuple[Clause, ...]]:
    """Return the conditions of each function, learned from all its calls, or from the first part of them."""
    learners = []
    for function in functions:
        chosen = first_part(len(function.cause)) if trained else np.ones(len(function.cause), np.bool_)
        rejected = bool(np.any(chosen & ~function.meaning.situation.accepted))
        learners.append(Learner(function.meaning, function.cause, known, chosen) if rejected else None)
    votes = [learner.votes() if learner is not None else {} for learner in learners]
    total: dict[tuple[int, str], float] = {}
    for own in votes:
        for vote, bits in own.items():
            if names[vote[0]]:  # no reason is no common reason
                total[vote] = total.get(vote, 0.0) + bits
    found: list[tuple[Clause, ...]] = []
    for function, learner, own in zip(functions, learners, votes, strict=True):
        shared = {
            vote: bits - own.get(vote, 0.0) for vote, bits in total.items() if bits > own.get(vote, 0.0)
        }
        clauses = learner.required(shared) if learner is not None else []
        found.append(tuple(clause for clause in clauses if tellable(function.meaning, clause.literals)))
    return found


def first_part(count: int) -> BoolColumn:
    """Return which of so many calls, in the order of the history, a guard is learned from that the others test."""
    return np.arange(count) < int(TRAINING_SHARE * count)


def _elsewhere(functions: Iterable[Function]) -> Elsewhere:
    found: dict[tuple[int, int], list[tuple[Meaning, int]]] = {}
    for function in functions:
        for place, term in enumerate(function.meaning.situation.terms):
            if term.stored:
                found.setdefault((term.variable, term.field), []).append((function.meaning, place))
    return found


def _guard(
    context: HistoryContext,
    function: Function,
    clauses: Sequence[Clause],
    early: Sequence[Clause],
    names: Sequence[str],
) -> LearnedGuard:
    meaning, accepted = function.meaning, function.meaning.situation.accepted
    short = simplified(meaning, clauses)
    truths = [truth_of(meaning, clause.literals) for clause in short]
    refused = np.logical_or.reduce([np.zeros(len(accepted), np.bool_), *(truth.false for truth in truths)])
    doubtful = [truth.doubtful for truth in truths]
    unknown = np.logical_or.reduce([np.zeros(len(accepted), np.bool_), *doubtful]) & ~refused & accepted
    formula = formula_of(meaning, short)
    explained, exceptions = int(np.sum(refused & ~accepted)), int(np.sum(refused & accepted))
    guard = replace(
        _described(meaning, formula),
        text=text(meaning.language, formula) if short else "",
        explained=explained,
        exceptions=exceptions,
        interval=wilson(int(np.sum(accepted)) - exceptions, int(np.sum(accepted))),
        explained_interval=wilson(explained, int(np.sum(~accepted))),
        left_out=_left_out(context, function.number),
        conditions=tuple(_condition(function, clause, names) for clause in short),
        reasons=_reasons(function, ~accepted, refused, names),
        held_out=_test(function, early),
        unknown=int(np.sum(unknown)) or None,
    )
    return LearnedGuard(
        guard=guard, meaning=meaning, clauses=short, formula=formula_of(meaning, clauses), simplified=formula
    )


def _described(meaning: Meaning, formula: Formula) -> Guard:
    """Return a guard as text and term, with the number of calls that it was learned from."""
    language, situation = meaning.language, meaning.situation
    symbols = language.symbols(formula)
    return Guard(
        scope=situation.function,
        text=text(language, formula),
        names={
            term.short: term.name
            for term, symbol in zip(situation.terms, meaning.symbols, strict=True)
            if term.short and symbol in symbols
        },
        smt=expression(language, formula),
        symbols=symbol_sorts(language, symbols),
        kind=GuardKind.REQUIRED,
        accepted=int(np.sum(situation.accepted)),
        rejected=int(np.sum(~situation.accepted)),
    )


def _left_out(context: HistoryContext, function: int) -> int:
    history = context.history
    failed = (history.invocation_outcome != RETURNED) & (history.invocation_outcome != ROLLED_BACK)
    mine = (context.calls.function == function) & (history.invocation_kind != CONSTRUCTOR)
    return int(np.sum(failed & mine & ~context.is_rejected & ~context.calls.read_only))


def _condition(function: Function, clause: Clause, names: Sequence[str]) -> GuardCondition:
    accepted = function.meaning.situation.accepted
    truth = truth_of(function.meaning, clause.literals)
    of_causes = ~accepted & np.isin(function.cause, clause.causes)
    exceptions, looked = int(np.sum(truth.false & accepted)), int(np.sum(truth.known & accepted))
    return GuardCondition(
        text=text(function.meaning.language, formula_of(function.meaning, (clause,))),
        explained=int(np.sum(truth.false & ~accepted)),
        exceptions=exceptions,
        unknown=int(np.sum(~truth.known & accepted)),
        interval=wilson(looked - exceptions, looked),
        reasons=_reasons(function, of_causes, truth.false, names),
    )


def doubtful_calls(meaning: Meaning, clause: Clause) -> int:
    """Return in how many accepted calls a condition may not have held, because a value is not known."""
    return int(np.sum(truth_of(meaning, clause.literals).doubtful & meaning.situation.accepted))


def _reasons(
    function: Function, rows: BoolColumn, false: BoolColumn, names: Sequence[str]
) -> tuple[RejectionReason, ...]:
    """Return the reasons of some rejected calls, with how many of them are explained."""
    numbers, counts = np.unique(function.cause[rows], return_counts=True)
    found = [
        RejectionReason(
            text=names[number],
            rejected=count,
            explained=int(np.sum(rows & false & (function.cause == number))),
        )
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda item: (-item.rejected, item.text)))


def _test(function: Function, early: Sequence[Clause]) -> GuardTest | None:
    situation = function.meaning.situation
    rows = np.flatnonzero(~first_part(len(situation)))
    if len(rows) < MIN_HELD_OUT:
        return None
    short = simplified(function.meaning, early)
    refused = np.zeros(len(rows), dtype=np.bool_)
    for clause in short:
        refused |= truth_of(function.meaning, clause.literals, rows).false
    accepted = situation.accepted[rows]
    return GuardTest(
        text=text(function.meaning.language, formula_of(function.meaning, short)),
        accepted=int(np.sum(accepted)),
        refused=int(np.sum(refused & accepted)),
        rejected=int(np.sum(~accepted)),
        explained=int(np.sum(refused & ~accepted)),
    )


def _observed(function: Function, item: Observed) -> LearnedGuard:
    meaning, formula = function.meaning, formula_of(function.meaning, (item.clause,))
    condition = _condition(function, item.clause, ())
    guard = _described(meaning, formula)
    guard = replace(
        guard,
        kind=GuardKind.OBSERVED,
        explained=condition.explained,
        exceptions=condition.exceptions,
        interval=wilson(guard.accepted - condition.exceptions, guard.accepted),
        explained_interval=wilson(condition.explained, guard.rejected),
        conditions=(condition,),
        significance=float(f"{item.significance:.3g}"),
        unknown=doubtful_calls(meaning, item.clause) or None,
    )
    return LearnedGuard(
        guard=guard, meaning=meaning, clauses=(item.clause,), formula=formula, simplified=formula
    )
