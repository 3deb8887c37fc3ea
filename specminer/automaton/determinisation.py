"""The deterministic automaton of a language: the subset construction, bounded."""

from __future__ import annotations

from specminer.automaton.subset import Subsets, bits
from specminer.automaton.weighted_automaton import LIMIT, Automaton, AutomatonTooLarge, from_edges


def determinise(automaton: Automaton, limit: int = LIMIT) -> Automaton:
    """Return a deterministic automaton of the same language, without unreachable states.

    States are numbered in breadth-first order, symbols ascending, the initial state 0. The count of a
    transition is the sum of the counts of those it stands for.

    Source: Rabin and Scott 1959, subset construction; 2^n sets in the worst case.

    Raises:
        AutomatonTooLarge: there are more than ``limit`` sets.

    """
    subsets = Subsets(automaton)
    weights = _weights(automaton)
    number = {subsets.initial: 0}
    queue = [subsets.initial]
    edges: list[tuple[int, str, int, int]] = []
    for states in queue:  # grows while it is walked
        for symbol, name in enumerate(subsets.symbols):
            target = subsets.after(states, symbol)
            if not target:
                continue
            if target not in number:
                if len(number) >= limit:
                    raise AutomatonTooLarge("making the automaton deterministic", limit)
                number[target] = len(number)
                queue.append(target)
            count = sum(weights.get((state, symbol), 0) for state in bits(states))
            edges.append((number[states], name, number[target], count))
    return from_edges(edges)


def _weights(automaton: Automaton) -> dict[tuple[int, int], int]:
    """Return the count of each (state, symbol), by their numbers."""
    columns = automaton.columns
    weights: dict[tuple[int, int], int] = {}
    rows = zip(columns.source.tolist(), columns.symbol.tolist(), columns.count.tolist(), strict=True)
    for source, symbol, count in rows:
        weights[source, symbol] = weights.get((source, symbol), 0) + count
    return weights
