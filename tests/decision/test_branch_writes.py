"""No invariant is told that a branch of the code need not keep, though no recorded call went that way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from benchmarks.recorded_chain import USERS, RecordedChain
from specminer.contracts.artifact import load
from specminer.decision.branch_exploring import explore_branches
from specminer.pipeline import MineOptions
from specminer.pipeline.assessment import find_invariants
from specminer.pipeline.mining import STAGES
from specminer.pipeline.state import Mining
from specminer.specification.invariants import Template
from tests.support.decisions import encoded, selector_of
from tests.support.solc import compile_sources, has_solc

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Bank {
    address owner = msg.sender;
    address treasury = msg.sender;
    uint256 fee = 3;
    uint256 lock = 1;
    uint256 cap = 1 ether;
    uint256 deposits;
    uint256 paid;
    uint256 total;
    mapping(address => uint256) shares;
    modifier guarded() { require(lock == 1, "locked"); lock = 2; _; lock = 1; }
    function deposit(uint256 amount) external guarded {
        require(amount + fee <= cap && treasury != address(0) && owner != address(0), "cap");
        if (amount == 7777) { deposits = 0; }
        deposits += amount;
        paid += fee;
        shares[msg.sender] += amount;
        total += amount;
    }
    function setFee(uint256 wanted) external { require(msg.sender == owner, "owner"); fee = wanted; }
    function clear(address account) external guarded {
        require(msg.sender == owner, "owner");
        if (account == address(0)) { return; }
        require(account != address(0), "zero");
        shares[account] = 0;
    }
    function never(uint256 amount) external {
        if (amount > 5) { if (amount <= 5) { treasury = address(0); } }
    }
}
"""
DEPOSIT, SET_FEE = selector_of("deposit(uint256)"), selector_of("setFee(uint256)")


@pytest.fixture(scope="module")
def mining(tmp_path_factory: pytest.TempPathFactory) -> Mining:
    if not has_solc():
        pytest.skip("solc is not installed")
    contract = compile_sources({"Bank.sol": SOURCE})["Bank"]
    chain = RecordedChain(
        bytes.fromhex(contract["evm"]["bytecode"]["object"]), start=1_700_000_000, first_block=100
    )
    for number in range(1, 61):
        data = DEPOSIT + encoded(["uint256"], [number])
        assert chain.call(USERS[number % 5], data, 0, chain.time + 12, chain.block + 1)
    assert not chain.call(USERS[1], SET_FEE + encoded(["uint256"], [9]), 0, chain.time + 12, chain.block + 1)
    path: Path = tmp_path_factory.mktemp("bank") / "Bank.json"
    path.write_text(json.dumps({"abi": contract["abi"], "storageLayout": contract["storageLayout"]}))
    found = Mining(history=chain.history(), options=MineOptions(), artifact=load(path))
    for stage in STAGES[: STAGES.index(find_invariants) + 1]:
        found = stage(found)
    return found


def test_branches_that_nobody_took_are_known_by_what_they_write(mining: Mining) -> None:
    ways = mining.open_ways
    assert ways.writers["fee"] == {"setFee"}
    assert "clear" in ways.writers["shares[]"]
    assert "deposits never decreases" in ways.courses
    assert "shares[k]" in ways.foreign_entries
    assert ("deposit", "deposits") not in ways.otherwise  # what is left is a sum
    assert ("clear", "shares[]") in ways.otherwise


def test_what_excludes_itself_is_no_branch_and_a_lock_is_no_change(mining: Mining) -> None:
    ways = mining.open_ways
    assert "treasury" not in ways.writers
    assert "lock" not in ways.writers
    assert ("lock", 1) in ways.restored_fields


def test_invariants_are_told_only_if_all_branches_keep_them(mining: Mining) -> None:
    told = {item.text for item in mining.invariants}
    for name in ("owner", "cap", "lock"):
        assert f"{name} never changes after the deployment" in told
    assert "total never decreases" in told
    assert "fee never changes after the deployment" not in told
    assert "deposits never decreases" not in told
    assert not any(text.startswith("shares[]") and "never decreases" in text for text in told)
    assert not any(item.template is Template.OWN for item in mining.invariants)
    assert not mining.open_ways.courses.intersection(mining.laws)


def test_exploring_stays_within_its_bounds(mining: Mining) -> None:
    whole = list(explore_branches(mining.context, mining.runs))
    assert {item.name for item in whole} == {"deposit", "setFee", "clear", "never"}
    assert all(item.whole for item in whole)
    assert whole[-1].name == "deposit"  # what nobody called comes first
    few = list(explore_branches(mining.context, mining.runs, most=1))
    assert len(few) == 1
    assert not few[0].whole
