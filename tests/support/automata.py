"""Small automata drawn by Hypothesis, and their languages by brute force."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from specminer.automaton import Automaton, Word, from_edges

SYMBOLS = ("a", "b", "c")
LENGTH = 5
"""Words are compared up to this length by brute force."""


@st.composite
def automata(draw: st.DrawFn, states: int = 4, edges: int = 10, symbols: int = 3) -> Automaton:
    """Draw a nondeterministic automaton; parts of it may be unreachable."""
    ends = st.integers(0, draw(st.integers(0, states - 1)))
    rows = st.tuples(ends, st.sampled_from(SYMBOLS[:symbols]), ends, st.integers(1, 9))
    return from_edges(draw(st.lists(rows, max_size=edges)), draw(ends))


def words(length: int = LENGTH) -> list[Word]:
    """Return all words over the symbols, the shortest first, then in the order of their symbols."""
    return [word for size in range(length + 1) for word in product(SYMBOLS, repeat=size)]


def spelled(automaton: Automaton, word: Word) -> bool:
    """Whether a path spells the word: tried edge by edge, with nothing shared with the code under test."""

    def follow(state: int, position: int) -> bool:
        if position == len(word):
            return True
        return any(
            follow(edge.target, position + 1)
            for edge in automaton.transitions
            if edge.source == state and edge.symbol == word[position]
        )

    return follow(automaton.initial_state, 0)


def language(automaton: Automaton, length: int = LENGTH) -> set[Word]:
    """Return the accepted words up to a length, by trying longer ones only where shorter ones are accepted."""
    level: list[Word] = [()]
    found: set[Word] = {()}
    for _ in range(length):
        level = [
            (*word, symbol) for word in level for symbol in SYMBOLS if spelled(automaton, (*word, symbol))
        ]
        found.update(level)
    return found


def exponential(size: int) -> Automaton:
    """Accept the words in which each "a", followed by ``size`` symbols or more, was guessed right: 2^size sets."""
    edges = [(0, "a", 0, 1), (0, "b", 0, 1), (0, "a", 1, 1)]
    for state in range(1, size):
        edges += [(state, "a", state + 1, 1), (state, "b", state + 1, 1)]
    return from_edges([*edges, (size, "c", size, 1)])
