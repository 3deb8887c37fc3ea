"""Clauses of checks whose expressions differ from call to call: one place in the code is one check."""

from __future__ import annotations

import pytest

from tests.support.decisions import ALICE, BOB, Contract, Stage, clause_text, deployed
from tests.support.solc import compile_sources, has_solc

SOURCE = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Clock {
    uint now_;
    bool broken;
    function set(uint v, bool b) external { now_ = v; broken = b; }
    function clock() external view returns (uint) { require(!broken, "broken"); return now_; }
}
contract C {
    mapping(uint => bool) known;
    mapping(address => bool) member;
    mapping(bytes32 => uint) ready;
    uint limit = 10;
    uint opens = 1_200;
    uint total;
    Clock clock;
    constructor(Clock c) { clock = c; }
    function learn(uint id, bool v) external { known[id] = v; }
    function join(address who) external { member[who] = true; }
    function restrict(uint v) external { limit = v; }
    function open(uint v) external { opens = v; }
    function addAll(uint[] calldata ids) external {
        for (uint i = 0; i < ids.length; i++) { require(known[ids[i]], "unknown"); }
        require(total + ids.length <= limit, "full");
        total += ids.length;
    }
    function addCopied(uint[] memory ids, address by) external {
        for (uint i = 0; i < ids.length; i++) { require(known[ids[i]], "unknown"); }
        require(member[by], "no member");
        total += ids.length;
    }
    function plan(address[] calldata to, uint[] calldata amounts, uint delay) external {
        bytes32 id = keccak256(abi.encode(to, amounts));
        require(ready[id] == 0, "planned");
        ready[id] = block.timestamp + delay;
    }
    function execute(address[] calldata to, uint[] calldata amounts) external {
        bytes32 id = keccak256(abi.encode(to, amounts));
        require(ready[id] > 1, "not planned");
        require(ready[id] <= block.timestamp, "too early");
        ready[id] = 1;
    }
    function time() internal view returns (uint) {
        try clock.clock() returns (uint v) { return v; } catch { return block.number; }
    }
    function vote(uint weight) external {
        require(time() >= limit, "not yet");
        require(weight > 5, "light");
        total += weight;
    }
    function buy(uint amount) external {
        uint price = 3;
        if (block.timestamp > opens) { price = 7; }
        require(amount * price <= limit, "dear");
        require(member[msg.sender], "no member");
        total += amount;
    }
}
"""


ROW = "S[H(H(64,128,data[arg0 + 4],field(data[arg0 + 36],0,160),data[arg1 + 4],data[arg1 + 36]),2)]"
"""What is kept for a list of one account and one amount, which stands for lists of all lengths."""


@pytest.fixture
def clock() -> Contract:
    if not has_solc():
        pytest.skip("solc is not installed")
    return deployed(Stage(), compile_sources({"C.sol": SOURCE})["Clock"])


@pytest.fixture
def contract(clock: Contract) -> Contract:
    return deployed(clock.stage, compile_sources({"C.sol": SOURCE})["C"], clock.address)


def test_a_check_of_each_element_is_one_and_comes_before_one_of_their_number(contract: Contract) -> None:
    for known in (1, 2, 3, 4):
        contract.call("learn", known, True)
    for ids in ([1], [1, 2, 3], [], [9], [1, 9], [2, 3, 8, 1], [1, 2, 3, 4] * 2):
        contract.call("addAll", ids)
    assert contract.clauses("addAll") == [
        "required each: field(S[H(data[arg0 + 36],0)],0,8) or not data[arg0 + 4]",
        "required: S[3] >= (data[arg0 + 4] + S[5])",
    ]


def test_a_check_of_each_element_in_memory_is_one(contract: Contract) -> None:
    for known in (1, 2, 3):
        contract.call("learn", known, True)
    contract.call("join", BOB)
    for ids, who in (([1], BOB), ([1, 2, 3], BOB), ([9], BOB), ([1, 9], BOB), ([1, 2], ALICE), ([], ALICE)):
        contract.call("addCopied", ids, who)
    assert contract.clauses("addCopied") == [
        "required each: field(S[H(data[arg0 + 36],0)],0,8)",
        "required: field(S[H(field(arg1,0,160),1)],0,8)",
    ]


def test_what_is_kept_under_hashes_of_lists_of_several_lengths_is_one_thing(contract: Contract) -> None:
    lists: list[tuple[list[int], list[int], int]] = [
        ([ALICE], [1], 0),
        ([ALICE, BOB], [1, 2], 0),
        ([], [], 0),
        ([ALICE, ALICE, BOB], [1, 2, 7], 900),
        ([ALICE, BOB], [], 900),
    ]
    for to, amounts, delay in lists:
        contract.call("plan", to, amounts, delay)
    for to, amounts, _ in lists[:2]:
        contract.call("plan", to, amounts, 0)
    plan = contract.decisions("plan")
    own = [clause for clause in plan.clauses if clause.check.maker == "contract"]
    assert [(clause_text(plan, item), len(item.rejected_calls), item.pass_count) for item in own] == [
        (f"required: not {ROW}", 2, 5)
    ]
    for to, amounts, _ in lists:
        contract.call("execute", to, amounts)
    contract.call("execute", [BOB], [1])
    contract.call("execute", [BOB, ALICE, ALICE], [1])
    contract.call("execute", [ALICE], [1])
    assert contract.clauses("execute") == [f"required: 1 < {ROW}", f"required: time >= {ROW}"]


def test_what_a_caught_call_chose_qualifies_the_check_behind_it(clock: Contract, contract: Contract) -> None:
    contract.call("restrict", 20)
    for time, broken, weight in ((30, 0, 9), (30, 0, 3), (5, 0, 9), (5, 1, 8), (5, 1, 2), (40, 0, 7)):
        clock.call("set", time, bool(broken))
        contract.call("vote", weight)
    assert {item for item in contract.clauses("vote") if "success" not in item} == {"required: 5 < arg0"}
    clock.call("set", 5, True)
    contract.call("restrict", 20_000)
    contract.call("vote", 9)
    clauses = contract.clauses("vote")
    assert "required: answer(0,0) >= S[3] or not success(0)" in clauses
    assert "required: block >= S[3] or success(0)" in clauses
    assert "required: 5 < arg0" in clauses


def test_what_a_branch_on_time_chose_qualifies_the_check_behind_it(contract: Contract) -> None:
    contract.call("join", BOB)
    contract.call("restrict", 50)
    calls = ((1, BOB), (2, BOB), (17, BOB), (2, ALICE))
    contract.call("open", contract.stage.time + 100)
    for amount, sender in calls:
        contract.call("buy", amount, sender=sender)
    contract.call("open", 10)
    for amount, sender in (*calls[:2], (8, BOB), calls[3]):
        contract.call("buy", amount, sender=sender)
    assert contract.clauses("buy") == [
        "required: field(S[H(sender,1)],0,8)",
        "required: S[3] >= (arg0 * 3) or S[4] < time",
        "required: S[3] >= (arg0 * 7) or S[4] >= time",
    ]
