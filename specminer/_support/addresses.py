"""Addresses as people read them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from specminer._support.keccak import keccak

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


def is_address(text: str) -> bool:
    """Whether a text has the form of an address."""
    return _ADDRESS.fullmatch(text) is not None


def ends_of(text: str) -> str:
    """Return the ends of an address, a hash or another long number: ``0xf39F…2266``."""
    return f"{text[:6]}…{text[-4:]}"


@lru_cache(maxsize=1 << 14)
def checksum_address(address: bytes | str) -> str:
    """Return an address with the checksum of EIP-55 in its letters; the usual ones are remembered.

    A letter is a capital one where the same digit of the hash of the lower-case digits is 8 or more.

    Args:
        address: 20 bytes, or 0x and 40 hexadecimal digits.

    """
    digits = address.hex() if isinstance(address, bytes) else address[2:].lower()
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if mark > "7" else digit for digit, mark in zip(digits, hashed, strict=False)
    )
