"""What precompiled contracts answered, where a recording does not show it: from memory, computed, or not known."""

from __future__ import annotations

from hashlib import sha256

import pytest

from specminer.history.trace import Address
from specminer.sources.precompiled_answers import precompiled_answer

# the example of EIP-2 tools: a signature by the key 1 of the hash of nothing in particular
DIGEST = bytes.fromhex("18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c")
SIGNATURE = (
    DIGEST
    + (28).to_bytes(32, "big")
    + bytes.fromhex("73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f")
    + bytes.fromhex("eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549")
)
SIGNER = bytes(12) + bytes.fromhex("a94f5374fce5edbc8e2a8697c15331677e6ebf0b")
"""An example of the tests of go-ethereum (ecRecover)."""
DIRT = b"\x77" * 32


def contract(number: int) -> Address:
    return Address(number.to_bytes(20, "big"))


def test_a_hash_is_computed_whether_or_not_memory_shows_it() -> None:
    digest = sha256(b"abc").digest()
    for before, after in ((b"", b""), (DIRT, digest), (DIRT + DIRT, digest + DIRT), (DIRT[:8], digest[:8])):
        assert precompiled_answer(contract(2), b"abc", before, after) == digest


@pytest.mark.parametrize(
    ("before", "after"),
    [(DIRT, DIRT), (b"\0" * 32, b"\1" * 32), (DIRT * 2, sha256(b"abc").digest() + b"\1" * 32)],
)
def test_what_contradicts_memory_is_not_known(before: bytes, after: bytes) -> None:
    """Chains may have other contracts there."""
    assert precompiled_answer(contract(2), b"abc", before, after) is None


def test_copied_bytes_are_the_calldata_of_any_length() -> None:
    data = bytes(range(256)) * 20
    assert precompiled_answer(contract(4), data, DIRT, data[:32]) == data
    assert precompiled_answer(contract(4), b"", DIRT, DIRT) == b""


def test_a_signer_is_read_from_memory_or_recovered_or_nobody() -> None:
    assert precompiled_answer(contract(1), SIGNATURE, DIRT, SIGNER) == SIGNER
    assert precompiled_answer(contract(1), SIGNATURE, SIGNER, SIGNER) == SIGNER
    assert precompiled_answer(contract(1), SIGNATURE, b"", b"") == SIGNER
    assert precompiled_answer(contract(1), bytes(128), DIRT, DIRT) == b""


def test_other_answers_are_known_where_there_was_room_for_them() -> None:
    for number, size in ((6, 64), (8, 32), (9, 64), (11, 128), (17, 256)):
        shown = DIRT * (size // 32)
        assert precompiled_answer(contract(number), b"x", bytes(size), shown) == shown
        assert precompiled_answer(contract(number), b"x", bytes(size + 32), shown + bytes(32)) == shown
        assert precompiled_answer(contract(number), b"x", bytes(size - 1), shown[:-1]) is None
    data = bytes(64) + (5).to_bytes(32, "big")
    assert precompiled_answer(contract(5), data, bytes(32), b"\1\2\3\4\5" + bytes(27)) == b"\1\2\3\4\5"
    assert precompiled_answer(contract(5), bytes(64) + DIRT, b"", b"") is None


@pytest.mark.parametrize("number", [0x12, 0x64, 0x100, 0x1FF])
def test_what_only_some_chains_have_is_not_known(number: int) -> None:
    assert precompiled_answer(contract(number), b"x", bytes(32), DIRT) is None
