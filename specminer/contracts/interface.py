"""Names for what bytes on a chain mean: functions, arguments, errors.

From an ABI where there is one; else from the bytecode, whose selectors and argument types evmole
recovers, but no names. evmole has no wheels for Linux on ARM; where it is missing, selectors are all there is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from specminer._support.errors import plain
from specminer._support.keccak import keccak
from specminer._support.text import UniqueNames, count_of
from specminer.contracts.abi_values import decode_values
from specminer.contracts.artifact import MAX_NAME, AbiEntry, Artifact, Parameter
from specminer.contracts.common_functions import common_functions
from specminer.contracts.usual_enums import enum_members_of
from specminer.history.trace import Address, InvocationKind, Outcome, OutcomeKind

_REVERT = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
_DYNAMIC = re.compile(r"\b(?:bytes|string)\b|\[\]", re.ASCII)
"""In a type whose values stand behind the arguments, at a place that these tell."""
_TUPLE = re.compile(r"tuple((\[[0-9]*\])*)", re.ASCII)
CALL_FACTS: Final = frozenset({"sender", "origin", "value", "now", "block", "this"})
"""What conditions call the facts of a call."""
MAX_CODE: Final = 1 << 17
"""Bytes; a chain allows 24 KiB, some allow more."""
WITHOUT_CODE: Final = (
    "no ABI was given, and the bytecode is not known: functions are named by the selectors of calls, and their "
    "arguments are unknown; give --abi FILE for names"
)
WITHOUT_SELECTORS: Final = (
    "no ABI was given, and evmole recovers no functions from the bytecode: functions are named by the selectors of "
    "calls, and their arguments are unknown; give --abi FILE for names"
)
TOO_LONG: Final = (
    f"no ABI was given, and the bytecode is longer than {MAX_CODE:,} bytes, so that evmole does not look for functions "
    "in it: functions are named by the selectors of calls, and their arguments are unknown; give --abi FILE for names"
)
WITHOUT_EVMOLE: Final = (
    "no ABI was given, and evmole, which recovers argument types from bytecode, is not installed: functions are named "
    "by their selectors, and their arguments are unknown; give --abi FILE, or run pip install 'specminer[signatures]' "
    "(where evmole has no wheel, this needs a Rust compiler)"
)
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
    match = _TUPLE.fullmatch(parameter.type)
    if match is None:
        return parameter.type
    inner = ",".join(canonical(component) for component in parameter.components)
    return f"({inner}){match[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceFunction:
    """A function, or a custom error, with its selector."""

    name: str
    """Unique in its interface: overloaded functions carry their types."""
    signature: str
    types: tuple[str, ...]
    arguments: tuple[str, ...]
    """Names; ``arg0``, ``arg1`` where the source gives none."""
    read_only: bool = False
    members: tuple[tuple[str, ...], ...] = ()
    """For each argument the names of its values, if it is an enum whose members are known; empty if none is."""

    def value_texts(self, values: Sequence[object]) -> list[str]:
        """Return decoded values as people read them, those of enums by their names."""
        members = self.members or ((),) * len(values)
        return [
            names[value] if isinstance(value, int) and 0 <= value < len(names) else _short(value)
            for names, value in zip(members, values, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What is known of a contract's interface; unknown selectors stay hexadecimal."""

    functions: dict[bytes, InterfaceFunction] = field(default_factory=dict)
    """By selector."""
    errors: dict[bytes, InterfaceFunction] = field(default_factory=dict)
    has_receive: bool = False
    source: str
    """Where the names came from, as a sentence."""
    versions: Mapping[Address, Interface] = field(default_factory=dict)
    """What functions mean in the code of each implementation, where that is known, by its address."""

    def of_code(self, address: Address) -> Interface:
        """Return the interface that counts where the code at an address ran."""
        return self.versions.get(address, self)

    def function_name(self, kind: InvocationKind, data: bytes) -> str:
        """Return the bare name of what was called: a function, ``constructor``, ``receive``, ``fallback``."""
        if kind is InvocationKind.CONSTRUCTOR:
            return "constructor"
        function = self.functions.get(data[:4])
        if function is not None:
            return function.name
        if not data:
            return "receive" if self.has_receive or not self.functions else "fallback"
        return f"0x{data[:4].hex()}" if len(data) >= 4 else "fallback"

    def completed(self, other: Interface, selectors: Collection[bytes]) -> Interface:
        """Return this interface with some functions of another one, which it does not have."""
        added = {selector: other.functions[selector] for selector in selectors if selector in other.functions}
        if not added:
            return self
        names = {item.name for item in self.functions.values()}
        renamed = {
            selector: replace(item, name=item.signature) if item.name in names else item
            for selector, item in added.items()
        }
        return replace(
            self,
            functions=self.functions | renamed,
            source=f"{self.source}; {count_of(len(added), 'further function')} by the bytecode that ran",
        )

    def arguments(self, data: bytes) -> dict[str, Any]:
        """Return the decoded arguments by name; empty if the calldata does not fit the types."""
        function = self.functions.get(data[:4])
        if function is None:
            return {}
        values = decode_values(function.types, data[4:])
        return {} if values is None else dict(zip(function.arguments, values, strict=True))

    def reason(self, outcome: Outcome) -> str:
        """Return why a call was rejected, on one line; empty if it was not or gave no reason."""
        if outcome.kind is not OutcomeKind.REVERTED and outcome.kind is not OutcomeKind.PANIC:
            return "" if outcome.accepted else outcome.kind.value
        selector, rest = outcome.data[:4], outcome.data[4:]
        if selector == _PANIC and len(rest) == 32:
            code = int.from_bytes(rest, "big")
            return f"panic {code:#04x} ({_PANICS.get(code, 'unknown kind')})"
        if selector == _REVERT:
            values = decode_values(["string"], rest, strict=False)
            if values is not None:
                return plain(values[0])
        elif selector in self.errors:
            error = self.errors[selector]
            values = decode_values(error.types, rest)
            if values is not None:
                return plain(f"{error.name}({', '.join(error.value_texts(values))})")
        return f"0x{outcome.data[:36].hex()}" if outcome.data else "no reason given"

    def cause(self, kind: OutcomeKind, data: bytes) -> str:
        """Return the kind of reason why a call was rejected, raw: without the values that a custom error carries.

        A reason's text, an error's name or selector, ``panic 0x11``; empty if none was given.
        """
        if kind is not OutcomeKind.REVERTED and kind is not OutcomeKind.PANIC:
            return str(kind.value)
        thrown, rest = data[:4], data[4:]
        if thrown == _REVERT:
            values = decode_values(["string"], rest, strict=False)
            return "Error" if values is None else str(values[0])
        if thrown == _PANIC and len(rest) == 32:
            return f"panic {int.from_bytes(rest, 'big'):#04x}"
        error = self.errors.get(thrown)
        if error is not None:
            return str(error.name)
        return f"0x{thrown.hex()}" if thrown else ""

    def share_known(self, selectors: Counter[bytes]) -> float:
        """Return the share of calls whose selector this interface knows, of how often each was called; 1 of none."""
        recognised = sum(count for selector, count in selectors.items() if selector in self.functions)
        return recognised / selectors.total() if selectors else 1.0


