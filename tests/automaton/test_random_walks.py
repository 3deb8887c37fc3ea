"""Random walks spell accepted words, visit every edge, and end as the yardstick says."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.automaton import Automaton, Word, from_edges, random_walks, reachable
from specminer.automaton.walk import VISITS, WALKS
from tests.support.automata import automata


@settings(max_examples=40)
@given(automata(), st.integers(0, 5))
def test_each_walk_is_a_word_of_the_language(automaton: Automaton, seed: int) -> None:
    drawn = random_walks(automaton, seed)
    assert all(automaton.accepts(word) for word in set(drawn))
    assert drawn == random_walks(automaton, seed)
    assert 1 <= len(drawn) <= WALKS


@settings(max_examples=40)
@given(automata())
def test_no_walk_is_longer_than_allowed(automaton: Automaton) -> None:
    edges = len(reachable(automaton).transitions)
    longest = max(map(len, random_walks(automaton, 0)))
    assert 2 * longest + 1 <= 20 * min(edges, 20) + 1


def visits(drawn: tuple[Word, ...], automaton: Automaton) -> Counter[tuple[int, str]]:
    """Count the edges of a deterministic automaton that words go along."""
    found: Counter[tuple[int, str]] = Counter()
    for word in drawn:
        state = automaton.initial_state
        for symbol in word:
            found[state, symbol] += 1
            (state,) = automaton.successors(state, symbol)
    return found


def test_every_edge_of_a_small_automaton_is_visited_often_enough_and_no_walk_more() -> None:
    automaton = from_edges([(0, "a", 1, 1), (0, "b", 0, 1), (1, "c", 0, 1), (1, "d", 2, 1)])
    for seed in range(20):
        drawn = random_walks(automaton, seed)
        counted = visits(drawn, automaton)
        assert min(counted.values()) >= VISITS
        before_the_last = visits(drawn[:-1], automaton)
        assert min(before_the_last[key] for key in before_the_last) < VISITS


def test_a_walk_ends_where_nothing_leaves() -> None:
    assert set(random_walks(from_edges([(0, "a", 1, 1), (1, "b", 2, 1)]), 0)) == {("a", "b")}
    assert random_walks(from_edges([]), 0) == ((),)


def test_a_walk_ends_when_a_pair_comes_up_for_the_third_time() -> None:
    assert set(random_walks(from_edges([(0, "a", 0, 1)]), 0)) == {("a", "a", "a")}
    # the pair is the symbol and the state it leads to: two symbols into one state are two pairs
    turn = from_edges([(0, "a", 1, 1), (1, "b", 0, 1)])
    assert set(random_walks(turn, 0)) == {("a", "b", "a", "b", "a")}


def test_long_ways_are_cut_by_the_number_of_edges() -> None:
    chain = from_edges([(state, "a", state + 1, 1) for state in range(30)])
    assert {len(word) for word in random_walks(chain, 0)} == {30}
    # 400 states in a row: 20 edges count at most, so a walk has 200 symbols
    longer = from_edges([(state, "a", state + 1, 1) for state in range(400)])
    assert {len(word) for word in random_walks(longer, 0)} == {200}


def test_symbols_are_drawn_before_targets() -> None:
    # b has one edge and a nine, yet each symbol is drawn half of the time
    automaton = from_edges([(0, "a", target, 1) for target in range(1, 10)] + [(0, "b", 10, 1)])
    drawn = [word for seed in range(60) for word in random_walks(automaton, seed)[:20]]
    assert drawn.count(("b",)) / len(drawn) == pytest.approx(0.5, abs=0.06)


def test_a_worn_edge_is_taken_half_as_often() -> None:
    # after b's 20 visits a still has fresh edges, and b's share falls from 1/2 to (1/4) / (3/4) = 1/3
    automaton = from_edges([(0, "a", target, 1) for target in range(1, 40)] + [(0, "b", 40, 1)])
    later: list[Word] = []
    for seed in range(30):
        drawn = random_walks(automaton, seed)
        worn = [place for place, word in enumerate(drawn) if word == ("b",)][VISITS - 1] + 1
        later += drawn[worn : worn + 200]
    assert later.count(("b",)) / len(later) == pytest.approx(1 / 3, abs=0.03)


def test_an_edge_hardly_ever_taken_does_not_keep_the_sampling_going_for_ever() -> None:
    # twelve times in a row the other of two symbols leads back: some deep edge is seen, but not 20 times
    edges = [(state, "a", state + 1, 1) for state in range(16)]
    edges += [(state, "b", 100, 1) for state in range(16)]
    assert max(len(random_walks(from_edges(edges), seed)) for seed in range(3)) <= WALKS
