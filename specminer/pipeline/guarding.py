"""Guards in a specification: learned, proved as far as a solver can, and told of the transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from specminer.chain.interface import Interface
from specminer.guard import Guard, Kind, Learned, learn
from specminer.guard.entity import Entities
from specminer.guard.passage import ways
from specminer.guard.proving import Obligation, obligations
from specminer.guard.role import Role, roles
from specminer.history import OUTCOMES, RETURNED, History
from specminer.interaction import Evidence, Interactions
from specminer.invariant import Invariant
from specminer.pipeline.passing import (
    condition,
    edge_keys,
    held_out,
    obligation_document,
    redundant,
    sibling,
    sorts,
    state_symbols,
)
from specminer.predicate.smtlib import expression
from specminer.reasoning import Asked, Claims, Frames, Known, StateSpace, passable, siblings
from specminer.specification import Edge, Specification, TransitionKind
from specminer.support import wilson
from specminer.tuning import Tuning


def guarded(
    specification: Specification,
    evidence: Evidence,
    interface: Interface,
    interactions: Interactions,
    tuning: Tuning,
    held: Sequence[Invariant],
) -> tuple[Specification, tuple[Guard, ...], list[Invariant]]:
    """Return the specification with guards, roles, and what a solver had to say; the guards, and invariants to tell.

    ``held`` are the invariants; those that follow from others are not told.
    """
    entities = Entities(evidence, interactions)
    learned = learn(evidence, causes(evidence.history, interface), tuning.seed, entities)
    claims = obligations(learned.guards)
    texts = {
        guard.function: guard.text
        for guard in learned.guards
        if guard.kind is Kind.REQUIRED and guard.conditions
    }
    told = replace(
        specification,
        roles=tuple(_role(role) for role in roles(evidence, learned.guards)),
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
    reasoned, kept, dropped = _reasoned(told, learned, interactions, entities, tuning, held, evidence.history)
    return (
        replace(
            reasoned,
            guards=tuple(
                _guard(guard, claims) for place, guard in enumerate(learned.guards) if place not in dropped
            ),
            obligations=(
                *(obligation_document(claim, "guard") for own in claims.values() for claim in own),
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
    asked = {name: Asked() for name in ("transition", "siblings", "claim")}
    known = Known(held)
    passed = passable(frames, known, found, asked["transition"])
    pairs = siblings(space, passed, asked["siblings"])
    claims = Claims(space, frames, learned, found, known, asked["claim"])
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
            redundant=tuple(redundant(item) for item in (*dropped.values(), *followed)),
            obligations=tuple(
                obligation_document(claim, about)
                for about, asking in asked.items()
                for claim in asking.obligations
            ),
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


def _guard(guard: Guard, claims: Mapping[str, tuple[Obligation, ...]]) -> dict[str, Any]:
    language = guard.meaning.language
    own = claims.get(guard.function, ()) if guard.kind is Kind.REQUIRED else ()
    return {
        "scope": guard.function,
        "text": guard.text if guard.conditions else "",
        "names": {
            term.short: term.name
            for term, symbol in zip(guard.meaning.situation.terms, guard.meaning.symbols, strict=True)
            if term.short and symbol in language.symbols(guard.simplified)
        },
        "smt": expression(language, guard.simplified),
        "symbols": sorts(language, language.symbols(guard.simplified)),
        "kind": guard.kind.value,
        "accepted": guard.accepted,
        "rejected": guard.rejected,
        "explained": guard.explained,
        "exceptions": guard.exceptions,
        "interval": list(wilson(guard.accepted - guard.exceptions, guard.accepted)),
        "explained_interval": list(wilson(guard.explained, guard.rejected)),
        "proved": own[0].proof.value if own else "unproved",
        "left_out": guard.left_out,
        "conditions": [
            {
                "text": item.text,
                "explained": item.explained,
                "exceptions": item.exceptions,
                "unknown": item.unknown,
                "interval": list(
                    wilson(guard.accepted - item.unknown - item.exceptions, guard.accepted - item.unknown)
                ),
                "reasons": [
                    {"text": reason.text, "rejected": reason.rejected, "explained": reason.explained}
                    for reason in item.reasons
                ],
            }
            for item in guard.conditions
        ],
        "reasons": [
            {"text": reason.text, "rejected": reason.rejected, "explained": reason.explained}
            for reason in guard.reasons
        ],
        "held_out": held_out(guard.held_out),
        "significance": None if guard.significance is None else float(f"{guard.significance:.3g}"),
    }


def _role(role: Role) -> dict[str, Any]:
    return {
        "name": role.name,
        "kind": role.kind.value,
        "functions": list(role.functions),
        "required": list(role.required),
        "addresses": list(role.addresses),
        "creator": role.creator,
    }
