"""The JSON document: what is written is what is read, and broken documents are told as such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError
from specminer.specification import (
    FORMAT,
    VERSION,
    GuardKind,
    Specification,
    State,
    codec,
    decode_specification,
    document_of,
    encode_specification,
    read_specification,
)
from specminer.specification.absence import absent
from tests.support.command import specminer
from tests.support.specifications import SAMPLES, auction, edge, horses, specification

texts = st.text(st.characters(codec="utf-8"))


@pytest.mark.parametrize("build", SAMPLES.values(), ids=SAMPLES)
def test_reading_gives_back_what_was_written(build: Callable[[], Specification]) -> None:
    spec = build()
    assert decode_specification(encode_specification(spec)) == spec


@pytest.mark.parametrize("build", SAMPLES.values(), ids=SAMPLES)
def test_the_same_value_gives_the_same_bytes(build: Callable[[], Specification]) -> None:
    written = encode_specification(build())
    assert written == encode_specification(build())
    assert encode_specification(decode_specification(written)) == written
    assert written.endswith(b"}\n")


@given(texts, texts, st.integers(0, 2**53), st.none() | texts)
def test_any_text_and_count_survive(name: str, event: str, number: int, role: str | None) -> None:
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name=name, predicates=(event, name), visits=number, ends=1),
    )
    spec = specification(name, states, (edge(0, event, 1, number + 1, role=role),))
    assert decode_specification(encode_specification(spec)) == spec


def test_the_document_names_its_format_first() -> None:
    document = msgspec.json.decode(encode_specification(auction()))
    assert list(document)[:2] == ["format", "version"]
    assert (document["format"], document["version"]) == (FORMAT, VERSION)
    assert document["transitions"][0]["kind"] == "call"


def broken(**changes: Any) -> bytes:
    """Return the auction's document with parts replaced; the value ``...`` removes one."""
    document = msgspec.json.decode(encode_specification(auction())) | changes
    return msgspec.json.encode({key: value for key, value in document.items() if value is not ...})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is not JSON"),
        (b"[" * 200_000, "nested deeper"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "is not an automaton written by specminer"),
        (b'{"format": "specminer/traces"}', "is not an automaton written by specminer"),
        (broken(version=3), "has version 3; this specminer reads versions 1 to 2"),
        (broken(version=0), "has version 0"),
        (broken(version=True), "has version True"),
        (broken(version=1.5), "has version 1.5"),
        (broken(version=[1]), "has version"),
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
        decode_specification(text, "some.json")
    assert str(caught.value).startswith("some.json ")
    assert caught.value.exit_code == 2


def test_what_a_document_of_version_1_calls_required_was_learned() -> None:
    document = msgspec.json.decode(encode_specification(auction())) | {"version": 1}
    document["guards"] = [{"scope": "bid", "text": "a", "kind": kind} for kind in ("required", "observed")]
    guards = decode_specification(msgspec.json.encode(document)).guards
    assert [guard.kind for guard in guards] == [GuardKind.LEARNED, GuardKind.OBSERVED]

    document["version"] = 2
    guards = decode_specification(msgspec.json.encode(document)).guards
    assert [guard.kind for guard in guards] == [GuardKind.REQUIRED, GuardKind.OBSERVED]


def test_an_unknown_kind_of_transition_is_an_error() -> None:
    document = msgspec.json.decode(encode_specification(auction()))
    document["transitions"][0]["kind"] = "dream"
    with pytest.raises(FileFormatError, match="dream"):
        decode_specification(msgspec.json.encode(document))


def test_the_bare_automaton_accepts_what_was_seen() -> None:
    automaton = auction().automaton
    assert automaton.accepts(["constructor", "bid", "bid (rejected)", "auctionEnd", "withdraw"])
    assert not automaton.accepts(["bid"])
    assert len(horses().automaton.states) == 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """Something of which nothing need be known."""

    count: int | None = None
    text: str | None = absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """Something with a part that is always known."""

    number: int
    left_out: str | None = absent()
    null: str | None = None
    inner: Inner = field(default_factory=Inner)


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (Outer(number=1), {"number": 1, "null": None, "inner": {}}),
        (Outer(number=1, left_out="", null=""), {"number": 1, "left_out": "", "null": "", "inner": {}}),
        (Outer(number=1, inner=Inner(count=0)), {"number": 1, "null": None, "inner": {"count": 0}}),
        (
            Outer(number=1, inner=Inner(text="x")),
            {"number": 1, "null": None, "inner": {"count": None, "text": "x"}},
        ),
    ],
)
def test_what_is_missing_is_written_by_one_rule_and_read_back(value: Outer, document: dict[str, Any]) -> None:
    assert document_of(value) == document
    assert list(document_of(value)) == list(document)
    assert msgspec.convert(document, Outer) == value


def test_one_reader_says_what_is_no_automaton(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "automaton.json"
    with pytest.raises(FileFormatError, match=r"automaton\.json cannot be read: No such file"):
        read_specification(path)
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_specification("\0")
    path.write_bytes(encode_specification(auction()))
    assert read_specification(path) == auction()
    monkeypatch.setattr(codec, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(FileFormatError, match="is larger than 0 MiB; that is not an automaton"):
        read_specification(path)


@pytest.mark.parametrize(
    "command", [("render",), ("report",), ("prove",), ("export-smt",), ("score",), ("mine", "--states", "2")]
)
def test_every_command_refuses_a_broken_document_alike(command: tuple[str, ...], tmp_path: Path) -> None:
    name, *options = command
    (tmp_path / "a.json").write_bytes(broken(history=3))
    files = ["a.json", "a.json"] if name == "score" else ["a.json"]
    done = specminer(name, *files, *options, cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("error: a.json is not a complete automaton document: ")
    assert done.err.count("\n") == 1
