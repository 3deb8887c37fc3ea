"""An automaton survives the way through networkx, and a graph that is none is refused."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from hypothesis import given

from specminer.automaton import Automaton, AutomatonError, from_networkx, to_networkx
from tests.support.automata import automata


@given(automata())
def test_what_comes_back_is_what_was_given(automaton: Automaton) -> None:
    graph = to_networkx(automaton)
    back = from_networkx(graph)
    assert (back.states, back.initial_state) == (automaton.states, automaton.initial_state)
    assert set(back.transitions) == set(automaton.transitions)
    assert graph.number_of_edges() == len(automaton.transitions)


def broken(kind: Any = nx.MultiDiGraph, *, initial: Any = 0, **edge: Any) -> Any:
    graph = kind(**({} if initial is None else {"initial": initial}))
    graph.add_edge(0, 1, **edge)
    return graph


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (broken(nx.MultiGraph, symbol="a"), "expected a directed graph"),
        (broken(initial=None, symbol="a"), "attribute 'initial'"),
        (broken(initial=5, symbol="a"), "the initial state 5 is not one of the states"),
        (broken(), "expected the edge from 0 to 1 to have a 'symbol'"),
        (broken(symbol=1), "expected a symbol of type str"),
        (broken(symbol="a", count=0), "has count 0"),
    ],
)
def test_a_graph_that_is_no_automaton_is_refused(graph: Any, message: str) -> None:
    with pytest.raises(AutomatonError, match=message):
        from_networkx(graph)


def test_an_edge_without_a_count_counts_one() -> None:
    (edge,) = from_networkx(broken(symbol="a")).transitions
    assert edge.count == 1
