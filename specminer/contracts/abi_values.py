"""Values from their ABI encoding, in a time that grows with the data alone.

Values of one word, byte strings and texts are decoded here; arrays and tuples by eth-abi, which is loaded only then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from specminer.contracts.artifact import MAX_DEPTH

_SENSELESS: Final = re.compile(r"\(\)|\[0+\]|[0-9]{21}", re.ASCII)
"""Types of no bytes, of which arrays could claim any length, and lengths that no data has."""
_MAX_ARRAYS: Final = 16
"""Arrays of arrays in one type: the parser's time grows with the square of them."""
_NUMBER: Final = re.compile(r"(u?)int([1-9][0-9]{0,2})", re.ASCII)
_BYTES: Final = re.compile(r"bytes([1-9][0-9]?)", re.ASCII)
_DYNAMIC: Final = frozenset({"bytes", "string"})
_WORD: Final = 32
_TEXTS: Final = 8
"""Arguments of type ``bytes`` or ``string`` that are decoded here; each may lead to all of the data."""


class _MalformedEncoding(ValueError):
    """Data is not the encoding of a value of its type."""


Reader = Callable[[bytes], Any]
"""Makes a value of one word; raises :class:`_MalformedEncoding`."""


def decode_values(types: Sequence[str], data: bytes, *, strict: bool = True) -> tuple[Any, ...] | None:
    """Return the values that data encodes; ``None`` if it does not fit the types.

    Args:
        types: canonical types, such as ``uint256`` or ``(address,bytes)[]``.
        data: the encoding; more bytes than the types take may follow.
        strict: whether dynamic values have to be complete, and their padding to be there and zero.

    Returns:
        Integers, booleans, bytes, text; addresses in lower case; sequences for arrays and tuples.

    """
    if all(kind in _DYNAMIC or _reader(kind) is not None for kind in types):
        if sum(kind in _DYNAMIC for kind in types) <= _TEXTS:
            return _plain_values(types, data, strict=strict)
    elif not all(map(_is_bounded, types)):
        return None
    return _by_library(types, data, strict=strict)


def _plain_values(types: Sequence[str], data: bytes, *, strict: bool) -> tuple[Any, ...] | None:
    """Decode values of one word each, byte strings and texts."""
    head = _WORD * len(types)
    if len(data) < head:
        return None
    values: list[Any] = []
    try:
        for index, kind in enumerate(types):
            word, read = data[_WORD * index : _WORD * (index + 1)], _reader(kind)
            values.append(_text(kind, data, word, head, strict=strict) if read is None else read(word))
    except ValueError:  # malformed, or no UTF-8
        return None
    return tuple(values)


def _text(kind: str, data: bytes, word: bytes, head: int, *, strict: bool) -> bytes | str:
    """Return the ``bytes`` or ``string`` to which a word leads, behind the head of the encoding."""
    begin = int.from_bytes(word, "big")
    if not head <= begin <= len(data) - _WORD:
        raise _MalformedEncoding
    size, begin = int.from_bytes(data[begin : begin + _WORD], "big"), begin + _WORD
    padded = size + -size % _WORD
    if strict and (begin + padded > len(data) or any(data[begin + size : begin + padded])):
        raise _MalformedEncoding
    content = data[begin : begin + size]
    return content if kind == "bytes" else content.decode()


@lru_cache(maxsize=1024)
def _reader(kind: str) -> Reader | None:
    """Return what reads a type of one word; ``None`` for any other."""
    if kind == "address":
        return lambda word: f"0x{_read_unsigned(word, 160).to_bytes(20, 'big').hex()}"
    if kind == "bool":
        return lambda word: bool(_read_unsigned(word, 1))
    if match := _BYTES.fullmatch(kind):
        size = int(match[1])
        return (lambda word: _pad(word, size)) if size <= _WORD else None
    if (match := _NUMBER.fullmatch(kind)) is None:
        return None
    bits = int(match[2])
    if bits > 256 or bits % 8:
        return None
    return (lambda word: _read_unsigned(word, bits)) if match[1] else (lambda word: _read_signed(word, bits))


def _read_unsigned(word: bytes, bits: int) -> int:
    number = int.from_bytes(word, "big")
    if number >> bits:
        raise _MalformedEncoding
    return number


def _read_signed(word: bytes, bits: int) -> int:
    number = int.from_bytes(word, "big", signed=True)
    if not -1 <= number >> (bits - 1) <= 0:
        raise _MalformedEncoding
    return number


def _pad(word: bytes, size: int) -> bytes:
    if any(word[size:]):
        raise _MalformedEncoding
    return word[:size]


@lru_cache(maxsize=1024)
def _is_bounded(kind: str) -> bool:
    """Return whether parser and decoder can be trusted with a type."""
    depth = arrays = 0
    for char in kind:
        depth += (char == "(") - (char == ")")
        arrays = 0 if char in "(," else arrays + (char == "[")
        if depth > MAX_DEPTH or arrays > _MAX_ARRAYS:
            return False
    return _SENSELESS.search(kind) is None


def _by_library(types: Sequence[str], data: bytes, *, strict: bool) -> tuple[Any, ...] | None:
    from eth_abi.exceptions import DecodingError, ParseError

    from specminer.contracts.abi_decoder import decode

    try:
        return decode(types, data, strict=strict)
    except (DecodingError, ParseError, OverflowError, ValueError, RecursionError, MemoryError):
        return None
