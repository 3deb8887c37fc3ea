"""Names of addresses, functions, answers and log entries, of the traced contracts and of others as far as known.

What others' functions and events mean comes from the ABIs that are stored with them; else from a table of standards,
whose names a stranger's contract may bear without keeping to the standard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.keccak import keccak
from specminer.contracts.abi_values import decode_values
from specminer.contracts.artifact import MAX_NAME, AbiEntry, Artifact, Parameter
from specminer.contracts.interface import Interface, canonical, from_artifact, selector, split_types
from specminer.contracts.usual_enums import enum_members_of
from specminer.contracts.usual_signatures import usual_signatures
from specminer.contracts.value_text import typed_text
from specminer.explanation.transaction_document import NamedValue
from specminer.history.trace import (
    LAST_PRECOMPILED,
    NO_ADDRESS,
    Address,
    InvocationKind,
    Outcome,
    OutcomeKind,
)

MAX_TEXT: Final = 200
"""Characters of one value."""
MAX_HEX: Final = 68
"""Bytes of undecoded data that are shown."""
_PRECOMPILED: Final = {
    1: "ecrecover",
    2: "sha256",
    3: "ripemd160",
    4: "identity",
    5: "modexp",
    6: "bn128 addition",
    7: "bn128 multiplication",
    8: "bn128 pairing",
    9: "blake2f",
    10: "KZG point evaluation",
}
_EVENTS: Final = """
Transfer(address from,address to,uint256 value)
Approval(address owner,address spender,uint256 value)
ApprovalForAll(address owner,address operator,bool approved)
TransferSingle(address operator,address from,address to,uint256 id,uint256 value)
TransferBatch(address operator,address from,address to,uint256[] ids,uint256[] values)
OwnershipTransferred(address previousOwner,address newOwner)
RoleGranted(bytes32 role,address account,address sender)
RoleRevoked(bytes32 role,address account,address sender)
Paused(address account)
Unpaused(address account)
Upgraded(address implementation)
AdminChanged(address previousAdmin,address newAdmin)
Deposit(address dst,uint256 wad)
Withdrawal(address src,uint256 wad)
Deposit(address sender,address owner,uint256 assets,uint256 shares)
Withdraw(address sender,address receiver,address owner,uint256 assets,uint256 shares)
Sync(uint112 reserve0,uint112 reserve1)
"""
"""Events of standards: ERC-20, ERC-721, ERC-1155, ERC-173, ERC-1967, ERC-4626, OpenZeppelin's access control and pause,
WETH, Uniswap V2. Their indexed fields stand first, however many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    name: str
    fields: tuple[tuple[str, str, bool], ...]
    """(name, type, whether it is indexed)."""
    parameters: tuple[Parameter, ...] = ()
    """The same as the ABI has them, if one does."""

    def indexed_as(self, topics: int) -> tuple[tuple[str, str, bool], ...]:
        """Return the fields with as many indexed as there are topics, the first ones if the ABI says otherwise."""
        if sum(indexed for _, _, indexed in self.fields) == topics:
            return self.fields
        return tuple((name, kind, index < topics) for index, (name, kind, _) in enumerate(self.fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedCall:
    """What calldata means."""

    function: str
    arguments: tuple[NamedValue, ...]
    whole: bool
    """Whether the arguments are all that there was; if not the data are shown as they are."""


class KnownNames:
    """Names what a transaction touches; texts are raw."""

    def __init__(
        self,
        traced: Mapping[Address, tuple[str, Interface]],
        artifacts: Mapping[Address, Artifact],
        labels: Mapping[Address, str],
    ) -> None:
        """Take the title and the interface of each traced contract, the ABIs of others, and names that a user gives."""
        self._traced_contracts, self._artifacts, self._labels = traced, artifacts, labels
        self._interfaces: dict[Address, Interface] = {}
        self._tables: dict[Address, _Tables] = {}

    def name(self, address: Address) -> str | None:
        """Return the name of an address, ``None`` if it has none."""
        if address in self._labels:
            return self._labels[address][:MAX_NAME]
        if address in self._traced_contracts:
            return self._traced_contracts[address][0]
        artifact = self._artifacts.get(address)
        if artifact is not None and artifact.name:
            return artifact.name[:MAX_NAME]
        number = int.from_bytes(address, "big")
        if 0 < number <= LAST_PRECOMPILED and number in _PRECOMPILED:
            return f"precompiled {_PRECOMPILED[number]}"
        return "nobody (zero address)" if address == NO_ADDRESS else None

    def _interface(self, address: Address, code: Address | None = None) -> Interface | None:
        if address in self._traced_contracts:
            interface = self._traced_contracts[address][1]
            return interface if code is None else interface.of_code(code)
        if address not in self._artifacts:
            return None
        if address not in self._interfaces:
            self._interfaces[address] = from_artifact(self._artifacts[address])
        return self._interfaces[address]

    def _table(self, address: Address) -> _Tables | None:
        if address in self._artifacts and address not in self._tables:
            self._tables[address] = _Tables(self._artifacts[address])
        return self._tables.get(address)

    def call(
        self, address: Address, kind: InvocationKind, data: bytes, code: Address | None = None
    ) -> DecodedCall:
        """Return what calldata for a contract means; ``code`` is whose code ran, where that is known."""
        interface = self._interface(address, code)
        if kind is InvocationKind.CONSTRUCTOR:
            return DecodedCall(function="constructor", arguments=(), whole=True)
        function = interface.functions.get(data[:4]) if interface is not None else None
        if function is not None:
            call = _decode_call(function.name, function.arguments, function.types, data[4:])
            return replace(
                call, arguments=self._name_members(self._owner(address, code), data[:4], call.arguments)
            )
        usual = usual_signatures().get(data[:4])
        if usual is not None and interface is None:
            names = [f"arg{index}" for index in range(len(usual.inputs))]
            return _decode_call(usual.name, names, usual.inputs, data[4:])
        if interface is not None:
            name = interface.function_name(kind, data)
        else:
            name = f"0x{data[:4].hex()}" if len(data) >= 4 else ""
        return DecodedCall(function=name, arguments=(), whole=len(data) <= 4)

    def _owner(self, address: Address, code: Address | None) -> Address:
        """Return the address whose ABI counts: of the code that ran, if that has one and is a traced proxy's."""
        if code is None or code not in self._artifacts or address not in self._traced_contracts:
            return address
        return code if code in self._traced_contracts[address][1].versions else address

    def answer(
        self, address: Address, data: bytes, output: bytes, code: Address | None = None
    ) -> tuple[NamedValue, ...] | None:
        """Return what a call that returned answered; ``None`` if it cannot be decoded."""
        if not output:
            return ()
        table = self._table(self._owner(address, code))
        entry = table.functions.get(data[:4]) if table is not None else None
        if entry is not None:
            pairs = [(canonical(item), item.name) for item in entry.outputs]
        else:
            usual = usual_signatures().get(data[:4])
            pairs = list(usual.outputs) if usual is not None else []
        if not pairs:
            return None
        values = decode_values([kind for kind, _ in pairs], output)
        if values is None:
            return None
        named_values = _name_values(pairs, values)
        return (
            named_values
            if entry is None or table is None
            else table.name_members(entry.outputs, named_values)
        )

    def reason(self, address: Address, data: bytes) -> str:
        """Return why a call that another contract rejected was, as far as its error says."""
        interface = self._interface(address) or Interface(source="")
        return interface.reason(Outcome(kind=OutcomeKind.REVERTED, data=data))

    def log(
        self, address: Address, topics: Sequence[bytes], data: bytes
    ) -> tuple[str, tuple[NamedValue, ...] | None]:
        """Return the name of a log entry's event, its first topic if that is not known, and its fields if decoded."""
        if not topics:
            return "", None
        table = self._table(address)
        own = table.events.get(topics[0]) if table is not None else None
        if own is not None and table is not None:
            fields = _fields(own, topics[1:], data)
            return own.name, fields and table.name_members(own.parameters, fields)
        event = _usual_events().get(topics[0])
        if event is None:
            return f"0x{topics[0].hex()}", None
        return event.name, _fields(event, topics[1:], data)

    def _name_members(
        self, address: Address, function: bytes, values: tuple[NamedValue, ...]
    ) -> tuple[NamedValue, ...]:
        table = self._table(address)
        entry = table.functions.get(function) if table is not None else None
        return values if table is None or entry is None else table.name_members(entry.inputs, values)


def _decode_call(name: str, names: Sequence[str], types: Sequence[str], data: bytes) -> DecodedCall:
    values = decode_values(types, data)
    if values is None:
        return DecodedCall(function=name, arguments=(), whole=False)
    return DecodedCall(
        function=name, arguments=_name_values(list(zip(types, names, strict=True)), values), whole=True
    )


def _name_values(pairs: Sequence[tuple[str, str]], values: Sequence[object]) -> tuple[NamedValue, ...]:
    return tuple(
        NamedValue(name=name, value=typed_text(kind, value, MAX_TEXT))
        for (kind, name), value in zip(pairs, values, strict=True)
    )


def _fields(event: _Event, topics: Sequence[bytes], data: bytes) -> tuple[NamedValue, ...] | None:
    fields = event.indexed_as(len(topics))
    if sum(indexed for *_, indexed in fields) != len(topics):
        return None
    rest = [(kind, name) for name, kind, indexed in fields if not indexed]
    values = decode_values([kind for kind, _ in rest], data, strict=False)
    if values is None:
        return None
    others, indexes = iter(_name_values(rest, values)), iter(topics)
    named_values = []
    for name, kind, indexed in fields:
        if not indexed:
            named_values.append(next(others))
            continue
        topic = next(indexes)
        value = None if _is_hashed(kind) else decode_values([kind], topic)
        text = f"0x{topic.hex()}" if value is None else typed_text(kind, value[0], MAX_TEXT)
        named_values.append(NamedValue(name=name, value=text))
    return tuple(named_values)


def _is_hashed(kind: str) -> bool:
    """Whether an indexed field of a type stands in a log entry as its hash."""
    return kind in ("string", "bytes") or kind.endswith("]") or kind.startswith("(")


@cache
def _usual_events() -> dict[bytes, _Event]:
    events = {}
    for line in _EVENTS.strip().splitlines():
        name, _, inside = line.removesuffix(")").partition("(")
        pairs = [item.split(" ") for item in split_types(inside)]
        topic = keccak(f"{name}({','.join(kind for kind, _ in pairs)})".encode())
        events[topic] = _Event(name=name, fields=tuple((label, kind, False) for kind, label in pairs))
    return events


class _Tables:
    """Functions and events of ABIs, made once for each."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact

    @cached_property
    def functions(self) -> dict[bytes, AbiEntry]:
        return {selector(entry): entry for entry in self._artifact.abi if entry.type == "function"}

    @cached_property
    def events(self) -> dict[bytes, _Event]:
        return {
            _topic(entry): _Event(
                name=entry.name[:MAX_NAME],
                fields=tuple(map(_field, range(len(entry.inputs)), entry.inputs)),
                parameters=entry.inputs,
            )
            for entry in self._artifact.abi
            if entry.type == "event" and not entry.anonymous
        }

    def name_members(
        self, parameters: Sequence[Parameter], values: tuple[NamedValue, ...]
    ) -> tuple[NamedValue, ...]:
        """Return decoded values, those of enums by their names where these are known."""
        if len(parameters) != len(values) or not any(item.is_enum for item in parameters):
            return values
        return tuple(map(self._name_member, parameters, values))

    def _name_member(self, parameter: Parameter, item: NamedValue) -> NamedValue:
        members = enum_members_of(self._artifact, parameter.enum) if parameter.is_enum else ()
        number = int(item.value) if item.value.isdecimal() and item.value.isascii() else len(members)
        return replace(item, value=members[number]) if number < len(members) else item


def _field(index: int, parameter: Parameter) -> tuple[str, str, bool]:
    return parameter.name[:MAX_NAME] or f"arg{index}", canonical(parameter), parameter.indexed


def _topic(entry: AbiEntry) -> bytes:
    spelling = f"{entry.name}({','.join(map(canonical, entry.inputs))})"
    return keccak(spelling.encode("utf-8", "surrogatepass"))


def shown_address(address: Address) -> str:
    """Return an address with its checksum."""
    return checksum_address(address)


def cut_hex(data: bytes) -> str:
    """Return data in hexadecimal digits, cut."""
    return f"0x{data[:MAX_HEX].hex()}{'…' if len(data) > MAX_HEX else ''}"
