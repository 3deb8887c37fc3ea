"""Finite automata and their algebra; nothing here knows of Ethereum.

An :class:`Automaton` is prefix-closed (every state accepts), weighted by counts and may be
nondeterministic. It is a value: every operation returns a new one.
"""

from specminer.automaton.bisimulation import bisimilar, quotient
from specminer.automaton.determinisation import determinise
from specminer.automaton.distribution import Distribution
from specminer.automaton.inclusion import distinguishing_word, equivalent, includes, missing_word
from specminer.automaton.interchange import from_networkx, to_networkx
from specminer.automaton.minimisation import minimise
from specminer.automaton.product import intersection, reachable, union, without_silent_moves
from specminer.automaton.simulation import simulates
from specminer.automaton.subset import Subsets
from specminer.automaton.walk import random_walks
from specminer.automaton.weighted_automaton import (
    Automaton,
    AutomatonError,
    AutomatonTooLarge,
    Transition,
    Word,
    from_edges,
)

__all__ = [
    "Automaton",
    "AutomatonError",
    "AutomatonTooLarge",
    "Distribution",
    "Subsets",
    "Transition",
    "Word",
    "bisimilar",
    "determinise",
    "distinguishing_word",
    "equivalent",
    "from_edges",
    "from_networkx",
    "includes",
    "intersection",
    "minimise",
    "missing_word",
    "quotient",
    "random_walks",
    "reachable",
    "simulates",
    "to_networkx",
    "union",
    "without_silent_moves",
]
