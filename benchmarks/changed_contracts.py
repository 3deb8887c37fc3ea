"""What `diff` says first of contracts that were changed in one place, and of histories cut at random.

    python -m benchmarks.changed_contracts [--seed N] [--calls N] [--cuts N] [--all]

A small market (listings of items, with an owner, a fee and a pause) and deeds (with approvals, holds, roles, and
deposits behind a lock) are compiled as they are, and in versions that differ in one place each: a condition dropped
or inverted, two checks in another order, another role, a bound off by one, a limit dropped, a checked subtraction
made unchecked, a fee that falls to the wrong side or is rounded otherwise, an effect that is missing, a lock removed.
Each is called in the same way at random on the engine. Prints, for each version, the first difference that `diff`
tells, and whether it is the one that was made. Then histories (the market's, and the shipped datasets) are cut in two
at blocks drawn at random, where hardly anything should differ. ``--all`` prints all differences.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode

from benchmarks.changed_versions import Version, effect_told, guard_told
from benchmarks.recorded_chain import USERS, RecordedChain
from specminer import Selection, SelectionOptions, select
from specminer._support.keccak import keccak
from specminer.comparison.difference import Change, Comparison, Subject
from specminer.contracts.artifact import Artifact, parse
from specminer.history.contract_history import History
from specminer.pipeline.comparing import ComparedHistory, compare_histories, compare_parts
from specminer.pipeline.datasets import list_datasets
from tests.support.solc import compile_sources

NOBODY: Final = 0
MARKET_SOURCE: Final = """
pragma solidity ^0.8.20;

