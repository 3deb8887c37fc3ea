"""A small contract for tests of the command line: cheap to deploy, with accepted and rejected calls."""

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

/// Holds what people put in, and gives it back once while it is open.
contract Till {
    address public owner;
    bool public open;
    mapping(address => uint256) public held;

    function start() external {
        owner = msg.sender;
        open = true;
    }

    function put() external payable {
        require(open, "closed");
        held[msg.sender] += msg.value;
    }

    function take() external {
        require(held[msg.sender] > 0, "nothing held");
        uint256 amount = held[msg.sender];
        held[msg.sender] = 0;
        payable(msg.sender).transfer(amount);
    }

    function total() external view returns (uint256) {
        return address(this).balance;
    }
}

/// Runs another contract's code on its own storage.
contract Proxy {
    bytes32 private constant SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);

    constructor(address implementation) {
        bytes32 slot = SLOT;
        assembly {
            sstore(slot, implementation)
        }
    }

    fallback() external payable {
        bytes32 slot = SLOT;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
"""


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Till`` and ``Proxy``."""
    return compile_sources({"Till.sol": SOURCE})


def calls(till: Deployed, accounts: tuple[str, ...], rounds: int = 3) -> list[list[Call]]:
    """Return blocks of calls: some too early, then puts and takes of each account, some of them wrong."""
    owner, *people = accounts[:8]
    blocks = [
        [till.call(people[0], "put", value=5)],
        [till.call(owner, "start")],
    ]
    for number in range(rounds):
        blocks.append([till.call(who, "put", value=row + 1) for row, who in enumerate(people)])
        blocks.append([till.call(who, "take") for who in people[number % 2 :]])
        blocks.append([till.call(who, "take") for who in people[:3]])
    return blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class TillChain:
    """A chain on which several tills were used at the same time."""

    url: str
    tills: tuple[str, ...]


def several(anvil: Anvil, rounds: Sequence[int], more: int) -> TillChain:
    """Deploy a till for each number of rounds and drive it so long; then the first one for some ``more``."""
    tills = []
    for count in rounds:
        deployed = anvil.deploy(anvil.accounts[0], compiled()["Till"])
        drive(anvil, deployed, rounds=count)
        tills.append(deployed)
    drive(anvil, tills[0], rounds=more)
    return TillChain(url=anvil.url, tills=tuple(item.address for item in tills))


def drive(anvil: Anvil, till: Deployed, rounds: int = 3) -> list[str]:
    """Mine :func:`calls` and return their hashes."""
    receipts = [anvil.block(block) for block in calls(till, anvil.accounts, rounds)]
    return [str(receipt["transactionHash"]) for block in receipts for receipt in block]
