"""The handler that forge calls: functions like the contract's, with what the history says of their arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import plain
from specminer.decoding.storage_values import ValueKind
from specminer.export.expressions import ArgumentValue
from specminer.export.foundry_parts import HANDLING
from specminer.export.function_claims import ContractClaims, FunctionClaims
from specminer.export.replayed_calls import RecordedCalls, ReplayedCall
from specminer.export.solidity_names import is_identifier
from specminer.export.variables import SELECTOR_BYTES, entry_arguments
from specminer.history.trace import WORD_LIMIT

_SAMPLES: Final = 12
"""Recorded calldata of one function that a handler begins with."""
_ACCOUNTS: Final = 24
_NUMBERS: Final = (ValueKind.UINT, ValueKind.INT)


def handler(name: str, claims: ContractClaims, recorded: RecordedCalls) -> str:
    """Return the handler's contract, with a function for each of the contract's that was called."""
    lines = [
        "/// Calls the contract as the history did, with other senders, arguments and times.",
        f"contract {name}Handler is {name}Claims {{",
        HANDLING,
    ]
    lines += _choice("_account", "address", [f"{checksum_address(item)}" for item in _accounts(recorded)])
    gaps = [
        later.time - earlier.time
        for earlier, later in zip(recorded.calls, recorded.calls[1:], strict=False)
        if later.time >= earlier.time
    ]
    longest = max(gaps, default=0)
    switching = _switching(recorded)
    for number, item in enumerate(claims.functions):
        calls = [call for call in recorded.calls if _is_call(item, call)]
        if calls and item.selector not in switching:
            lines += ["", *_function(number, item, calls, longest)]
    return "\n".join([*lines, "}", ""])


def _switching(recorded: RecordedCalls) -> frozenset[bytes]:
    """Return the selectors of calls behind which other code answers a proxy's calls."""
    if recorded.proxy is None:
        return frozenset()
    known_code = [call for call in recorded.calls if call.code is not None and call.code != recorded.contract]
    return frozenset(
        call.data[:4] for call, later in pairwise(known_code) if call.accepted and call.code != later.code
    )


def _is_call(item: FunctionClaims, call: ReplayedCall) -> bool:
    if not item.selector:
        is_fallback = item.entry.type == "fallback" and 0 < len(call.data) < SELECTOR_BYTES
        return is_fallback or (not call.data and item.is_called_bare)
    return call.data[:SELECTOR_BYTES] == item.selector


def _accounts(recorded: RecordedCalls) -> Sequence[bytes]:
    """Return who called, the most active first."""
    counts: dict[bytes, int] = {}
    for call in (recorded.creation, *recorded.calls):
        counts[call.sender] = counts.get(call.sender, 0) + 1
    return sorted(counts, key=lambda item: (-counts[item], item))[:_ACCOUNTS]


def _choice(name: str, kind: str, values: Sequence[str]) -> Iterator[str]:
    location = " memory" if kind == "bytes" else ""
    yield f"    function {name}(uint256 seed) private pure returns ({kind}{location}) {{"
    yield f"        uint256 number = seed % {len(values)};" if len(values) > 1 else "        seed;"
    for number, value in enumerate(values[:-1]):
        yield f"        if (number == {number}) return {value};"
    yield f"        return {values[-1]};"
    yield "    }"


def _samples(index: int, calls: Sequence[ReplayedCall]) -> Iterator[str]:
    """Yield a function that returns one of some recorded calls."""
    samples = list({call.data: call for call in calls}.values())
    samples = samples[:: -(-len(samples) // _SAMPLES)]
    yield f"    function _sample{index}(uint256 seed) private pure returns (address, uint256, bytes memory) {{"
    yield f"        uint256 number = seed % {len(samples)};" if len(samples) > 1 else "        seed;"
    for number, call in enumerate(samples):
        condition = f"if (number == {number}) " if number + 1 < len(samples) else ""
        fields = f'{checksum_address(call.sender)}, {call.value}, hex"{call.data.hex()}"'
        yield f"        {condition}return ({fields});"
    yield "    }"


def _function(index: int, item: FunctionClaims, calls: Sequence[ReplayedCall], longest: int) -> Iterator[str]:
    yield from _samples(index, calls)
    yield ""
    kinds = (ValueKind.BYTES, ValueKind.TEXT)
    arguments = [argument for argument in entry_arguments(item.entry) if argument.type.kind not in kinds]
    name = item.entry.name if is_identifier(item.entry.name) else "call"
    count = len(arguments) or 1
    yield f"    /// {plain(item.function, 200)}"
    yield f"    function {name}_{index}(uint256 sample, uint256 who, uint256 wait, uint256[{count}] calldata words)"
    yield "        external"
    yield "    {"
    yield "        uint256 plan = uint256(keccak256(abi.encode(sample, who, wait, words)));"
    yield f"        (address sender, uint256 value, bytes memory data) = _sample{index}(sample);"
    for number, argument in enumerate(arguments):
        text = _replacement(argument, f"words[{number}]", calls)
        yield f"        if (_changes(plan, {number}, {count})) _set(data, {argument.position}, {text});"
    values = [call.value for call in calls]
    if any(values):
        yield f"        if (plan >> 7 & 1 == 1) value = _near(plan >> 32, value, {min(values)}, {max(values)});"
    yield "        if (plan >> 6 & 1 == 1) sender = _account(who);"
    yield f"        _try(sender, value, wait % {longest + 1}, data);"
    yield "    }"


def _replacement(argument: ArgumentValue, seed: str, calls: Sequence[ReplayedCall]) -> str:
    """Return the expression of another value for an argument, like those of recorded calls."""
    recorded = f"_argument(data, {argument.position})"
    match argument.type.kind:
        case ValueKind.ADDRESS:
            return f"{seed} % 4 == 0 ? {recorded} : uint160(_account({seed} / 4))"
        case ValueKind.BOOL:
            return f"{seed} % 2"
        case kind if kind in _NUMBERS:
            values = [_value(call.data, argument) for call in calls]
            least, largest = (value % WORD_LIMIT for value in (min(values), max(values)))
            near = f"_near({seed}, {recorded}, {least}, {largest})"
            if argument.type.bits == 256:
                return near
            cut = f"_bits({near}, 0, {argument.type.bits})"
            return f"_extended({cut}, {argument.type.bits})" if kind is ValueKind.INT else cut
        case _:
            return recorded


def _value(data: bytes, argument: ArgumentValue) -> int:
    word = int.from_bytes(data[argument.position : argument.position + 32].ljust(32, b"\0"), "big")
    signed = argument.type.kind is ValueKind.INT and word >= WORD_LIMIT // 2
    return word - WORD_LIMIT if signed else word
