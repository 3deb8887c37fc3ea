"""Getters, run on made-up storage, name what they read; names agree with the layout, and nothing is made up."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from specminer.contracts.artifact import AbiEntry, Parameter, parse
from specminer.contracts.probe import ProbedGetter
from specminer.decoding.getters import read_getters
from specminer.decoding.location_columns import Locations, NameSource, PortKind
from specminer.decoding.slot_resolution import locate
from specminer.decoding.storage_layout import Layout
from specminer.decoding.storage_shapes import trim_name
from specminer.history.contract_history import History
from specminer.replay.probing import probe
from tests.support.solc import compile_sources
from tests.support.storages import Lived, lived

FIXED = ("triple", "row", "pairs")
"""Arrays of fixed length: slots and preimages alone do not tell them from variables side by side."""


@pytest.fixture(scope="module")
def contract(tools: Path) -> Lived:
    return lived()


@pytest.fixture(scope="module")
def probed(contract: Lived) -> list[ProbedGetter]:
    return probe([contract.history.contracts[0].code], contract.artifact.abi)


def by_layout(contract: Lived, history: History | None = None) -> Locations:
    layout = contract.artifact.storage_layout
    assert layout is not None
    return locate(history or contract.history, Layout(layout, "test"))


def assert_same_structure(one: Locations, other: Locations, rows: list[int]) -> None:
    """Assert that slots are grouped alike, and lie under the same keys."""
    pairs = defaultdict(set)
    indices = defaultdict(set)
    for row in rows:
        left, right = int(one.variable[row]), int(other.variable[row])
        pairs[left].add(right)
        pairs[-1 - right].add(left)
        ports = list(zip(one.variables[left].ports, other.variables[right].ports, strict=True))
        for place, (here, _) in enumerate(ports):
            codes = int(one.keys[row, place]), int(other.keys[row, place])
            keys = one.key_table.data(codes[0]), other.key_table.data(codes[1])
            if one.ports[here].port_kind is PortKind.MAPPING:
                assert keys[0] == keys[1]
            else:  # elements of small types: one source counts slots, another elements
                indices[here, place, keys[0]].add(keys[1])
    assert all(len(group) == 1 for group in pairs.values())
    assert all(len(group) == 1 for group in indices.values())


def test_getters_name_what_the_layout_names(contract: Lived, probed: list[ProbedGetter]) -> None:
    told, named = by_layout(contract), locate(contract.history, probed=probed)
    rows = list(range(len(told.variable)))
    assert_same_structure(told, named, rows)
    public = {entry.name for entry in contract.artifact.abi if entry.type == "function"}
    compared = 0
    for row in rows:
        left, right = told.variables[told.variable[row]], named.variables[named.variable[row]]
        root = left.text().split("[")[0].split(".")[0]
        if root not in public:
            continue
        compared += 1
        assert told.text(row) == named.text(row)
        assert right.naming is NameSource.GETTER
        expected = {item.text: (item.shift, item.width) for item in left.fields}
        for item in right.fields:
            if "bytes" not in item.text:
                assert expected[item.text] == (item.shift, item.width), told.text(row)
    assert compared > len(rows) / 2


def test_private_variables_are_named_by_what_speaks_of_them(
    contract: Lived, probed: list[ProbedGetter]
) -> None:
    told, named = by_layout(contract), locate(contract.history, probed=probed)
    texts = {
        told.variables[told.variable[row]].text(): named.variables[named.variable[row]].text()
        for row in range(len(told.variable))
    }
    assert texts["balances[]"] == "balanceOf[]"
    assert texts["lots[].first"] == "lot[].first"
    assert texts["lots[].last"] == "lot[].last"
    assert texts["lots[].inner[]"] == "lot[]+1[]"
    assert texts["secrets[]"] == "array8[]"
    # the time stamp has no getter, but is in use beside fields that have
    (keeper,) = [item for item in named.variables if item.fields[0].text == "keeper"]
    assert [item.text for item in keeper.fields] == ["keeper", "slot0.bytes20to27", "open"]
    assert named.variables[named.variable[0]].has_name


def test_structure_is_the_same_from_preimages_alone(contract: Lived) -> None:
    told, plain = by_layout(contract), locate(contract.history)
    rows = [
        row
        for row in range(len(told.variable))
        if not told.variables[told.variable[row]].text().startswith(FIXED)
    ]
    assert_same_structure(told, plain, rows)
    assert not any(item.has_name for item in plain.variables)
    assert len(rows) > 0.8 * len(told.variable)


def test_what_is_computed_names_nothing(contract: Lived, probed: list[ProbedGetter]) -> None:
    found = read_getters(probed)
    assert not [item for item in found if item.getter.name == "sum"]
    (late,) = [item.getter for item in probed if item.getter.name == "getDeal"]
    proved = {late.outputs[item.output][0] for item in found if item.getter is late}
    assert proved == {"price", "owner", "end"}  # not whether it is late


def test_an_array_of_fixed_length_ends_where_its_getter_fails(probed: list[ProbedGetter]) -> None:
    limits = {item.getter.name: item.limit for item in probed}
    assert (limits["triple"], limits["row"], limits["listed"]) == (3, 20, None)


def test_same_code_and_abi_same_probes(contract: Lived, probed: list[ProbedGetter]) -> None:
    entries = [entry for entry in contract.artifact.abi if entry.name in ("deals", "open", "title")]
    code = contract.history.contracts[0].code
    assert probe([code], entries) == probe([code], entries)


def test_strange_codes_and_abis_name_nothing() -> None:
    word = Parameter(type="uint256")
    entries = [
        AbiEntry(name="f", inputs=(word,), outputs=(word,), state_mutability="view"),
        AbiEntry(
            name="g" * 500,
            outputs=(Parameter(type="tuple", components=(word, word)),),
            state_mutability="pure",
        ),
        AbiEntry(name="h", inputs=(Parameter(type="tuple"),), outputs=(word,), state_mutability="view"),
        AbiEntry(
            name="i",
            inputs=(Parameter(type="uint257"),),
            outputs=(Parameter(type="bytes99"),),
            state_mutability="view",
        ),
        AbiEntry(
            name="j",
            inputs=(Parameter(type="uintx"),),
            outputs=(Parameter(type="int"),),
            state_mutability="view",
        ),
        AbiEntry(
            name="k", outputs=(Parameter(type="int7"), Parameter(type="nonsense")), state_mutability="view"
        ),
        AbiEntry(name="", outputs=(Parameter(type=""),), state_mutability="view"),
    ]
    endless = bytes.fromhex("5b600056")  # jumps to its own beginning for ever
    echo = bytes.fromhex("3660006000373660006000f3")  # returns its calldata
    random = np.random.default_rng(0).bytes(500)
    for code in (b"", b"\x00", b"\xfe", endless, echo, random, b"\x54" * 1000):
        assert not read_getters(probe([code], entries))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("getPrice", "price"), ("get_price", "get_price"), ("getURL", "URL"), ("_owner", "owner"), ("get", "get"),
        ("gettysburg", "gettysburg"), ("GetIt", "it"), ("__", "__"), ("", ""), ("getÄ", "getÄ"),
    ],
)  # fmt: skip
def test_names_of_getters_are_trimmed(name: str, expected: str) -> None:
    assert trim_name(name) == expected


def test_a_getter_that_returns_encoded_bytes_names_nothing(tools: Path) -> None:
    """What it reads is not its answer, and its answer is no value in a part of a slot."""
    source = """
    // SPDX-License-Identifier: MIT
    pragma solidity ^0.8.20;
    contract Encoding {
        mapping(uint256 => uint256) m;
        uint256 x;
        function enc(uint256 i) external view returns (bytes memory) { return abi.encode(m[i], x, i); }
        function said(uint256 i) external view returns (string memory) { return string(abi.encode(m[i], x)); }
    }
    """
    compiled = compile_sources({"Encoding.sol": source})["Encoding"]
    code = bytes.fromhex(compiled["evm"]["deployedBytecode"]["object"])
    artifact = parse(json.dumps({"abi": compiled["abi"]}).encode(), "test")
    probed = probe([code], artifact.abi)
    assert {item.getter.name for item in probed} == {"enc", "said"}
    assert read_getters(probed) == []
