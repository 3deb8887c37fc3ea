"""Guards as the specification tells them: texts, terms, and the calls that they are counted in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from specminer._support.statistics import TRAINING_SHARE, wilson
from specminer.decoding import ROLLED_BACK, HistoryContext
from specminer.history.contract_history import CONSTRUCTOR, RETURNED, BoolColumn, IntColumn
from specminer.inference.conjunctions import formula_of, simplify_clauses
from specminer.inference.decided_clauses import DecidedCalls, DecidedClause
from specminer.inference.guard_learning import LearnedClause, truth_of
from specminer.inference.guard_literals import LiteralEvaluator, opposite
from specminer.inference.learned_guard import LearnedGuard
from specminer.inference.observed_guards import ObservedCondition
from specminer.inference.rejection_witnesses import witnesses
from specminer.predicate import Formula, text
from specminer.predicate.smtlib import expression, symbol_sorts
from specminer.specification import (
    CodeVersion,
    ConditionMaker,
    ConditionPath,
    DecisionCounts,
    FollowedCalls,
    Guard,
    GuardCondition,
    GuardKind,
    GuardTest,
    ObservedBound,
    RejectionCause,
    RejectionReason,
)

MIN_HELD_OUT: Final = 5
"""With fewer calls behind the first part nothing is tested."""
MAX_CAUSES: Final = 12
"""Conditions told of one reason, those first that stopped most calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFunction:
    """The ``n`` calls of a function, and why they were rejected."""

    number: int
    meaning: LiteralEvaluator
    cause: IntColumn
    """Position in ``Learned.causes`` of why each call was rejected; shape (n,)."""
    decided_calls: DecidedCalls | None = None
    """What the code decided; ``None`` if it could not be followed."""

    @property
    def accepted(self) -> BoolColumn:
        """Which calls were accepted."""
        return self.meaning.situation.accepted


def first_part(count: int) -> BoolColumn:
    """Return which of so many calls, in the order of the history, a guard is learned from that the others test."""
    return np.arange(count) < int(TRAINING_SHARE * count)


def refused_by(meaning: LiteralEvaluator, clauses: Sequence[LearnedClause]) -> BoolColumn:
    """Return the calls in which some clause is known not to hold."""
    refused = np.zeros(len(meaning.situation), dtype=np.bool_)
    for clause in clauses:
        refused |= truth_of(meaning, clause.literals).false
    return refused


def decided_guard(
    context: HistoryContext,
    function: JudgedFunction,
    decided: DecidedCalls,
    kind: GuardKind,
    names: Sequence[str],
) -> LearnedGuard:
    """Return what the code of a function requires, or what else stands in it.

    Args:
        context: the history.
        function: the calls.
        decided: what they decided.
        kind: ``REQUIRED`` or ``CODED``.
        names: the reasons of rejections.

    """
    meaning, accepted = function.meaning, function.accepted
    clauses = [item for item in decided.clauses if item.kind is kind]
    clauses.sort(key=lambda item: item.maker is ConditionMaker.COMPILER)
    plain_clauses = tuple(item.clause for item in clauses)
    refused = refused_by(meaning, plain_clauses)
    required = kind is GuardKind.REQUIRED
    explained = (refused | decided.is_explained) & ~accepted if required else refused & ~accepted
    guard = _count_guard(meaning, plain_clauses, refused, explained, kind)
    guard = replace(
        guard,
        left_out=_left_out(context, function.number) if required else 0,
        conditions=tuple(_decided_condition(function, item, names) for item in clauses),
        reasons=_decided_reasons(context, function, decided, explained, names) if required else (),
        held_out=_decided_test(function, decided, clauses) if required else None,
        calls=FollowedCalls(
            followed=int(np.sum(decided.is_followed)),
            unpursued=decided.unpursued,
            unproved=dict(decided.unproved),
        ),
    )
    formula = formula_of(meaning, plain_clauses)
    return LearnedGuard(
        guard=guard, meaning=meaning, clauses=plain_clauses, formula=formula, simplified=formula
    )


def learned_guard(
    context: HistoryContext,
    function: JudgedFunction,
    clauses: Sequence[LearnedClause],
    early: Sequence[LearnedClause],
    names: Sequence[str],
    rows: BoolColumn,
) -> LearnedGuard:
    """Return a guard that was learned; ``early`` is what the first part of the calls taught, ``rows`` are the calls."""
    meaning, accepted = function.meaning, function.accepted
    short = simplify_clauses(meaning, clauses)
    refused = refused_by(meaning, short)
    guard = _count_guard(meaning, short, refused, refused & ~accepted & rows, GuardKind.LEARNED)
    guard = replace(
        guard,
        left_out=_left_out(context, function.number),
        conditions=tuple(_condition(function, clause, names) for clause in short),
        reasons=_reasons(function, ~accepted & rows, refused, names),
        held_out=held_out(function, early, rows),
    )
    return LearnedGuard(
        guard=guard,
        meaning=meaning,
        clauses=short,
        formula=formula_of(meaning, clauses),
        simplified=formula_of(meaning, short),
    )


