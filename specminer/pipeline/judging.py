"""From a specification to what is known of it: what holds, how well, and what stands out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from specminer.confidence import agreement
from specminer.decoding import HistoryContext
from specminer.guard import LearnedGuard
from specminer.guard.learning import truth_of
from specminer.history import History, IntColumn
from specminer.interaction import Interactions
from specminer.invariant import MAX_TOLD, Invariant, Template, entry_of, exceptions
from specminer.specification import Confidence, Edge, HeldOutFigures, Specification, function_scope
from specminer.support import wilson
from specminer.surprise import Broken, Kind, Ranking, measure
from specminer.tuning import Tuning


def with_interval(edge: Edge, reached: int) -> Edge:
    """Return a transition with how many interactions could have taken it, and the interval of the share that did."""
    return replace(edge, reached=reached, interval=wilson(edge.interaction_count, reached))


def judged(
    specification: Specification,
    context: HistoryContext,
    interactions: Interactions,
    tuning: Tuning,
    guards: Sequence[LearnedGuard],
    invariants: tuple[Sequence[Invariant], Sequence[Invariant]],
    surprising: int,
) -> Specification:
    """Return the specification with invariants, confidence, and the ``surprising`` first of what stands out.

    ``invariants`` are all that held, and those of them that are told because they do not follow from others.
    """
    history = context.history
    held, told = invariants
    unit = units(history, interactions)
    claims = [*held, *_as_claims(guards)]
    ranking = Ranking(
        history=history,
        interactions=interactions,
        tuning=tuning,
        measured=measure(history, interactions, tuning, broken(claims, history, unit)),
    )
    return replace(
        specification,
        invariants=tuple(entry_of(item, history, unit) for item in told[:MAX_TOLD]),
        confidence=_confidence(specification, tuning),
        surprise=ranking.surprise(surprising),
    )


def units(history: History, interactions: Interactions) -> IntColumn:
    """Return for each invocation the first interaction that it belongs to, or else a number of its own."""
    unit = np.arange(len(history)) + len(interactions.names)
    rows = np.flatnonzero(~interactions.switches)[::-1]
    unit[interactions.invocation[rows]] = interactions.slice[rows]
    return unit


def _as_claims(guards: Sequence[LearnedGuard]) -> Iterator[Invariant]:
    """Yield the conditions of guards as claims about accepted calls."""
    for item in guards:
        function, situation = item.guard.scope, item.meaning.situation
        for condition, clause in zip(item.guard.conditions, item.clauses, strict=True):
            if condition.exceptions:
                truth = truth_of(item.meaning, clause.literals)
                cases = situation.accepted & truth.known
                yield Invariant(
                    scope=function_scope(function),
                    template=Template.BEFORE,
                    text=f"the guard of {function}: {condition.text}",
                    smt=None,
                    cases=situation.rows[cases],
                    held=truth.true[cases],
                )


def broken(held: Sequence[Invariant], history: History, unit: IntColumn) -> list[Broken]:
    """Return what broke invariants; those of states say what the automaton says itself."""
    found = []
    for item in held:
        if item.exceptions and item.surprising and not item.premises and item.template is not Template.STATE:
            failed = exceptions(item, history, unit)
            found.append(
                Broken(
                    invocation=failed.invocation.astype(np.int64),
                    bits=failed.bits,
                    text=item.text,
                    held=failed.held,
                    kind=Kind.BEFORE if item.template is Template.BEFORE else Kind.BROKEN,
                )
            )
    return found


def _confidence(specification: Specification, tuning: Tuning) -> Confidence:
    """Return what halves of the history say of each other, and what held-out interactions do.

    Acceptance alone proves little, so that of shuffled interactions stands beside it.
    """
    halves = agreement(tuning, tuning.seed)
    metrics = specification.metrics
    return Confidence(
        halves=halves.figures if halves else None,
        held_out=HeldOutFigures(
            held_out_acceptance=metrics.get("held_out_acceptance"),
            shuffled_acceptance=metrics.get("shuffled_acceptance"),
            held_out_label_bits=metrics.get("held_out_label_bits"),
        ),
    )
