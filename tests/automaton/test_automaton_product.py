"""Intersection and union accept what both and what one of both accept; silent moves make no sound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specminer.automaton import Automaton, from_edges, intersection, reachable, union, without_silent_moves
from tests.support.automata import LENGTH, automata, language, spelled, words


@given(automata(), automata())
def test_the_intersection_accepts_what_both_accept(left: Automaton, right: Automaton) -> None:
    made = intersection(left, right)
    for word in words(LENGTH - 1):
        assert made.accepts(word) == (spelled(left, word) and spelled(right, word))


@given(automata(), automata())
def test_the_union_accepts_what_one_accepts(left: Automaton, right: Automaton) -> None:
    made = union(left, right)
    for word in words(LENGTH - 1):
        assert made.accepts(word) == (spelled(left, word) or spelled(right, word))


@given(automata(), automata())
def test_counts_of_the_intersection_are_the_smaller_ones(left: Automaton, right: Automaton) -> None:
    largest = max((edge.count for edge in left.transitions), default=0)
    assert all(edge.count <= largest for edge in intersection(left, right).transitions)
    itself = intersection(left, left)
    assert {edge.count for edge in itself.transitions} <= {edge.count for edge in left.transitions}


@given(automata())
def test_what_cannot_be_reached_does_not_matter(automaton: Automaton) -> None:
    made = reachable(automaton)
    assert language(made) == language(automaton)
    assert reachable(made) == made
    assert made.states <= automaton.states


@given(automata(states=4, edges=8))
def test_silent_moves_are_erased_from_the_words(automaton: Automaton) -> None:
    """With "c" silent, a word is accepted if some way of putting c's into it is."""
    heard = [edge for edge in automaton.transitions if edge.symbol != "c"]
    silent = [(edge.source, edge.target) for edge in automaton.transitions if edge.symbol == "c"]
    kept = Automaton(states=automaton.states, transitions=tuple(heard), initial_state=automaton.initial_state)
    made = without_silent_moves(kept, silent)
    erased = {tuple(symbol for symbol in word if symbol != "c") for word in language(automaton, 7)}
    assert {word for word in erased if len(word) <= 1} <= language(made, 1)
    for word in language(made, 1):  # at most three c's are needed before each of four states
        assert word in erased


@given(automata(), st.integers(0, 3))
def test_silent_loops_change_nothing(automaton: Automaton, state: int) -> None:
    assert without_silent_moves(automaton, [(state, state)]) == reachable(
        Automaton(
            states=automaton.states,
            transitions=tuple(
                sorted(automaton.transitions, key=lambda edge: (edge.source, edge.symbol, edge.target))
            ),
            initial_state=automaton.initial_state,
        )
    )


def test_a_silent_way_round_is_followed_to_its_end() -> None:
    automaton = from_edges([(0, "a", 1, 1), (3, "b", 4, 2)])
    made = without_silent_moves(automaton, [(1, 2), (2, 3), (3, 1)])
    assert made.accepts(["a", "b"])
    assert not made.accepts(["b"])
