"""Simulation: whether one automaton can follow each move of another, move by move."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from specminer.automaton.subset import Subsets, bits
from specminer.automaton.weighted_automaton import Automaton, AutomatonTooLarge

STEPS: Final = 10_000_000
"""Pairs of states that are compared before a simulation is given up."""


def simulates(larger: Automaton, smaller: Automaton, limit: int = STEPS) -> bool:
    """Whether ``larger`` can follow each move of ``smaller`` for ever; then it accepts all its words.

    The converse fails for nondeterministic automata; against a deterministic ``larger`` both are the same.

    Raises:
        AutomatonTooLarge: more than ``limit`` pairs of states have to be compared.

    """
    symbols = sorted(larger.input_symbols | smaller.input_symbols)
    above = simulation(larger, smaller, symbols, limit)
    return bool(above[smaller.columns.initial] >> larger.columns.initial & 1)


def simulation(
    larger: Automaton, smaller: Automaton, symbols: Sequence[str], limit: int = STEPS
) -> list[int]:
    """Return for each state of ``smaller`` the set of states of ``larger`` that can follow it for ever.

    States are the numbers of the columns, sets the bits of integers; ``symbols`` are all symbols of both. The
    greatest simulation is found by removing what cannot follow an edge, and looking again at the edges into
    a state of which something was removed.

    Source: Milner 1971; Bloom and Paige 1995.

    Raises:
        AutomatonTooLarge: more than ``limit`` pairs of states have to be compared.

    """
    follow = Subsets(larger, symbols).moves
    able = [sum(1 << state for state in move) for move in follow]
    above = [(1 << len(larger.states)) - 1] * len(smaller.states)
    into: list[list[tuple[int, int, int]]] = [[] for _ in smaller.states]
    for symbol, move in enumerate(Subsets(smaller, symbols).moves):
        for state, targets in move.items():
            above[state] &= able[symbol]
            for target in bits(targets):
                into[target].append((state, symbol, target))
    left = limit
    waiting = deque(edge for edges in reversed(into) for edge in edges)
    pending = set(waiting)
    while waiting:
        edge = waiting.popleft()
        pending.discard(edge)
        state, symbol, target = edge
        left -= above[state].bit_count()
        if left < 0:
            raise AutomatonTooLarge("looking for a simulation", limit)
        followers = sum(1 << one for one in bits(above[state]) if follow[symbol][one] & above[target])
        if followers != above[state]:
            above[state] = followers
            waiting.extend(edge for edge in into[state] if edge not in pending)
            pending.update(into[state])
    return above
