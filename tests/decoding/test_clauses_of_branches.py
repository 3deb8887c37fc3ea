"""Clauses of code that branches before it checks, and of keys that meet in one place."""

from __future__ import annotations

import pytest

from specminer.decision.phrases import Phrase, Strength, join_phrases
from specminer.decoding.storage_values import ValueKind
from tests.support.decisions import ALICE, BOB, Contract, Stage, deployed
from tests.support.solc import compile_sources, has_solc

SOURCE = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract C {
    mapping(uint => uint) level;
    mapping(uint => uint) until;
    mapping(address => bool) member;
    address owner;
    bool closed;
    uint stage;
    constructor() { owner = msg.sender; member[msg.sender] = true; until[1] = 5000; stage = 1; level[2] = 3; }
    function close(bool v) external { closed = v; }
    function go(uint to) external { stage = to; }
    function join(address who) external { member[who] = true; }
    function give(address to) external { owner = to; }
    function lend(uint a, uint b, uint c) external {
        if (c < until[a]) { require(block.timestamp >= until[b], "early"); }
        stage = 1;
    }
    function enter(address who, uint count) external {
        require(member[who] || count > 0, "no member");
        if (owner == msg.sender) { require(!closed, "closed"); }
        stage = 2;
    }
    function step(int by) external {
        if (by >= 0) { require(stage != 2, "busy"); }
        else { require(member[msg.sender] || by < -5 || level[uint(-by)] > 2, "no"); }
        require(stage != 0 && owner == msg.sender, "idle");
        closed = false;
    }
    function onChain(uint v) external { if (block.chainid != 1) return; require(v > 5, "small"); stage = v; }
}
"""


@pytest.fixture
def contract() -> Contract:
    if not has_solc():
        pytest.skip("solc is not installed")
    return deployed(Stage(), compile_sources({"C.sol": SOURCE})["C"])


def test_what_is_read_under_two_keys_is_two_things_also_where_they_are_equal(contract: Contract) -> None:
    for a, b, c in ((1, 1, 0), (1, 0, 0), (1, 2, 1), (2, 1, 0), (1, 1, 1)):
        contract.call("lend", a, b, c)
    assert contract.clauses("lend") == [
        "required: time >= S[H(arg1,1)] or arg2 >= S[H(arg0,1)]",
    ]


def test_what_leads_around_only_with_another_choice_is_none(
    contract: Contract,
) -> None:
    contract.call("enter", BOB, 1)
    contract.call("enter", ALICE, 0)
    contract.call("enter", ALICE, 0, sender=BOB)
    contract.call("close", True)
    contract.call("enter", ALICE, 0, sender=BOB)
    clauses = contract.clauses("enter")
    assert "coded: not field(S[3],160,8) or sender != field(S[3],0,160)" in clauses
    contract.call("enter", ALICE, 0)
    contract.call("enter", BOB, 1)
    assert "required: not field(S[3],160,8) or sender != field(S[3],0,160)" in contract.clauses("enter")


def test_a_check_of_one_branch_is_not_demanded_on_the_other(contract: Contract) -> None:
    contract.call("step", -1)
    contract.call("step", -7)
    contract.call("step", 3)
    contract.call("go", 2)
    contract.call("step", 3, sender=BOB)
    contract.call("step", 4)
    contract.call("step", -3, sender=BOB)
    clauses = contract.clauses("step")
    assert "required: S[4] != 2 or arg0 <s 0" in clauses


def test_where_the_code_runs_is_no_choice_of_a_call(contract: Contract) -> None:
    contract.call("onChain", 9)
    contract.call("onChain", 2)
    assert contract.clauses("onChain") == ["required: 5 < arg0"]


def word(text: str) -> Phrase:
    return Phrase(text=text)


def operation(sign: str, strength: Strength, *operands: Phrase) -> Phrase:
    return join_phrases(operands, sign, strength, ValueKind.UINT)


def test_operations_are_read_as_they_are_computed() -> None:
    a, b, c = map(word, "abc")
    quotient = operation("/", Strength.PRODUCT, b, c)
    assert operation("*", Strength.PRODUCT, a, quotient).text == "a * (b / c)"
    assert operation("*", Strength.PRODUCT, quotient, a).text == "b / c * a"
    assert operation("*", Strength.PRODUCT, a, operation("*", Strength.PRODUCT, b, c)).text == "a * b * c"
    difference = operation("-", Strength.SUM, b, c)
    assert operation("+", Strength.SUM, a, difference).text == "a + b - c"
    assert operation("-", Strength.SUM, a, difference).text == "a - (b - c)"
    exclusive = operation("^", Strength.BITS, b, c)
    assert operation("&", Strength.BITS, exclusive, a).text == "(b ^ c) & a"
    assert operation("&", Strength.BITS, a, exclusive).text == "a & (b ^ c)"
    assert operation("^", Strength.BITS, exclusive, a).text == "b ^ c ^ a"
