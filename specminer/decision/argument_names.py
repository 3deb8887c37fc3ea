"""What the bytes of a call's data are called: arguments, their elements, members, lengths and contents.

The ABI encodes a value of a static type at a fixed place; of a dynamic one it puts an offset there, and the value
behind it. So which word a value stands in depends on the data; :meth:`ArgumentNames.layout` follows the offsets of
one call. Source: Solidity's documentation, contract ABI specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from specminer.contracts.artifact import MAX_DEPTH, Parameter
from specminer.contracts.interface import InterfaceFunction, split_types
from specminer.decoding.storage_values import ValueKind

SELECTOR: Final = 4
"""Bytes of a function's selector."""
MAX_WORDS: Final = 2048
"""Words of one call's data that have names."""
MAX_ELEMENTS: Final = 512
"""Elements of one array that have names."""
MAX_SPELLING: Final = 2000
"""Characters of a type; longer ones are not taken apart."""
_ARRAY: Final = re.compile(r"(.*)\[([0-9]{0,9})\]", re.ASCII | re.DOTALL)
_VALUE: Final = re.compile(r"(u?int|bytes)([0-9]{1,3})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbiType:
    """A type of the ABI."""

    spelling: str
    members: tuple[tuple[str, AbiType], ...] = ()
    """Of a tuple: what follows the name of the whole, and the member's type."""
    element: AbiType | None = None
    """Of an array."""
    length: int | None = None
    """Of an array of fixed length."""
    words: int | None = 1
    """Words of its head; ``None`` for a dynamic type."""

    @property
    def is_text(self) -> bool:
        """Whether it is ``string`` or ``bytes``."""
        return self.spelling in ("string", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentWord:
    """A word of a call's data."""

    name: str
    kind: ValueKind
    bits: int = 256
    source: str = ""
    """The argument that it is a part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLayout:
    """Where the arguments of one call stand, in bytes from the selector's first."""

    words: dict[int, ArgumentWord]
    texts: tuple[tuple[int, int, str], ...]
    """(first byte, last byte + 1, name) of the contents of ``string`` and ``bytes``."""

    def text_at(self, start: int, size: int) -> str | None:
        """Return the name of the text whose content is these bytes, or a piece of it, such as ``data[0:32]``."""
        for first, end, name in self.texts:
            if first <= start and start + size <= first + 32 * (-(-(end - first) // 32)):
                whole = start == first and start + size >= end
                return name if whole else f"{name}[{start - first}:{min(start + size, end) - first}]"
        return None


def value_kind(spelling: str) -> tuple[ValueKind, int]:
    """Return how a value type is compared and printed, and its number of bits."""
    if spelling in ("address", "bool"):
        return ValueKind(spelling), 160 if spelling == "address" else 1
    match = _VALUE.fullmatch(spelling)
    if match is None:
        return (ValueKind.BYTES, 192) if spelling == "function" else (ValueKind.WORD, 256)
    size = int(match[2])
    if match[1] == "bytes":
        return ValueKind.BYTES, min(8 * size, 256)
    return (ValueKind.UINT if match[1] == "uint" else ValueKind.INT), min(size, 256)


def read_type(spelling: str, components: Sequence[Parameter] = (), depth: int = 0) -> AbiType:
    """Return a type from how the ABI, or a selector, spells it; what is too deep or too long is one word."""
    if depth > MAX_DEPTH or len(spelling) > MAX_SPELLING:
        return AbiType(spelling="word")
    array = _ARRAY.fullmatch(spelling)
    if array is not None:
        element = read_type(array[1], components, depth + 1)
        length = int(array[2]) if array[2] else None
        words = None if length is None or element.words is None else min(length * element.words, MAX_WORDS)
        return AbiType(spelling=spelling, element=element, length=length, words=words)
    if spelling == "tuple" or spelling.startswith("("):
        members = _members(spelling, components, depth)
        sizes = [member.words for _, member in members]
        total = None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)
        words = None if total is None else min(total, MAX_WORDS)
        return AbiType(spelling=spelling, members=members, words=words)
    return AbiType(spelling=spelling, words=None if spelling in ("string", "bytes") else 1)


def enum_places(inputs: Sequence[Parameter]) -> frozenset[int]:
    """Return where in a call's data arguments stand that are values of enums, as far as the ABI says so."""
    offsets, offset = set(), SELECTOR
    for item in inputs[:MAX_WORDS]:
        if item.is_enum:
            offsets.add(offset)
        offset += 32 * (read_type(item.type, item.components).words or 1)
    return frozenset(offsets)


def _members(spelling: str, components: Sequence[Parameter], depth: int) -> tuple[tuple[str, AbiType], ...]:
    if spelling == "tuple":
        return tuple(
            (f".{item.name}" if item.name else f"[{index}]", read_type(item.type, item.components, depth + 1))
            for index, item in enumerate(components[:MAX_WORDS])
        )
    parts = split_types(spelling[1:-1])
    return tuple((f"[{index}]", read_type(part, (), depth + 1)) for index, part in enumerate(parts))


class ArgumentNames:
    """The arguments of one function."""

    def __init__(self, function: InterfaceFunction | None, parameters: Sequence[Parameter] = ()) -> None:
        """Prepare.

        Args:
            function: what the interface knows; ``None`` for nothing.
            parameters: the ABI's own, which name members of structs; empty if it is not at hand.

        """
        self._parameters: list[tuple[str, AbiType]] = []
        self._unnamed = function is None
        if function is None:
            return
        arguments: Iterable[tuple[str, str, Sequence[Parameter]]]
        if len(parameters) == len(function.types):
            pairs = zip(function.arguments, parameters, strict=True)
            arguments = [(name, item.type, item.components) for name, item in pairs]
        else:
            arguments = [
                (name, kind, ()) for name, kind in zip(function.arguments, function.types, strict=True)
            ]
        for name, kind, components in arguments:
            self._parameters.append((name, read_type(kind, components)))

    def layout(self, data: bytes) -> DataLayout:
        """Return what the bytes of one call's data are called."""
        if self._unnamed:
            count = min(max(0, len(data) - SELECTOR + 31) // 32, MAX_WORDS)
            words = {
                SELECTOR + 32 * index: ArgumentWord(name=f"arg{index}", kind=ValueKind.WORD)
                for index in range(count)
            }
            return DataLayout(words=words, texts=())
        walk = _LayoutWalk(data)
        walk.enter(self._parameters, SELECTOR)
        return DataLayout(words=walk.words, texts=tuple(walk.texts))


class _LayoutWalk:
    """Follows the types of one call's arguments through its data."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.words: dict[int, ArgumentWord] = {}
        self.texts: list[tuple[int, int, str]] = []
        self._visits = 0  # offsets of hostile data lead to the same words again and again

    def enter(self, members: Iterable[tuple[str, AbiType]], base: int, source: str = "") -> None:
        """Name members whose heads stand one behind the other from ``base`` on."""
        head = base
        for name, kind in members:
            self._visits += 1
            if self._visits > MAX_WORDS:
                return
            self._value(name, kind, head, base, source or name)
            head += 32 * (kind.words if kind.words is not None else 1)

    def _value(self, name: str, kind: AbiType, head: int, base: int, source: str) -> None:
        if kind.words is not None:
            self._content(name, kind, head, source)
            return
        self._name(head, f"offset of {name}", ValueKind.UINT, 256, source)
        offset = self._number(head)
        if offset is not None and base + offset + 32 <= len(self._data) + 32:
            self._content(name, kind, base + offset, source)

    def _content(self, name: str, kind: AbiType, start: int, source: str) -> None:
        if kind.is_text:
            length = self._number(start) or 0
            self._name(start, f"length({name})", ValueKind.UINT, 256, source)
            if start + 32 + length <= len(self._data) + 31:
                self.texts.append((start + 32, start + 32 + length, name))
        elif kind.element is not None:
            self._elements(name, kind, kind.element, start, source)
        elif kind.members:
            self.enter([(f"{name}{suffix}", member) for suffix, member in kind.members], start, source)
        elif kind.words:
            value, bits = value_kind(kind.spelling)
            self._name(start, name, value, bits, source)

    def _elements(self, name: str, kind: AbiType, element: AbiType, start: int, source: str) -> None:
        if kind.length is not None:
            count, first = kind.length, start
        else:
            self._name(start, f"length({name})", ValueKind.UINT, 256, source)
            count, first = self._number(start) or 0, start + 32
        room = max(0, len(self._data) - first) // 32 + 1 if kind.length is None else MAX_ELEMENTS
        members = [(f"{name}[{index}]", element) for index in range(min(count, room, MAX_ELEMENTS))]
        if self._visits < MAX_WORDS:
            self.enter(members, first, source)

    def _name(self, start: int, name: str, kind: ValueKind, bits: int, source: str) -> None:
        self.words.setdefault(start, ArgumentWord(name=name, kind=kind, bits=bits, source=source))

    def _number(self, start: int) -> int | None:
        """Return a word as a number that may be an offset or a length; ``None`` if it leads out of the data."""
        number = int.from_bytes(self._data[start : start + 32].ljust(32, b"\0"), "big")
        return number if number <= len(self._data) else None