def _short(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def selector(entry: AbiEntry) -> bytes:
    """Return the four bytes by which calls name a function."""
    return _selector(f"{entry.name}({','.join(map(canonical, entry.inputs))})")


def _selector(signature: str) -> bytes:
    return keccak(signature.encode("utf-8", "surrogatepass"))[:4]


def _functions(artifact: Artifact, kind: str) -> dict[bytes, InterfaceFunction]:
    items = [entry for entry in artifact.abi if entry.type == kind]
    counts = Counter(entry.name[:MAX_NAME] for entry in items)
    functions: dict[bytes, InterfaceFunction] = {}
    for entry in items:
        types = tuple(canonical(parameter) for parameter in entry.inputs)
        signature = f"{entry.name}({','.join(types)})"
        selected = _selector(signature)
        name = entry.name[:MAX_NAME]
        if counts[name] > 1:
            name = signature if len(signature) <= MAX_NAME else f"{name} 0x{selected.hex()}"
        functions[selected] = InterfaceFunction(
            name=name,
            signature=signature,
            types=types,
            arguments=_argument_names(entry.inputs),
            read_only=entry.constant or entry.state_mutability in ("view", "pure"),
            members=_members(artifact, entry.inputs),
        )
    return functions


def constructor_of(artifact: Artifact) -> tuple[InterfaceFunction, AbiEntry] | None:
    """Return the constructor of an ABI, if each argument has a fixed place behind the code; else ``None``."""
    entry = next((item for item in artifact.abi if item.type == "constructor"), None)
    if entry is None:
        return None
    types = tuple(canonical(parameter) for parameter in entry.inputs)
    if any(_DYNAMIC.search(kind) for kind in types):
        return None
    function = InterfaceFunction(
        name="constructor",
        signature=f"constructor({','.join(types)})",
        types=types,
        arguments=_argument_names(entry.inputs),
        members=_members(artifact, entry.inputs),
    )
    return function, entry


def _members(artifact: Artifact, parameters: Sequence[Parameter]) -> tuple[tuple[str, ...], ...]:
    members = tuple(enum_members_of(artifact, item.enum) if item.enum else () for item in parameters)
    return members if any(members) else ()


def _argument_names(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """Return the arguments' names, each once; the unnamed and the repeated are ``arg0``, ``arg1``, ...

    One called like what conditions say of every call has ``_`` behind it: ``value`` is the ether that came.
    """
    labels = [
        f"{name}_" if name in CALL_FACTS else name
        for name in (parameter.name[:MAX_NAME] for parameter in parameters)
    ]
    names: list[str] = []
    unique = UniqueNames(labels)
    for index, name in enumerate(labels):
        again = not name or name in names
        names.append(
            unique.add(f"arg{index}", lambda other, number: other + "_" * (number - 1)) if again else name
        )
    return tuple(names)


def from_artifact(artifact: Artifact) -> Interface:
    """Return the interface that an ABI describes."""
    return Interface(
        functions=_functions(artifact, "function"),
        errors=_functions(artifact, "error"),
        has_receive=any(entry.type == "receive" for entry in artifact.abi),
        source="functions and arguments are named by the ABI",
    )


def from_code(codes: Iterable[bytes]) -> Interface:
    """Return the interface that evmole recovers from runtime code: selectors and types.

    A function is named if its selector is that of a well-known contract's function with as many arguments. Without
    code, without evmole, and where nothing is recovered, the interface is empty, and its source says so.
    """
    codes = [code for code in codes if code]
    if not codes:
        return Interface(source=WITHOUT_CODE)
    try:
        import evmole
    except ModuleNotFoundError as error:
        if error.name != "evmole":
            raise
        return Interface(source=WITHOUT_EVMOLE)
    functions: dict[bytes, InterfaceFunction] = {}
    searched = [code for code in codes if len(code) <= MAX_CODE]
    for code in searched:
        info = evmole.contract_info(code, selectors=True, arguments=True, state_mutability=True)
        for recovered in info.functions or ():
            types = tuple(split_types(recovered.arguments or ""))
            read_only = recovered.state_mutability in ("view", "pure")
            functions[bytes.fromhex(recovered.selector)] = _common(
                recovered.selector, types, read_only
            ) or InterfaceFunction(
                name=f"0x{recovered.selector}",
                signature=f"0x{recovered.selector}({recovered.arguments or ''})",
                types=types,
                arguments=tuple(f"arg{index}" for index in range(len(types))),
                read_only=read_only,
            )
    if not functions:
        return Interface(source=WITHOUT_SELECTORS if searched else TOO_LONG)
    return Interface(functions=_told_apart(functions), source=_recovery_note(functions))


def _common(selected: str, types: tuple[str, ...], read_only: bool) -> InterfaceFunction | None:
    """Return the well-known function that a selector and a number of arguments are of; ``None`` if there is none."""
    function = common_functions().get(bytes.fromhex(selected))
    if function is None:
        return None
    own = split_types(function.signature.partition("(")[2][:-1])
    if len(own) != len(types):
        return None
    labels = function.arguments or ("",) * len(own)
    parameters = [Parameter(type=kind, name=name) for kind, name in zip(own, labels, strict=True)]
    return InterfaceFunction(
        name=function.name,
        signature=function.signature,
        types=tuple(own),
        arguments=_argument_names(parameters),
        read_only=read_only,
    )


def _told_apart(functions: dict[bytes, InterfaceFunction]) -> dict[bytes, InterfaceFunction]:
    """Return functions with names of their own: overloaded ones carry their types."""
    counts = Counter(function.name for function in functions.values())
    return {
        selected: replace(function, name=function.signature) if counts[function.name] > 1 else function
        for selected, function in functions.items()
    }


def _recovery_note(functions: Mapping[bytes, InterfaceFunction]) -> str:
    """Say where the names of functions come from that evmole found."""
    count = sum(not function.name.startswith("0x") for function in functions.values())
    if not count:
        return (
            "no ABI was given: functions are named by their selectors, which evmole found in the bytecode "
            "with their argument types; give --abi FILE for names"
        )
    return (
        f"no ABI was given: {count:,} of {len(functions):,} functions that evmole found in the bytecode are named as "
        "those of well-known contracts with the same selector and as many arguments, which may be other functions by "
        "chance; give --abi FILE for the contract's own names"
    )


def split_types(types: str) -> list[str]:
    """Split ``a,(b,c),d`` at the commas outside parentheses."""
    parts, depth = [""], 0
    for char in types:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part]
