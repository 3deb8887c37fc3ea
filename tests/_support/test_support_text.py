"""Texts that every layer uses: counts, suggestions and names told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.text import (
    UniqueNames,
    count_of,
    join_words,
    list_some,
    nearest,
    show_number,
    suggest,
    unique_names,
)


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("call",), "0 calls"),
        (1, ("call",), "1 call"),
        (1_329, ("call",), "1,329 calls"),
        (1, ("history", "histories"), "1 history"),
        (2, ("history", "histories"), "2 histories"),
        (None, ("call",), "? calls"),
    ],
)
def test_a_number_stands_with_its_noun(number: int | None, words: tuple[str, ...], text: str) -> None:
    assert count_of(number, *words) == text


def test_the_most_similar_name_is_suggested() -> None:
    assert suggest("ballance", ["owner", "balance", "balances"], "none") == "did you mean 'balance'?"
    assert nearest("ballance", ["owner", "balance", "balances"], count=3) == ["balance", "balances"]


def test_where_nothing_is_similar_something_else_is_said() -> None:
    assert suggest("zzz", ["owner"], "there is owner") == "there is owner"
    assert suggest("zzz", []) == ""


def test_a_suggested_name_cannot_write_to_the_terminal() -> None:
    assert suggest("owner", ["owne\x1b"]) == r"did you mean 'owne\x1b'?"


@given(st.lists(st.sampled_from(["x", "y", "x #2", "x #3", "x #2 #2"]), max_size=12))
def test_names_told_apart_are_unique_and_the_first_of_each_stays(names: list[str]) -> None:
    shown = unique_names(names)
    assert len(set(shown)) == len(shown) == len(names)
    assert shown[:1] == names[:1]
    assert all(one == other or one.startswith(f"{other} #") for one, other in zip(shown, names, strict=True))


def test_what_is_taken_is_not_given_out() -> None:
    names = UniqueNames(["x"])
    assert "x" in names
    assert "y" not in names
    assert [names.add(name) for name in ("x", "x", "y")] == ["x #2", "x #3", "y"]
    assert names.add("y", lambda name, number: name + "_" * (number - 1)) == "y_"
    assert "y_" in names


def test_what_a_list_leaves_out_is_counted() -> None:
    assert list_some(["a", "b"], 2) == "a, b"
    assert list_some(["a", "b"], 1_002) == "a, b and 1,000 more"
    assert list_some(["a", "b"], 3, ", …") == "a, b, …"
    assert list_some([], 0) == ""


def test_the_last_of_several_words_stands_behind_a_conjunction() -> None:
    assert join_words(["a"], "and") == "a"
    assert join_words(["a", "b"], "or") == "a or b"
    assert join_words(["a", "b", "c"], "and") == "a, b and c"


def test_a_number_that_is_not_known_is_a_question_mark() -> None:
    assert [show_number(None), show_number(1_329), show_number(0.256, ".0%")] == ["?", "1,329", "26%"]
