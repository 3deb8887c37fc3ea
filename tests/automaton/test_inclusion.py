"""Inclusion and equivalence agree with brute force, and the words they name are the first ones."""

from __future__ import annotations

import pytest
from hypothesis import given

from specminer.automaton import (
    Automaton,
    AutomatonTooLarge,
    distinguishing_word,
    equivalent,
    from_edges,
    includes,
    intersection,
    missing_word,
    union,
)
from tests.support.automata import LENGTH, automata, exponential, language, spelled


@given(automata(), automata())
def test_inclusion_agrees_with_brute_force(smaller: Automaton, larger: Automaton) -> None:
    missing = sorted(language(smaller) - language(larger), key=lambda word: (len(word), word))
    found = missing_word(smaller, larger)
    if missing:
        assert found == missing[0]
    elif found is not None:
        assert len(found) > LENGTH
        assert spelled(smaller, found)
        assert not spelled(larger, found)
    assert includes(larger, smaller) == (found is None)


@given(automata(), automata())
def test_the_distinguishing_word_is_the_first(left: Automaton, right: Automaton) -> None:
    different = sorted(language(left) ^ language(right), key=lambda word: (len(word), word))
    found = distinguishing_word(left, right)
    if different:
        assert found == different[0]
    elif found is not None:
        assert len(found) > LENGTH
        assert spelled(left, found) != spelled(right, found)
    assert distinguishing_word(right, left) == found


@given(automata(states=3, edges=6, symbols=2), automata(states=3, edges=6, symbols=2), automata(states=2))
def test_equivalence_is_an_equivalence(left: Automaton, middle: Automaton, right: Automaton) -> None:
    assert equivalent(left, left)
    assert equivalent(left, middle) == equivalent(middle, left)
    if equivalent(left, middle) and equivalent(middle, right):
        assert equivalent(left, right)


@given(automata(), automata(), automata())
def test_inclusion_is_an_order_with_these_bounds(left: Automaton, right: Automaton, other: Automaton) -> None:
    both, either = intersection(left, right), union(left, right)
    assert includes(left, both)
    assert includes(right, both)
    assert includes(either, left)
    assert includes(either, right)
    if includes(left, right) and includes(right, other):
        assert includes(left, other)
    if includes(left, other) and includes(right, other):
        assert includes(both, other)


def test_the_shortest_word_wins_over_the_smallest() -> None:
    left = from_edges([(0, "a", 0, 1), (0, "b", 1, 1), (1, "b", 2, 1)])
    right = from_edges([(0, "a", 1, 1), (1, "a", 2, 1), (0, "b", 3, 1)])
    assert missing_word(left, right) == ("a", "b")


def test_automata_whose_determinisation_blows_up_are_compared() -> None:
    """Antichains and simulation need few sets where the subset construction needs 2^30."""
    assert equivalent(exponential(30), exponential(30), limit=20_000)
    first, other = exponential(10), exponential(9)
    word = distinguishing_word(first, other)
    assert word is not None
    assert len(word) == 10
    assert first.accepts(word) != other.accepts(word)


def test_a_search_that_grows_too_large_is_given_up() -> None:
    with pytest.raises(AutomatonTooLarge, match="comparing the languages was given up after 3 steps"):
        distinguishing_word(exponential(30), exponential(29), limit=3)
