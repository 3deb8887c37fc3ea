"""The JSON document: what is written is what is read, and broken documents are told as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.errors import FileFormatError
from specminer.specification import FORMAT, VERSION, Specification, State
from tests.support.specifications import SAMPLES, auction, edge, horses, specification

texts = st.text(st.characters(codec="utf-8"))


@pytest.mark.parametrize("build", SAMPLES.values(), ids=SAMPLES)
def test_reading_gives_back_what_was_written(build: Callable[[], Specification]) -> None:
    spec = build()
    assert Specification.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("build", SAMPLES.values(), ids=SAMPLES)
def test_the_same_value_gives_the_same_bytes(build: Callable[[], Specification]) -> None:
    written = build().to_json()
    assert written == build().to_json()
    assert Specification.from_json(written).to_json() == written
    assert written.endswith(b"}\n")


@given(texts, texts, st.integers(0, 2**53), st.none() | texts)
def test_any_text_and_count_survive(name: str, event: str, number: int, role: str | None) -> None:
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name=name, predicates=(event, name), visits=number, ends=1),
    )
    spec = specification(name, states, (edge(0, event, 1, number + 1, role=role),))
    assert Specification.from_json(spec.to_json()) == spec


def test_the_document_names_its_format_first() -> None:
    document = msgspec.json.decode(auction().to_json())
    assert list(document)[:2] == ["format", "version"]
    assert (document["format"], document["version"]) == (FORMAT, VERSION)
    assert document["transitions"][0]["kind"] == "call"


def broken(**changes: Any) -> bytes:
    """Return the auction's document with parts replaced; the value ``...`` removes one."""
    document = msgspec.json.decode(auction().to_json()) | changes
    return msgspec.json.encode({key: value for key, value in document.items() if value is not ...})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is not JSON"),
        (b"[" * 200_000, "nested deeper"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "is not an automaton written by specminer"),
        (b'{"format": "specminer/traces"}', "is not an automaton written by specminer"),
        (broken(version=2), "has version 2; this specminer reads version 1"),
        (broken(version=...), "has version None"),
        (broken(states=...), "is not a complete automaton document: Object missing required field"),
        (broken(states=[{"id": 1}]), "is not a complete automaton document"),
        (broken(states=None), "is not a complete automaton document"),
        (broken(transitions=[{}]), "is not a complete automaton document"),
        (broken(guards=3), "is not a complete automaton document"),
    ],
)
def test_a_broken_document_is_told_as_such(text: bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=message) as caught:
        Specification.from_json(text, "some.json")
    assert str(caught.value).startswith("some.json ")
    assert caught.value.exit_code == 2


def test_an_unknown_kind_of_transition_is_an_error() -> None:
    document = msgspec.json.decode(auction().to_json())
    document["transitions"][0]["kind"] = "dream"
    with pytest.raises(FileFormatError, match="dream"):
        Specification.from_json(msgspec.json.encode(document))


def test_the_bare_automaton_accepts_what_was_seen() -> None:
    automaton = auction().automaton
    assert automaton.accepts(["constructor", "bid", "bid (rejected)", "auctionEnd", "withdraw"])
    assert not automaton.accepts(["bid"])
    assert len(horses().automaton.states) == 8