def observed_guard(function: JudgedFunction, item: ObservedCondition) -> LearnedGuard:
    """Return a guard that was only observed."""
    meaning, clauses = function.meaning, (item.clause,)
    formula, condition = formula_of(meaning, clauses), _condition(function, item.clause, ())
    refused = refused_by(meaning, clauses)
    guard = replace(
        _count_guard(meaning, clauses, refused, refused & ~function.accepted, GuardKind.OBSERVED),
        conditions=(condition,),
        significance=float(f"{item.significance:.3g}"),
        unknown=doubtful_calls(meaning, item.clause) or None,
    )
    return LearnedGuard(guard=guard, meaning=meaning, clauses=clauses, formula=formula, simplified=formula)


def doubtful_calls(meaning: LiteralEvaluator, clause: LearnedClause) -> int:
    """Return in how many accepted calls a condition may not have held, because a value is not known."""
    return int(np.sum(truth_of(meaning, clause.literals).is_doubtful & meaning.situation.accepted))


def held_out(function: JudgedFunction, early: Sequence[LearnedClause], rows: BoolColumn) -> GuardTest | None:
    """Return how what the first part of the calls taught does on the rest; ``None`` if that is too small."""
    later = np.flatnonzero(~first_part(len(rows)) & (function.accepted | rows))
    if len(later) < MIN_HELD_OUT:
        return None
    meaning = function.meaning
    short = simplify_clauses(meaning, early)
    refused = refused_by(meaning, short)[later]
    accepted = function.accepted[later]
    return GuardTest(
        text=text(meaning.language, formula_of(meaning, short)),
        accepted=int(np.sum(accepted)),
        refused=int(np.sum(refused & accepted)),
        rejected=int(np.sum(~accepted)),
        explained=int(np.sum(refused & ~accepted)),
    )


def _decided_test(
    function: JudgedFunction, decided: DecidedCalls, clauses: Sequence[DecidedClause]
) -> GuardTest | None:
    """Return how the conditions that rejected one of the first calls do on the rest, as :func:`held_out` does."""
    first = first_part(len(decided.is_followed))
    early = [item for item in clauses if np.any(item.rejects & first)]
    later = np.flatnonzero(~first & decided.is_followed)
    if len(later) < MIN_HELD_OUT:
        return None
    meaning, plain = function.meaning, [item.clause for item in early]
    stopped = np.logical_or.reduce([np.zeros(len(first), np.bool_), *(item.rejects for item in early)])
    refused = refused_by(meaning, plain)
    accepted = function.accepted
    return GuardTest(
        text=text(meaning.language, formula_of(meaning, plain)),
        accepted=int(np.sum(accepted[later])),
        refused=int(np.sum((refused & accepted)[later])),
        rejected=int(np.sum(~accepted[later])),
        explained=int(np.sum(((refused | stopped) & ~accepted)[later])),
    )


def _count_guard(
    meaning: LiteralEvaluator,
    clauses: Sequence[LearnedClause],
    refused: BoolColumn,
    explained: BoolColumn,
    kind: GuardKind,
) -> Guard:
    """Return a guard as text and term, with the numbers of calls that it is about."""
    formula, accepted = formula_of(meaning, clauses), meaning.situation.accepted
    doubtful = [truth_of(meaning, clause.literals).is_doubtful for clause in clauses]
    unknown = np.logical_or.reduce([np.zeros(len(accepted), np.bool_), *doubtful]) & ~refused & accepted
    exceptions, count = int(np.sum(refused & accepted)), int(np.sum(explained))
    return replace(
        _describe(meaning, formula, kind),
        text=text(meaning.language, formula) if clauses else "",
        explained=count,
        exceptions=exceptions,
        interval=wilson(int(np.sum(accepted)) - exceptions, int(np.sum(accepted))),
        explained_interval=wilson(count, int(np.sum(~accepted))),
        unknown=int(np.sum(unknown)) or None,
    )


def _describe(meaning: LiteralEvaluator, formula: Formula, kind: GuardKind) -> Guard:
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
        kind=kind,
        accepted=int(np.sum(situation.accepted)),
        rejected=int(np.sum(~situation.accepted)),
    )


def _left_out(context: HistoryContext, function: int) -> int:
    history = context.history
    failed = (history.invocation_outcome != RETURNED) & (history.invocation_outcome != ROLLED_BACK)
    of_function = (context.calls.function == function) & (history.invocation_kind != CONSTRUCTOR)
    return int(np.sum(failed & of_function & ~context.is_rejected & ~context.calls.read_only))


