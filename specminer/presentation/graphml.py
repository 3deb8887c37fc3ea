"""The automaton as GraphML, for graph tools (yEd, Gephi, Cytoscape, networkx).

Nothing is hidden or cut, and nothing merged: a node a state, an edge a transition, with all their evidence. Control
and direction characters in foreign texts, which XML cannot hold or viewers obey, stand as escapes.
"""

from __future__ import annotations

from specminer._support.errors import plain
from specminer.specification import Edge, Occurrence, Specification


def to_graphml(spec: Specification) -> str:
    """Return ``spec`` as GraphML: a directed multigraph, the same specification the same text.

    Nodes have ``label`` (the state's name), ``predicates`` (one a line), ``visits``, ``ends`` and ``initial``; edges
    ``label`` (the event), ``function``, ``role``, ``kind``, ``outcome``, ``count``, ``interactions``, ``senders``,
    ``guard``, ``first_block``, ``first_transaction``, ``first_time``, the same with ``last_``, and ``witnesses`` (one a
    line). What is unknown is left out; times are seconds since 1970.
    """
    import networkx as nx  # takes long to load, and few want graphs

    graph = nx.MultiDiGraph(name=_text(spec.name), chain_id=spec.chain_id, contracts=_lines(spec.contracts))
    for state in sorted(spec.states, key=lambda state: state.id):
        graph.add_node(
            f"s{state.id}",
            label=_text(state.name),
            predicates=_lines(state.predicates),
            visits=state.visits,
            ends=state.ends,
            initial=state.id == spec.initial,
        )
    ranked = sorted(
        spec.transitions,
        key=lambda edge: (edge.source, edge.target, edge.event, edge.outcome, edge.kind.value),
    )
    for number, edge in enumerate(ranked):
        graph.add_edge(f"s{edge.source}", f"s{edge.target}", key=number, **_edge(edge))
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def _edge(edge: Edge) -> dict[str, str | int]:
    values: dict[str, str | int | None] = {
        "label": _text(edge.event),
        "function": _text(edge.function),
        "role": None if edge.role is None else _text(edge.role),
        "kind": edge.kind.value,
        "outcome": _text(edge.outcome),
        "count": edge.count,
        "interactions": edge.interaction_count,
        "senders": edge.senders,
        "guard": None if edge.guard is None else _text(edge.guard),
        **_occurrence("first", edge.first),
        **_occurrence("last", edge.last),
        "witnesses": _lines(edge.witnesses),
    }
    return {name: value for name, value in values.items() if value is not None}


def _occurrence(which: str, occurrence: Occurrence) -> dict[str, str | int | None]:
    return {
        f"{which}_block": occurrence.block,
        f"{which}_transaction": _text(occurrence.transaction),
        f"{which}_time": occurrence.timestamp,
    }


def _text(raw: str) -> str:
    return plain(raw, len(raw) * 10 + 1)


def _lines(texts: tuple[str, ...]) -> str:
    return "\n".join(_text(text) for text in texts)
