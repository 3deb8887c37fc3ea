"""Simulation: whether one automaton can follow each move of another, move by move."""

from __future__ import annotations

from collections.abc import Sequence

from specminer.automaton.model import Automaton
from specminer.automaton.subset import Subsets, bits


def simulates(larger: Automaton, smaller: Automaton) -> bool:
    """Whether ``larger`` can follow each move of ``smaller`` for ever; then it accepts all its words.

    The converse fails for nondeterministic automata; against a deterministic ``larger`` both are the same.
    """
    symbols = sorted(larger.input_symbols | smaller.input_symbols)
    above = simulation(larger, smaller, symbols)
    return bool(above[smaller.columns.initial] >> larger.columns.initial & 1)


def simulation(larger: Automaton, smaller: Automaton, symbols: Sequence[str]) -> list[int]:
    """Return for each state of ``smaller`` the set of states of ``larger`` that can follow it for ever.

    States are the numbers of the columns, sets the bits of integers; ``symbols`` are all symbols of both. The
    greatest simulation is found by removing what fails: O(n^2 m) at worst.

    Source: Milner 1971.
    """
    follow = Subsets(larger, symbols).moves
    moves = Subsets(smaller, symbols).moves
    able = [sum(1 << state for state in move) for move in follow]
    above = [(1 << len(larger.states)) - 1] * len(smaller.states)
    changed = True
    while changed:
        changed = False
        for symbol, move in enumerate(moves):
            for state, targets in move.items():
                kept = above[state] & able[symbol]
                for target in bits(targets):
                    kept &= sum(1 << one for one in bits(kept) if follow[symbol][one] & above[target])
                if kept != above[state]:
                    above[state] = kept
                    changed = True
    return above
