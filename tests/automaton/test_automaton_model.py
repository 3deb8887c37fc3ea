"""An automaton is validated when it is built, and accepts exactly the words that its paths spell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from specminer.automaton import Automaton, AutomatonError, Subsets, Transition, from_edges
from tests.support.automata import LENGTH, automata, spelled, words


def transition(source: Any = 0, symbol: Any = "a", target: Any = 0, count: Any = 1) -> Transition:
    return Transition(source=source, symbol=symbol, target=target, count=count)


@pytest.mark.parametrize(
    ("states", "transitions", "initial", "message"),
    [
        ({0}, (), 1, "the initial state 1 is not one of the states"),
        (set(), (), 0, "the initial state 0 is not one of the states"),
        ({0, "1"}, (), 0, "expected a state of type int but got '1'"),
        ({0, True}, (), 0, "expected a state of type int but got True"),
        ({0}, (transition(symbol=3),), 0, "expected a symbol of type str but got 3"),
        ({0}, (transition(count="many"),), 0, "expected a count of type int but got 'many'"),
        ({0}, (transition(count=0),), 0, "has count 0; expected 1 to"),
        ({0}, (transition(count=1 << 63),), 0, "has count 9223372036854775808; expected 1 to"),
        ({0}, (transition(target=1),), 0, "has an end that is not one of the states"),
        ({0}, (transition(source=1),), 0, "has an end that is not one of the states"),
        ({0}, (transition(), transition(count=2)), 0, "is given twice"),
    ],
)
def test_what_is_no_automaton_is_refused(
    states: set[Any], transitions: tuple[Transition, ...], initial: int, message: str
) -> None:
    with pytest.raises(AutomatonError, match=message):
        Automaton(states=frozenset(states), transitions=transitions, initial_state=initial)


@given(automata())
def test_it_accepts_what_its_paths_spell(automaton: Automaton) -> None:
    subsets = Subsets(automaton)
    for word in words(LENGTH - 1):
        assert automaton.accepts(word) == subsets.accepts(word) == spelled(automaton, word)


@given(automata())
def test_the_columns_hold_the_transitions(automaton: Automaton) -> None:
    columns = automaton.columns
    rows = [
        transition(columns.ids[source], columns.symbols[symbol], columns.ids[target], count)
        for source, symbol, target, count in zip(
            columns.source.tolist(),
            columns.symbol.tolist(),
            columns.target.tolist(),
            columns.count.tolist(),
            strict=True,
        )
    ]
    assert set(rows) == set(automaton.transitions)
    assert rows == sorted(rows, key=lambda edge: (edge.source, edge.symbol, edge.target))
    for state in range(len(columns.ids)):
        leaving = columns.source[columns.starts[state] : columns.starts[state + 1]]
        assert set(leaving.tolist()) <= {state}
    assert columns.starts[-1] == len(rows)


def test_an_unknown_symbol_is_not_accepted() -> None:
    automaton = from_edges([(0, "a", 0, 1)])
    assert not automaton.accepts(["a", "z"])
    assert not Subsets(automaton).accepts(["a", "z"])


def test_counts_of_equal_edges_add_up() -> None:
    assert from_edges([(0, "a", 1, 2), (0, "a", 1, 3)]).transitions == (transition(0, "a", 1, 5),)
