"""To and from networkx, for the algorithms and formats that it knows."""

from __future__ import annotations

from typing import Any, TypeAlias

from specminer.automaton.weighted_automaton import Automaton, AutomatonError, Transition

Graph: TypeAlias = Any
"""A ``networkx.MultiDiGraph``, which comes without types."""


def to_networkx(automaton: Automaton) -> Graph:
    """Return a ``MultiDiGraph``: nodes are states, edges carry ``symbol`` and ``count``.

    The graph's attribute ``initial`` holds the initial state. Each edge's key is its symbol.
    """
    import networkx as nx  # takes long to load, and few want graphs

    graph = nx.MultiDiGraph(initial=automaton.initial_state)
    graph.add_nodes_from(sorted(automaton.states))
    for edge in automaton.transitions:
        graph.add_edge(edge.source, edge.target, key=edge.symbol, symbol=edge.symbol, count=edge.count)
    return graph


def from_networkx(graph: Graph) -> Automaton:
    """Return the automaton of a graph as :func:`to_networkx` makes it; an edge without ``count`` counts 1.

    Raises:
        AutomatonError: the graph is undirected, has no attribute ``initial``, an edge has no ``symbol``, or
            what it describes is no automaton.

    """
    if not graph.is_directed():
        raise AutomatonError("expected a directed graph but got an undirected one")
    if "initial" not in graph.graph:
        raise AutomatonError("expected the graph's attribute 'initial' to name the initial state")
    transitions = []
    for source, target, data in graph.edges(data=True):
        if "symbol" not in data:
            raise AutomatonError(f"expected the edge from {source!r} to {target!r} to have a 'symbol'")
        transitions.append(
            Transition(source=source, symbol=data["symbol"], target=target, count=data.get("count", 1))
        )
    return Automaton(
        states=frozenset(graph.nodes),
        transitions=tuple(transitions),
        initial_state=graph.graph["initial"],
    )
