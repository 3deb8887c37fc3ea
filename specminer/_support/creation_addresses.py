"""Addresses of new contracts, and the little of RLP that they need."""

from __future__ import annotations

from collections.abc import Sequence

from specminer._support.keccak import keccak


def encode_integer(value: int) -> bytes:
    """Return an integer as RLP."""
    return encode_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encode_bytes(data: bytes) -> bytes:
    """Return bytes as RLP."""
    if len(data) == 1 and data[0] < 0x80:
        return data
    return _prefix(len(data), 0x80) + data


def encode_list(items: Sequence[bytes]) -> bytes:
    """Return a list of items that are RLP already as RLP."""
    data = b"".join(items)
    return _prefix(len(data), 0xC0) + data


def _prefix(size: int, base: int) -> bytes:
    if size < 56:
        return bytes([base + size])
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(length)]) + length


def creation_address(creator: int, nonce: int) -> int:
    """Return where CREATE, or a transaction without receiver, puts a contract."""
    text = encode_list([encode_bytes(creator.to_bytes(20, "big")), encode_integer(nonce)])
    return int.from_bytes(keccak(text)[-20:], "big")
