"""Guards in a specification: learned, proved as far as a solver can, and told of the transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from specminer.chain.interface import Interface
from specminer.guard import Guard, Kind, learn
from specminer.guard.entity import Entities
from specminer.guard.proving import Obligation, obligations
from specminer.guard.role import Role, roles
from specminer.history import OUTCOMES, RETURNED, History
from specminer.interaction import Evidence, Interactions
from specminer.predicate.smtlib import expression, symbol_name
from specminer.specification import Edge, Specification, TransitionKind


def guarded(
    specification: Specification,
    evidence: Evidence,
    interface: Interface,
    seed: int,
    interactions: Interactions,
) -> tuple[Specification, tuple[Guard, ...]]:
    """Return the specification with guards, roles, and what a solver had to say; and the guards themselves."""
    entities = Entities(evidence, interactions)
    found = learn(evidence, causes(evidence.history, interface), seed, entities).guards
    claims = obligations(found)
    texts = {
        guard.function: guard.text for guard in found if guard.kind is Kind.REQUIRED and guard.conditions
    }
    told = replace(
        specification,
        guards=tuple(_guard(guard, claims) for guard in found),
        roles=tuple(_role(role) for role in roles(evidence, found)),
        obligations=tuple(_obligation(claim) for own in claims.values() for claim in own),
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
    return told, found


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
    held = guard.held_out
    return {
        "scope": guard.function,
        "text": guard.text if guard.conditions else "",
        "smt": expression(language, guard.simplified),
        "symbols": {
            symbol_name(language, symbol): "Bool" if language.is_boolean(symbol) else "Int"
            for symbol in language.symbols(guard.simplified)
        },
        "kind": guard.kind.value,
        "accepted": guard.accepted,
        "rejected": guard.rejected,
        "explained": guard.explained,
        "exceptions": guard.exceptions,
        "proved": own[0].proof.value if own else "unproved",
        "left_out": guard.left_out,
        "conditions": [
            {
                "text": condition.text,
                "explained": condition.explained,
                "exceptions": condition.exceptions,
                "unknown": condition.unknown,
                "reasons": [
                    {"text": reason.text, "rejected": reason.rejected, "explained": reason.explained}
                    for reason in condition.reasons
                ],
            }
            for condition in guard.conditions
        ],
        "reasons": [
            {"text": reason.text, "rejected": reason.rejected, "explained": reason.explained}
            for reason in guard.reasons
        ],
        "held_out": None
        if held is None
        else {
            "text": held.text,
            "accepted": held.accepted,
            "refused": held.refused,
            "rejected": held.rejected,
            "explained": held.explained,
        },
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


def _obligation(claim: Obligation) -> dict[str, Any]:
    return {
        "scope": claim.scope,
        "claim": claim.claim,
        "script": claim.script,
        "expected": claim.expected.value,
        "answer": claim.answer.value,
        "proved": claim.proof.value,
        "example": dict(claim.example),
    }
