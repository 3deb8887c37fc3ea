"""Values are decoded as eth-abi does, whatever the data."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak as reference_keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer._support.addresses import checksum_address
from specminer._support.keccak import keccak
from specminer.contracts import abi_values
from specminer.contracts.abi_values import decode_values

KINDS = (
    "uint256", "uint8", "uint96", "int256", "int8", "int128", "address", "bool", "bytes32", "bytes4", "bytes1",
    "bytes", "string",
)  # fmt: skip
WORDS = st.one_of(
    st.integers(0, 70).map(lambda number: number.to_bytes(32, "big")),
    st.integers(-130, -1).map(lambda number: number.to_bytes(32, "big", signed=True)),
    st.binary(min_size=20, max_size=20).map(lambda address: address.rjust(32, b"\0")),
    st.binary(min_size=4, max_size=4).map(lambda piece: piece.ljust(32, b"\0")),
    st.binary(min_size=32, max_size=32),
)


def by_library(kinds: list[str], data: bytes, *, strict: bool) -> tuple[Any, ...] | None:
    return abi_values._by_library(kinds, data, strict=strict)


@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=5),
    words=st.lists(WORDS, max_size=9),
    rest=st.binary(max_size=31),
    strict=st.booleans(),
)
@settings(max_examples=600, deadline=None)
def test_any_data_is_decoded_as_the_library_does(
    kinds: list[str], words: list[bytes], rest: bytes, *, strict: bool
) -> None:
    data = b"".join(words) + rest
    assert decode_values(kinds, data, strict=strict) == by_library(kinds, data, strict=strict)


@given(
    number=st.integers(-(1 << 127), (1 << 127) - 1), text=st.text(max_size=70), blob=st.binary(max_size=70)
)
@settings(max_examples=100, deadline=None)
def test_what_was_encoded_is_decoded(number: int, text: str, blob: bytes) -> None:
    kinds = ["int128", "string", "bytes", "bool"]
    assert decode_values(kinds, encode(kinds, (number, text, blob, True))) == (number, text, blob, True)


@pytest.mark.parametrize("kind", ["uint257", "uint7", "uint0", "int264", "bytes33", "bytes0", "nonsense", ""])
def test_types_that_there_are_not_decode_to_nothing(kind: str) -> None:
    assert decode_values([kind], bytes(64)) is None


def test_many_texts_go_to_the_library() -> None:
    kinds = ["bytes"] * 9
    data = (9 * 32).to_bytes(32, "big") * 9 + (1).to_bytes(32, "big") + b"\1".ljust(32, b"\0")
    assert decode_values(kinds, data) == (b"\1",) * 9


@given(address=st.binary(min_size=20, max_size=20))
def test_addresses_have_their_checksum(address: bytes) -> None:
    assert checksum_address(address) == to_checksum_address(address)
    assert checksum_address(f"0x{address.hex()}") == checksum_address(address)
    assert is_checksum_address(checksum_address(address))


@given(data=st.binary(max_size=300))
def test_the_hash_is_keccak(data: bytes) -> None:
    assert keccak(data) == reference_keccak(data)
