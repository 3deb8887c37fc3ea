"""A specification as a test for Foundry: the recorded calls again, and calls that are like them.

The file needs no library. It deploys the contract, which forge compiles, where it was recorded; sends the recorded
calls; and lets forge send others, with senders, arguments, ether and waiting times from the history. Before each call
the conditions of its function are evaluated on the contract's storage: a call that is accepted although one does not
hold fails the test, and so does one that leaves something else in storage than the effects say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import UsageError, plain
from specminer._support.text import count_of
from specminer.contracts.artifact import Artifact
from specminer.export.export_text import ExportText, comment_lines
from specminer.export.expressions import UnsayableError
from specminer.export.foundry_handlers import handler
from specminer.export.foundry_parts import CALL_TYPES, CHEATCODES, JUDGING, REPLAYING, SENDING
from specminer.export.function_claims import ContractClaims, FunctionClaims, LeftOut, WriteClaim, read_claims
from specminer.export.replayed_calls import RecordedCalls, ReplayedCall, ReplayedProxy, constructor_inputs
from specminer.export.solidity_names import is_identifier
from specminer.export.solidity_words import HELPERS, literal, slot_word, truth, word
from specminer.specification import Specification

_CALLS_IN_ONE: Final = 40
"""Recorded calls in one function of the test, so that none is too long for the compiler."""


def foundry(specification: Specification, artifact: Artifact, recorded: RecordedCalls) -> ExportText:
    """Return a test contract for forge.

    Args:
        specification: what was mined.
        artifact: the contract's ABI and storage layout.
        recorded: the calls to send again.

    Raises:
        UsageError: the contract is a proxy, and the constructor of its implementation needs arguments.

    """
    if recorded.proxy is not None and constructor_inputs(artifact):
        raise UsageError(
            "this format deploys a proxy's implementation anew, but the history does not hold the arguments of its "
            "constructor; give with --abi an implementation whose constructor has none"
        )
    claims = read_claims(specification, artifact)
    name = specification.name if is_identifier(specification.name) else "Recorded"
    left_out = list(claims.left_out)
    judging = claim_functions(claims, left_out)
    blocks = [
        CHEATCODES,
        CALL_TYPES,
        _contract(
            f"abstract contract {name}Claims",
            [
                _constants(specification, recorded),
                SENDING,
                HELPERS,
                judging + "\n",
            ],
        ),
        _contract(
            f"abstract contract {name}Recording is {name}Claims",
            [REPLAYING, "\n".join(_recording(recorded, specification))],
        ),
        handler(name, claims, recorded),
        _tests(name),
    ]
    head = [
        "// SPDX-License-Identifier: UNLICENSED",
        "pragma solidity >=0.8.4;",
        "",
        f"// What the code of {plain(specification.name, 200)} demanded and did, as a test for Foundry.",
        f"// Put this file into test/ beside the contract's source in src/. The contract is found as {literal(name)};",
        "// the environment variable SPECMINER_TARGET names another one, such as File.sol:Contract.",
        *(f"// {note}" for note in recorded.notes),
        *_about_proxy(recorded.proxy),
        *comment_lines("//", left_out),
        "",
    ]
    return ExportText(text="\n".join(head) + "\n" + "\n".join(blocks), left_out=tuple(left_out))


def _about_proxy(proxy: ReplayedProxy | None) -> Iterator[str]:
    if proxy is None:
        return
    others = count_of(len(proxy.other_codes), "other contract")
    yield f"// The recorded contract is a proxy. The source is deployed at {checksum_address(proxy.implementation)},"
    yield "// and only calls that its code answered are judged. The proxy, and the code of"
    yield f"// {others} that ran in it, are as recorded."


def _contract(head: str, parts: Sequence[str]) -> str:
    return f"{head} {{\n" + "\n".join(parts) + "}\n"


def _constants(specification: Specification, recorded: RecordedCalls) -> str:
    name = specification.name if is_identifier(specification.name) else "Recorded"
    return (
        f"    string internal constant SOURCE = {literal(name)};\n"
        f"    address internal constant TARGET = {checksum_address(recorded.contract)};\n"
    )


def claim_functions(claims: ContractClaims, left_out: list[LeftOut]) -> str:
    """Return the functions that evaluate what is claimed; what cannot be said is added to ``left_out``."""
    functions = [list(_claims_of(number, item, left_out)) for number, item in enumerate(claims.functions)]
    return "\n".join([_dispatch(claims), "\n\n".join("\n".join(lines) for lines in functions), "", JUDGING])


def _dispatch(claims: ContractClaims) -> str:
    lines = [
        "    /// What the code demands of a call and should leave in storage, evaluated before it.",
        "    function _claims(SpecminerCall memory c)",
        "        internal",
        "        view",
        "        returns (string memory broken, SpecminerWrite[] memory writes)",
        "    {",
        "        bytes4 selector = bytes4(bytes32(_argument(c.data, 0)));",
    ]
    for number, item in enumerate(claims.functions):
        condition = f"c.data.length > 3 && selector == 0x{item.selector.hex()}"
        if not item.selector:
            condition = "c.data.length == 0" if item.entry.type == "receive" else "c.data.length < 4"
            condition += "" if item.is_called_bare else " && c.data.length > 0"
        lines.append(f"        if ({condition}) return (_broken{number}(c), _writes{number}(c));")
    return "\n".join([*lines, "    }", ""])


def _claims_of(index: int, item: FunctionClaims, left_out: list[LeftOut]) -> Iterator[str]:
    """Yield the lines of the two functions that hold what is claimed of one function."""
    name = plain(item.function, 200)
    yield f"    /// What {name} demands: the first condition that does not hold."
    lines = []
    for guard in item.guards:
        try:
            text = literal(f"{item.function} was accepted although this does not hold: {guard.text}")
            lines.append(f"            if (!{truth(guard.condition)}) return {text};")
        except UnsayableError as reason:
            left_out.append(LeftOut(scope=item.function, text=guard.text, reason=str(reason)))
    yield f"    function _broken{index}(SpecminerCall memory c) private view returns (string memory) {{"
    yield from ["        unchecked {", *lines, "        }", "        c;", '        return "";', "    }", ""]
    written: list[tuple[str, ...]] = []
    for claim in item.writes:
        try:
            written.append(_write(claim, item.function))
        except UnsayableError as reason:
            left_out.append(LeftOut(scope=item.function, text=claim.text, reason=str(reason)))
    yield f"    /// What {name} leaves in storage."
    yield f"    function _writes{index}(SpecminerCall memory c)"
    yield "        private view returns (SpecminerWrite[] memory writes)"
    yield "    {"
    yield f"        writes = new SpecminerWrite[]({len(written)});"
    yield "        unchecked {"
    for number, fields in enumerate(written):
        yield from (f"            writes[{number}].{text};" for text in fields)
    yield from ["        }", "        c;", "    }"]


def _write(claim: WriteClaim, function: str) -> tuple[str, ...]:
    """Return the assignments of what a call writes, one by one: all at once take more stack than there is."""
    position = claim.target.position
    if position is None:
        raise UnsayableError("without a storage layout it is not known where the variable is stored")
    applies = "true" if claim.condition is None else truth(claim.condition)
    text = literal(f"{function} should leave {claim.text}")
    return (
        f"applies = {applies}",
        f"slot = {slot_word(position.slot)}",
        f"shift = {position.shift}",
        f"bits = {claim.target.type.bits}",
        f"value = {word(claim.value)}",
        f"text = {text}",
    )


def _recording(recorded: RecordedCalls, specification: Specification) -> Iterator[str]:
    creation = recorded.creation
    sender, origin = (checksum_address(item) for item in (creation.sender, creation.origin))
    yield "    function _deploy() internal {"
    yield f"        vm.chainId({specification.chain_id});" if specification.chain_id else ""
    yield f"        _at({creation.time}, {creation.block});"
    yield "        vm.warp(lastTime);"
    yield "        vm.roll(lastNumber);"
    yield from _answers(creation)
    yield '        bytes memory code = vm.getCode(vm.envOr("SPECMINER_TARGET", string(SOURCE)));'
    if recorded.proxy is None:
        yield f'        vm.etch(TARGET, abi.encodePacked(code, hex"{creation.data.hex()}"));'
    else:
        yield from _implementations(recorded.proxy)
    yield "        vm.setNonce(TARGET, 1);"
    yield f"        vm.deal({sender}, {creation.value});"
    yield f"        vm.prank({sender}, {origin});"
    yield f'        (bool done, bytes memory runtime) = TARGET.call{{value: {creation.value}}}("");'
    yield '        require(done, "the constructor refused its recorded arguments");'
    yield "        vm.etch(TARGET, runtime);"
    if creation.answers:
        yield "        vm.clearMockedCalls();"
    yield "    }"
    yield ""
    count = -(-len(recorded.calls) // _CALLS_IN_ONE)
    yield "    function _replayAll() internal {"
    yield from (f"        _calls{number}();" for number in range(count))
    yield "    }"
    yield ""
    time_and_block, judged = (creation.time, creation.block), recorded.proxy is None
    for number in range(count):
        yield f"    function _calls{number}() private {{"
        for call in recorded.calls[number * _CALLS_IN_ONE : (number + 1) * _CALLS_IN_ONE]:
            if (call.time, call.block) != time_and_block:
                time_and_block = (call.time, call.block)
                yield f"        _at({call.time}, {call.block});"
            is_judged = recorded.proxy is None or call.code == recorded.proxy.implementation
            if is_judged != judged:
                judged = is_judged
                yield f"        judged = {str(judged).lower()};"
            yield from _answers(call)
            yield f"        {_replay_call(call)} // 0x{call.transaction.hex()}"
        yield "    }"
        yield ""


def _implementations(proxy: ReplayedProxy) -> Iterator[str]:
    """Yield what deploys the code that a proxy hands calls on to, and puts what creates the proxy in its place."""
    implementation = checksum_address(proxy.implementation)
    for address, code in proxy.other_codes:
        yield f'        vm.etch({checksum_address(address)}, hex"{code.hex()}");'
    yield f"        vm.etch({implementation}, code);"
    yield f"        vm.setNonce({implementation}, 1);"
    yield f'        (bool made, bytes memory implementation) = {implementation}.call("");'
    yield '        require(made, "the constructor of the implementation failed");'
    yield f"        vm.etch({implementation}, implementation);"
    yield f'        vm.etch(TARGET, hex"{proxy.creation_code.hex()}");'
    yield "        judged = false;"


def _answers(call: ReplayedCall) -> Iterator[str]:
    for answer in call.answers:
        to, succeeded = checksum_address(answer.to), str(answer.succeeded).lower()
        yield f'        _answer({to}, hex"{answer.selector.hex()}", hex"{answer.output.hex()}", {succeeded});'


def _replay_call(call: ReplayedCall) -> str:
    sender, origin = checksum_address(call.sender), checksum_address(call.origin)
    accepted = str(call.accepted).lower()
    return f'_replay({sender}, {origin}, {call.value}, {accepted}, hex"{call.data.hex()}");'


def _tests(name: str) -> str:
    return f"""\
/// Sends the recorded calls again.
contract {name}HistoryTest is {name}Recording {{
    function setUp() public {{
        _deploy();
    }}

    /// No recorded call breaks what the code demanded, and each leaves in storage what it did.
    function test_claims() public {{
        mode = Mode.Claims;
        _replayAll();
    }}

    /// Each recorded call is accepted or refused as it was.
    function test_outcomes() public {{
        mode = Mode.Outcomes;
        _replayAll();
    }}
}}

/// Sends calls that are like the recorded ones, behind them.
contract {name}InvariantTest is {name}Recording {{
    {name}Handler public handler;

    function setUp() public {{
        _deploy();
        _replayAll();
        handler = new {name}Handler(lastTime, lastNumber);
    }}

    /// Forge calls this to learn what it may call.
    function targetContracts() public view returns (address[] memory targets) {{
        targets = new address[](1);
        targets[0] = address(handler);
    }}

    /// No call was accepted that breaks a condition, or left something else in storage than it should.
    function invariant_claims() public view {{
        require(bytes(handler.failure()).length == 0, handler.failure());
    }}
}}
"""
