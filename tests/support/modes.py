"""Two versions of a shop behind a proxy that mean different things by the same functions."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.anvil import Anvil, Deployed
from tests.support.solc import compile_sources
from tests.support.upgrading import compiled

OLD: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Shop {
    enum Mode { Open, Closed }
    address public owner;
    Mode public mode;
    mapping(address => uint256) public held;
    uint256 public fee;
    function setMode(Mode wanted) external { require(msg.sender == owner, "not the owner"); mode = wanted; }
    function setFee(uint256 amount) external { require(msg.sender == owner, "not the owner"); fee = amount; }
    function put(uint256 amount) external returns (uint256) {
        require(mode == Mode.Open, "closed");
        held[msg.sender] += amount;
        return held[msg.sender];
    }
    function upgradeTo(address to) external {
        require(msg.sender == owner, "not the owner");
        bytes32 slot = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
        assembly { sstore(slot, to) }
    }
}
"""
NEW: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Shop {
    enum Mode { Closed, Paused, Open }
    address public owner;
    Mode public mode;
    mapping(address => uint256) public held;
    uint256 public cap;
    function setMode(Mode next) external { require(msg.sender == owner, "not the owner"); mode = next; }
    function setFee(uint256 limit) external { require(msg.sender == owner, "not the owner"); cap = limit; }
    function put(uint256 quantity) external returns (bool more, uint256 total) {
        require(mode == Mode.Open, "closed");
        require(quantity <= cap, "over the cap");
        held[msg.sender] += quantity;
        return (quantity > 0, held[msg.sender]);
    }
    function upgradeTo(address to) external {
        require(msg.sender == owner, "not the owner");
        bytes32 slot = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
        assembly { sstore(slot, to) }
    }
}
"""


@dataclass(frozen=True, kw_only=True)
class Upgraded:
    """A proxy whose implementation was replaced."""

    proxy: str
    old: str
    new: str
    block: int
    """Of the upgrade."""


@functools.cache
def versions() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return solc's output for both versions, with their sources."""
    old, new = (compile_sources({"Shop.sol": text})["Shop"] | {"source": text} for text in (OLD, NEW))
    return old, new


def artifact(version: dict[str, Any], name: str, *, code: bool = True) -> dict[str, Any]:
    """Return a version as Truffle would write it."""
    made = {key: version[key] for key in ("abi", "storageLayout", "source")} | {"contractName": name}
    return made | ({"deployedBytecode": "0x" + version["evm"]["deployedBytecode"]["object"]} if code else {})


def keep(folder: Path, *, names: Iterable[str] = ("ShopV1", "ShopV2"), code: bool = True) -> Path:
    """Write both versions into a folder, beside other files that such folders hold."""
    folder.mkdir()
    for version, name in zip(versions(), names, strict=True):
        (folder / f"{name}-{len(list(folder.iterdir()))}.json").write_text(
            json.dumps(artifact(version, name, code=code))
        )
    (folder / "UpgradeableProxy.json").write_text(
        json.dumps({"contractName": "UpgradeableProxy", "abi": compiled()["UpgradeableProxy"]["abi"]})
    )
    return folder


def run_shop(anvil: Anvil) -> Upgraded:
    """Use a shop before and after its upgrade."""
    owner, people = anvil.accounts[0], anvil.accounts[1:8]
    old, new = (anvil.deploy(owner, version) for version in versions())
    proxy = anvil.deploy(owner, compiled()["UpgradeableProxy"], old.address, owner)

    def shop(version: int) -> Deployed:
        return anvil.at(proxy.address, versions()[version]["abi"])

    first, second = shop(0), shop(1)
    for amount in (5, 7):
        anvil.block([first.call(who, "put", amount) for who in people])
    anvil.block([first.call(owner, "setMode", 1), first.call(owner, "setFee", 9)])
    anvil.block([first.call(who, "put", 3) for who in people[:4]])
    anvil.block([first.call(people[0], "setMode", 0), first.call(owner, "setMode", 0)])
    (receipt,) = anvil.block([first.call(owner, "upgradeTo", new.address)])
    anvil.block([second.call(who, "put", 3) for who in people[:4]])  # 0 is closed now
    anvil.block([second.call(owner, "setFee", 40), second.call(owner, "setMode", 2)])
    for amount in (30, 50, 10):
        anvil.block([second.call(who, "put", amount) for who in people])
    anvil.block([second.call(owner, "setMode", 1)])
    anvil.block([second.call(who, "put", 1) for who in people[:3]])
    return Upgraded(
        proxy=proxy.address, old=old.address, new=new.address, block=int(receipt["blockNumber"], 16)
    )
