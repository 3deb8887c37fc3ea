"""Many hashes at once are the same as one after another."""

from __future__ import annotations

import numpy as np
import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from specminer.history.hashing import MAX_LENGTH, keccak_all, keccak_many


@given(st.integers(0, MAX_LENGTH), st.integers(0, 40), st.integers(0, 1 << 32))
def test_hashes_are_those_of_one_text_alone(length: int, count: int, seed: int) -> None:
    texts = np.random.default_rng(seed).integers(0, 256, (count, length), dtype=np.uint8)
    expected = [keccak(text.tobytes()) for text in texts]
    assert keccak_many(texts).tobytes() == b"".join(expected)


def test_more_texts_than_are_hashed_together() -> None:
    texts = np.arange(20_000, dtype="<u4").view(np.uint8).reshape(-1, 4)
    found = keccak_many(texts)
    assert len(set(found.tolist())) == len(texts)
    for row in (0, 8_191, 8_192, 19_999):
        assert found[row] == keccak(texts[row].tobytes())


def test_texts_of_more_than_one_block_are_refused() -> None:
    with pytest.raises(ValueError, match="135 bytes"):
        keccak_many(np.zeros((1, MAX_LENGTH + 1), dtype=np.uint8))


@given(st.lists(st.integers(0, 300), max_size=20), st.integers(1, 200), st.integers(0, 1 << 32))
def test_texts_of_any_lengths(lengths: list[int], times: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [rng.bytes(length) for length in [*lengths, *[64] * times, *[0] * (times // 2)]]
    assert keccak_all(texts).tobytes() == b"".join(map(keccak, texts))
