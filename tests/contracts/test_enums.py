"""The members of enums are read from what compilers and explorers write, and from nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from specminer.contracts.artifact import parse
from specminer.contracts.enum_members import MAX_MEMBERS, MAX_SOURCE, enum_members

SOURCE = """
// enum Comment { No }
enum Top { First, Second }
contract Shop is Base {
    string text = "enum Text { No }";
    enum Phase { Open, /* the usual end */ Closed }
    function f() public { if (true) { } }
}
library Tools { enum Kind { A } }
"""
NAMES = {"Top": ("First", "Second"), "Shop.Phase": ("Open", "Closed"), "Tools.Kind": ("A",)}


def definition(name: str, *members: str) -> dict[str, Any]:
    """Return an enum as a syntax tree has it."""
    nodes = [{"nodeType": "EnumValue", "name": member} for member in members]
    return {"nodeType": "EnumDefinition", "canonicalName": name, "members": nodes}


TREE = {
    "nodeType": "SourceUnit",
    "nodes": [
        definition("Top", "First", "Second"),
        {"nodeType": "ContractDefinition", "nodes": [definition("Shop.Phase", "Open", "Closed")]},
        {"nodeType": "ContractDefinition", "nodes": [definition("Tools.Kind", "A")]},
    ],
}
STANDARD = json.dumps({"language": "Solidity", "sources": {"Shop.sol": {"content": SOURCE}}})
FORMS: dict[str, dict[str, Any]] = {
    "Foundry, Truffle": {"ast": TREE},
    "Truffle without a tree": {"source": SOURCE},
    "standard output": {"sources": {"Shop.sol": {"ast": TREE}}},
    "combined output": {"sources": {"Shop.sol": {"AST": TREE}}},
    "build info": {"output": {"sources": {"Shop.sol": {"ast": TREE}}}},
    "build info without trees": {"input": {"sources": {"Shop.sol": {"content": SOURCE}}}},
    "Sourcify": {"sources": {"Shop.sol": {"content": SOURCE}}},
    "Etherscan, one file": {"SourceCode": SOURCE},
    "Etherscan, several files": {"SourceCode": "{" + STANDARD + "}"},
}


@pytest.mark.parametrize("form", FORMS)
def test_members_are_read_from_every_form(form: str) -> None:
    assert enum_members(FORMS[form]) == NAMES


def test_an_explorers_answer_names_the_members() -> None:
    answer = {"status": "1", "result": [{"ABI": "[]", "ContractName": "Shop", "SourceCode": SOURCE}]}
    assert parse(json.dumps(answer).encode(), "test").enums == NAMES


def test_members_survive_the_database() -> None:
    artifact = parse(json.dumps({"abi": [], "ast": TREE}).encode(), "test")
    assert parse(artifact.to_json(), "test").enums == NAMES
    assert b"enums" not in parse(b"[]", "test").to_json()


def test_an_enum_that_is_told_in_two_ways_is_left_out() -> None:
    other = {"nodes": [definition("Top", "Second", "First")]}
    assert enum_members({"sources": {"a": {"ast": TREE}, "b": {"ast": other}}}) == {
        name: members for name, members in NAMES.items() if name != "Top"
    }


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"ast": {"nodes": [definition("A", "x y")]}},
        {"ast": {"nodes": [definition("A; drop", "X")]}},
        {"ast": {"nodes": [definition("A")]}},
        {"ast": {"nodes": [definition("A", *(f"M{number}" for number in range(MAX_MEMBERS + 1)))]}},
        {"ast": {"nodes": [{"nodeType": "EnumDefinition", "canonicalName": 5, "members": [{"name": []}]}]}},
        {"enums": {"A": "text", "B": [5], "C": ["<b>"]}},
        {"sources": [], "input": 5, "output": {"sources": {"a": 5}}},
        {"SourceCode": "{{" + "[" * 100_000},
        {"SourceCode": '{{"a":' + "[" * 300_000 + "]" * 300_000 + "}}"},
        {"source": "enum A {"},
        {"source": f"enum A {{ B }}{' ' * MAX_SOURCE}"},
    ],
)
def test_what_is_malformed_or_too_large_names_nothing(document: Any) -> None:
    assert enum_members(document) == {}


@pytest.mark.parametrize("piece", ["/*", '\\"', "'", "contract a ", "enum a{", "{", '"\\"', "contract  "])
def test_the_time_grows_with_the_source_alone(piece: str) -> None:
    def seconds(size: int) -> float:
        document = {"source": piece * (size // len(piece))}
        begins = time.thread_time()
        enum_members(document)
        return time.thread_time() - begins

    short, long = (min(seconds(size) for _ in range(3)) for size in (60_000, 480_000))
    assert long <= 30 * short + 0.01  # the square of the size would take 64 times as long
