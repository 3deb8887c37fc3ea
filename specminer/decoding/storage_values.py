"""Values and keys as far as they are compared and printed, and how far slots may lie from what was hashed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import plain
from specminer.history.trace import WORD_LIMIT


class ValueKind(Enum):
    """The type of a value as far as comparing and printing need it."""

    BOOL = "bool"
    UINT = "uint"
    INT = "int"
    """Signed; words hold two's complement already sign-extended to 256 bits."""
    ADDRESS = "address"
    BYTES = "bytes"
    TEXT = "text"
    """The slot of a ``string`` or of ``bytes`` of any length, as solc keeps it; see :func:`short_text`."""
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
            return checksum_address((word % (1 << 160)).to_bytes(20, "big"))
        if self.kind is ValueKind.TEXT:
            return self._text(word)
        if self.kind is ValueKind.BYTES or (self.kind is ValueKind.WORD and word >= 1 << 64):
            return "0x" + self.data.hex()
        if self.kind is ValueKind.BOOL:
            return "true" if word else "false"
        if self.kind is ValueKind.INT and word >= WORD_LIMIT >> 1:
            return str(word - WORD_LIMIT)
        return str(word)

    def _text(self, word: int) -> str:
        """Return what a slot with a text holds."""
        text = short_text(word)
        if text is not None:
            return repr(plain(text, 60))
        return f"a text of {word // 2:,} bytes" if _is_long(word) else f"0x{self.data.hex()}"


def short_text(word: int) -> str | None:
    """Return the text in a slot, up to 31 bytes of UTF-8; ``None`` if it is longer, or no text.

    The text stands at the left, twice its number of bytes in the last one. Of a longer one the slot holds twice the
    number and one more. Source: Solidity's documentation, layout of bytes and string in storage.
    """
    length = (word & 0xFF) // 2
    data = word.to_bytes(32, "big")
    if word & 1 or length > 31 or any(data[length:31]):
        return None
    try:
        return data[:length].decode("utf-8")
    except UnicodeDecodeError:
        return None


def text_word(text: str) -> int | None:
    """Return how a slot holds a text; ``None`` if it has more than 31 bytes."""
    data = text.encode("utf-8", "replace")
    if len(data) > 31:
        return None
    return int.from_bytes(data.ljust(31, b"\0"), "big") << 8 | 2 * len(data)


def _is_long(word: int) -> bool:
    return bool(word & 1) and 31 < word // 2 < 1 << 64


NEARBY: Final = 1 << 32
"""A slot at most this far behind a hash belongs to what the hash begins: a struct or an array."""
NAMED_BASES: Final = 1 << 16
"""A larger slot that no preimage explains is taken for a hash itself."""
ARRAY_BASES: Final = 256
"""Slots below are tried as those of dynamic arrays: compilers hash constant slots themselves, so that no
tracer sees it."""
