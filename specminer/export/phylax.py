"""A specification as an assertion that a chain's sequencer enforces: Phylax' credible layer.

The layer runs an assertion after each transaction that calls the contract, and drops the transaction if it reverts.
Each call of a function is judged on the storage as it was before and after that call.
"""

from __future__ import annotations

from specminer._support.errors import plain
from specminer.contracts.artifact import Artifact
from specminer.export.export_text import ExportText, comment_lines
from specminer.export.foundry import claim_functions
from specminer.export.foundry_parts import CALL_TYPES
from specminer.export.function_claims import read_claims
from specminer.export.solidity_names import is_identifier
from specminer.export.solidity_words import HELPERS
from specminer.specification import Specification

_READING = """\
    uint64 private constant GETTER_GAS = 1000000;

    /// Which state is read: before a call (2) or after it (3), by the number of the call.
    PhEvm.ForkId private _fork;

    constructor() {
        registerAssertionSpec(AssertionSpec.Experimental);
    }

    function _load(SpecminerCall memory c, uint256 slot) internal view returns (uint256) {
        return uint256(ph.loadStateAt(address(uint160(c.self)), bytes32(slot), _fork));
    }

    function _asked(SpecminerCall memory c, bytes4 getter) internal view returns (uint256) {
        PhEvm.StaticCallResult memory answer =
            ph.staticcallAt(address(uint160(c.self)), abi.encodeWithSelector(getter), GETTER_GAS, _fork);
        require(answer.ok && answer.data.length == 32, "a getter of the contract failed");
        return abi.decode(answer.data, (uint256));
    }

    /// Judges all calls of one function in the transaction.
    function _judge(bytes4 selector) private {
        address self = ph.getAssertionAdopter();
        PhEvm.CallInputs[] memory calls = ph.getCallInputs(self, selector);
        for (uint256 i = 0; i < calls.length; i++) {
            SpecminerCall memory c = SpecminerCall(
                uint160(self), uint160(calls[i].caller), uint160(ph.getTxObject().from), calls[i].value,
                block.timestamp, block.number, bytes.concat(selector, _arguments(calls[i].input, selector))
            );
            _fork = PhEvm.ForkId(2, calls[i].id);
            (string memory broken, SpecminerWrite[] memory writes) = _claims(c);
            require(bytes(broken).length == 0, broken);
            _fork = PhEvm.ForkId(3, calls[i].id);
            broken = _missing(c, writes);
            require(bytes(broken).length == 0, broken);
        }
    }

    /// The calldata without the selector, whether the layer hands it over with it or not.
    function _arguments(bytes memory input, bytes4 selector) private pure returns (bytes memory data) {
        uint256 from = input.length % 32 == 4 && bytes4(input) == selector ? 4 : 0;
        data = new bytes(input.length - from);
        for (uint256 i = 0; i < data.length; i++) data[i] = input[from + i];
    }
"""


def phylax(specification: Specification, artifact: Artifact) -> ExportText:
    """Return an assertion contract over ``credible-std``.

    Args:
        specification: what was mined.
        artifact: the contract's ABI and storage layout.

    """
    claims = read_claims(specification, artifact)
    name = specification.name if is_identifier(specification.name) else "Recorded"
    left_out = list(claims.left_out)
    judging = claim_functions(claims, left_out)
    numbered = [(number, item) for number, item in enumerate(claims.functions) if item.selector]
    triggers = [
        f"        registerFnCallTrigger(this.assert{number}.selector, 0x{item.selector.hex()});"
        for number, item in numbered
    ]
    checks = [
        line
        for number, item in numbered
        for line in (
            f"    /// {plain(item.function, 200)}",
            f"    function assert{number}() external {{",
            f"        _judge(0x{item.selector.hex()});",
            "    }",
            "",
        )
    ]
    lines = [
        "// SPDX-License-Identifier: UNLICENSED",
        "pragma solidity >=0.8.13;",
        "",
        'import {Assertion} from "credible-std/Assertion.sol";',
        'import {PhEvm} from "credible-std/PhEvm.sol";',
        'import {AssertionSpec} from "credible-std/SpecRecorder.sol";',
        "",
        f"// What the code of {plain(specification.name, 200)} demanded and did, as an assertion.",
        "// Calls that delegate, and calls without a selector (receive, fallback), are not judged.",
        *comment_lines("//", left_out),
        "",
        CALL_TYPES,
        f"contract {name}Assertion is Assertion {{",
        _READING,
        HELPERS,
        "    function triggers() external view override {",
        *triggers,
        "    }",
        "",
        *checks,
        judging,
        "}",
        "",
    ]
    return ExportText(text="\n".join(lines), left_out=tuple(left_out))
