"""The last stage: what the others found becomes one document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import islice

from specminer._support.addresses import checksum_address
from specminer.inference.invariant_claim import entry_of
from specminer.inference.invariant_search import MAX_TOLD
from specminer.learning.tuning_result import FrontAutomaton as TunedPoint
from specminer.learning.tuning_result import Tuning
from specminer.pipeline.assessment import round_metrics, units
from specminer.pipeline.facts import history_summary
from specminer.pipeline.state import Mining
from specminer.specification import (
    AbstractionSummary,
    Alternative,
    ChosenPredicate,
    Edge,
    FrontPoint,
    HistorySummary,
    InteractionsSummary,
    InvariantEntry,
    SecondView,
    Specification,
    State,
    Template,
    TransitionKind,
)


def build_specification(mining: Mining) -> Mining:
    """Put together what the stages found."""
    context, tuning, implications = mining.context, mining.tuning, mining.implications
    history, unit = context.history, units(context.history, mining.interactions)
    facts = history_summary(context, mining.selection)
    claims = (entry_of(item, history, unit) for item in implications.invariants)
    chosen_position = next(position for position, point in enumerate(tuning.front) if point.chosen)
    specification = Specification(
        name=mining.name or context.title,
        contracts=tuple(map(checksum_address, history.accounts)),
        chain_id=history.contracts[0].chain_id,
        history=facts,
        interactions=_interactions(mining),
        abstraction=_abstraction(tuning, tuning.chosen_point),
        states=_states(tuning.chosen_point, implications.states),
        initial=0,
        transitions=_add_guards(mining, mining.transitions[chosen_position], final=True),
        guards=implications.guards,
        read_only_guards=mining.guards.read_only or None,
        roles=mining.guards.roles,
        effects=mining.effects,
        obligations=(*mining.guards.obligations, *implications.obligations),
        invariants=tuple(islice((item for item in claims if not _is_upgraded(item, facts)), MAX_TOLD)),
        symbols=implications.symbols,
        siblings=implications.siblings,
        redundant=implications.redundant,
        metrics=round_metrics(tuning.metrics),
        confidence=mining.confidence,
        surprise=mining.surprise,
        front=tuple(
            _front_point(mining, point, edges)
            for point, edges in zip(tuning.front, mining.transitions, strict=True)
        ),
        second_view=None if mining.second is None else _second_view(mining, mining.second),
    )
    return replace(mining, specification=specification)


def _is_upgraded(item: InvariantEntry, facts: HistorySummary) -> bool:
    """Whether a claim says that a variable never changes which upgrades of a proxy changed."""
    upgrades = {change.transaction for change in facts.upgrades or ()}
    return item.kind is Template.CONSTANT and bool(item.broken_by) and upgrades.issuperset(item.broken_by)


def _interactions(mining: Mining) -> InteractionsSummary:
    """Return how the history was split, and which functions' calls are in no interaction."""
    interactions = mining.interactions
    outside = Counter(mining.functions[row] for row in interactions.track.tolist())
    return InteractionsSummary(
        mode=interactions.mode,
        sort=interactions.sort,
        count=len(interactions.names),
        explanation=interactions.explanation,
        outside=dict(sorted(outside.items())),
    )


def _second_view(mining: Mining, second: Mining) -> SecondView:
    """Return the other split with its automaton; guards are those of the functions."""
    tuning = second.tuning
    chosen_position = next(position for position, point in enumerate(tuning.front) if point.chosen)
    return SecondView(
        interactions=_interactions(second),
        abstraction=_abstraction(tuning, tuning.chosen_point),
        states=_states(tuning.chosen_point),
        transitions=_add_guards(mining, second.transitions[chosen_position], final=False),
        metrics=round_metrics(tuning.metrics),
    )


def _front_point(mining: Mining, point: TunedPoint, edges: Sequence[Edge]) -> FrontPoint:
    """Return a point of the front; the chosen one's automaton is the document's own."""
    return FrontPoint(
        states=len(point.states),
        metrics=round_metrics(point.metrics),
        predicates=tuple(predicate.text for predicate in point.predicates),
        chosen=point.chosen,
        knee=point.knee,
        abstraction=None if point.chosen else _abstraction(mining.tuning, point),
        automaton=None
        if point.chosen
        else Alternative(states=_states(point), transitions=_add_guards(mining, edges, final=False)),
    )


def _add_guards(mining: Mining, edges: Sequence[Edge], *, final: bool) -> tuple[Edge, ...]:
    """Return transitions with guards: those of the function, and of the ``final`` automaton those of their own."""
    texts = mining.guards.texts
    own = mining.implications.transitions if final else {}
    guarded = []
    for edge in edges:
        condition = own.get((edge.source, edge.target, edge.symbol))
        if condition is not None:
            edge = replace(edge, guard=condition.text if condition.parts else None, condition=condition)
        elif edge.kind is TransitionKind.CALL and edge.outcome == "returned":
            edge = replace(edge, guard=texts.get(edge.function))
        guarded.append(edge)
    return tuple(guarded)


def _states(point: TunedPoint, terms: Sequence[str] = ()) -> tuple[State, ...]:
    """Return the states of an automaton; ``terms`` are their predicates as SMT-LIB, where they are at hand."""
    return tuple(
        State(
            id=item.id,
            name=item.name,
            predicates=item.predicates,
            visits=item.visits,
            ends=item.ends,
            phrases=item.phrases,
            smt=terms[position] if terms else None,
            unknown=item.unknown or None,
        )
        for position, item in enumerate(point.states)
    )


def _abstraction(tuning: Tuning, point: TunedPoint) -> AbstractionSummary:
    """Return the definition that makes a point's automaton again, and why its predicates were chosen."""
    definition = point.definition.document
    return AbstractionSummary(
        **{item.name: getattr(definition, item.name) for item in fields(definition)},
        chosen=tuple(
            ChosenPredicate(
                predicate=item.text,
                price=item.price,
                tier=item.tier,
                gain_bits=round(item.gain, 3),
                stability=item.stability,
                weak=item.weak,
                fixed=item.fixed,
                aliases=item.aliases,
                equivalent=item.equivalent,
                observers=item.observers,
            )
            for item in point.predicates
        ),
        facets=tuning.facets,
        candidates=tuning.candidates,
        evaluations=tuning.evaluations,
        used_history=tuning.used_history,
        preset=tuning.preset,
        solver=tuning.solver,
        seed=tuning.seed,
    )
