"""The notation of trace files: how bytes, words, amounts and numbers are written, and read with care."""

from __future__ import annotations

import re
from typing import Final

from specminer._support.errors import plain
from specminer.history.trace import WORD_LIMIT, Address, Word


class FieldError(ValueError):
    """A field holds the wrong thing."""


_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_WORD: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)


def to_hex(data: bytes) -> str:
    """Return bytes as a trace file has them."""
    return "0x" + data.hex()


def format_number(value: int) -> str:
    """Return a number for a message, however large it is."""
    return str(value) if value.bit_length() < 300 else f"a number of {value.bit_length()} bits"


def read_bytes(text: str, field: str, length: int | None = None) -> bytes:
    """Return bytes, ``length`` of them if it is given.

    Raises:
        FieldError: it is none.

    """
    if _HEX.fullmatch(text) and (length is None or len(text) == 2 + 2 * length):
        return bytes.fromhex(text[2:])
    expected = "hexadecimal bytes" if length is None else f"{length} hexadecimal bytes"
    raise FieldError(f"{field} should be 0x and {expected}, got {plain(text, 60)!r}")


def read_address(text: str, field: str) -> Address:
    """Return an address.

    Raises:
        FieldError: it is none.

    """
    return Address(read_bytes(text, field, 20))


def read_word(text: str, field: str) -> Word:
    """Return a word.

    Raises:
        FieldError: it is none.

    """
    if _WORD.fullmatch(text):
        return Word(int(text, 16))
    raise FieldError(f"{field} should be a hexadecimal word, got {plain(text, 80)!r}")


def read_amount(text: str, field: str) -> int:
    """Return an amount of wei.

    Raises:
        FieldError: it is none.

    """
    if text.isascii() and text.isdigit() and len(text) <= 78 and int(text) < WORD_LIMIT:
        return int(text)
    raise FieldError(f"{field} should be a decimal amount of wei as text, got {plain(text, 80)!r}")


_LONG: Final = 1 << 63
_SHORT: Final = 1 << 31


def read_count(value: int, field: str) -> int:
    """Return a number.

    Raises:
        FieldError: it is none.

    """
    if 0 <= value < _LONG:
        return value
    raise FieldError(f"{field} should be from 0 to 2**63 - 1, got {format_number(value)}")


def read_place(value: int, field: str) -> int:
    """Return a position.

    Raises:
        FieldError: it is none.

    """
    if 0 <= value < _SHORT:
        return value
    raise FieldError(f"{field} should be from 0 to 2**31 - 1, got {format_number(value)}")
