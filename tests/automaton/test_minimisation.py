"""The minimal automaton keeps the language, is the smallest, and is the same for each language."""

from __future__ import annotations

from hypothesis import given

from specminer.automaton import Automaton, equivalent, from_edges, minimise
from tests.support.automata import automata, language


def shape(automaton: Automaton) -> set[tuple[int, str, int]]:
    """Return an automaton without its counts."""
    return {(edge.source, edge.symbol, edge.target) for edge in automaton.transitions}


@given(automata())
def test_the_language_stays(automaton: Automaton) -> None:
    assert language(minimise(automaton)) == language(automaton)


@given(automata(states=3, edges=6))
def test_no_two_states_accept_the_same_words(automaton: Automaton) -> None:
    """Each state of a minimal automaton is a residual language of its own (Myhill and Nerode)."""
    made = minimise(automaton)
    assert made.deterministic
    size = len(made.states)  # words of this length tell any two states apart
    residuals = {
        frozenset(
            language(
                Automaton(states=made.states, transitions=made.transitions, initial_state=state),
                min(size, 4),
            )
        )
        for state in made.states
    }
    assert len(residuals) == size or size > 4


@given(automata(), automata())
def test_it_is_canonical(left: Automaton, right: Automaton) -> None:
    assert (shape(minimise(left)) == shape(minimise(right))) == equivalent(left, right)


@given(automata())
def test_minimising_twice_changes_nothing(automaton: Automaton) -> None:
    once = minimise(automaton)
    assert minimise(once) == once


@given(automata())
def test_all_events_stay_counted_in_a_deterministic_automaton(automaton: Automaton) -> None:
    made = minimise(automaton)
    assert sum(edge.count for edge in minimise(made).transitions) == sum(
        edge.count for edge in made.transitions
    )


def test_states_that_do_the_same_become_one() -> None:
    # after a or b, c may be repeated: the two ways need no two states
    automaton = from_edges([(5, "a", 7, 1), (5, "b", 9, 1), (7, "c", 7, 2), (9, "c", 9, 3)], 5)
    assert shape(minimise(automaton)) == {(0, "a", 1), (0, "b", 1), (1, "c", 1)}
