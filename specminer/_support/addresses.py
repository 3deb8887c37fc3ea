"""Addresses as people read them."""

from __future__ import annotations

from functools import lru_cache

from eth_utils.address import to_checksum_address


@lru_cache(maxsize=1 << 14)
def checksum_address(address: bytes | str) -> str:
    """Return an address with the checksum of EIP-55 in its letters; the usual ones are remembered."""
    return to_checksum_address(address)
