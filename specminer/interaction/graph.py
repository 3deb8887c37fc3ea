"""The dependencies between invocations as a graph, with the interactions that they link."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from specminer._support.errors import plain
from specminer.decoding import HistoryContext
from specminer.decoding.accesses import dependencies, graph
from specminer.history.contract_history import MISSING, OUTCOMES
from specminer.interaction.interactions import Interactions

if TYPE_CHECKING:
    import networkx as nx


class Link(Enum):
    """What a dependency means for the split."""

    INSIDE = "inside"
    """Storage of an interaction that both calls belong to."""
    ACROSS = "across"
    """Storage that hangs under an interaction, but not both calls belong to it: a cross-slice effect."""
    ENVIRONMENT = "environment"
    """Storage that no interaction holds."""


def interaction_graph(context: HistoryContext, interactions: Interactions) -> nx.MultiDiGraph:
    """Return the dependency graph, an edge from each reader to its writer, for GraphML.

    Nodes are invocations with ``transaction``, ``block``, ``position``, ``function``, ``outcome``,
    ``interactions`` (names of those it is a call of) and ``side_effects`` (of those whose storage it changed
    without being their call), separated by spaces. Edges have ``slot``, ``location`` and ``link``
    (:class:`Link`). Texts from outside are escaped.
    """
    history, functions = context.history, context.calls
    edges = dependencies(context.accesses)
    multigraph = graph(history, edges)
    own_names: dict[int, list[str]] = {}
    effects: dict[int, list[str]] = {}
    columns = (interactions.slice, interactions.invocation, interactions.passive)
    for number, row, passive in zip(*(column.tolist() for column in columns), strict=True):
        (effects if passive else own_names).setdefault(row, []).append(plain(interactions.names[number], 100))
    for row in range(len(history)):
        multigraph.nodes[row].update(
            function=plain(functions.name(row), 100),
            outcome=OUTCOMES[int(history.invocation_outcome[row])].value,
            interactions=" ".join(own_names.get(row, ())),
            side_effects=" ".join(effects.get(row, ())),
        )
    members = interactions.members
    linked = np.flatnonzero(context.accesses.writer != MISSING)
    slots = context.accesses.slot[linked]
    inside = np.zeros(len(linked), dtype=np.bool_)
    is_owned = np.zeros(len(linked), dtype=np.bool_)
    for holder in interactions.holders:
        own = holder[slots]
        is_owned |= own != MISSING
        inside |= members.holds(edges.reader, own) & members.holds(edges.writer, own)
    # edges stand in the order of the dependencies, in which they were added
    for edge, (_, _, data) in enumerate(
        _edges_in_order(multigraph, edges.reader.tolist(), edges.writer.tolist())
    ):
        kind = Link.INSIDE if inside[edge] else Link.ACROSS if is_owned[edge] else Link.ENVIRONMENT
        data.update(location=plain(context.locations.text(int(slots[edge])), 200), link=kind.value)
    return multigraph


def _edges_in_order(
    multigraph: nx.MultiDiGraph, readers: list[int], writers: list[int]
) -> list[tuple[int, int, dict[str, str]]]:
    counts: dict[tuple[int, int], int] = {}
    edges = []
    for reader, writer in zip(readers, writers, strict=True):
        number = counts.get((reader, writer), 0)
        counts[reader, writer] = number + 1
        edges.append((reader, writer, multigraph.edges[reader, writer, number]))
    return edges
