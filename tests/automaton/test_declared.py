"""A declared protocol is read as its authors wrote it, and a broken file is told by its name and field."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from specminer._support.errors import FileFormatError
from specminer.automaton.declared_protocol import DeclaredProtocol

LOCKER: dict[str, Any] = {
    "start": "constructor",
    "transitions": [
        {"source": "constructor", "function": "constructor", "target": "Requested"},
        {"source": "Requested", "function": "Reject", "target": "Requested", "roles": ["Bank", "Owner"]},
        {"source": "Requested", "function": "Upload", "target": "Shared", "roles": []},
    ],
}


def read(**changes: Any) -> DeclaredProtocol:
    return DeclaredProtocol.from_json(msgspec.json.encode(LOCKER | changes), "some.json")


def test_the_constructor_is_a_label_that_leaves_the_start() -> None:
    automaton = read().automaton()
    assert automaton.accepts(["constructor", "Reject", "Reject", "Upload"])
    assert not automaton.accepts(["Reject"])
    assert not automaton.accepts(["constructor", "constructor"])
    assert len(automaton.states) == 3


def test_roles_count_only_where_asked() -> None:
    assert read().automaton().input_symbols == {"constructor", "Reject", "Upload"}
    assert read().automaton(roles=True).input_symbols == {
        "constructor",
        "Reject as Bank",
        "Reject as Owner",
        "Upload",
    }


def test_a_transition_given_twice_is_one() -> None:
    assert read(transitions=LOCKER["transitions"] * 2).automaton() == read().automaton()


def test_other_keys_are_left_alone() -> None:
    assert read(title="Digital locker", states=["x"]) == read()


def test_a_protocol_without_transitions_accepts_only_the_empty_word() -> None:
    automaton = read(transitions=[]).automaton()
    assert automaton.accepts([])
    assert not automaton.transitions


def edge(**changes: Any) -> list[dict[str, Any]]:
    return [{"source": "constructor", "function": "f", "target": "b"} | changes]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": 3}, r"Expected `str`, got `int` - at `\$.start`"),
        ({"start": ""}, r"at `\$.start`"),
        ({"start": "nowhere"}, "start is 'nowhere', but no transition has that source"),
        ({"transitions": None}, r"at `\$.transitions`"),
        ({"transitions": {}}, r"at `\$.transitions`"),
        ({"transitions": ["f"]}, r"at `\$.transitions\[0\]`"),
        ({"transitions": edge(function="")}, r"at `\$.transitions\[0\].function`"),
        ({"transitions": edge(target=["b"])}, r"at `\$.transitions\[0\].target`"),
        ({"transitions": edge(roles="Owner")}, r"at `\$.transitions\[0\].roles`"),
        ({"transitions": [{"source": "a", "target": "b"}]}, "missing required field `function`"),
        ({"start": "\x1b[31mred"}, r"start is '\\x1b\[31mred'"),
    ],
)
def test_a_broken_protocol_is_told_by_file_and_field(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(FileFormatError, match=message) as caught:
        read(**changes)
    assert str(caught.value).startswith("some.json")


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"[" * 100_000, b'"start"', b"NaN"])
def test_what_is_no_json_object_is_told_as_such(text: bytes) -> None:
    with pytest.raises(FileFormatError, match=r"^some\.json"):
        DeclaredProtocol.from_json(text, "some.json")
