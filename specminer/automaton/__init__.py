"""Finite automata and their algebra; nothing here knows of Ethereum."""

from specminer.automaton.model import Automaton, AutomatonError, Transition

__all__ = ["Automaton", "AutomatonError", "Transition"]
