"""From slots to places: a variable, the keys that lead into it, and the fields packed in the slot."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from specminer.errors import plain
from specminer.trace import WORD_LIMIT

if TYPE_CHECKING:
    from specminer.location.layout import Layout


class ValueKind(Enum):
    """The type of a value as far as comparing and printing need it."""

    BOOL = "bool"
    UINT = "uint"
    INT = "int"
    """Signed; words hold two's complement already sign-extended to 256 bits."""
    ADDRESS = "address"
    BYTES = "bytes"
    ENUM = "enum"
    WORD = "word"
    """Type unknown: no layout."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping or an index of an array."""

    data: bytes
    """32 bytes for value types; the text itself for ``string`` and ``bytes`` keys."""
    kind: ValueKind

    @property
    def word(self) -> int | None:
        """The key as a word; ``None`` for a text."""
        return int.from_bytes(self.data, "big") if len(self.data) == 32 else None

    def __str__(self) -> str:
        word = self.word
        if word is None:
            return repr(plain(self.data.decode("utf-8", "backslashreplace"), 60))
        if self.kind is ValueKind.ADDRESS or (self.kind is ValueKind.WORD and 1 << 96 <= word < 1 << 160):
            return to_checksum_address((word % (1 << 160)).to_bytes(20, "big"))
        if self.kind is ValueKind.BYTES or (self.kind is ValueKind.WORD and word >= 1 << 64):
            return "0x" + self.data.hex()
        if self.kind is ValueKind.BOOL:
            return "true" if word else "false"
        if self.kind is ValueKind.INT and word >= WORD_LIMIT >> 1:
            return str(word - WORD_LIMIT)
        return str(word)


@dataclass(frozen=True, slots=True)
class Part:
    """A field in a slot: ``width`` bits, ``shift`` bits from the right."""

    variable: str
    suffix: str
    """What follows the keys: ``.highestBid``, ``.length``, or nothing."""
    kind: ValueKind
    shift: int = 0
    width: int = 256

    def extract(self, word: int) -> int:
        """Return the field's value from its slot's word; signed values are sign-extended to 256 bits."""
        value = (word >> self.shift) & ((1 << self.width) - 1)
        if self.kind is ValueKind.INT and value >> (self.width - 1):
            value += WORD_LIMIT - (1 << self.width)
        return value


@dataclass(frozen=True, slots=True)
class Place:
    """What a slot means."""

    keys: tuple[Key, ...]
    parts: tuple[Part, ...]
    """The fields packed in it, at least one, the rightmost first."""
    named: bool
    """Whether the names come from a layout."""

    def __str__(self) -> str:
        keys = "".join(f"[{key}]" for key in self.keys)
        return ", ".join(f"{part.variable}{keys}{part.suffix}" for part in self.parts)


NEARBY: Final = 1 << 32
"""A slot at most this far behind a hash belongs to what the hash begins: a struct or an array."""
NAMED_BASES: Final = 1 << 16
"""A larger slot that no preimage explains is taken for a hash itself."""
ARRAY_BASES: Final = 256
"""Slots below are tried as those of dynamic arrays: compilers hash constant slots themselves, so that no
tracer sees it."""
_DEPTH: Final = 8
"""Mappings in mappings followed at most; hostile preimages may form long chains."""


class Places:
    """Resolves the slots of one contract; the same slot always gives the same place."""

    def __init__(self, preimages: Mapping[int, bytes], layout: Layout | None) -> None:
        self._preimages = dict(_hashed_bases())
        for base in layout.array_slots() if layout is not None else ():
            self._preimages.update([_hashed(base)])
        self._preimages |= {image: data for image, data in preimages.items() if len(data) >= 32}
        self._layout = layout
        self._known: dict[int, Place] = {}

    @cached_property
    def _images(self) -> list[int]:
        return sorted(self._preimages)

    def __getitem__(self, slot: int) -> Place:
        """Return what ``slot`` means; a slot that nothing explains keeps its number as its name."""
        if slot not in self._known:
            self._known[slot] = self._resolve(slot)
        return self._known[slot]

    def _resolve(self, slot: int) -> Place:
        root, steps = self._steps(slot)
        if self._layout is not None:
            place = self._layout.place(root, steps)
            if place is not None:
                return place
        return _unnamed(root, steps)

    def _steps(self, slot: int) -> tuple[int, list[tuple[Key | None, int]]]:
        """Return the base slot and, from there outwards, what was hashed: (key, offset behind the hash).

        The key is ``None`` for the data of a dynamic array, whose base was hashed alone.
        """
        steps: list[tuple[Key | None, int]] = []
        for _ in range(_DEPTH):
            at = bisect_right(self._images, slot) - 1
            image = self._images[at] if at >= 0 else -1
            if image < 0 or slot - image >= NEARBY or slot < NAMED_BASES:
                break
            data = self._preimages[image]
            key = None if len(data) == 32 else Key(data[:-32], ValueKind.WORD)
            steps.append((key, slot - image))
            slot = int.from_bytes(data[-32:], "big")
        return slot, steps[::-1]


def _hashed(base: int) -> tuple[int, bytes]:
    data = base.to_bytes(32, "big")
    return int.from_bytes(keccak(data), "big"), data


@cache
def _hashed_bases() -> tuple[tuple[int, bytes], ...]:
    return tuple(_hashed(base) for base in range(ARRAY_BASES))


def _unnamed(root: int, steps: list[tuple[Key | None, int]]) -> Place:
    # a short form would give different slots of one struct the same name
    base = str(root) if root < NAMED_BASES else f"{root:#066x}"
    if not steps:
        return Place((), (Part(f"slot{base}", "", ValueKind.WORD),), named=False)
    keys: list[Key] = []
    suffix = ""
    for key, offset in steps:
        if key is not None:
            keys.append(key)
            suffix = f"+{offset}" if offset else ""
        else:  # the stride is unknown without a layout: each slot is an element
            keys.append(Key(offset.to_bytes(32, "big"), ValueKind.UINT))
            suffix = ""
    name = f"mapping{base}" if steps[0][0] is not None else f"array{base}"
    return Place(tuple(keys), (Part(name, suffix, ValueKind.WORD),), named=False)
