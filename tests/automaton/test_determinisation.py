"""The deterministic automaton accepts the same words, and gives up instead of filling the memory."""

from __future__ import annotations

import pytest
from hypothesis import given

from specminer.automaton import Automaton, AutomatonTooLarge, determinise, from_edges
from tests.support.automata import automata, exponential, language


@given(automata())
def test_the_language_stays(automaton: Automaton) -> None:
    made = determinise(automaton)
    assert made.deterministic
    assert made.initial_state == 0
    assert language(made) == language(automaton)


@given(automata())
def test_it_is_no_larger_than_the_subsets(automaton: Automaton) -> None:
    assert len(determinise(automaton).states) < 2 ** len(automaton.states)


def test_counts_are_those_of_what_a_transition_stands_for() -> None:
    # a leads to two states, which both do b
    automaton = from_edges([(0, "a", 1, 2), (0, "a", 2, 3), (1, "b", 1, 5), (2, "b", 2, 7)])
    counts = {edge.symbol: edge.count for edge in determinise(automaton).transitions}
    assert counts == {"a": 5, "b": 12}


def test_a_blow_up_is_given_up_with_advice() -> None:
    assert len(determinise(exponential(8)).states) >= 2**8
    with pytest.raises(AutomatonTooLarge, match=r"given up after 1,000 steps; simplify") as caught:
        determinise(exponential(40), limit=1_000)
    assert caught.value.limit == 1_000
