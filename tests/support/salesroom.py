"""Three contracts that call one another: a token, a crowdsale that mints it, a vault that keeps the ether."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.support.anvil import Anvil, Call, Deployed
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Token {
    address public minter;
    uint256 public supply;
    mapping(address => uint256) public balanceOf;

    constructor() { minter = msg.sender; }

    function hand(address to) external {
        require(msg.sender == minter, "not the minter");
        minter = to;
    }

    function mint(address to, uint256 amount) external returns (uint256) {
        require(msg.sender == minter, "not the minter");
        balanceOf[to] += amount;
        supply += amount;
        return supply;
    }

    function transfer(address to, uint256 amount) external {
        require(balanceOf[msg.sender] >= amount, "too little");
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }
}

contract Vault {
    address public keeper;
    uint256 public kept;
    bool public open;

    constructor() { keeper = msg.sender; open = true; }

    function hand(address to) external {
        require(msg.sender == keeper, "not the keeper");
        keeper = to;
    }

    function put() external payable returns (bool) {
        require(open, "closed");
        kept += msg.value;
        return true;
    }

    function shut() external {
        require(msg.sender == keeper, "not the keeper");
        open = false;
    }

    function empty(address payable to) external {
        require(!open, "still open");
        kept = 0;
        to.transfer(address(this).balance);
    }
}

contract Sale {
    Token public token;
    Vault public vault;
    uint256 public sold;
    uint256 public constant cap = 4 ether;

    constructor(Token t, Vault v) { token = t; vault = v; }

    function buy() external payable {
        require(msg.value >= 1000, "too little");
        require(sold + msg.value <= cap, "sold out");
        sold += msg.value;
        require(vault.put{value: msg.value}(), "not kept");
        uint256 supply = token.mint(msg.sender, msg.value * 2);
        require(supply == sold * 2, "supply");
    }

    function close() external {
        require(sold > 0, "nothing sold");
        vault.shut();
    }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Salesroom:
    """The three contracts once they are deployed."""

    token: Deployed
    vault: Deployed
    sale: Deployed


@functools.cache
def compiled() -> dict[str, Any]:
    """Return the contracts' artifacts by name."""
    return compile_sources({"Salesroom.sol": SOURCE})


def drive(anvil: Anvil, rounds: int = 12) -> Salesroom:
    """Deploy and use the contracts; several of them in most blocks."""
    random = Random(20)
    owner, *people = anvil.accounts[:8]
    token, vault = (anvil.deploy(owner, compiled()[name]) for name in ("Token", "Vault"))
    sale = anvil.deploy(owner, compiled()["Sale"], token.address, vault.address)
    anvil.block([token.call(owner, "hand", sale.address), sale.call(people[0], "buy", value=5000)])
    anvil.block([vault.call(owner, "hand", sale.address)])
    for _ in range(rounds):
        calls: list[Call] = []
        for who in random.sample(people, 4):
            calls.append(sale.call(who, "buy", value=random.choice((10, 4000, 10**17, 3 * 10**18))))
            if random.random() < 0.6:
                calls.append(token.call(who, "transfer", random.choice(people), random.randrange(9000)))
            if random.random() < 0.3:
                calls.append(vault.call(who, "put", value=77))
        anvil.block(calls)
    anvil.block([vault.call(people[1], "empty", people[1]), sale.call(people[2], "close")])
    anvil.block([sale.call(people[3], "buy", value=5000), vault.call(people[1], "empty", people[1])])
    return Salesroom(token=token, vault=vault, sale=sale)