def _condition(function: JudgedFunction, clause: LearnedClause, names: Sequence[str]) -> GuardCondition:
    meaning, accepted = function.meaning, function.accepted
    truth = truth_of(meaning, clause.literals)
    of_causes = ~accepted & np.isin(function.cause, clause.causes)
    exceptions, looked = int(np.sum(truth.false & accepted)), int(np.sum(truth.is_known & accepted))
    bound = None
    for literal in clause.literals:
        if literal.rejected is not None:
            declaration = meaning.language.declaration(meaning.symbols[literal.left])
            bound = ObservedBound(
                accepted=declaration.spell(literal.constant), rejected=declaration.spell(literal.rejected)
            )
    return GuardCondition(
        text=_text(meaning, clause),
        explained=int(np.sum(truth.false & ~accepted)),
        exceptions=exceptions,
        unknown=int(np.sum(~truth.is_known & accepted)),
        interval=wilson(looked - exceptions, looked),
        reasons=_reasons(function, of_causes, truth.false, names),
        bound=bound,
    )


def _decided_condition(function: JudgedFunction, item: DecidedClause, names: Sequence[str]) -> GuardCondition:
    condition = _condition(function, item.clause, ())
    truth = truth_of(function.meaning, item.clause.literals)
    explained = (truth.false & ~function.accepted) | item.rejects
    return replace(
        condition,
        explained=int(np.sum(explained)),
        reasons=_reasons(function, item.rejects, item.rejects, names),
        maker=item.maker,
        each=item.each,
        path=_path(function.meaning, item),
        version=_version(function.meaning, item),
        decisions=DecisionCounts(
            passed=item.pass_count,
            stopped=int(np.sum(item.rejects)),
            contradictions=item.contradictions,
            undecided=item.undecided,
        ),
        order=item.order,
    )


def _path(meaning: LiteralEvaluator, item: DecidedClause) -> ConditionPath | None:
    """Return a disjunction as an implication, if not all accepted calls come to its last condition."""
    *others, demanded = item.clause.literals
    terms = meaning.situation.terms
    of_sender = all(
        any(terms[term].name == "sender" or "sender" in terms[term].keys for term in literal.terms)
        for literal in item.clause.literals
    )
    if not others or not item.undecided or of_sender:  # who may call is a choice
        return None
    premise = " and ".join(meaning.text(opposite(literal)) for literal in others)
    return ConditionPath(premise=premise, demand=meaning.text(demanded))


def _version(meaning: LiteralEvaluator, item: DecidedClause) -> CodeVersion | None:
    """Return when the version of the code ran that has a condition; ``None`` if it is no matter."""
    if item.since is None and item.until is None:
        return None
    return CodeVersion(demand=_text(meaning, item.in_version), since=item.since, until=item.until)


def _text(meaning: LiteralEvaluator, clause: LearnedClause) -> str:
    return text(meaning.language, formula_of(meaning, (clause,)))


def _reasons(
    function: JudgedFunction, rows: BoolColumn, explained: BoolColumn, names: Sequence[str]
) -> tuple[RejectionReason, ...]:
    """Return the reasons of some rejected calls, with how many of them are explained."""
    numbers, counts = np.unique(function.cause[rows], return_counts=True)
    reasons = [
        RejectionReason(
            text=names[number],
            rejected=count,
            explained=int(np.sum(rows & explained & (function.cause == number))),
        )
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(reasons, key=lambda item: (-item.rejected, item.text)))


def _cause(
    context: HistoryContext,
    function: JudgedFunction,
    decided: DecidedCalls,
    item: DecidedClause,
    stopped: BoolColumn,
) -> RejectionCause:
    """Return a condition as what some calls stopped at."""
    certain = stopped & ~decided.is_inferred
    return RejectionCause(
        condition=_text(function.meaning, item.clause),
        stopped=int(np.sum(stopped)),
        witnesses=witnesses(
            context.history,
            function.meaning,
            item.clause,
            certain if certain.any() else stopped,
            demanded=1 if _path(function.meaning, item) else len(item.clause.literals),
        ),
        inferred=int(np.sum(stopped & decided.is_inferred)) or None,
        inferred_from_gas=int(np.sum(stopped & decided.inferred_from_gas)) or None,
    )


def _decided_reasons(
    context: HistoryContext,
    function: JudgedFunction,
    decided: DecidedCalls,
    explained: BoolColumn,
    names: Sequence[str],
) -> tuple[RejectionReason, ...]:
    """Return the reasons of all rejected calls, each with the conditions at which its calls stopped."""
    reasons = []
    for reason in _reasons(function, ~function.accepted, explained, names):
        rows = ~function.accepted & (function.cause == names.index(reason.text))
        causes = []
        for item in decided.clauses:
            stopped = item.rejects & rows
            if stopped.any():
                causes.append(_cause(context, function, decided, item, stopped))
        causes.sort(key=lambda cause: (-cause.stopped, cause.condition))
        why = Counter(
            decided.unexplained.get(row, "the call was not followed")
            for row in np.flatnonzero(rows & ~explained).tolist()
        )
        reasons.append(
            replace(reason, causes=tuple(causes[:MAX_CAUSES]), unexplained=dict(sorted(why.items())))
        )
    return tuple(reasons)
