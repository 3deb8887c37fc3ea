"""A compiler's storage layout, as solc, Foundry and Hardhat print it (``storageLayout``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer.decoding.storage_values import ValueKind
from specminer.history.trace import WORD_LIMIT

MAX_NAME: Final = 200
MAX_ARRAYS: Final = 1_000
"""Dynamic arrays in fixed slots that are looked for."""


class LayoutError(FileFormatError):
    """The layout is malformed or contradicts itself."""


class _RawMember(msgspec.Struct, frozen=True):
    label: str
    slot: str
    type: str
    offset: int = 0


class _RawType(msgspec.Struct, frozen=True, rename="camel"):
    encoding: str
    label: str
    number_of_bytes: str
    base: str | None = None
    key: str | None = None
    value: str | None = None
    members: tuple[_RawMember, ...] = ()


class _RawLayout(msgspec.Struct, frozen=True, rename="camel"):
    storage: tuple[_RawMember, ...]
    types: dict[str, _RawType]
    key_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A state variable, or a field of a struct."""

    label: str
    slot: int
    """From the beginning of the storage, or of the struct."""
    offset: int
    """Bytes from the right end of the slot."""
    type: str
    slots: int
    """How many it takes."""


_NOT_PLAIN: Final = ("mapping", "dynamic_array", "bytes", "inline_array", "inline_bytes", "opaque")


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type, checked: what it refers to exists, and its fields lie side by side inside it."""

    encoding: str
    kind: ValueKind
    size: int
    """Bytes; a multiple of 32 for all but plain values."""
    base: str | None
    key: str | None
    value: str | None
    members: tuple[Member, ...]
    enum: str
    """The enum's name, ``Shop.Phase``; empty for all else."""
    length: int | None
    """Elements of a static array, where its label tells."""

    @property
    def plain(self) -> bool:
        """Whether it is one value in one slot, or in a part of one."""
        return self.encoding not in _NOT_PLAIN and not self.members and self.base is None


class _ContradictionError(ValueError):
    """A part of the layout cannot be."""


_IN_PLACE: Final = ("inplace", "inline_array")
_DEPTH: Final = 32
"""Structs and arrays directly inside each other at most."""
_LENGTH: Final = re.compile(r"\[([0-9]{1,9})\]$", re.ASCII)