contract Market {
    enum Status { None, Open, Sold, Withdrawn }
    struct Listing { address seller; address buyer; uint256 price; uint64 until; Status status; }

    address public owner;
    bool public paused;
    uint256 public fee;
    uint256 public count;
    mapping(uint256 => Listing) public listings;
    mapping(address => uint256) public credit;

    event Listed(uint256 id, uint256 price);
    event Sold(uint256 id, address buyer);

    constructor() { owner = msg.sender; fee = 100; }

    function list(uint256 price, uint64 duration) external {
        require(!paused, "paused");
        require(price > 0, "no price");
        require(duration <= 30 days, "too long");
        count += 1;
        listings[count] = Listing(msg.sender, address(0), price, uint64(block.timestamp) + duration, Status.Open);
        emit Listed(count, price);
    }

    function buy(uint256 id) external payable {
        Listing storage item = listings[id];
        require(!paused, "paused");
        require(item.status == Status.Open, "not open");
        require(msg.sender != item.seller, "own item");
        require(block.timestamp <= item.until, "too late");
        require(msg.value >= item.price, "too little");
        item.status = Status.Sold;
        item.buyer = msg.sender;
        credit[item.seller] += msg.value - fee;
        credit[owner] += fee;
        emit Sold(id, msg.sender);
    }

    function withdrawListing(uint256 id) external {
        Listing storage item = listings[id];
        require(item.seller == msg.sender, "not yours");
        require(item.status == Status.Open, "not open");
        item.status = Status.Withdrawn;
    }

    function cash() external {
        uint256 amount = credit[msg.sender];
        require(amount > 0, "nothing");
        credit[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }

    function setFee(uint256 value) external {
        require(msg.sender == owner, "not owner");
        require(value <= 1000, "too much");
        fee = value;
    }

    function setPaused(bool value) external {
        require(msg.sender == owner, "not owner");
        paused = value;
    }
}
"""


MARKET_VERSIONS: Final = (
    Version(
        name="a condition dropped",
        old='        require(msg.sender != item.seller, "own item");\n',
        new="",
        told=guard_told("buy", Change.GONE, said="seller"),
    ),
    Version(
        name="a deadline dropped",
        old='        require(block.timestamp <= item.until, "too late");\n',
        new="",
        told=guard_told("buy", Change.GONE, said="until"),
    ),
    Version(
        name="a wrong role",
        old='        require(item.seller == msg.sender, "not yours");',
        new='        require(owner == msg.sender, "not yours");',
        told=guard_told("withdrawListing", Change.OTHER, Change.GONE, Change.ADDED, said="owner"),
    ),
    Version(
        name="a bound off by one",
        old="require(msg.value >= item.price",
        new="require(msg.value > item.price",
        told=guard_told("buy", Change.STRONGER, said="price"),
    ),
    Version(
        name="a bound off by one, the other way",
        old="require(value <= 1000",
        new="require(value <= 1001",
        told=guard_told("setFee", Change.WEAKER, said="1000"),
    ),
    Version(
        name="a limit dropped",
        old='        require(value <= 1000, "too much");\n',
        new="",
        told=guard_told("setFee", Change.GONE, said="1000"),
    ),
    Version(
        name="two checks in another order",
        old=(
            '        require(item.seller == msg.sender, "not yours");\n'
            '        require(item.status == Status.Open, "not open");\n'
        ),
        new=(
            '        require(item.status == Status.Open, "not open");\n'
            '        require(item.seller == msg.sender, "not yours");\n'
        ),
        told=guard_told("withdrawListing", Change.ORDER),
    ),
    Version(
        name="a missing effect",
        old="        credit[owner] += fee;\n",
        new="",
        told=effect_told("buy", "credit[owner]"),
    ),
    Version(
        name="a missing reset",
        old="        credit[msg.sender] = 0;\n",
        new="",
        told=effect_told("cash", "credit[sender]"),
    ),
    Version(
        name="an inverted check of the pause",
        old='        require(!paused, "paused");\n        require(price > 0',
        new='        require(paused, "paused");\n        require(price > 0',
        told=guard_told("list", Change.OTHER, Change.GONE, Change.ADDED, said="paused"),
    ),
)


def play_market(source: str, seed: int, calls: int, owner: int = USERS[0]) -> tuple[History, Artifact]:
    """Compile a version of the market, call it at random, and return what was recorded; ``owner`` manages it."""
    output = compile_sources({"Market.sol": source})["Market"]
    chance = random.Random(seed)
    chain = RecordedChain(
        bytes.fromhex(output["evm"]["bytecode"]["object"]), start=1_700_000_000, first_block=1
    )
    listed = 0
    for _ in range(calls):
        sender = chance.choice(USERS)
        number = chance.randint(max(1, listed - 6), max(1, listed + 1))
        price = chance.choice((1_000, 5_000, 20_000))
        hours = chance.choice((24, 72, 72, 240, 900))
        fee = chance.choice((50, 200, 1_000, 1_001, 1_500))
        name, types, arguments, value = chance.choice(
            (
                ("list", ("uint256", "uint64"), (chance.choice((0, price)), hours * 3_600), 0),
                ("list", ("uint256", "uint64"), (price, 259_200), 0),
                ("list", ("uint256", "uint64"), (price, 259_200), 0),
                ("buy", ("uint256",), (number,), chance.choice((price, 20_000, 5_001))),
                ("buy", ("uint256",), (number,), chance.choice((1_000, 5_000, 20_000))),
                ("buy", ("uint256",), (number,), 20_000),
                ("withdrawListing", ("uint256",), (number,), 0),
                ("withdrawListing", ("uint256",), (number,), 0),
                ("cash", (), (), 0),
                ("cash", (), (), 0),
                ("setFee", ("uint256",), (fee,), 0),
                ("setPaused", ("bool",), (chance.random() < 0.2,), 0),
            )
        )
        if name in ("setPaused", "setFee") and chance.random() < 0.6:
            sender, arguments = owner, (chance.random() < 0.3,) if name == "setPaused" else arguments
        selector = keccak(f"{name}({','.join(types)})".encode())[:4]
        time = chain.time + chance.choice((60, 600, 3_600, 20_000))
        accepted = chain.call(sender, selector + encode(types, arguments), value, time, chain.block + 1)
        listed += accepted and name == "list"
    told = {"contractName": "Market", "abi": output["abi"], "storageLayout": output["storageLayout"]}
    return chain.history(), parse(json.dumps(told).encode(), "Market")


DEEDS_SOURCE: Final = """
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

DEEDS_VERSIONS: Final = (
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
    Version(
        name="a fee that falls to the wrong side",
        old="deposits[msg.sender] += msg.value - fee;\n        deposits[treasury] += fee;",
        new="deposits[msg.sender] += fee;\n        deposits[treasury] += msg.value - fee;",
        told=effect_told("deposit", "deposits["),
    ),
    Version(
        name="a fee that is rounded up",
        old="msg.value * rate / 10000",
        new="(msg.value * rate + 9999) / 10000",
        told=effect_told("deposit", "9999"),
    ),
)


def _text(account: int) -> str:
    """Return an account as the encoder takes it."""
    return f"0x{account:040x}"


def play_deeds(source: str, seed: int, calls: int) -> tuple[History, Artifact]:
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


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--cuts", type=int, default=2)
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args(arguments)
    history, artifact = play_market(MARKET_SOURCE, given.seed, given.calls)
    for name, source, versions, play in (
        ("market", MARKET_SOURCE, MARKET_VERSIONS, play_market),
        ("deeds", DEEDS_SOURCE, DEEDS_VERSIONS, play_deeds),
    ):
        original, about = play(source, given.seed, given.calls)
        before = ComparedHistory(history=original, artifact=about)
        right = 0
        for version in versions:
            assert source.count(version.old) == 1, version.name
            other, changed = play(source.replace(version.old, version.new), given.seed, given.calls)
            compared, _ = compare_histories(before, ComparedHistory(history=other, artifact=changed))
            first = compared.differences[0] if compared.differences else None
            named = first is not None and version.told(first)
            right += named
            told = first.sentence if first else "nothing"
            print(f"{version.name}: {'named first' if named else 'NOT FIRST'}: {told}")
            _print_rest(compared, given.all)
        print(f"{name}: {right} of {len(versions)} changes are named first")
    chance = random.Random(given.seed)
    histories = {"market": Selection(history=history, artifact=artifact)}
    histories |= {
        item.name: select(None, SelectionOptions(targets=(item.name,)))
        for item in list_datasets()
        if len(item.trace_files) == 1
    }
    cuts = differing = code = 0
    for name, selection in histories.items():
        blocks = sorted(set(selection.history.transaction_block.tolist()))
        for _ in range(given.cuts):
            block = chance.choice(blocks[len(blocks) // 4 : 3 * len(blocks) // 4])
            compared, _ = compare_parts(selection.history, block, artifact=selection.artifact)
            cuts += 1
            differing += bool(compared.differences)
            code += any(item.ground.value == "code" for item in compared.differences)
            print(f"{name}, cut at block {block}: {len(compared.differences)} differences")
            _print_rest(compared, given.all)
    print(f"{cuts} cuts: {differing} with a difference, {code} with one that rests on the code")
    return 0


def _print_rest(compared: Comparison, wanted: bool) -> None:
    for item in compared.differences if wanted else ():
        print(f"  {item.ground.value:5} {item.subject.value:11} {item.sentence}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
