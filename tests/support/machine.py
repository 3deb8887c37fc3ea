"""A contract that runs a script of bytes, so that random scripts make random transactions."""

from __future__ import annotations

import functools
import random
from typing import Any, Final

from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Machine {
    mapping(uint256 => uint256) held;
    event Said(uint256 indexed what, bytes data);

    /// Runs a script; peers are the machines that it may call.
    function run(address[3] calldata peers, bytes calldata script) external payable {
        uint256 at = 0;
        while (at < script.length) {
            uint8 op = uint8(script[at]);
            uint256 a = at + 1 < script.length ? uint8(script[at + 1]) : 0;
            uint256 b = at + 2 < script.length ? uint8(script[at + 2]) : 0;
            at += 3;
            if (op == 0) { assembly { pop(sload(add(a, 100))) } }
            else if (op == 1) { assembly { sstore(add(a, 100), b) } }
            else if (op == 2) { held[a] += b; }
            else if (op == 3) { emit Said(a, abi.encode(b)); }
            else if (op == 4) { revert("scripted"); }
            else if (op == 5) { assembly { invalid() } }
            else if (op == 6) { assembly { mstore(0xffffffffff, 1) } }
            else if (op == 7) { a = a / (b - b); }
            else if (op == 8) { return; }
            else if (op == 9) { new Child{salt: bytes32(a)}(b); }
            else {
                uint256 size = (uint256(uint8(script[at])) << 8) | uint8(script[at + 1]);
                _call(peers, op, a, b, script[at + 2:at + 2 + size]);
                at += 2 + size;
            }
        }
    }

    function _call(address[3] calldata peers, uint8 op, uint256 a, uint256 b, bytes calldata sub) private {
        bytes memory data = abi.encodeCall(this.run, (peers, sub));
        address to = peers[a % 3];
        uint256 limit = b & 2 == 0 ? gasleft() / 3 : 30000;
        bool ok;
        if (op == 10) { (ok,) = to.call{gas: limit}(data); }
        else if (op == 11) { (ok,) = to.delegatecall{gas: limit}(data); }
        else { (ok,) = to.staticcall{gas: limit}(data); }
        if (!ok && b & 1 == 1) { revert("passed on"); }
    }
}

contract Child {
    uint256 x;
    constructor(uint256 b) { x = b; require(b & 1 == 0, "odd"); }
}

contract Deep {
    uint256 public x;
    function down(uint256 n) external { if (n > 0) { this.down(n - 1); } else { x = 1; } }
}
"""


@functools.cache
def compiled(evm_version: str | None = None) -> dict[str, dict[str, Any]]:
    """Return solc's output of the contracts above, for the newest rules unless told otherwise."""
    return compile_sources({"Machine.sol": SOURCE}, evm_version=evm_version)


def script(source: random.Random, depth: int = 0) -> bytes:
    """Return a random script: reads, writes, events, calls within calls, and all ways to fail."""
    parts = []
    for _ in range(source.randint(1, 6)):
        call = depth < 4 and source.random() < 0.45
        if call:
            inner = script(source, depth + 1)
            kind = source.choice((10, 10, 10, 11, 12))
            parts.append(bytes([kind, source.randrange(3), source.randrange(4)]))
            parts.append(len(inner).to_bytes(2, "big") + inner)
        else:
            simple = source.choices((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (6, 8, 5, 3, 1, 1, 0.4, 0.5, 0.3, 0.6))[0]
            parts.append(bytes([simple, source.randrange(4), source.randrange(8)]))
    return b"".join(parts)


def endings() -> list[bytes]:
    """Return scripts that end in each way to fail; the last but one writes inside a static call."""
    write = bytes([1, 0, 1])
    call = bytes([10, 0, 0]) + len(write).to_bytes(2, "big") + write
    static = bytes([12, 1, 0]) + len(call).to_bytes(2, "big") + call
    undone = call + bytes([4, 0, 0])
    rolled_back = bytes([10, 1, 0]) + len(undone).to_bytes(2, "big") + undone
    return [*(bytes([1, 0, 1, failing, 0, 0]) for failing in (4, 5, 6, 7)), static, rolled_back]
