"""Random walks: samples of an automaton's language that visit every edge.

How walks are drawn decides what a share of them means; these rules are the ones of the Azure benchmark's
yardstick (docs/design.md) and are not to be changed without rescoring everything.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

from specminer.automaton.product import reachable
from specminer.automaton.weighted_automaton import Automaton, Word

VISITS: Final = 20
"""Sampling ends when every edge seen was visited so often."""
WALKS: Final = 10_000
"""And after so many walks at the latest."""
_REPEATS: Final = 3
"""A walk ends when a (symbol, state) pair comes up for this time."""


def random_walks(automaton: Automaton, seed: int) -> tuple[Word, ...]:
    """Return the words of random walks, in the order in which they were drawn; same seed, same words.

    A walk begins in the initial state. It takes a symbol uniformly among those that leave the state, then a
    target uniformly; an edge that was visited 20 times is taken half as often as long as another edge of
    its state was not. It ends where nothing leaves; when its symbols and states together are
    ``20 min(m, 20) + 1``, m being the number of edges; or when its last (symbol, state) pair came up for
    the third time. No more walks are drawn when each edge seen was visited 20 times, or after 10,000.
    """
    return _Walker(automaton, seed).all()


class _Walker:
    """The edges with how often each was visited, over all walks."""

    def __init__(self, automaton: Automaton, seed: int) -> None:
        columns = reachable(automaton).columns
        self._symbols = columns.symbols
        self._initial = columns.initial
        self._targets = columns.target.tolist()
        self._draw = random.Random(seed)
        self._choices: list[list[tuple[int, int, int]]] = [[] for _ in columns.ids]
        """For each state its symbols, each with the range of its edges."""
        for edge, (source, symbol) in enumerate(
            zip(columns.source.tolist(), columns.symbol.tolist(), strict=True)
        ):
            choices = self._choices[source]
            if choices and choices[-1][0] == symbol:
                choices[-1] = (symbol, choices[-1][1], edge + 1)
            else:
                choices.append((symbol, edge, edge + 1))
        self._visits = [0] * len(self._targets)
        self._fresh = [sum(end - first for _, first, end in choices) for choices in self._choices]
        """How many edges of each state were visited less than 20 times."""
        self._steps = (20 * min(len(self._targets), 20)) // 2
        """A walk of k steps has k symbols and k + 1 states."""
        self._waiting = 0
        """How many edges were seen, but less than 20 times."""

    def all(self) -> tuple[Word, ...]:
        words = [self._walk()]
        while self._waiting and len(words) < WALKS:
            words.append(self._walk())
        return tuple(words)

    def _walk(self) -> Word:
        word: list[str] = []
        pairs: Counter[tuple[int, int]] = Counter()
        state = self._initial
        while self._choices[state] and len(word) < self._steps:
            symbol, edge = self._pick(state)
            self._visit(state, edge)
            state = self._targets[edge]
            word.append(self._symbols[symbol])
            pairs[symbol, state] += 1
            if pairs[symbol, state] == _REPEATS:
                break
        return tuple(word)

    def _pick(self, state: int) -> tuple[int, int]:
        choices = self._choices[state]
        while True:
            symbol, first, end = choices[self._draw.randrange(len(choices))]
            edge = self._draw.randrange(first, end)
            worn = self._visits[edge] >= VISITS and self._fresh[state]
            if not worn or self._draw.random() < 0.5:
                return symbol, edge

    def _visit(self, state: int, edge: int) -> None:
        self._visits[edge] += 1
        if self._visits[edge] == 1:
            self._waiting += 1
        if self._visits[edge] == VISITS:
            self._waiting -= 1
            self._fresh[state] -= 1
