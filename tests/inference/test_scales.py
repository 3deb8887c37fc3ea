"""Guards do not depend on the scale of a history: its block numbers, times and amounts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from benchmarks.recorded_chain import USERS, RecordedChain
from specminer.contracts.artifact import load
from specminer.pipeline import MineOptions, mine
from specminer.specification import GuardKind
from tests.support.decisions import encoded, selector_of
from tests.support.solc import compile_sources, has_solc

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Auction {
    struct Lot { address seller; uint64 endsAt; uint128 highest; address leader; bool settled; }
    mapping(uint256 => Lot) lots;
    uint256 count;
    uint256 constant STEP = 2 * UNIT;
    function open(uint256 duration) external {
        require(duration >= 86400 && duration <= 2600000, "duration");
        lots[++count] = Lot(msg.sender, uint64(block.timestamp + duration), 0, address(0), false);
    }
    function bid(uint256 lot) external payable {
        require(lots[lot].seller != address(0), "no lot");
        require(block.timestamp < lots[lot].endsAt, "over");
        require(msg.value >= lots[lot].highest + STEP, "too low");
        lots[lot].highest = uint128(msg.value);
        lots[lot].leader = msg.sender;
    }
    function settle(uint256 lot) external {
        require(block.timestamp >= lots[lot].endsAt + 3600, "too early");
        require(!lots[lot].settled && lots[lot].leader == msg.sender, "not yours");
        lots[lot].settled = true;
    }
}
contract Vesting {
    uint256 immutable begin = block.timestamp;
    uint256 begun = block.timestamp;
    uint256 firstBlock = block.number;
    mapping(address => uint256) granted;
    mapping(address => uint256) released;
    function grant(address to, uint256 amount) external {
        require(amount > 10 * UNIT && amount <= 1000 * UNIT, "amount");
        granted[to] += amount;
    }
    function release(uint256 amount) external {
        require(block.timestamp >= begun + 2600000, "cliff");
        uint256 vested = granted[msg.sender] * (block.timestamp - begun) / 31536000;
        require(released[msg.sender] + amount <= vested, "not vested");
        released[msg.sender] += amount;
    }
    function revoke(address from) external {
        require(block.number > firstBlock + 5, "block");
        require(block.timestamp - begin < 94608000, "late");
        require(granted[from] != 0, "nothing");
        granted[from] = 0;
    }
}
contract Token {
    mapping(address => uint256) balances;
    mapping(address => mapping(address => uint256)) allowed;
    uint256 supply;
    function mint(uint256 amount) external {
        require(supply + amount <= 1000000 * UNIT, "cap");
        supply += amount;
        balances[msg.sender] += amount;
    }
    function transfer(address to, uint256 amount) external {
        require(balances[msg.sender] >= amount, "balance");
        require(to != address(0), "nobody");
        balances[msg.sender] -= amount;
        balances[to] += amount;
    }
    function approve(address to, uint256 amount) external { allowed[msg.sender][to] = amount; }
    function transferFrom(address from, address to, uint256 amount) external {
        require(allowed[from][msg.sender] >= amount, "allowance");
        require(balances[from] >= amount, "balance");
        allowed[from][msg.sender] -= amount;
        balances[from] -= amount;
        balances[to] += amount;
    }
}
"""
_NUMBER: Final = re.compile(r"\b\d+\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large things are on a chain."""

    unit: int
    start: int
    first_block: int


DEVELOPMENT: Final = Scale(unit=1, start=7, first_block=1)
MAIN: Final = Scale(unit=10**18, start=1_700_000_003, first_block=19_000_001)


class Actor:
    """Calls a contract at a scale."""

    def __init__(self, chain: RecordedChain, abi: list[dict[str, Any]], scale: Scale) -> None:
        self.chain, self.scale = chain, scale
        self.types = {
            item["name"]: [part["type"] for part in item["inputs"]]
            for item in abi
            if item["type"] == "function"
        }
        self.outcomes: list[bool] = []

    def call(
        self, name: str, *arguments: object, sender: int, value: int = 0, seconds: int, blocks: int = 1
    ) -> None:
        """Make a call so much later; ``value`` is in units."""
        kinds = self.types[name]
        data = selector_of(f"{name}({','.join(kinds)})") + encoded(kinds, arguments)
        chain = self.chain
        accepted = chain.call(
            sender, data, value * self.scale.unit, chain.time + seconds, chain.block + blocks
        )
        self.outcomes.append(accepted)


def drive_auction(actor: Actor, rng: Random) -> None:
    for lot in range(1, 13):
        actor.call("open", rng.choice((86399, 86400, 600000, 2600000, 2600001)), sender=USERS[0], seconds=9)
        actor.call("open", 2600000, sender=USERS[0], seconds=9)
        for _ in range(8):
            who = rng.choice(USERS)
            actor.call(
                "bid",
                rng.randint(0, lot),
                sender=who,
                value=rng.randint(1, 40),
                seconds=rng.randint(1, 90000),
            )
        for _ in range(6):
            actor.call(
                "settle", rng.randint(1, lot), sender=rng.choice(USERS), seconds=rng.randint(1, 900000)
            )


def drive_vesting(actor: Actor, rng: Random) -> None:
    for turn in range(120):
        seconds = rng.randint(1, 60000) if turn < 60 else rng.randint(1, 2000000)
        who, amount = rng.choice(USERS), rng.choice((5, 10, 11, 400, 1000, 1001)) * actor.scale.unit
        actor.call("grant", who, amount, sender=USERS[0], seconds=seconds)
        actor.call(
            "release", rng.randint(0, 90) * actor.scale.unit, sender=rng.choice(USERS), seconds=seconds
        )
        if not turn % 3:
            actor.call("revoke", rng.choice(USERS), sender=USERS[0], seconds=seconds)


def drive_token(actor: Actor, rng: Random) -> None:
    unit = actor.scale.unit
    for _ in range(80):
        who, other, third = rng.choice(USERS), rng.choice((*USERS, 0)), rng.choice(USERS)
        actor.call("mint", rng.choice((5, 100, 999990)) * unit, sender=who, seconds=9)
        actor.call("transfer", other, rng.choice((1, 5, 70, 600)) * unit, sender=third, seconds=9)
        actor.call("approve", third, rng.choice((0, 10, 300)) * unit, sender=who, seconds=9)
        actor.call("transferFrom", who, third, rng.choice((1, 8, 90, 400)) * unit, sender=third, seconds=9)


DRIVERS: Final = {"Auction": drive_auction, "Vesting": drive_vesting, "Token": drive_token}


def mined_at(scale: Scale, name: str, folder: Path) -> tuple[list[bool], dict[str, set[tuple[str, str]]]]:
    """Return the outcomes, and the guards of each function with their kind, amounts in units."""
    output = compile_sources({"Scaled.sol": SOURCE.replace("UNIT", str(scale.unit))})[name]
    creation = bytes.fromhex(output["evm"]["bytecode"]["object"])
    chain = RecordedChain(creation, start=scale.start, first_block=scale.first_block)
    actor = Actor(chain, output["abi"], scale)
    DRIVERS[name](actor, Random(3))
    path = folder / f"{name}{scale.unit}.json"
    path.write_text(json.dumps({"abi": output["abi"], "storageLayout": output["storageLayout"]}))
    specification = mine(chain.history(), MineOptions(), artifact=load(path)).specification
    found: dict[str, set[tuple[str, str]]] = {}
    for guard in specification.guards:
        if guard.kind is not GuardKind.OBSERVED:
            texts = found.setdefault(guard.scope, set())
            texts |= {(guard.kind.value, in_units(item.text, scale)) for item in guard.conditions}
    return actor.outcomes, found


def in_units(text: str, scale: Scale) -> str:
    """Return a condition with its amounts in units, and the time of the creation, which immutables hold, by name."""

    def shown(match: re.Match[str]) -> str:
        value = int(match[0])
        if value == scale.start:
            return "start"
        return str(value // scale.unit) if value >= scale.unit and not value % scale.unit else match[0]

    return _NUMBER.sub(shown, text)


@pytest.mark.parametrize("name", DRIVERS)
def test_a_history_has_the_same_guards_at_each_scale(name: str, tmp_path: Path) -> None:
    if not has_solc():
        pytest.skip("solc is not installed")
    outcomes, small = mined_at(DEVELOPMENT, name, tmp_path)
    again, large = mined_at(MAIN, name, tmp_path)
    assert outcomes == again
    assert {True, False} == set(outcomes)
    assert small == large
    assert sum(kind == "required" for texts in small.values() for kind, _ in texts) >= 4
