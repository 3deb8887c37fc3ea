"""Names for what bytes on a chain mean: functions, arguments, errors.

From an ABI where there is one; else from the bytecode, whose selectors and argument types evmole
recovers, but no names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import evmole
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError, ParseError
from eth_utils.crypto import keccak

from specminer.chain.artifact import MAX_NAME, Artifact, Entry, Parameter
from specminer.errors import plain
from specminer.trace import Invocation, InvocationKind, Outcome, OutcomeKind

_REVERT = bytes.fromhex("08c379a0")
_PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "no such enum value",
    0x22: "malformed storage bytes",
    0x31: "pop from an empty array",
    0x32: "index out of bounds",
    0x41: "too much memory",
    0x51: "call of an unset function",
}


def canonical(parameter: Parameter) -> str:
    """Return a parameter's type as selectors spell it: tuples opened up."""
    if not parameter.type.startswith("tuple"):
        return parameter.type
    inner = ",".join(canonical(component) for component in parameter.components)
    return f"({inner}){parameter.type[5:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function, or a custom error, with its selector."""

    name: str
    """Unique in its interface: overloaded functions carry their types."""
    signature: str
    types: tuple[str, ...]
    arguments: tuple[str, ...]
    """Names; ``arg0``, ``arg1`` where the source gives none."""
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What is known of a contract's interface; unknown selectors stay hexadecimal."""

    functions: dict[bytes, Function] = field(default_factory=dict)
    """By selector."""
    errors: dict[bytes, Function] = field(default_factory=dict)
    has_receive: bool = False
    source: str
    """Where the names came from, as a sentence."""

    def function_name(self, kind: InvocationKind, data: bytes) -> str:
        """Return the bare name of what was called: a function, ``constructor``, ``receive``, ``fallback``."""
        if kind is InvocationKind.CONSTRUCTOR:
            return "constructor"
        found = self.functions.get(data[:4])
        if found is not None:
            return found.name
        if not data:
            return "receive" if self.has_receive or not self.functions else "fallback"
        return f"0x{data[:4].hex()}" if len(data) >= 4 else "fallback"

    def arguments(self, data: bytes) -> dict[str, Any]:
        """Return the decoded arguments by name; empty if the calldata does not fit the types."""
        found = self.functions.get(data[:4])
        if found is None:
            return {}
        try:
            values = decode(found.types, data[4:])
        except (DecodingError, ParseError, OverflowError, ValueError):
            return {}
        return dict(zip(found.arguments, values, strict=True))

    def reason(self, outcome: Outcome) -> str:
        """Return why a call was rejected, on one line; empty if it was not or gave no reason."""
        if outcome.kind is not OutcomeKind.REVERTED and outcome.kind is not OutcomeKind.PANIC:
            return "" if outcome.accepted else outcome.kind.value
        selector, rest = outcome.data[:4], outcome.data[4:]
        try:
            if selector == _REVERT:
                return plain(decode(["string"], rest, strict=False)[0])
            if outcome.kind is OutcomeKind.PANIC:
                code = int.from_bytes(rest, "big")
                return f"panic {code:#04x} ({_PANICS.get(code, 'unknown kind')})"
            if selector in self.errors:
                error = self.errors[selector]
                values = decode(error.types, rest)
                return plain(f"{error.name}({', '.join(map(_short, values))})")
        except (DecodingError, ParseError, OverflowError, ValueError):
            pass
        return f"0x{outcome.data[:36].hex()}" if outcome.data else "no reason given"

    def share_known(self, calls: Iterable[Invocation]) -> float:
        """Return the share of calls with a selector that this interface knows; 1 if there are none."""
        selectors = [
            call.selector
            for call in calls
            if call.kind is not InvocationKind.CONSTRUCTOR and len(call.data) >= 4
        ]
        if not selectors:
            return 1.0
        return sum(selector in self.functions for selector in selectors) / len(selectors)


def _short(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def _functions(entries: Iterable[Entry]) -> dict[bytes, Function]:
    listed = list(entries)
    names = [entry.name for entry in listed]
    found: dict[bytes, Function] = {}
    for entry in listed:
        types = tuple(canonical(parameter) for parameter in entry.inputs)
        signature = f"{entry.name}({','.join(types)})"
        name = signature if names.count(entry.name) > 1 else entry.name
        found[keccak(text=signature)[:4]] = Function(
            name=name[:MAX_NAME],
            signature=signature,
            types=types,
            arguments=tuple(
                parameter.name[:MAX_NAME] or f"arg{place}" for place, parameter in enumerate(entry.inputs)
            ),
            read_only=entry.state_mutability in ("view", "pure"),
        )
    return found


def from_artifact(artifact: Artifact) -> Interface:
    """Return the interface that an ABI describes."""
    return Interface(
        functions=_functions(entry for entry in artifact.abi if entry.type == "function"),
        errors=_functions(entry for entry in artifact.abi if entry.type == "error"),
        has_receive=any(entry.type == "receive" for entry in artifact.abi),
        source="functions and arguments are named by the ABI",
    )


def from_code(codes: Iterable[bytes]) -> Interface:
    """Return the interface that evmole recovers from runtime code: selectors and types, no names."""
    functions: dict[bytes, Function] = {}
    for code in codes:
        info = evmole.contract_info(code, selectors=True, arguments=True, state_mutability=True)
        for found in info.functions or ():
            types = tuple(_split(found.arguments or ""))
            functions[bytes.fromhex(found.selector)] = Function(
                name=f"0x{found.selector}",
                signature=f"0x{found.selector}({found.arguments or ''})",
                types=types,
                arguments=tuple(f"arg{place}" for place in range(len(types))),
                read_only=found.state_mutability in ("view", "pure"),
            )
    return Interface(
        functions=functions,
        source="no ABI was given: functions are named by their selectors, which evmole found in the bytecode "
        "with their argument types; give --abi FILE for names",
    )


def _split(types: str) -> list[str]:
    """Split ``a,(b,c),d`` at the commas outside parentheses."""
    parts, depth = [""], 0
    for char in types:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part]
