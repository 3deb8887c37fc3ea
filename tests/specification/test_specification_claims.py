"""Guards, roles and claims in the JSON document: what was written before is read, and hostile values are refused."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest

from specminer._support.errors import FileFormatError
from specminer.predicate.smtlib_document import smtlib
from specminer.presentation.markdown import to_markdown
from specminer.presentation.report_document import Report
from specminer.presentation.summary import summary
from specminer.specification import (
    CompetingTransitions,
    Guard,
    GuardCondition,
    GuardKind,
    Obligation,
    ObligationSubject,
    Proof,
    RedundantClaim,
    RejectionReason,
    Role,
    Specification,
    TransitionCondition,
    TransitionGuard,
    decode_specification,
    document_of,
    encode_specification,
)
from specminer.specification.absence import is_absent
from tests.support.mined import mined
from tests.support.specifications import auction

REASON = {"text": "Paused", "rejected": 2, "explained": 2}
GUARD: dict[str, Any] = {
    "scope": "bid",
    "text": "not paused",
    "smt": "(not |paused|)",
    "kind": "required",
    "accepted": 9,
    "rejected": 3,
    "explained": 2,
    "exceptions": 0,
    "proved": "yes",
    "left_out": 1,
    "conditions": [
        {"text": "not paused", "explained": 2, "exceptions": 0, "unknown": 0, "reasons": [REASON]}
    ],
    "reasons": [REASON, {"text": "", "rejected": 1, "explained": 0}],
    "held_out": {"text": "true", "accepted": 3, "refused": 1, "rejected": 0, "explained": 0},
    "significance": None,
}
"""As the first version with guards wrote them: without names, symbols and intervals."""
OBLIGATION: dict[str, Any] = {
    "scope": "bid",
    "claim": "some call meets the guard",
    "script": "(check-sat)",
    "expected": "sat",
    "answer": "sat",
    "proved": "yes",
    "example": {},
}
"""As the first version with obligations wrote them: all of them were about guards."""
ROLE: dict[str, Any] = {"name": "owner", "kind": "holder", "functions": ["bid"], "required": []}
PAIR: dict[str, Any] = {
    "source": 2,
    "function": "bid",
    "events": ["bid", "bid"],
    "targets": [2, 3],
    "verdict": "open",
    "text": "bid leads to two states",
    "both": [0, 0],
}
REDUNDANT: dict[str, Any] = {"of": "guard", "scope": "bid", "text": "a = b", "because": "the guard"}
CONDITION: dict[str, Any] = {
    "text": "not paused",
    "whole": "not paused",
    "parts": [{"text": "not paused", "learned": "target", "follows_from": None}],
}


def document(**parts: Any) -> bytes:
    """Return the auction's document with parts replaced, and a condition of its first transition."""
    whole = msgspec.json.decode(encode_specification(auction()))
    whole["transitions"][0]["condition"] = parts.pop("condition", CONDITION)
    return msgspec.json.encode(whole | parts)


def read(**parts: Any) -> Specification:
    return decode_specification(document(**parts))


def test_documents_without_later_fields_are_read_and_shown() -> None:
    spec = read(
        guards=[GUARD], roles=[ROLE], obligations=[OBLIGATION], siblings=[PAIR], redundant=[REDUNDANT]
    )
    (guard,) = spec.guards
    assert (guard.kind, guard.proved, guard.interval, guard.names) == (
        GuardKind.REQUIRED,
        Proof.YES,
        None,
        {},
    )
    assert guard.conditions[0].reasons == (RejectionReason(text="Paused", rejected=2, explained=2),)
    assert [item.about for item in spec.obligations] == [ObligationSubject.GUARD]
    assert [(pair.predicate, pair.proved) for pair in spec.siblings] == [(None, Proof.UNPROVED)]
    text = summary(spec, width=200)
    assert (
        "bid: not paused (9 accepted, 3 rejected, 2 explained, 0 exceptions; not explained: no reason" in text
    )
    assert "it would have refused 1 of 3 later accepted calls" in text
    assert "the account in owner may call bid (observed)" in text
    assert "| bid | not paused | required | 9 | 2 of 3 rejected | 0 | Paused (2 of 2) |" in " ".join(
        to_markdown(Report(specification=spec, evidence=None)).split()
    )


def test_a_partial_guard_is_read() -> None:
    (guard,) = read(guards=[{"scope": "bid", "text": "not paused", "kind": "required"}]).guards
    assert guard == Guard(scope="bid", text="not paused", kind=GuardKind.REQUIRED)
    assert "|guard 0|" in smtlib(replace(auction(), guards=(guard,)))


