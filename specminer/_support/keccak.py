"""KECCAK-256, Ethereum's hash."""

from __future__ import annotations

from Crypto.Hash import keccak as _keccak


def keccak(data: bytes) -> bytes:
    """Return the 32 bytes of the hash of some data.

    Straight from pycryptodome: through eth-utils, a command would load seven more packages before it begins.
    """
    return _keccak.new(digest_bits=256, data=data).digest()
