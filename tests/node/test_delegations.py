"""An account that delegates to contracts (EIP-7702) is mined as a proxy is: whose code ran when, by its functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from web3 import Account

from specminer.specification import GuardKind, Specification, read_specification
from tests.support.anvil import Anvil, Deployed
from tests.support.command import specminer
from tests.support.solc import compile_sources

pytestmark = pytest.mark.node
KEY = "0x" + "11" * 32
SOURCE = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Purse {
    address public owner;
    uint256 public limit;

    function open(uint256 cap) external {
        require(owner == address(0), "open already");
        owner = msg.sender;
        limit = cap;
    }
    function spend(address payable to, uint256 amount) external {
        require(amount <= limit, "over the limit");
        to.transfer(amount);
    }
    receive() external payable {}
}

contract StrictPurse is Purse {
    uint256 public spent;
    function spendOnce(address payable to, uint256 amount) external {
        require(msg.sender == owner, "not the owner");
        require(amount <= limit, "over the limit");
        spent += amount;
        to.transfer(amount);
    }
}
"""
Lived = tuple[list[Deployed], list[int], Specification, Specification]


def delegate(anvil: Anvil, account: Any, sender: Any, to: str, nonces: tuple[int, int], data: str) -> int:
    """Let an account delegate to a contract, in a transaction to it; return the block."""
    sending, authorizing = nonces
    permission = account.sign_authorization({"chainId": 31337, "address": to, "nonce": authorizing})
    signed = sender.sign_transaction(
        {
            "type": 4,
            "chainId": 31337,
            "nonce": sending,
            "to": account.address,
            "value": 0,
            "gas": 500_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
            "data": data,
            "authorizationList": [permission],
        }
    )
    return int(anvil.send_signed(signed.raw_transaction.to_0x_hex())["blockNumber"], 16)


@pytest.fixture(scope="module")
def lived(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Let an account run the one purse, then the other, delegated by somebody else, and mine it."""
    folder = tmp_path_factory.mktemp("delegations")
    output = compile_sources({"Purse.sol": SOURCE})
    for name in ("Purse", "StrictPurse"):
        kept = {key: output[name][key] for key in ("abi", "storageLayout")}
        (folder / f"{name}.json").write_text(json.dumps({"contractName": name, **kept}))
    account, friend = Account.from_key(KEY), Account.from_key("0x" + "22" * 32)
    with Anvil(hardfork="prague") as anvil:
        owner = anvil.accounts[0]
        purses = [anvil.deploy(owner, output[name]) for name in ("Purse", "StrictPurse")]
        for address in (account.address, friend.address):
            anvil.rpc("anvil_setBalance", address, hex(10**20))
        first = purses[0].encode("open", 100)
        changed = [delegate(anvil, account, account, purses[0].address, (0, 1), first)]
        own = anvil.at(account.address, output["StrictPurse"]["abi"])
        people = anvil.accounts[1:6]
        for amount in (5, 80, 120):
            anvil.block([own.call(who, "spend", who, amount) for who in people])
        again = purses[1].encode("spend", people[0], 1)
        changed.append(delegate(anvil, account, friend, purses[1].address, (0, 2), again))
        for amount in (6, 70, 130):
            anvil.block([own.call(who, "spend", who, amount) for who in people])
            anvil.block([own.call(who, "spendOnce", who, amount) for who in people])
        rpc = ("--rpc", anvil.url, "--db", "h.db")
        named = specminer(
            "mine", account.address, *rpc, "--abi", "StrictPurse.json", "--out", "named", cwd=folder
        )
        assert named.code == 0, named.text
        bare = specminer("mine", account.address, "--db", "h.db", "--out", "bare", cwd=folder)
        assert bare.code == 0, bare.text
        found = [read_specification(folder / name / "automaton.json") for name in ("named", "bare")]
    return purses, changed, found[0], found[1]


def test_the_delegates_are_told_with_the_blocks_in_which_they_ran(lived: Lived) -> None:
    """In the block of the change itself either may have run, so it counts for neither."""
    purses, changed, named, _ = lived
    ran = [(item.address, item.first_block) for item in named.history.implementations or ()]
    assert ran == [(purses[0].address, changed[0]), (purses[1].address, changed[1] + 1)]


def test_its_functions_are_decided_upon_by_the_delegates_code(lived: Lived) -> None:
    _, _, named, bare = lived
    demands = {(guard.scope, guard.text) for guard in named.guards if guard.kind is GuardKind.REQUIRED}
    assert ("spend", "amount <= limit") in demands
    followed = {guard.scope: guard.calls for guard in named.guards}
    assert followed["open"] is not None
    assert (followed["open"].followed, followed["open"].unproved) == (1, {})
    calls = sum(edge.count for edge in named.transitions) + sum(named.interactions.outside.values())
    assert calls == named.history.invocations == 2 + 15 + 30
    assert {guard.scope for guard in bare.guards} >= {"spend", "open"}, "named by the delegates' code"
