"""Contracts that destroy themselves and are created again at the same address, with the same code or with another."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.support.anvil import Anvil, Call, Deployed
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Stall {
    struct Offer { uint256 price; uint256 state; }
    uint256 public total;
    mapping(uint256 => Offer) public offers;
    address public owner;
    constructor() { owner = tx.origin; }
    function open(uint256 id, uint256 price) external {
        require(offers[id].state == 0, "open already");
        offers[id] = Offer(price, 1);
        total += 1;
    }
    function buy(uint256 id) external {
        require(offers[id].state == 1, "not for sale");
        offers[id].state = 2;
    }
    function die() external { selfdestruct(payable(msg.sender)); }
}

contract Forge {
    address public stall;
    function make() external { stall = address(new Stall{salt: bytes32(0)}()); }
    function unmake() public { Stall(stall).die(); }
    function flash(uint256 id) external {
        Stall made = new Stall{salt: bytes32(uint256(1))}();
        stall = address(made);
        made.open(id, 3);
        made.die();
        made.buy(id);
    }
    function unmakeAndBuy(uint256 id) external {
        unmake();
        Stall(stall).buy(id);
    }
}

contract First {
    uint256 public count;
    function raise() external { count += 1; }
    function die() external { selfdestruct(payable(msg.sender)); }
}

contract Second {
    uint256 public other;
    uint256 public count;
    function lower(uint256 by) external { count += 3; other += by; }
    function raise() external { count += 2; }
    function die() external { selfdestruct(payable(msg.sender)); }
}

contract Mold {
    address public implementation;
    address public made;
    function getImplementation() external view returns (address) { return implementation; }
    function make(address code) external {
        implementation = code;
        bytes memory init = hex"5860208158601c335a63aaf10f428752fa158151803b80938091923cf3";
        address found;
        assembly { found := create2(0, add(init, 32), mload(init), 0) }
        require(found != address(0), "not made");
        made = found;
    }
}
"""


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output of all contracts above."""
    return compile_sources({"Phoenix.sol": SOURCE}, evm_version="paris")


@dataclass(frozen=True)
class Played:
    """A stall that lived several times."""

    stall: Deployed
    receipts: tuple[dict[str, Any], ...]
    """Of the transactions that began and ended its lives, in order: created, destroyed, created, ..."""


def forge(anvil: Anvil) -> Deployed:
    """Deploy a forge."""
    return anvil.deploy(anvil.accounts[0], compiled()["Forge"])


def made(anvil: Anvil, maker: Deployed) -> Deployed:
    """Return the stall that a forge made."""
    return anvil.at(maker.read("stall"), compiled()["Stall"]["abi"])


def trade(stall: Deployed, senders: Sequence[str], ids: Sequence[int]) -> list[Call]:
    """Return calls that open offers and sell them; one is refused for each."""
    one, other = senders[:2]
    calls = []
    for number in ids:
        calls += [
            stall.call(one, "open", number, 10 + number),
            stall.call(one, "open", number, 1),
            stall.call(other, "buy", number),
        ]
    return calls


def three_lives(anvil: Anvil) -> Played:
    """Let a stall live three times; the second life begins in the block in which the first one ends.

    Between the second life and the third somebody calls the address where there is no code.
    """
    user, *others = anvil.accounts
    maker = forge(anvil)
    begins = anvil.block([maker.call(user, "make")])
    stall = made(anvil, maker)
    anvil.block(trade(stall, others, [1, 2]))
    turn = anvil.block([maker.call(user, "unmake"), maker.call(user, "make"), *trade(stall, others, [1, 3])])
    anvil.block(trade(stall, others, [2, 4, 5]))
    end = anvil.block([maker.call(user, "unmakeAndBuy", 1)])
    assert end[0]["status"] == "0x0", "it was sold"
    end = anvil.block([stall.call(others[0], "open", 9, 9), maker.call(user, "unmakeAndBuy", 9)])
    anvil.block([stall.call(others[0], "open", 1, 5), stall.call(others[0], "buy", 1)])
    again = anvil.block([maker.call(user, "make")])
    anvil.block(trade(stall, others, [1, 7]))
    return Played(stall=stall, receipts=(begins[0], turn[0], turn[1], end[1], again[0]))
