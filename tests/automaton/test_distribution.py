"""A weighted automaton's words are a probability distribution."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.automaton import Automaton, AutomatonError, Distribution, from_edges
from tests.support.automata import SYMBOLS, automata, language, spelled, words


@st.composite
def distributions(draw: st.DrawFn) -> tuple[Automaton, dict[int, int]]:
    automaton = draw(automata())
    return automaton, {state: draw(st.integers(0, 9)) for state in sorted(automaton.states)}


@given(distributions())
def test_what_may_come_next_sums_to_one(given_: tuple[Automaton, dict[int, int]]) -> None:
    automaton, ends = given_
    distribution = Distribution(automaton, ends)
    for word in language(automaton, 3):
        belief = distribution.start
        for symbol in word:
            value, belief = distribution.follow(belief, symbol)
            assert 0 < value <= 1 + 1e-12
        assert belief.sum() == pytest.approx(1)
        assert distribution.stop(belief) + sum(distribution.events(belief).values()) == pytest.approx(1)


@given(distributions())
def test_words_and_longer_beginnings_sum_to_one(given_: tuple[Automaton, dict[int, int]]) -> None:
    automaton, ends = given_
    distribution = Distribution(automaton, ends)
    stopped = sum(distribution.probability(word) for word in words(3))
    going_on = sum(np.prod(distribution.probabilities(word)[:-1]) for word in words(4) if len(word) == 4)
    assert stopped + going_on == pytest.approx(1)


@given(distributions())
def test_what_is_not_accepted_is_impossible(given_: tuple[Automaton, dict[int, int]]) -> None:
    automaton, ends = given_
    distribution = Distribution(automaton, {state: count + 1 for state, count in ends.items()})
    for word in words(3):
        assert (distribution.probability(word) > 0) == spelled(automaton, word)


@given(distributions())
def test_a_word_has_the_sum_of_its_paths(given_: tuple[Automaton, dict[int, int]]) -> None:
    """The forward algorithm against every path by itself."""
    automaton, ends = given_
    distribution = Distribution(automaton, ends)
    leaving = {state: [e for e in automaton.transitions if e.source == state] for state in automaton.states}

    def paths(state: int, word: tuple[str, ...]) -> float:
        total = ends[state] + sum(edge.count for edge in leaving[state])
        if not word:
            return ends[state] / total if total else 1.0
        fitting = [edge for edge in leaving[state] if edge.symbol == word[0]]
        return sum(edge.count / total * paths(edge.target, word[1:]) for edge in fitting)

    for word in words(3):
        assert distribution.probability(word) == pytest.approx(paths(automaton.initial_state, word))


def test_bits_tell_where_the_surprise_is() -> None:
    # three of four interactions go on with a, one with b; after a everything stops
    automaton = from_edges([(0, "a", 1, 3), (0, "b", 2, 1)])
    distribution = Distribution(automaton, {1: 3, 2: 1})
    assert distribution.bits(["b"]) == [2.0, 0.0]
    assert distribution.bits([]) == [inf]
    assert distribution.bits(["c"])[0] == inf
    assert distribution.bits(["a", "a"])[1:] == [inf, inf]
    assert distribution.probability(["a"]) == pytest.approx(0.75)


def test_an_ambiguous_beginning_is_settled_by_what_follows() -> None:
    # a leads to two states; only one of them does b, so after "a b" there is no doubt left
    automaton = from_edges([(0, "a", 1, 1), (0, "a", 2, 1), (1, "b", 1, 2), (2, "c", 2, 2)])
    distribution = Distribution(automaton, {1: 1, 2: 1})
    _, belief = distribution.follow(distribution.start, "a")
    assert belief.tolist() == [0, 0.5, 0.5]
    _, belief = distribution.follow(belief, "b")
    assert belief.tolist() == [0, 1, 0]
    assert set(distribution.events(belief)) == {"b"} < set(SYMBOLS)


def test_a_state_where_nothing_was_seen_stops() -> None:
    distribution = Distribution(from_edges([(0, "a", 1, 1)]), {})
    assert distribution.probability(["a"]) == 1
    assert distribution.probability([]) == 0


@pytest.mark.parametrize("ends", [{7: 1}, {0: -1}])
def test_ends_that_cannot_be_are_refused(ends: dict[int, int]) -> None:
    with pytest.raises(AutomatonError, match="expected ends to count 0 or more in a state"):
        Distribution(from_edges([(0, "a", 1, 1)]), ends)
