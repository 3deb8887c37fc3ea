"""A factory of small deals, all of one code, and of clones: each with a life of its own, told beforehand."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

from tests.support.anvil import Anvil, Deployed
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// One payment between two people: paid, then released by the buyer or given back by the seller.
contract Deal {
    enum Step { Open, Paid, Released, Refunded }
    address immutable seller;
    uint256 immutable price;
    Step public step;
    address public buyer;

    constructor(address seller_, uint256 price_) { seller = seller_; price = price_; }

    function pay() external payable {
        require(step == Step.Open && msg.value == price, "not now");
        step = Step.Paid;
        buyer = msg.sender;
    }
    function release() external {
        require(step == Step.Paid && msg.sender == buyer, "not yours");
        step = Step.Released;
        payable(seller).transfer(price);
    }
    function refund() external {
        require(step == Step.Paid && msg.sender == seller, "not yours");
        step = Step.Refunded;
        payable(buyer).transfer(price);
    }
}

/// The same idea without immutables, to be cloned.
contract Box {
    address public owner;
    function take() external { require(owner == address(0), "taken"); owner = msg.sender; }
}

/// Something else, so that not all that the yard makes is of one code.
contract Note {
    string text;
    function write(string calldata words) external { text = words; }
}

contract Yard {
    address[] public made;
    address immutable box;

    constructor(address box_) { box = box_; }

    function open(uint256 price) public returns (address) {
        made.push(address(new Deal(msg.sender, price)));
        return made[made.length - 1];
    }
    function openMany(uint256 count, uint256 price) external {
        for (uint256 i = 0; i < count; i++) open(price + i);
    }
    function openForNothing(uint256 price) external {
        open(price);
        revert("changed my mind");
    }
    function tryToOpen(uint256 price) external {
        try this.openForNothing(price) {} catch {}
    }
    function note() external { made.push(address(new Note())); }
    function clone() external {
        bytes20 target = bytes20(box);
        address copy;
        assembly {
            let at := mload(0x40)
            mstore(at, 0x3d602d80600a3d3981f3363d3d373d3d3d363d73000000000000000000000000)
            mstore(add(at, 0x14), target)
            mstore(add(at, 0x28), 0x5af43d82803e903d91602b57fd5bf30000000000000000000000000000000000)
            copy := create(0, at, 0x37)
        }
        made.push(copy);
    }
    function count() external view returns (uint256) { return made.length; }
}
"""
DEALS: Final = 12
PRICE: Final = 1_000
LIVES: Final = (
    ("pay", "release"),
    ("pay", "refund"),
    ("release", "pay", "release"),
    ("pay", "pay"),
)
"""What is done to the deals, one life after another; the first call of the third and the last of the fourth are
rejected."""


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output for all contracts."""
    return compile_sources({"Yard.sol": SOURCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A chain on which the yard's children have lived."""

    yard: Deployed
    deals: tuple[Deployed, ...]
    """By creation."""
    clones: tuple[Deployed, ...]
    notes: tuple[str, ...]
    box: Deployed
    lonely: Deployed
    """A deal that nobody's factory made."""


def play(anvil: Anvil) -> Played:
    """Deploy the yard, let it make its children, and play their lives."""
    output = compiled()
    owner, seller, buyer, *_ = anvil.accounts
    box = anvil.deploy(owner, output["Box"])
    yard = anvil.deploy(owner, output["Yard"], box.address)
    anvil.block([yard.call(seller, "open", PRICE), yard.call(seller, "note")])
    anvil.block([yard.call(seller, "openForNothing", PRICE), yard.call(seller, "tryToOpen", PRICE)])
    lonely = anvil.deploy(seller, output["Deal"], seller, PRICE)
    anvil.block([yard.call(seller, "openMany", 5, PRICE, gas=5_000_000)])
    anvil.block([yard.call(seller, "clone") for _ in range(3)])
    anvil.block([yard.call(seller, "open", PRICE + 10 + number) for number in range(DEALS - 6)])
    made = [str(yard.read("made", place)) for place in range(yard.read("count"))]
    deals = tuple(anvil.at(address, output["Deal"]["abi"]) for address in (made[0], *made[2:7], *made[10:]))
    clones = tuple(anvil.at(address, output["Box"]["abi"]) for address in made[7:10])
    prices = [PRICE, *range(PRICE, PRICE + 5), *range(PRICE + 10, PRICE + 10 + DEALS - 6), PRICE]
    for place, (deal, price) in enumerate(zip((*deals, lonely), prices, strict=True)):
        for step in LIVES[place % len(LIVES)]:
            sender = seller if step == "refund" else buyer
            anvil.block([deal.call(sender, step, value=price if step == "pay" else 0)])
    for clone in clones:
        anvil.block([clone.call(buyer, "take"), clone.call(seller, "take")])
    return Played(yard=yard, deals=deals, clones=clones, notes=(made[1],), box=box, lonely=lonely)
