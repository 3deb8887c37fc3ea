"""The smallest deterministic automaton of a language."""

from __future__ import annotations

from specminer.automaton.bisimulation import quotient
from specminer.automaton.determinisation import determinise
from specminer.automaton.weighted_automaton import LIMIT, Automaton, from_edges


def minimise(automaton: Automaton, limit: int = LIMIT) -> Automaton:
    """Return the deterministic automaton of the same language with the fewest states.

    It is the same for all automata of a language but for the counts: states are numbered in breadth-first
    order, symbols ascending, the initial state 0. In a deterministic automaton whose states all accept,
    bisimilar means accepting the same words, so merging bisimilar states is minimisation.

    Source: Myhill and Nerode 1958; Hopcroft 1971 for the bound n log n.

    Raises:
        AutomatonTooLarge: the deterministic automaton has more than ``limit`` states.

    """
    smallest = quotient(determinise(automaton, limit))
    columns = smallest.columns
    starts, targets = columns.starts.tolist(), columns.target.tolist()
    number = {columns.initial: 0}
    queue = [columns.initial]
    for state in queue:  # grows while it is walked
        for target in targets[starts[state] : starts[state + 1]]:
            if target not in number:
                number[target] = len(number)
                queue.append(target)
    name = {columns.ids[state]: row for state, row in number.items()}
    return from_edges(
        (name[edge.source], edge.symbol, name[edge.target], edge.count) for edge in smallest.transitions
    )
