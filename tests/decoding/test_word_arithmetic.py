"""Arithmetic on columns of 256-bit words is that of integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.decoding.location_columns import Field
from specminer.decoding.storage_values import ValueKind
from specminer.history.words import from_limbs, integer_limbs, to_integers
from specminer.inference import limb_arithmetic as values

LIMIT = 1 << 256
EDGES = (0, 1, (1 << 64) - 1, 1 << 64, (1 << 128) - 1, 1 << 128, (1 << 255) - 1, 1 << 255, LIMIT - 1)
words = st.sampled_from(EDGES) | st.integers(0, LIMIT - 1)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=8)


def column(numbers: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    return integer_limbs(numbers)


def signed(word: int) -> int:
    return word - LIMIT if word >> 255 else word


@given(pairs)
def test_sums_and_differences_wrap_around(cases: list[tuple[int, int]]) -> None:
    one, other = column([left for left, _ in cases]), column([right for _, right in cases])
    assert to_integers(from_limbs(values.plus(one, other))) == [(a + b) % LIMIT for a, b in cases]
    assert to_integers(from_limbs(values.minus(one, other))) == [(a - b) % LIMIT for a, b in cases]


@given(pairs)
def test_order_and_equality(cases: list[tuple[int, int]]) -> None:
    one, other = column([left for left, _ in cases]), column([right for _, right in cases])
    assert values.less(one, other).tolist() == [a < b for a, b in cases]
    assert values.less(one, other, signed=True).tolist() == [signed(a) < signed(b) for a, b in cases]
    assert values.same(one, other).tolist() == [a == b for a, b in cases]
    assert values.is_zero(one).tolist() == [a == 0 for a, _ in cases]
    assert [values.to_integer(row) for row in one] == [a for a, _ in cases]


@given(
    st.lists(words, min_size=1, max_size=8),
    st.integers(0, 31),
    st.integers(1, 32),
    st.sampled_from([ValueKind.UINT, ValueKind.INT]),
)
def test_fields_are_taken_out_as_one_by_one(
    numbers: list[int], first: int, size: int, kind: ValueKind
) -> None:
    width = 8 * min(size, 32 - first)
    field = Field("x", kind, shift=8 * first, width=width)
    found = values.extract_field(column(numbers), field)
    assert to_integers(from_limbs(found)) == [field.extract(number) for number in numbers]


@given(st.lists(st.tuples(words, words, st.integers(0, 3)), min_size=1, max_size=40))
def test_sums_of_differences_are_exact_and_have_one_form(cases: list[tuple[int, int, int]]) -> None:
    left, found = column([case[0] for case in cases]), column([case[1] for case in cases])
    group = np.array([case[2] for case in cases], dtype=np.int64)
    groups, digits = values.sum_groups(values.differences(left, found), group)
    expected = dict.fromkeys(sorted(set(group.tolist())), 0)
    for new, old, number in cases:
        expected[number] += new - old
    assert groups.tolist() == list(expected)
    for row, total in zip(digits.tolist(), expected.values(), strict=True):
        assert sum(digit << (32 * (7 - place)) for place, digit in enumerate(row)) == total
        assert all(0 <= digit < 1 << 32 for digit in row[1:])
    assert digits.any(axis=1).tolist() == [total != 0 for total in expected.values()]


def test_nothing_is_an_empty_column() -> None:
    assert integer_limbs([]).shape == (0, 4)
    groups, digits = values.sum_groups(np.zeros((0, 8), dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert (len(groups), len(digits)) == (0, 0)


def test_an_impossible_word_is_refused() -> None:
    with pytest.raises(OverflowError):
        integer_limbs([LIMIT])
