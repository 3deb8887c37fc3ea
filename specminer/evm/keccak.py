"""KECCAK256, by ``pycryptodome``: importing that takes a tenth of the time of what wraps it."""

from __future__ import annotations

from Crypto.Hash import keccak as _keccak


def keccak(data: bytes) -> bytes:
    """Return the 32 bytes of a hash."""
    return _keccak.new(digest_bits=256, data=data).digest()
