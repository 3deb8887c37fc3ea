"""Transactions judged by a specification: what leaves the automaton, breaks guards or invariants, or cannot be true."""
