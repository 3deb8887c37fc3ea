"""A contract that pays in every way there is, and fails to, and who takes its ether or refuses it."""

from __future__ import annotations

import functools
from typing import Any, Final

from tests.support.anvil import Anvil, Call, Deployed
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Taker {
    uint256 public times;
    constructor() payable {}
    receive() external payable { times += 1; }
    function take() external payable { times += 1; }
    function back(address payable purse, uint256 value) external payable {
        if (value > 0) Purse(purse).pay(payable(this), value);
    }
}

contract Miser {
    receive() external payable { revert("no"); }
}

contract Broke {
    constructor() payable { revert("no"); }
}

library Hand {
    function give(address payable to, uint256 value) external { to.transfer(value); }
}

contract Forcer {
    constructor(address payable to) payable { selfdestruct(to); }
}

contract Purse {
    uint256 public paid;
    event Paid(address to, uint256 value);

    constructor() payable {}
    receive() external payable {}

    function pay(address payable to, uint256 value) public {
        paid += value;
        emit Paid(to, value);
        (bool ok, ) = to.call{value: value}("");
        require(ok, "not paid");
        paid += 1;
    }
    function passOn(Taker to) external payable { to.take{value: msg.value}(); }
    function round(Taker to, uint256 value) external { to.back{value: value}(payable(this), value > 0 ? 7 : 0); }
    function trySend(address payable to, uint256 value) external returns (bool ok) { ok = to.send(value); paid += 1; }
    function twice(address payable one, address payable other) external {
        one.transfer(1);
        paid += 1;
        other.transfer(2);
    }
    function lend(address payable to, uint256 value) external { Hand.give(to, value); }
    function own(uint256 value) external { this.deposit{value: value}(); }
    function deposit() external payable { paid += 1; }
    function payAndFail(address payable to) external { to.transfer(5); revert("changed my mind"); }
    function tryPayAndFail(address payable to) external { try this.payAndFail(to) {} catch { to.transfer(3); } }
    function found(uint256 value) external returns (address made) { made = address(new Taker{value: value}()); }
    function foundBroke(uint256 value) external { try new Broke{value: value}() {} catch { paid += 1; } }
    function end(address payable to) external { selfdestruct(to); }
}
"""


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output of all contracts above."""
    return compile_sources({"Purse.sol": SOURCE})


FORCED: Final = 100
"""Wei that a contract which destroys itself forces upon the purse, last of all: nobody calls the purse for it."""


def drive(anvil: Anvil) -> Deployed:
    """Deploy a purse and let it pay in every way; several transactions a block."""
    code = compiled()
    first, second = anvil.accounts[:2]
    hand = anvil.deploy(first, code["Hand"])
    linked = dict(code["Purse"])
    taker, miser = anvil.deploy(first, code["Taker"]), anvil.deploy(first, code["Miser"])
    purse = anvil.deploy(first, _linked(linked, hand.address))
    plain = Call(sender=second, to=purse.address, value=10**18)
    anvil.block(
        [plain, purse.call(first, "pay", second, 1000), purse.call(second, "pay", taker.address, 2000)]
    )
    anvil.block(
        [
            purse.call(first, "pay", miser.address, 4),
            purse.call(first, "trySend", miser.address, 4),
            purse.call(first, "trySend", second, 10**30),
            purse.call(first, "trySend", second, 9),
            purse.call(first, "passOn", taker.address, value=77),
            purse.call(first, "pay", second, 0),
        ]
    )
    anvil.block(
        [
            purse.call(first, "round", taker.address, 0),
            purse.call(second, "round", taker.address, 11),
            purse.call(second, "twice", first, anvil.accounts[2]),
            purse.call(second, "lend", second, 13),
            purse.call(second, "own", 15),
            purse.call(second, "payAndFail", second),
            purse.call(second, "tryPayAndFail", second),
        ]
    )
    anvil.block(
        [
            purse.call(first, "found", 21),
            purse.call(first, "found", 0),
            purse.call(first, "found", 10**30),
            purse.call(first, "foundBroke", 23),
            purse.call(first, "foundBroke", 10**30),
        ]
    )
    anvil.block([purse.call(first, "end", taker.address)])
    anvil.block([plain, purse.call(first, "pay", second, 5)])
    force = code["Forcer"]["evm"]["bytecode"]["object"] + purse.address[2:].lower().rjust(64, "0")
    anvil.block([Call(sender=first, to=None, data="0x" + force, value=FORCED)])
    return purse


def _linked(output: dict[str, Any], library: str) -> dict[str, Any]:
    """Return a compiled contract with its one library at an address."""
    code = output["evm"]["bytecode"]["object"]
    place = code.find("__$")
    while place >= 0:
        code = code[:place] + library[2:].lower() + code[place + 40 :]
        place = code.find("__$")
    return {**output, "evm": {**output["evm"], "bytecode": {**output["evm"]["bytecode"], "object": code}}}
