"""A compiler's storage layout, as solc, Foundry and Hardhat print it (``storageLayout``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from specminer.errors import FileFormatError, plain
from specminer.location.places import Key, Part, Place, ValueKind

MAX_NAME: Final = 200


class LayoutError(FileFormatError):
    """The layout is malformed or contradicts itself."""


class _Member(msgspec.Struct, frozen=True):
    label: str
    slot: str
    type: str
    offset: int = 0


class _Type(msgspec.Struct, frozen=True, rename="camel"):
    encoding: str
    label: str
    number_of_bytes: str
    base: str | None = None
    key: str | None = None
    value: str | None = None
    members: tuple[_Member, ...] = ()

    @property
    def size(self) -> int:
        return int(self.number_of_bytes)


class _Layout(msgspec.Struct, frozen=True):
    storage: tuple[_Member, ...]
    types: dict[str, _Type]


def _kind(label: str) -> ValueKind:
    if label == "bool":
        return ValueKind.BOOL
    if label.startswith(("address", "contract ")):
        return ValueKind.ADDRESS
    if label.startswith("uint"):
        return ValueKind.UINT
    if label.startswith("int"):
        return ValueKind.INT
    if label.startswith("enum "):
        return ValueKind.ENUM
    if label.startswith(("bytes", "string")):
        return ValueKind.BYTES
    return ValueKind.WORD


_Spot = tuple[tuple[Key, ...], Part]
"""Keys (indices of arrays inside) and the field at one slot of a type."""


class Layout:
    """Where each state variable lives."""

    def __init__(self, document: dict[str, Any], origin: str) -> None:
        """Read a ``storageLayout``.

        Raises:
            LayoutError: a part is missing or malformed; ``origin`` names the file.

        """
        try:
            read = msgspec.convert(document, _Layout)
            self._types = read.types
            self._variables = [(member, int(member.slot)) for member in read.storage]
            for member, _ in self._variables:
                self._type(member.type)
        except (msgspec.ValidationError, ValueError, KeyError) as error:
            raise LayoutError(f"{plain(origin)}: the storage layout is malformed: {plain(error)}") from None
        self._variables.sort(key=lambda item: (item[1], item[0].offset))

    def _type(self, name: str | None) -> _Type:
        if name is None or name not in self._types:
            raise KeyError(f"type {name!r:.80} is not described")
        return self._types[name]

    def place(self, root: int, steps: Sequence[tuple[Key | None, int]]) -> Place | None:
        """Return what a slot means, given how it was hashed; ``None`` if the layout does not know it.

        ``root`` is the base slot; ``steps`` lead outwards: (key, or ``None`` for an array's data; offset).
        """
        found: list[_Spot] = []
        try:
            for member, slot in self._variables:
                if slot <= root < slot + max(1, -(-self._type(member.type).size // 32)):
                    found += [
                        (keys, replace(part, variable=member.label[:MAX_NAME]))
                        for keys, part in self._at(member.type, root - slot, member.offset, steps)
                    ]
        except (KeyError, ValueError, RecursionError):
            return None  # a layout that contradicts itself names nothing
        if not found:
            return None
        keys = found[0][0]
        parts = sorted((part for own, part in found if own == keys), key=lambda part: part.shift)
        return Place(keys, tuple(parts), named=True)

    def _at(self, name: str, slot: int, offset: int, steps: Sequence[tuple[Key | None, int]]) -> list[_Spot]:
        """Return the fields at ``slot`` of a type, or of what its hashes lead to."""
        kind = self._type(name)
        if kind.encoding == "mapping":
            if not steps or steps[0][0] is None:
                return []
            key, behind = steps[0]
            inner = self._at(kind.value or "", behind, 0, steps[1:])
            typed = Key(key.data, _kind(self._type(kind.key).label)) if key is not None else None
            return [((typed, *keys), part) for keys, part in inner if typed is not None]
        if kind.encoding == "dynamic_array":
            if not steps:
                return [((), Part("", ".length", ValueKind.UINT))] if slot == 0 else []
            return self._elements(kind, steps[0][1], steps[1:]) if steps[0][0] is None else []
        if kind.encoding == "bytes":
            if not steps:
                return [((), Part("", "", ValueKind.BYTES))]
            return [((_index(steps[0][1]),), Part("", "", ValueKind.BYTES))]
        return self._in_place(kind, slot, offset, steps)

    def _in_place(
        self, kind: _Type, slot: int, offset: int, steps: Sequence[tuple[Key | None, int]]
    ) -> list[_Spot]:
        if kind.members:
            found: list[_Spot] = []
            for member in kind.members:
                inner = self._type(member.type)
                first = int(member.slot)
                if first <= slot < first + max(1, -(-inner.size // 32)):
                    found += [
                        (keys, replace(part, suffix=f".{member.label[:MAX_NAME]}{part.suffix}"))
                        for keys, part in self._at(member.type, slot - first, member.offset, steps)
                    ]
            return found
        if kind.base is not None:
            return self._elements(kind, slot, steps)
        if steps or slot:
            return []
        return [((), Part("", "", _kind(kind.label), offset * 8, kind.size * 8))]

    def _elements(self, kind: _Type, slot: int, steps: Sequence[tuple[Key | None, int]]) -> list[_Spot]:
        """Return the fields of the array elements at ``slot`` behind the array's first."""
        element = self._type(kind.base)
        if element.size > 16:
            width = -(-element.size // 32)
            inner = self._at(kind.base or "", slot % width, 0, steps)
            return [((_index(slot // width), *keys), part) for keys, part in inner]
        per_slot = 32 // max(element.size, 1)
        return [  # several elements share the slot: the slot is indexed by its first
            ((_index(slot * per_slot),), replace(part, suffix=f"+{place}" if place else ""))
            for place in range(per_slot)
            for _, part in self._at(kind.base or "", 0, place * element.size, ())
        ]


def _index(value: int) -> Key:
    return Key(value.to_bytes(32, "big"), ValueKind.UINT)
