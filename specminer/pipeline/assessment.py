"""The stages that judge an automaton: what holds, how far to trust it, and what stands out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from specminer.history.contract_history import History, IntColumn
from specminer.inference.guard_learning import truth_of
from specminer.inference.invariant_claim import Invariant, exceptions
from specminer.inference.invariant_search import is_habit, is_open, search
from specminer.inference.learned_guard import LearnedGuard
from specminer.inference.ranked_transactions import weigh
from specminer.inference.surprise_measures import Broken, SurpriseKind, measure, too_few
from specminer.inference.surprise_ranking import Ranking
from specminer.inference.transaction_sources import Claim
from specminer.inference.unjudged_calls import count_unjudged
from specminer.interaction import Interactions
from specminer.learning.split_half_agreement import agreement
from specminer.pipeline.state import Mining
from specminer.specification import Confidence, HeldOutFigures, function_scope
from specminer.specification.invariants import Template


def find_invariants(mining: Mining) -> Mining:
    """Find what held of states, of the contract, and of what functions do; some of it follows from the code.

    What some way through the code breaks is left out, though no call has gone that way. What callers only used to do is
    kept apart.
    """
    invariants = [
        item
        for item in search(mining.context, mining.tuning, mining.interactions)
        if not is_open(item, mining.open_ways)
    ]
    return replace(
        mining,
        invariants=[
            replace(item, derivation=mining.laws[item.text]) if item.text in mining.laws else item
            for item in invariants
            if not is_habit(item, mining.open_ways)
        ],
        habits=[item for item in invariants if is_habit(item, mining.open_ways)],
    )


def assess_confidence(mining: Mining) -> Mining:
    """Compare what halves of the history say of each other, and tell what held-out interactions do.

    Acceptance alone proves little, so that of shuffled interactions stands beside it.
    """
    tuning = mining.tuning
    halves = agreement(tuning, tuning.seed)
    metrics = round_metrics(tuning.metrics)
    return replace(
        mining,
        confidence=Confidence(
            halves=halves.figures if halves else None,
            held_out=HeldOutFigures(
                held_out_acceptance=metrics.get("held_out_acceptance"),
                shuffled_acceptance=metrics.get("shuffled_acceptance"),
                held_out_label_bits=metrics.get("held_out_label_bits"),
            ),
        ),
    )


def rank_surprise(mining: Mining) -> Mining:
    """Measure how surprising events and interactions are, and list the first of what stands out."""
    history, interactions, tuning = mining.history, mining.interactions, mining.tuning
    claims = [*mining.invariants, *mining.habits, *_as_claims(mining.guards.learned_guards.guards)]
    # what judges a call is what others decided: others' interactions, or transactions where there are too few of those
    unit = history.invocation_transaction if too_few(tuning) else units(history, interactions)
    measured = measure(history, interactions, tuning, broken(claims, history, unit))
    ranking = Ranking(history=history, interactions=interactions, tuning=tuning, measured_bits=measured)
    count = mining.options.surprising
    weighed = weigh(mining.context, ranking, breakable(claims), mining.runs)
    return replace(
        mining,
        ranked_transactions=weighed,
        surprise=replace(
            ranking.surprise(count),
            transactions=weighed.surprise(count),
            unjudged=count_unjudged(mining.context),
        ),
    )


def round_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Cut metrics where sums of logarithms begin to differ between machines."""
    return {name: round(value, 6) for name, value in metrics.items()}


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
                cases = situation.accepted & truth.is_known
                yield Invariant(
                    scope=function_scope(function),
                    template=Template.BEFORE,
                    text=f"the guard of {function}: {condition.text}",
                    smt=None,
                    cases=situation.rows[cases],
                    holds=truth.is_true[cases],
                )


def breakable(invariants: Sequence[Invariant]) -> list[Claim]:
    """Return the claims whose exceptions are a reason to look closer."""
    return [
        Claim(
            text=item.text,
            cases=item.cases,
            holds=item.holds,
            before=item.template is Template.BEFORE,
            waits=item.template is Template.CONSTANT,
        )
        for item in invariants
        if _telling(item)
    ]


def _telling(item: Invariant) -> bool:
    """Whether exceptions are a reason to look closer; those of states say what the automaton says itself."""
    return (
        bool(item.exceptions)
        and item.surprising
        and not item.premises
        and item.template is not Template.STATE
    )


def broken(invariants: Sequence[Invariant], history: History, unit: IntColumn) -> list[Broken]:
    """Return what broke invariants; those of states say what the automaton says itself."""
    broken_claims = []
    for item in invariants:
        if _telling(item):
            failed = exceptions(item, history, unit)
            broken_claims.append(
                Broken(
                    invocation=failed.invocation.astype(np.int64),
                    bits=failed.bits,
                    text=item.text,
                    held_count=failed.held_count,
                    kind=SurpriseKind.BEFORE if item.template is Template.BEFORE else SurpriseKind.BROKEN,
                )
            )
    return broken_claims
