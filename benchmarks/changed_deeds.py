"""Another contract that is changed in one place: deeds with approvals, holds, roles, and deposits behind a lock.

:mod:`benchmarks.changed_contracts` prints what ``diff`` says first of each version.
"""

from __future__ import annotations

import json
import random
from typing import Final

from eth_abi.abi import encode

from benchmarks.changed_versions import Version, effect_told, guard_told
from benchmarks.recorded_chain import USERS, RecordedChain
from specminer._support.keccak import keccak
from specminer.comparison.difference import Change, Subject
from specminer.contracts.artifact import Artifact, parse
from specminer.history.contract_history import History
from tests.support.solc import compile_sources

NOBODY: Final = 0
SOURCE: Final = """
pragma solidity ^0.8.20;

contract Deeds {
    address public admin;
    address public clerk;
    address public treasury;
    uint256 public locked;
    uint256 public rate;
    uint256 public minted;
    mapping(uint256 => address) public holderOf;
    mapping(uint256 => address) public approved;
    mapping(uint256 => uint64) public heldUntil;
    mapping(address => uint256) public deposits;

    event Moved(address from, address to, uint256 id);
    event Deposited(address who, uint256 amount);
    event Withdrawn(address who, uint256 amount);

    modifier lock() { require(locked == 0, "locked"); locked = 1; _; locked = 0; }

    constructor(address clerk_, address treasury_) {
        admin = msg.sender;
        clerk = clerk_;
        treasury = treasury_;
        rate = 250;
    }

    function mint(address to, uint64 hold) external {
        require(msg.sender == clerk, "not clerk");
        require(to != address(0), "nobody");
        minted += 1;
        holderOf[minted] = to;
        heldUntil[minted] = uint64(block.timestamp) + hold;
        emit Moved(address(0), to, minted);
    }

    function approve(uint256 id, address to) external {
        require(holderOf[id] == msg.sender, "not holder");
        approved[id] = to;
    }

    function move(uint256 id, address to) external {
        address holder = holderOf[id];
        require(to != address(0), "nobody");
        require(msg.sender == holder || msg.sender == approved[id], "not allowed");
        require(block.timestamp >= heldUntil[id], "held");
        approved[id] = address(0);
        holderOf[id] = to;
        emit Moved(holder, to, id);
    }

    function deposit() external payable lock {
        require(msg.value > 0, "nothing");
        uint256 fee = msg.value * rate / 10000;
        deposits[msg.sender] += msg.value - fee;
        deposits[treasury] += fee;
        emit Deposited(msg.sender, msg.value - fee);
    }

    function withdraw(uint256 amount) external lock {
        require(deposits[msg.sender] >= amount, "too much");
        deposits[msg.sender] -= amount;
        (bool taken,) = msg.sender.call{value: amount}("");
        require(taken, "not taken");
        emit Withdrawn(msg.sender, amount);
    }

    function setRate(uint256 value) external {
        require(msg.sender == admin, "not admin");
        require(value <= 1000, "too high");
        rate = value;
    }

    function setTreasury(address who) external {
        require(msg.sender == admin, "not admin");
        require(who != address(0), "nobody");
        treasury = who;
    }
}
"""

