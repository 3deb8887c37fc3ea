"""Bisimulation: the coarsest one, found as by definition; it implies simulation, which implies inclusion."""

from __future__ import annotations

import pytest
from hypothesis import given

from specminer.automaton import (
    Automaton,
    AutomatonTooLarge,
    bisimilar,
    determinise,
    distinguishing_word,
    equivalent,
    from_edges,
    includes,
    quotient,
    reachable,
    simulates,
)
from specminer.automaton.partition import bisimulation_classes
from tests.support.automata import automata


def naive_classes(automaton: Automaton) -> list[int]:
    """Split by what states do and where to, until nothing splits: the definition, in quadratic time."""
    ids = automaton.columns.ids
    classes = dict.fromkeys(ids, 0)
    while True:
        signatures = {
            state: (
                classes[state],
                frozenset(
                    (edge.symbol, classes[edge.target])
                    for edge in automaton.transitions
                    if edge.source == state
                ),
            )
            for state in ids
        }
        number: dict[object, int] = {}
        finer = {state: number.setdefault(signatures[state], len(number)) for state in ids}
        if len(set(finer.values())) == len(set(classes.values())):
            return [finer[state] for state in ids]
        classes = finer


@given(automata(states=12, edges=30, symbols=2))
def test_the_classes_are_those_of_the_definition(automaton: Automaton) -> None:
    assert bisimulation_classes(automaton.columns).tolist() == naive_classes(automaton)


@given(automata(states=6, edges=12))
def test_the_quotient_is_bisimilar_and_smallest(automaton: Automaton) -> None:
    made = quotient(automaton)
    assert bisimilar(made, automaton)
    assert equivalent(made, automaton)
    assert len(made.states) == len(set(naive_classes(reachable(automaton))))
    assert quotient(made) == made


@given(automata(states=6, edges=12))
def test_the_quotient_loses_no_count(automaton: Automaton) -> None:
    kept = reachable(automaton)
    assert sum(edge.count for edge in quotient(automaton).transitions) == sum(
        edge.count for edge in kept.transitions
    )


@given(automata(states=3, edges=5, symbols=2), automata(states=3, edges=5, symbols=2))
def test_each_relation_implies_the_next(left: Automaton, right: Automaton) -> None:
    if bisimilar(left, right):
        assert simulates(left, right)
        assert simulates(right, left)
    if simulates(left, right):
        assert includes(left, right)


@given(automata(states=3, edges=5, symbols=2), automata(states=3, edges=5, symbols=2))
def test_among_deterministic_automata_they_are_one(left: Automaton, right: Automaton) -> None:
    left, right = determinise(left), determinise(right)
    assert bisimilar(left, right) == equivalent(left, right)
    assert simulates(left, right) == includes(left, right)


def test_equal_languages_need_not_be_bisimilar() -> None:
    # choosing before a or after a: the same words, but the choice is made at another time
    early = from_edges([(0, "a", 1, 1), (0, "a", 2, 1), (1, "b", 3, 1), (2, "c", 3, 1)])
    late = from_edges([(0, "a", 1, 1), (1, "b", 2, 1), (1, "c", 2, 1)])
    assert equivalent(early, late)
    assert not bisimilar(early, late)
    assert simulates(late, early)
    assert not simulates(early, late)


def test_a_simulation_that_grows_too_large_is_given_up_and_not_needed() -> None:
    """A chain follows a longer one up to its end, which each of its states has to learn from the next."""
    edges = [(state, "a", state + 1, 1) for state in range(60)]
    longer = from_edges([*edges, (60, "a", 61, 1), (0, "b", 1, 1), (0, "b", 2, 1)])
    shorter = from_edges([*edges, (0, "b", 1, 1), (0, "b", 2, 1)])
    assert simulates(longer, shorter)
    assert not simulates(shorter, longer)
    with pytest.raises(AutomatonTooLarge, match="looking for a simulation was given up after 100 steps"):
        simulates(shorter, longer, limit=100)
    assert distinguishing_word(shorter, longer) == ("a",) * 61
