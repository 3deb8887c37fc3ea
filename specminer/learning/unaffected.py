"""Steps that are alike but for what the called code never looks at.

A call whose code does not decide upon a predicate cannot do otherwise where it is true than where it is false: who
changes the settings of an account does so whether its subscription has lapsed or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from specminer.history.contract_history import IntColumn
from specminer.learning.event_table import EventTable
from specminer.learning.objective import Selection
from specminer.learning.quotient import Quotient
from specminer.learning.vocabulary import Vocabulary


def similar_steps(
    table: EventTable, candidates: Vocabulary, graph: Quotient, selection: Selection
) -> IntColumn:
    """Return a number for each finest edge.

    Equal ones have one symbol; the states before agree on all chosen predicates that the code decides upon, the states
    behind on all whose variables the calls access.
    """
    wholes = table.wholes or table.symbols
    accessed = [table.accessed_variables.get(event) for event in wholes]
    decided = [
        table.decided_variables.get(event, accessed_names)
        for event, accessed_names in zip(wholes, accessed, strict=True)
    ]
    held_in = {position: _held_in(table, candidates, position) for position in selection}
    source = _blocks(graph, [_speaking(held_in, names) for names in decided])[graph.symbol, graph.source]
    target = _blocks(graph, [_speaking(held_in, names) for names in accessed])[graph.symbol, graph.target]
    similar: IntColumn = (source * graph.symbols + graph.symbol) * graph.states + target
    return similar


def _speaking(held_in: Mapping[int, frozenset[str]], names: frozenset[str] | None) -> Selection:
    """Return the predicates that may speak of some variables: all if these are not known."""
    return tuple(
        position
        for position, variables in held_in.items()
        if names is None or not variables or not variables.isdisjoint(names)
    )


def _blocks(graph: Quotient, selections: Sequence[Selection]) -> IntColumn:
    """Return the block of each finest state by each selection; shape (len(selections), s)."""
    blocks_by_selection = {selection: graph.coarsen(selection) for selection in dict.fromkeys(selections)}
    return np.array([blocks_by_selection[selection] for selection in selections], dtype=np.int64).reshape(
        -1, graph.states
    )


def _held_in(table: EventTable, candidates: Vocabulary, position: int) -> frozenset[str]:
    """Return the names of the variables that a predicate speaks of; none if what it speaks of is not known."""
    language = candidates.language
    spellings = {
        language.declaration(symbol).name
        for symbol in language.symbols(candidates.predicates[position].formula)
    }
    names: set[str] = set()
    for variable, spelling in zip(table.variables, candidates.dimensions, strict=True):
        if spelling in spellings:
            spellings.remove(spelling)
            held_in = (variable.name,) if variable.storage_field is not None else variable.made_of
            if not held_in:
                return frozenset()
            names.update(held_in)
    return frozenset() if spellings else frozenset(names)
