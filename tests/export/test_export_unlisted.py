"""Exports of claims about functions that the ABI does not name: receive, fallback, and selectors."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path

import pytest

from benchmarks.recorded_chain import USERS, RecordedChain
from specminer._support.keccak import keccak
from specminer.contracts.artifact import parse
from specminer.export.formats import ExportRequest, export_as
from specminer.pipeline.mining import mine
from specminer.pipeline.state import MineOptions
from tests.support.anvil import MissingPart
from tests.support.forge import ForgeProject, forge_binary
from tests.support.solc import compile_sources

HIDDEN = keccak(b"limitTo(uint256)")[:4]
SWITCH = bytes.fromhex("12345601")
CLOSE = bytes.fromhex("12345600")
SOURCE = """
pragma solidity ^0.8.20;

contract Gate {
    address public owner;
    uint256 public opened;
    uint256 public pot;
    uint256 public limit;

    constructor() { owner = msg.sender; }

    receive() external payable {
        require(msg.value >= 10, "small");
        require(opened == 1, "closed");
        pot += msg.value;
    }

    fallback() external payable {
        require(msg.sender == owner, "not owner");
        require(msg.data.length >= 4, "short");
        opened = uint256(uint8(msg.data[3])) & 1;
    }

    function take(uint256 amount) external {
        require(amount <= pot, "too much");
        pot -= amount;
        payable(msg.sender).transfer(amount);
    }

    function limitTo(uint256 value) external {
        require(msg.sender == owner, "not owner");
        limit = value;
    }
}
"""
UNCHECKED_SWITCH = (
    '        require(msg.sender == owner, "not owner");\n        require(msg.data',
    "        require(msg.data",
)
UNCHECKED_VALUE = ('        require(msg.value >= 10, "small");\n', "")


@cache
def request() -> ExportRequest:
    """Return the history of a contract whose ABI names one of its functions only."""
    output = compile_sources({"Gate.sol": SOURCE})["Gate"]
    chain = RecordedChain(
        bytes.fromhex(output["evm"]["bytecode"]["object"]), start=1_700_000_000, first_block=1
    )
    chance = random.Random(3)
    for _ in range(400):
        data, value = chance.choice(
            (
                (b"", chance.choice((5, 9, 10, 11, 50))),
                (b"", 20),
                (SWITCH, 0),
                (CLOSE, 0),
                (b"\x12\x34", 0),
                (HIDDEN + chance.randrange(100).to_bytes(32, "big"), 0),
                (keccak(b"take(uint256)")[:4] + chance.choice((1, 30)).to_bytes(32, "big"), 0),
            )
        )
        sender = USERS[0] if chance.random() < 0.5 else chance.choice(USERS)
        chain.call(sender, data, value, chain.time + 60, chain.block + 1)
    listed = [item for item in output["abi"] if item.get("name") != "limitTo"]
    text = json.dumps({"contractName": "Gate", "abi": listed, "storageLayout": output["storageLayout"]})
    artifact, history = parse(text.encode(), "Gate"), chain.history()
    return ExportRequest(
        specification=mine(history, MineOptions(), artifact=artifact).specification,
        artifact=artifact,
        history=history,
        most_calls=1_000,
    )


def test_claims_of_selectors_are_evaluated_and_only_what_cannot_be_said_is_left_out(tools: Path) -> None:
    exported = export_as("foundry", request())
    assert f"selector == 0x{SWITCH.hex()}" in exported.text
    assert f"0x{SWITCH.hex()} was accepted although this does not hold: owner = sender" in exported.text
    assert f"0x{HIDDEN.hex()} was accepted although this does not hold: owner = sender" in exported.text
    assert "receive was accepted although this does not hold: value >= 10" in exported.text
    assert "c.data.length < 4 && c.data.length > 0" in exported.text
    assert not any("the ABI has no function" in str(item) for item in exported.left_out)


def test_the_credible_layer_judges_selectors(tools: Path) -> None:
    text = export_as("phylax", request()).text
    assert f".selector, 0x{SWITCH.hex()});" in text
    assert f"_judge(0x{HIDDEN.hex()});" in text


def test_languages_that_call_functions_by_name_leave_them_out(tools: Path) -> None:
    for language in ("cvl", "scribble"):
        left_out = export_as(language, request()).left_out
        reasons = {str(item.reason) for item in left_out if item.scope == f"0x{HIDDEN.hex()}"}
        assert any("the function has no name" in reason for reason in reasons), language


@pytest.mark.slow
@pytest.mark.node
def test_the_recorded_contract_passes_and_twins_fail(tools: Path, tmp_path: Path) -> None:
    try:
        forge_binary()
    except MissingPart as error:
        pytest.skip(str(error))
    sources = {"Recorded.sol": SOURCE}
    for file, (line, other) in (("Switch.sol", UNCHECKED_SWITCH), ("Value.sol", UNCHECKED_VALUE)):
        assert SOURCE.count(line) == 1, line
        sources[file] = SOURCE.replace(line, other)
    forged = ForgeProject(tmp_path, sources, {"History.t.sol": export_as("foundry", request()).text})
    assert set(forged.run("Recorded.sol:Gate").values()) == {""}
    failed = forged.run("Switch.sol:Gate")["test_claims"]
    assert "was accepted although this does not hold: owner = sender" in failed
    assert "receive was accepted although this does not hold" in forged.run("Value.sol:Gate")["test_claims"]
