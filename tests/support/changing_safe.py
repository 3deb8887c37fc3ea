"""A Safe of one owner whose singleton changes midway, as the migrations that Safe publishes change it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.anvil import Anvil, Call, Deployed
from tests.support.solc import compile_sources, package_folder

_PACKAGE: Final = "@safe-global/safe-contracts"
_NOBODY: Final = "0x" + "00" * 20
_DELEGATE: Final = 1
"""The operation of ``execTransaction`` that runs other code in the Safe's storage."""
SOURCE: Final = """
// SPDX-License-Identifier: LGPL-3.0-only
pragma solidity >=0.7.0 <0.9.0;
import "Safe.sol";
import "proxies/SafeProxyFactory.sol";

/// What a later version adds.
contract PledgingSafe is Safe {
    mapping(address => uint256) public pledged;
    function pledge(uint256 amount) external {
        require(amount >= 10, "too little");
        pledged[msg.sender] += amount;
    }
}

/// Runs in the storage of a Safe, as SafeMigration does.
contract SingletonChange {
    address private singleton;
    event ChangedMasterCopy(address singleton);
    function migrate(address next) external {
        singleton = next;
        emit ChangedMasterCopy(next);
    }
    function migrateInVain(address next) external {
        singleton = next;
        revert("not today");
    }
}
"""


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output for Safe's contracts and ours."""
    return compile_sources({"Changing.sol": SOURCE}, roots=[str(_contracts())])


def _contracts() -> Path:
    return package_folder(_PACKAGE) / "contracts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSafe:
    """What was done to it."""

    address: str
    first: str
    """The singleton that it was created with."""
    second: str
    factory: str
    block: int
    """The one that changed the singleton."""


def use_safe(anvil: Anvil) -> ChangedSafe:
    """Create a Safe by its factory, use it, change its singleton (thrice in vain), and use it again."""
    owner, people = anvil.accounts[0], anvil.accounts[1:8]
    first, second, factory, change = (
        anvil.deploy(owner, compiled()[name])
        for name in ("Safe", "PledgingSafe", "SafeProxyFactory", "SingletonChange")
    )
    setup = first.encode("setup", [owner], 1, _NOBODY, b"", _NOBODY, _NOBODY, 0, _NOBODY)
    (receipt,) = anvil.block([factory.call(owner, "createProxyWithNonce", first.address, setup, 0)])
    created = next(log for log in receipt["logs"] if log["address"] == factory.address.lower())
    safe = anvil.at("0x" + created["topics"][1][-40:], compiled()["PledgingSafe"]["abi"])

    def changing(sender: str, function: str, *, safe_gas: int = 0) -> Call:
        data = bytes.fromhex(change.encode(function, second.address)[2:])
        return _execute(safe, sender, (change.address, 0, data, _DELEGATE, safe_gas), owner)

    _use(anvil, safe, owner, people)
    anvil.block([changing(people[0], "migrate")])  # not the owner
    anvil.block([changing(owner, "migrateInVain")])  # it fails, and so does the whole transaction
    anvil.block(
        [changing(owner, "migrateInVain", safe_gas=50_000)]
    )  # it fails inside of a transaction that does not
    (receipt,) = anvil.block([changing(owner, "migrate")])
    _use(anvil, safe, owner, people)
    return ChangedSafe(
        address=safe.address,
        first=first.address,
        second=second.address,
        factory=factory.address,
        block=int(receipt["blockNumber"], 16),
    )


def _execute(safe: Deployed, sender: str, what: tuple[Any, ...], owner: str) -> Call:
    """Return a transaction of the Safe that counts as signed if the owner sends it."""
    signature = bytes(12) + bytes.fromhex(owner[2:]) + bytes(32) + b"\x01"
    return safe.call(sender, "execTransaction", *what, 0, 0, _NOBODY, _NOBODY, signature)


def _use(anvil: Anvil, safe: Deployed, owner: str, people: tuple[str, ...]) -> None:
    """Approve hashes, pay, make transactions and pledge; some of it by people who may not."""
    for number in range(1, 5):
        anvil.block([safe.call(owner, "approveHash", number.to_bytes(32, "big"))])
        anvil.block([safe.call(people[number], "approveHash", number.to_bytes(32, "big"))])
        anvil.block([Call(sender=people[number], to=safe.address, value=100)])
        anvil.block([_execute(safe, owner, (people[number], 10, b"", 0, 0), owner)])
        anvil.block([safe.call(who, "pledge", 4 * number) for who in people])
