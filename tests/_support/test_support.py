"""The interval of a share that was counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.statistics import divergence, wilson


def counts() -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(0, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts())
def test_it_holds_the_share_and_lies_in_zero_to_one(case: tuple[int, int]) -> None:
    hits, trials = case
    low, high = wilson(hits, trials)
    assert 0 <= low <= high <= 1
    if trials:
        assert low - 1e-6 <= hits / trials <= high + 1e-6


@given(counts(), st.integers(2, 100))
def test_more_cases_of_the_same_share_tell_more(case: tuple[int, int], times: int) -> None:
    hits, trials = case
    low, high = wilson(hits, trials)
    closer = wilson(hits * times, trials * times)
    assert closer[1] - closer[0] <= high - low + 1e-6


@given(counts())
def test_the_opposite_has_the_opposite_interval(case: tuple[int, int]) -> None:
    hits, trials = case
    low, high = wilson(hits, trials)
    mirrored = wilson(trials - hits, trials)
    if trials:
        assert mirrored == pytest.approx((1 - high, 1 - low), abs=2e-6)


def test_known_values() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10) == pytest.approx((0.722467, 1.0), abs=1e-5)
    assert wilson(50, 100) == pytest.approx((0.403832, 0.596168), abs=1e-5)


@pytest.mark.parametrize(("hits", "trials"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= hits <= trials but got"):
        wilson(hits, trials)


@given(st.floats(0, 1), st.floats(0.001, 0.999))
def test_a_share_differs_from_the_expected_one_unless_it_is_the_same(share: float, expected: float) -> None:
    assert divergence(share, expected) >= -1e-9
    assert divergence(expected, expected) == pytest.approx(0)


def test_known_differences() -> None:
    assert divergence(1, 0.5) == 1
    assert divergence(0, 0.75) == 2
    assert divergence(0.5, 0.25) == pytest.approx(0.207519, abs=1e-6)


@pytest.mark.parametrize(("share", "expected"), [(1.1, 0.5), (-0.1, 0.5), (0.5, 0), (0.5, 1)])
def test_impossible_shares_are_refused(share: float, expected: float) -> None:
    with pytest.raises(ValueError, match="expected shares between 0 and 1"):
        divergence(share, expected)
