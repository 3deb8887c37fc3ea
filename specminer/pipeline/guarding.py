"""Guards in a specification: learned, proved as far as a solver can, and told of the transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from specminer.chain.interface import Interface
from specminer.decoding import HistoryContext
from specminer.guard import Learned, LearnedGuard, learn
from specminer.guard.entity import Entities
from specminer.guard.passage import ways
from specminer.guard.proving import obligations
from specminer.guard.role import roles
from specminer.history import OUTCOMES, RETURNED, History
from specminer.interaction import Interactions
from specminer.invariant import Invariant
from specminer.pipeline.passing import (
    condition,
    edge_keys,
    sibling,
    state_symbols,
)
from specminer.predicate.smtlib import expression
from specminer.reasoning import Asked, Claims, Frames, Known, StateSpace, passable, siblings
from specminer.specification import (
    Edge,
    Guard,
    GuardKind,
    Obligation,
    ObligationSubject,
    Specification,
    TransitionKind,
)
from specminer.tuning import Tuning


def guarded(
    specification: Specification,
    context: HistoryContext,
    interface: Interface,
    interactions: Interactions,
    tuning: Tuning,
    held: Sequence[Invariant],
) -> tuple[Specification, tuple[LearnedGuard, ...], list[Invariant]]:
    """Return the specification with guards, roles, and what a solver had to say; the guards, and invariants to tell.

    ``held`` are the invariants; those that follow from others are not told.
    """
    entities = Entities(context, interactions)
    learned = learn(context, causes(context.history, interface), tuning.seed, entities)
    claims = obligations(learned.guards)
    texts = {
        item.guard.scope: item.guard.text
        for item in learned.guards
        if item.guard.kind is GuardKind.REQUIRED and item.guard.conditions
    }
    told = replace(
        specification,
        roles=roles(context, learned.guards),
        transitions=_with_guards(specification.transitions, texts),
        front=tuple(
            replace(
                point,
                automaton=replace(
                    point.automaton, transitions=_with_guards(point.automaton.transitions, texts)
                ),
            )
            if point.automaton is not None
            else point
            for point in specification.front
        ),
    )
    reasoned, kept, dropped = _reasoned(told, learned, interactions, entities, tuning, held, context.history)
    return (
        replace(
            reasoned,
            guards=tuple(
                _proved(item.guard, claims)
                for place, item in enumerate(learned.guards)
                if place not in dropped
            ),
            obligations=(
                *(claim for own in claims.values() for claim in own),
                *reasoned.obligations,
            ),
        ),
        learned.guards,
        kept,
    )


def _reasoned(
    specification: Specification,
    learned: Learned,
    interactions: Interactions,
    entities: Entities,
    tuning: Tuning,
    held: Sequence[Invariant],
    history: History,
) -> tuple[Specification, list[Invariant], frozenset[int]]:
    """Return the specification with guards of transitions and what follows from what; the invariants that stay.

    Third, which guards do not stay, by position.
    """
    space = StateSpace(tuning)
    frames = Frames(space, entities)
    found = ways(learned, tuning, interactions, entities)
    of_transitions, of_siblings, of_claims = (
        Asked(about)
        for about in (ObligationSubject.TRANSITION, ObligationSubject.SIBLINGS, ObligationSubject.CLAIM)
    )
    known = Known(held)
    passed = passable(frames, known, found, of_transitions)
    pairs = siblings(space, passed, of_siblings)
    claims = Claims(space, frames, learned, found, known, of_claims)
    dropped, observed = claims.observed()
    kept, followed = claims.invariants(held, observed)
    keys = edge_keys(passed, tuning)
    return (
        replace(
            specification,
            states=tuple(
                replace(state, smt=expression(space.language, space.formula(state.id)))
                for state in specification.states
            ),
            symbols=state_symbols(space, held),
            transitions=tuple(
                replace(edge, guard=told.text if told.way.parts else None, condition=condition(told))
                if (told := keys.get((edge.source, edge.target, edge.symbol))) is not None
                and (told.way.parts or told.way.broken)
                else edge
                for edge in specification.transitions
            ),
            siblings=tuple(sibling(pair, tuning, history) for pair in pairs),
            redundant=(*dropped.values(), *followed),
            obligations=(*of_transitions.obligations, *of_siblings.obligations, *of_claims.obligations),
        ),
        kept,
        frozenset(dropped),
    )


def _with_guards(edges: Sequence[Edge], texts: Mapping[str, str]) -> tuple[Edge, ...]:
    return tuple(
        replace(edge, guard=texts.get(edge.function))
        if edge.kind is TransitionKind.CALL and edge.outcome == "returned"
        else edge
        for edge in edges
    )


def causes(history: History, interface: Interface) -> list[str]:
    """Return for each invocation why it was rejected, without the data that an error carries; else nothing."""
    known: dict[tuple[int, bytes], str] = {}
    found = []
    for outcome, output in zip(history.invocation_outcome.tolist(), history.invocation_output, strict=True):
        if outcome == RETURNED:
            found.append("")
            continue
        key = (outcome, output)
        if key not in known:
            known[key] = interface.cause(OUTCOMES[outcome], output)
        found.append(known[key])
    return found


def _proved(guard: Guard, claims: Mapping[str, tuple[Obligation, ...]]) -> Guard:
    """Return a guard with what a solver said of the form in which it is shown."""
    own = claims.get(guard.scope, ()) if guard.kind is GuardKind.REQUIRED else ()
    return replace(guard, proved=own[0].proved) if own else guard
