"""Texts in one piece are read as if each was an object of its own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.texts import packed, read_windows, sizes_of
from specminer.history.words import from_integers, values_at


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=12), st.integers(0, 40), st.integers(1, 64))
def test_windows_are_slices_with_zeros_behind_the_end(items: list[bytes], start: int, width: int) -> None:
    rows = np.arange(len(items))[::-1].copy()
    wanted = [items[row][start : start + width].ljust(width, b"\0") for row in rows.tolist()]
    for texts in (packed(items), items):
        assert [bytes(row) for row in read_windows(texts, rows, start, width)] == wanted
        assert sizes_of(texts).tolist() == [len(item) for item in items]


def test_values_are_looked_up_by_row() -> None:
    words = [0, 7, (1 << 256) - 1]
    assert values_at(words, np.array([2, -1, 0, 2])) == [words[2], None, 0, words[2]]
    assert from_integers(words).dtype == "S32"