VERSIONS: Final = (
    Version(
        name="a lock against re-entrancy removed",
        old="function withdraw(uint256 amount) external lock {",
        new="function withdraw(uint256 amount) external {",
        told=guard_told("withdraw", Change.GONE, said="locked"),
    ),
    Version(
        name="a wrong comparison of times",
        old="require(block.timestamp >= heldUntil[id]",
        new="require(block.timestamp <= heldUntil[id]",
        told=guard_told("move", *Change, said="heldUntil"),
    ),
    Version(
        name="a checked subtraction made unchecked",
        old=(
            '        require(deposits[msg.sender] >= amount, "too much");\n'
            "        deposits[msg.sender] -= amount;"
        ),
        new="        unchecked { deposits[msg.sender] -= amount; }",
        told=guard_told("withdraw", Change.GONE, said="amount"),
    ),
    Version(
        name="swapped arguments of an event",
        old="emit Moved(holder, to, id);",
        new="emit Moved(to, holder, id);",
        told=effect_told("move", "Moved"),
    ),
    Version(
        name="a fee that is computed wrongly",
        old="msg.value * rate / 10000",
        new="msg.value * rate / 1000",
        told=effect_told("deposit", "rate / 1000"),
    ),
    Version(
        name="a missing event",
        old="        emit Withdrawn(msg.sender, amount);\n",
        new="",
        told=effect_told("withdraw", "Withdrawn"),
    ),
    Version(
        name="a missing check of the zero address",
        old='        require(who != address(0), "nobody");\n',
        new="",
        told=guard_told("setTreasury", Change.GONE, said="who"),
    ),
    Version(
        name="an approval that is not cleared",
        old="        approved[id] = address(0);\n",
        new="",
        told=effect_told("move", "approved"),
    ),
    Version(
        name="a check of the wrong role",
        old='require(msg.sender == admin, "not admin");\n        require(value',
        new='require(msg.sender == clerk, "not admin");\n        require(value',
        told=lambda item: (
            item.subject in (Subject.GUARD, Subject.ROLE)
            and item.scope == "setRate"
            and "clerk" in item.after
        ),
    ),
)


def _text(account: int) -> str:
    """Return an account as the encoder takes it."""
    return f"0x{account:040x}"


def played(source: str, seed: int, calls: int) -> tuple[History, Artifact]:
    """Compile a version of the deeds, call it at random, and return what was recorded."""
    output = compile_sources({"Deeds.sol": source})["Deeds"]
    chance = random.Random(seed)
    code = bytes.fromhex(output["evm"]["bytecode"]["object"])
    code += encode(("address", "address"), (_text(USERS[1]), _text(USERS[2])))
    chain = RecordedChain(code, start=1_700_000_000, first_block=1)
    minted = 0
    for _ in range(calls):
        sender, other = chance.choice(USERS), chance.choice((*USERS, NOBODY))
        number = chance.randint(max(1, minted - 4), max(1, minted + 1))
        amount = chance.choice((100, 5_000, 20_000))
        name, types, arguments, value = chance.choice(
            (
                ("mint", ("address", "uint64"), (other, chance.choice((0, 3_600, 90_000))), 0),
                ("mint", ("address", "uint64"), (sender, 600), 0),
                ("approve", ("uint256", "address"), (number, other), 0),
                ("approve", ("uint256", "address"), (number, other), 0),
                ("move", ("uint256", "address"), (number, other), 0),
                ("move", ("uint256", "address"), (number, other), 0),
                ("move", ("uint256", "address"), (number, sender), 0),
                ("deposit", (), (), chance.choice((0, amount, amount))),
                ("withdraw", ("uint256",), (amount,), 0),
                ("setRate", ("uint256",), (chance.choice((100, 400, 1_000, 1_500)),), 0),
                ("setTreasury", ("address",), (other,), 0),
            )
        )
        if name in ("setRate", "setTreasury") and chance.random() < 0.6:
            sender = USERS[0]
        if name == "mint" and chance.random() < 0.8:
            sender = USERS[1]
        encoded = [
            _text(item) if kind == "address" else item for kind, item in zip(types, arguments, strict=True)
        ]
        selector = keccak(f"{name}({','.join(types)})".encode())[:4]
        time = chain.time + chance.choice((60, 600, 3_600, 20_000))
        accepted = chain.call(sender, selector + encode(types, encoded), value, time, chain.block + 1)
        minted += accepted and name == "mint"
    told = {"contractName": "Deeds", "abi": output["abi"], "storageLayout": output["storageLayout"]}
    return chain.history(), parse(json.dumps(told).encode(), "Deeds")
