"""Contracts that do everything an invocation can do, and a chain of transactions that makes them do it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

from tests.support.anvil import Anvil, Deployed
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Library {
    uint256 x;
    function set(uint256 value) external { x = value; }
    function spoil() external { x = 9; revert("spoilt"); }
}

contract Probe {
    uint256 public x = 5;
    mapping(address => uint256) public held;
    mapping(uint256 => mapping(address => uint64)) public nested;
    string public text;
    uint64 small; bool flag; address who;
    error TooLittle(uint256 given);
    event Put(address indexed by, uint256 amount, bytes note);

    function put(uint256 amount) external payable returns (uint256) {
        held[msg.sender] = amount;
        held[msg.sender] += x;
        nested[amount][msg.sender] = uint64(amount);
        emit Put(msg.sender, amount, "note");
        return amount;
    }
    function pack(uint64 value) external { small = value; flag = !flag; who = msg.sender; }
    function write(string calldata value) external { text = value; }
    function delegate(address library_) external {
        (bool ok,) = library_.delegatecall(abi.encodeWithSignature("set(uint256)", 8));
        (ok,) = library_.delegatecall(abi.encodeWithSignature("spoil()"));
        x += 1;
    }
    function self(uint256 amount) external { this.put(amount); }
    function reenter(address other) external { x = 70; Caller(other).back(); x = x + 1; }
    function demand() external { x += 1; require(false, "nope"); }
    function custom(uint256 value) external { x += 1; revert TooLittle(value); }
    function panics(uint256 zero) external { x = 7 / zero; }
    function invalid() external { x += 1; assembly { invalid() } }
    function burn() external { while (true) { x += 1; } }
    receive() external payable { x += 1; }
    fallback() external { x += 2; }
}

contract Caller {
    function back() external { Probe(payable(msg.sender)).put(3); }
    function put(address probe, uint256 amount) external payable {
        Probe(payable(probe)).put{value: msg.value}(amount);
    }
    function attempt(address probe) external { try Probe(payable(probe)).demand() {} catch {} }
    function starve(address probe) external { try Probe(payable(probe)).burn{gas: 40000}() {} catch {} }
    function undo(address probe) external { try this.putAndFail(probe) {} catch {} }
    function putAndFail(address probe) external { Probe(payable(probe)).put(4); revert("outer"); }
}

contract Factory {
    address public last;
    function make() external { last = address(new Probe()); }
    function make2(bytes32 salt) external { last = address(new Probe{salt: salt}()); }
    function makeAndPut() external { Probe made = new Probe(); last = address(made); made.put(1); }
}

contract Forwarder {
    bytes32 constant SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    constructor(address implementation) { bytes32 slot = SLOT; assembly { sstore(slot, implementation) } }
    fallback() external payable {
        bytes32 slot = SLOT;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok case 0 { revert(0, returndatasize()) } default { return(0, returndatasize()) }
        }
    }
    receive() external payable {}
}
"""


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output of all contracts above."""
    return compile_sources({"Probe.sol": SOURCE})


@dataclass(frozen=True, kw_only=True)
class Probed:
    """A chain on which the probe was driven."""

    anvil: Anvil
    probe: Deployed
    caller: Deployed
    factory: Deployed
    forwarder: Deployed
    """A proxy whose implementation is the probe."""


def drive(anvil: Anvil) -> Probed:
    """Deploy everything and call everything, several transactions a block."""
    code = compiled()
    first, second, third = anvil.accounts[:3]
    probe = anvil.deploy(first, code["Probe"])
    library = anvil.deploy(first, code["Library"])
    caller = anvil.deploy(first, code["Caller"])
    factory = anvil.deploy(first, code["Factory"])
    forwarder = anvil.deploy(first, code["Forwarder"], probe.address)
    through = anvil.at(forwarder.address, code["Probe"]["abi"])
    anvil.block(
        [
            probe.call(first, "put", 7, value=3),
            probe.call(second, "pack", 12),
            probe.call(second, "write", "short"),
            probe.call(third, "write", "long" * 20),
            probe.call(first, "delegate", library.address),
            probe.call(second, "self", 2),
        ]
    )
    anvil.block(
        [
            probe.call(first, "reenter", caller.address),
            probe.call(first, "demand"),
            probe.call(second, "custom", 4),
            probe.call(second, "panics", 0),
            probe.call(third, "invalid", gas=200_000),
            probe.call(third, "burn", gas=90_000),
        ]
    )
    plain = probe.call(first, "x")
    anvil.block(
        [
            caller.call(second, "put", probe.address, 11, value=5),
            caller.call(second, "attempt", probe.address),
            caller.call(second, "starve", probe.address),
            caller.call(second, "undo", probe.address),
            type(plain)(sender=first, to=probe.address, data="0x", value=9, gas=100_000),
            type(plain)(sender=first, to=probe.address, data="0x12345678", gas=100_000),
        ]
    )
    anvil.block([factory.call(first, "make"), factory.call(first, "make2", b"\1" * 32)])
    anvil.block([factory.call(second, "makeAndPut", gas=3_000_000)])
    anvil.block(
        [
            through.call(second, "put", 21, value=1),
            through.call(second, "demand"),
            through.call(third, "write", "proxied"),
        ]
    )
    return Probed(anvil=anvil, probe=probe, caller=caller, factory=factory, forwarder=forwarder)
