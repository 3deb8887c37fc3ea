"""What the drivers of published contracts share: a relay for internal calls, and what a driver tells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.anvil import Anvil, Deployed, MissingPart, tools_dir
from tests.support.solc import compile_sources

RELAY: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// Calls other contracts with the ether it is sent. It cannot be paid, except by what it calls failing.
contract Relay {
    event Refused(bytes reason);

    /// One call; a failure reverts the whole transaction with the same reason.
    function forward(address target, bytes calldata data) public payable {
        _call(target, msg.value, data);
    }

    /// Two calls, each with half of the ether.
    function twice(address target, bytes calldata first, bytes calldata second) external payable {
        _call(target, msg.value / 2, first);
        _call(target, msg.value / 2, second);
    }

    /// One call; a failure is caught, noted, and the ether returned.
    function attempt(address target, bytes calldata data) external payable returns (bool done) {
        bytes memory reason;
        (done, reason) = target.call{value: msg.value}(data);
        if (!done) {
            emit Refused(reason);
            payable(msg.sender).transfer(msg.value);
        }
    }

    /// Calls, and then fails itself, so that what the call did is rolled back; that is caught too.
    function undo(address target, bytes calldata data) external payable {
        try this.callAndFail{value: msg.value}(target, data) {} catch (bytes memory reason) {
            emit Refused(reason);
            payable(msg.sender).transfer(msg.value);
        }
    }

    function callAndFail(address target, bytes calldata data) external payable {
        _call(target, msg.value, data);
        revert("Relay: undone");
    }

    function _call(address target, uint256 value, bytes calldata data) private {
        (bool done, bytes memory reason) = target.call{value: value}(data);
        if (!done) {
            assembly {
                revert(add(reason, 32), mload(reason))
            }
        }
    }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """A published contract that was driven through its life."""

    address: str
    artifact: Path
    """The published artifact: JSON with ``abi`` and ``bytecode``."""
    transactions: int
    """How many transactions touch it (:meth:`Anvil.touching`): its creation, external, internal calls."""
    invocations: int
    """How many call frames ran at its address in these transactions."""
    rejected: int
    """How many of the driver's transactions reverted as a whole."""


def published(package: str, contract: str) -> Path:
    """Return the path of an artifact in an npm package's ``build/contracts``.

    Raises:
        MissingPart: the package is not installed.
    """
    path = tools_dir() / "node_modules" / package / "build" / "contracts" / f"{contract}.json"
    if not path.is_file():
        raise MissingPart(f"missing part: {package}: no {path}; run `make tools`")
    return path


def artifact(package: str, contract: str) -> dict[str, Any]:
    """Return a published artifact; see :func:`published`."""
    loaded: dict[str, Any] = json.loads(published(package, contract).read_text())
    return loaded


def deploy_relay(anvil: Anvil, sender: str) -> Deployed:
    """Compile and deploy the relay."""
    return anvil.deploy(sender, compile_sources({"Relay.sol": RELAY})["Relay"])