def _number(text: str, subject: str, least: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 78 and least <= int(text) < WORD_LIMIT:
        return int(text)
    raise _ContradictionError(
        f"{subject} should be a decimal number from {least} to 2**256 - 1, got {plain(text, 40)!r}"
    )


def _members(raw: Sequence[_RawMember], types: Mapping[str, int], prefix: str) -> tuple[Member, ...]:
    """Return members by their place; none may overlap another."""
    members = []
    for member in raw:
        member_name = f"{prefix}{plain(member.label, 60)}"
        if member.type not in types:
            raise _ContradictionError(
                f"{member_name} has type {plain(member.type, 60)!r}, which is not described"
            )
        size, slot = types[member.type], _number(member.slot, f"the slot of {member_name}", 0)
        if not 0 <= member.offset <= max(0, 32 - size):
            raise _ContradictionError(f"{member_name} of {size} bytes lies across the end of its slot")
        members.append(
            Member(
                label=member.label[:MAX_NAME],
                slot=slot,
                offset=member.offset,
                type=member.type,
                slots=-(-size // 32),
            )
        )
    members.sort(key=lambda member: (member.slot, member.offset))
    for one, other in pairwise(members):
        if one.slot * 32 + one.offset + types[one.type] > other.slot * 32 + other.offset:
            raise _ContradictionError(
                f"{prefix}{plain(one.label, 60)} and {plain(other.label, 60)} overlap in slot {other.slot}"
            )
    return tuple(members)


def _check_type(name: str, raw: _RawType, sizes: Mapping[str, int]) -> Type:
    plain_name = plain(name, 60)
    for role, other in (("base", raw.base), ("key", raw.key), ("value", raw.value)):
        if other is not None and other not in sizes:
            raise _ContradictionError(
                f"the {role} of type {plain_name} is {plain(other, 60)!r}, not described"
            )
    if raw.encoding == "mapping" and (raw.key is None or raw.value is None):
        raise _ContradictionError(f"the mapping {plain_name} has no key or no value")
    if raw.encoding in ("dynamic_array", "inline_array") and raw.base is None:
        raise _ContradictionError(f"the array {plain_name} has no base")
    size = sizes[name]
    if size % 32 and (raw.members or raw.base or raw.encoding != "inplace" or size > 32):
        raise _ContradictionError(f"type {plain_name} has {size} bytes; expected whole slots of 32")
    members = _members(raw.members, sizes, f"{plain(raw.label, 60)}.")
    if members and (members[-1].slot + members[-1].slots) * 32 > size:
        raise _ContradictionError(f"type {plain_name} has {size} bytes, but its members need more")
    length = _LENGTH.search(raw.label)
    return Type(
        encoding=raw.encoding,
        kind=_kind(name, raw.label),
        size=size,
        base=raw.base,
        key=raw.key,
        value=raw.value,
        members=members,
        enum=raw.label.removeprefix("enum ") if raw.label.startswith("enum ") else "",
        length=int(length[1]) if length is not None and raw.encoding == "inplace" else None,
    )


def _check_depth(types: Mapping[str, Type]) -> None:
    """Refuse types that contain themselves, or too deep; behind a mapping or an array they may."""
    depth: dict[str, int] = {}
    for root in types:
        path: list[tuple[str, bool]] = [(root, False)]
        open_types: set[str] = set()
        while path:
            name, done = path.pop()
            kind = types[name]
            inside = [member.type for member in kind.members]
            inside += [kind.base] if kind.base is not None and kind.encoding in _IN_PLACE else []
            if done:
                open_types.discard(name)
                depth[name] = 1 + max((depth[item] for item in inside), default=0)
                if depth[name] > _DEPTH:
                    raise _ContradictionError(f"types are nested deeper than {_DEPTH}")
            elif name in open_types:
                raise _ContradictionError(f"type {plain(name, 60)} contains itself")
            elif name not in depth:
                open_types.add(name)
                path.append((name, True))
                path += [(item, False) for item in dict.fromkeys(inside)]


_PLAIN: Final = re.compile(r"(uint|int|bytes)[0-9]*", re.ASCII)


def _kind(name: str, label: str) -> ValueKind:
    if name.startswith("t_userDefinedValueType"):
        return ValueKind.WORD  # its label is any name, such as ``intPrice``
    if label == "bool":
        return ValueKind.BOOL
    if label in ("address", "address payable") or label.startswith("contract "):
        return ValueKind.ADDRESS
    if label.startswith("enum "):
        return ValueKind.ENUM
    match = _PLAIN.fullmatch(label)
    if match is not None:
        return {"uint": ValueKind.UINT, "int": ValueKind.INT, "bytes": ValueKind.BYTES}[match[1]]
    return ValueKind.BYTES if label == "string" else ValueKind.WORD


class Layout:
    """Where each state variable lives."""

    def __init__(self, document: dict[str, Any], origin: str) -> None:
        """Read a ``storageLayout``.

        Raises:
            LayoutError: a part is missing, malformed or contradicts another; ``origin`` names the file.

        """
        try:
            raw = msgspec.convert(document, _RawLayout)
            sizes = {
                name: _number(item.number_of_bytes, f"numberOfBytes of type {plain(name, 60)}", 1)
                for name, item in raw.types.items()
            }
            self.types = {name: _check_type(name, item, sizes) for name, item in raw.types.items()}
            _check_depth(self.types)
            self.variables = _distinguish_labels(_members(raw.storage, sizes, ""))
            self.key_last = raw.key_last
        except (msgspec.ValidationError, _ContradictionError, RecursionError) as error:
            raise LayoutError(f"{plain(origin)}: the storage layout is malformed: {plain(error)}") from None

    def array_slots(self) -> list[int]:
        """Return the fixed slots of dynamic arrays and texts, at most ``MAX_ARRAYS``, ascending."""
        cache: dict[str, bool] = {}
        slots: set[int] = set()
        open_ends = [(member.type, member.slot) for member in self.variables]
        while open_ends and len(slots) < MAX_ARRAYS:
            name, slot = open_ends.pop()
            kind = self.types[name]
            if not self._holds_array(name, cache):
                continue
            if kind.encoding != "inplace":
                slots.add(slot)
            open_ends += [(member.type, slot + member.slot) for member in kind.members]
            if kind.encoding == "inplace" and kind.base is not None:
                width = -(-self.types[kind.base].size // 32)
                elements = range(min(kind.size // 32 // width, MAX_ARRAYS))
                open_ends += [(kind.base, slot + element * width) for element in elements]
        return sorted(slot for slot in slots if slot < WORD_LIMIT)

    def _holds_array(self, name: str, cache: dict[str, bool]) -> bool:
        """Whether a dynamic array or a text lies inside a type, not behind a hash."""
        if name not in cache:
            kind = self.types[name]
            inside = [member.type for member in kind.members]
            inside += [kind.base] if kind.base is not None and kind.encoding == "inplace" else []
            cache[name] = kind.encoding in ("dynamic_array", "bytes") or any(
                self._holds_array(item, cache) for item in inside
            )
        return cache[name]


def _distinguish_labels(members: Sequence[Member]) -> tuple[Member, ...]:
    """Tell private variables of one name, inherited from different contracts, apart by their slots."""
    labels: set[str] = set()
    result = []
    for member in members:
        label = member.label
        if label in labels:
            label = f"{member.label} (slot {member.slot}, byte {member.offset})"
            while label in labels:
                label += "'"
        labels.add(label)
        result.append(replace(member, label=label))
    return tuple(result)