def test_another_point_keeps_only_what_is_about_functions() -> None:
    spec = mined("loans").specification
    place = next(place for place, point in enumerate(spec.front) if not point.chosen)
    subjects = {item.about for item in spec.obligations}
    assert subjects > {ObligationSubject.GUARD}
    other = spec.at(place)
    assert {item.about for item in other.obligations} == {ObligationSubject.GUARD}
    assert other.guards == spec.guards
    assert (other.siblings, other.redundant) == ((), ())


def test_what_is_mined_is_read_back_with_every_field_in_its_order() -> None:
    spec = mined("loans").specification
    text = encode_specification(spec)
    again = decode_specification(text)
    assert again == spec
    assert encode_specification(again) == text
    condition = next(edge.condition for edge in spec.transitions if edge.condition and edge.condition.parts)
    for value, kind in (
        (spec.guards[0], Guard),
        (spec.guards[0].conditions[0], GuardCondition),
        (condition, TransitionGuard),
        (condition.parts[0], TransitionCondition),
        (spec.roles[0], Role),
        (spec.obligations[0], Obligation),
        (spec.siblings[0], CompetingTransitions),
        (spec.redundant[0], RedundantClaim),
    ):
        written = [
            item.name for item in fields(kind) if not (is_absent(item) and getattr(value, item.name) is None)
        ]
        assert list(document_of(value)) == written


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"guards": 3}, "$.guards"),
        ({"guards": [{}]}, "$.guards[0]"),
        ({"guards": ["bid"]}, "$.guards[0]"),
        ({"guards": [GUARD | {"kind": "dreamt"}]}, "$.guards[0].kind"),
        ({"guards": [GUARD | {"proved": True}]}, "$.guards[0].proved"),
        ({"guards": [GUARD | {"accepted": "\x1b[2J"}]}, "$.guards[0].accepted"),
        ({"guards": [GUARD | {"accepted": True}]}, "$.guards[0].accepted"),
        ({"guards": [GUARD | {"rejected": 1.5}]}, "$.guards[0].rejected"),
        ({"guards": [GUARD | {"rejected": -1}]}, "$.guards[0].rejected"),
        ({"guards": [GUARD | {"explained": 10**400}]}, "$.guards[0].explained"),
        ({"guards": [GUARD | {"interval": [0.5, 2.0]}]}, "$.guards[0].interval[1]"),
        ({"guards": [GUARD | {"interval": [0.5]}]}, "$.guards[0].interval"),
        ({"guards": [GUARD | {"interval": ["0", "1"]}]}, "$.guards[0].interval[0]"),
        ({"guards": [GUARD | {"symbols": {"|paused|": "Real"}}]}, "$.guards[0].symbols[...]"),
        ({"guards": [GUARD | {"conditions": {"text": "a"}}]}, "$.guards[0].conditions"),
        ({"guards": [GUARD | {"conditions": [{"explained": 1}]}]}, "$.guards[0].conditions[0]"),
        ({"guards": [GUARD | {"reasons": [None]}]}, "$.guards[0].reasons[0]"),
        ({"guards": [GUARD | {"held_out": {"text": "true"}}]}, "$.guards[0].held_out"),
        ({"condition": []}, "$.transitions[0].condition"),
        ({"condition": CONDITION | {"parts": [{"text": "a"}]}}, "$.transitions[0].condition.parts[0]"),
        ({"condition": CONDITION | {"state": {"|a|": 1}}}, "$.transitions[0].condition.state[...]"),
        ({"condition": CONDITION | {"not_kept": "a"}}, "$.transitions[0].condition.not_kept"),
        ({"roles": [ROLE | {"kind": "king"}]}, "$.roles[0].kind"),
        ({"roles": [ROLE | {"functions": "bid"}]}, "$.roles[0].functions"),
        ({"roles": [ROLE | {"creator": "yes"}]}, "$.roles[0].creator"),
        ({"obligations": [OBLIGATION | {"about": "love"}]}, "$.obligations[0].about"),
        ({"obligations": [OBLIGATION | {"script": 1}]}, "$.obligations[0].script"),
        ({"obligations": [OBLIGATION | {"answer": None}]}, "$.obligations[0].answer"),
        ({"obligations": [OBLIGATION | {"example": {"a": [1]}}]}, "$.obligations[0].example[...]"),
        ({"siblings": [PAIR | {"events": ["bid"]}]}, "$.siblings[0].events"),
        ({"siblings": [PAIR | {"targets": [1, "2"]}]}, "$.siblings[0].targets[1]"),
        ({"siblings": [PAIR | {"verdict": "guilty"}]}, "$.siblings[0].verdict"),
        ({"redundant": [REDUNDANT | {"of": "state"}]}, "$.redundant[0].of"),
    ],
)
def test_a_hostile_value_is_refused_with_its_place(parts: dict[str, Any], where: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        decode_specification(document(**parts), "some.json")
    assert str(caught.value).startswith("some.json is not a complete automaton document: ")
    assert f"`{where}`" in str(caught.value)
