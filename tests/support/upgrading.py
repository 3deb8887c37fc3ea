"""Proxies of three kinds whose code changes midway: a UUPS contract, a family behind a beacon, a diamond."""

from __future__ import annotations

import functools
from typing import Any, Final

from tests.support.anvil import Anvil, Deployed
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

bytes32 constant IMPLEMENTATION = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
bytes32 constant BEACON = bytes32(uint256(keccak256("eip1967.proxy.beacon")) - 1);

abstract contract Forwarder {
    function target() internal view virtual returns (address);
    fallback() external payable {
        address to = target();
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

// -- UUPS: the implementation holds the upgrade --
contract UpgradeableProxy is Forwarder {
    constructor(address implementation, address owner) {
        assembly { sstore(0, owner) }
        bytes32 slot = IMPLEMENTATION;
        assembly { sstore(slot, implementation) }
    }
    function target() internal view override returns (address to) {
        bytes32 slot = IMPLEMENTATION;
        assembly { to := sload(slot) }
    }
}

contract Pot {
    address public owner;
    mapping(address => uint256) public held;
    event Upgraded(address indexed implementation);

    function upgradeTo(address implementation) external {
        require(msg.sender == owner, "not the owner");
        bytes32 slot = IMPLEMENTATION;
        assembly { sstore(slot, implementation) }
        emit Upgraded(implementation);
    }
    function put(uint256 amount) external virtual { require(amount > 0, "nothing"); held[msg.sender] += amount; }
    function take(uint256 amount) external {
        require(held[msg.sender] >= amount, "too much");
        held[msg.sender] -= amount;
    }
}

contract DustyPot is Pot {
    function dust() external { held[msg.sender] += 1; }
}

contract CappedPot is Pot {
    uint256 public moves;
    function put(uint256 amount) external override {
        require(amount > 0, "nothing");
        require(amount <= 50, "over the cap");
        held[msg.sender] += amount;
    }
    function move(address to, uint256 amount) external {
        require(held[msg.sender] >= amount, "too much");
        held[msg.sender] -= amount;
        held[to] += amount;
        moves++;
    }
}

// -- a clone that puts its arguments behind the calldata, and a proxy before it --
contract ArgumentClone {
    address private immutable to;
    uint256 private immutable argument;
    constructor(address to_, uint256 argument_) { to = to_; argument = argument_; }
    fallback() external payable {
        address code = to;
        uint256 own = argument;
        assembly {
            calldatacopy(0, 0, calldatasize())
            mstore(calldatasize(), own)
            let done := delegatecall(gas(), code, 0, add(calldatasize(), 32), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

contract Tip {
    mapping(address => uint256) public given;
    function give(uint256 amount) external {
        uint256 least;
        assembly { least := calldataload(sub(calldatasize(), 32)) }
        require(amount >= least, "too little");
        given[msg.sender] += amount;
    }
}

// -- a beacon, asked by each proxy of a family --
contract Beacon {
    address public implementation;
    address public owner = msg.sender;
    constructor(address first) { implementation = first; }
    function upgradeTo(address next) external {
        require(msg.sender == owner, "not the owner");
        implementation = next;
    }
}

contract BeaconProxy is Forwarder {
    constructor(address beacon) {
        bytes32 slot = BEACON;
        assembly { sstore(slot, beacon) }
    }
    function target() internal view override returns (address) {
        address beacon;
        bytes32 slot = BEACON;
        assembly { beacon := sload(slot) }
        return Beacon(beacon).implementation();
    }
}

// -- ERC-2535 --
library Facets {
    struct Store { mapping(bytes4 => address) facet; address owner; }
    function store() internal pure returns (Store storage found) {
        bytes32 slot = keccak256("diamond.standard.diamond.storage");
        assembly { found.slot := slot }
    }
}

contract Diamond is Forwarder {
    constructor(address cutter) {
        Facets.store().owner = msg.sender;
        Facets.store().facet[DiamondCutFacet.diamondCut.selector] = cutter;
    }
    function target() internal view override returns (address to) {
        to = Facets.store().facet[msg.sig];
        require(to != address(0), "no such function");
    }
}

contract DiamondCutFacet {
    enum Action { Add, Replace, Remove }
    struct Cut { address facet; Action action; bytes4[] selectors; }
    event DiamondCut(Cut[] cuts, address init, bytes data);
    function diamondCut(Cut[] calldata cuts, address init, bytes calldata data) external {
        require(msg.sender == Facets.store().owner, "not the owner");
        for (uint256 i = 0; i < cuts.length; i++)
            for (uint256 j = 0; j < cuts[i].selectors.length; j++)
                Facets.store().facet[cuts[i].selectors[j]] =
                    cuts[i].action == Action.Remove ? address(0) : cuts[i].facet;
        emit DiamondCut(cuts, init, data);
    }
}

library Shelf {
    struct Store { mapping(uint256 => address) holder; mapping(uint256 => uint256) price; }
    function store() internal pure returns (Store storage found) {
        bytes32 slot = keccak256("shelf.storage");
        assembly { found.slot := slot }
    }
}

contract ListingFacet {
    function list(uint256 id, uint256 price) external {
        require(Shelf.store().price[id] == 0, "listed");
        require(price > 0, "no price");
        Shelf.store().price[id] = price;
    }
}

contract BuyingFacet {
    function buy(uint256 id) external payable {
        require(Shelf.store().price[id] > 0, "not listed");
        require(Shelf.store().holder[id] == address(0), "sold");
        Shelf.store().holder[id] = msg.sender;
    }
}

contract LendingFacet {
    function lend(uint256 id) external {
        require(Shelf.store().price[id] > 0, "not listed");
        require(Shelf.store().holder[id] == address(0), "not here");
        Shelf.store().holder[id] = msg.sender;
    }
    function giveBack(uint256 id) external {
        require(Shelf.store().holder[id] == msg.sender, "not lent to the sender");
        Shelf.store().holder[id] = address(0);
    }
}

contract StrictBuyingFacet {
    function buy(uint256 id) external payable {
        require(Shelf.store().price[id] > 0, "not listed");
        require(Shelf.store().holder[id] == address(0), "sold");
        require(msg.value >= Shelf.store().price[id], "too little");
        Shelf.store().holder[id] = msg.sender;
    }
}
"""


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output for all of them."""
    return compile_sources({"Upgrading.sol": SOURCE})


def deploy(anvil: Anvil, *names: str) -> list[Deployed]:
    """Deploy contracts that take no arguments."""
    return [anvil.deploy(anvil.accounts[0], compiled()[name]) for name in names]


def use_pot(anvil: Anvil, pot: Deployed, *, moving: bool = False) -> None:
    """Put into a pot and take out of it, now and then too much."""
    people = anvil.accounts[1:8]
    for amount in (5, 40, 60):
        anvil.block([pot.call(who, "put", amount) for who in people])
    anvil.block([pot.call(people[0], "put", 0)])
    anvil.block([pot.call(who, "take", 10 + 30 * row) for row, who in enumerate(people)])
    if moving:
        anvil.block([pot.call(who, "move", people[0], 1 + 40 * row) for row, who in enumerate(people)])
    else:
        anvil.block([pot.call(who, "dust") for who in people[:3]])
