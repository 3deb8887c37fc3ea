"""The words of a weighted automaton as a probability distribution.

In each state an interaction stops or goes on, as often as it was seen to. In a nondeterministic automaton
the state is not known from the word: it is described by a *belief*, a probability for each state.

Source: probabilistic automata with final weights, Vidal, Thollard, de la Higuera, Casacuberta and Carrasco
2005; the forward algorithm, Baum and Petrie 1966.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, log2, prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from specminer.automaton.weighted_automaton import Automaton, AutomatonError

Belief: TypeAlias = npt.NDArray[np.float64]
"""A probability for each state, in the order of the columns; shape (n,)."""


class Distribution:
    """Probabilities of words, by the counts on the transitions and of the interactions that end.

    Args:
        automaton: its counts are how often each transition was taken.
        ends: how many interactions ended in each state; none in those left out.

    Where nothing leaves a state and nothing ended in it, the only thing to do is to stop.

    Raises:
        AutomatonError: an end is counted in no state, or negatively.

    """

    def __init__(self, automaton: Automaton, ends: Mapping[int, int]) -> None:
        columns = automaton.columns
        number = {state: row for row, state in enumerate(columns.ids)}
        stops = np.zeros(len(columns.ids))
        for state, count in ends.items():
            if state not in number or count < 0:
                raise AutomatonError(
                    f"expected ends to count 0 or more in a state but got {state!r}: {count!r}"
                )
            stops[number[state]] = count
        goes = np.bincount(columns.source, weights=columns.count, minlength=len(stops))
        total = stops + goes
        stops[total == 0] = total[total == 0] = 1
        self.symbols: tuple[str, ...] = columns.symbols
        self.start: Belief = np.zeros(len(stops))
        """The initial state, for certain."""
        self.start[columns.initial] = 1
        self._stop = stops / total
        self._edges = []
        for symbol in range(len(columns.symbols)):
            rows = np.flatnonzero(columns.symbol == symbol)
            source = columns.source[rows]
            self._edges.append((source, columns.target[rows], columns.count[rows] / total[source]))
        self._symbol_index = {symbol: index for index, symbol in enumerate(columns.symbols)}

    def stop(self, belief: Belief) -> float:
        """Return the probability that the interaction stops here."""
        return float(belief @ self._stop)

    def events(self, belief: Belief) -> dict[str, float]:
        """Return the probability of each symbol that may come next; with :meth:`stop` they sum to 1."""
        probabilities = {}
        for symbol, (source, _, share) in zip(self.symbols, self._edges, strict=True):
            value = float(belief[source] @ share)
            if value:
                probabilities[symbol] = value
        return probabilities

    def follow(self, belief: Belief, symbol: str) -> tuple[float, Belief]:
        """Return the probability of a symbol and the belief after it; all zero if it cannot come."""
        index = self._symbol_index.get(symbol)
        if index is None:
            return 0.0, np.zeros_like(belief)
        source, target, share = self._edges[index]
        reached = np.bincount(target, weights=belief[source] * share, minlength=len(belief))
        mass: Belief = np.asarray(reached, dtype=np.float64)
        value = float(mass.sum())
        return value, mass / value if value else mass

    def probabilities(self, word: Iterable[str]) -> list[float]:
        """Return the probability of each symbol given those before it, and at last that of stopping there."""
        symbol_probabilities = []
        belief = self.start
        for symbol in word:
            value, belief = self.follow(belief, symbol)
            symbol_probabilities.append(value)
        return [*symbol_probabilities, self.stop(belief)]

    def probability(self, word: Iterable[str]) -> float:
        """Return the probability that an interaction is exactly this word; over all words they sum to 1.

        They sum to less if some state that can be reached never gets to one where interactions end.
        """
        return prod(self.probabilities(word))

    def bits(self, word: Iterable[str]) -> list[float]:
        """Return the surprise of each symbol, and of stopping at last, in bits; infinite where impossible."""
        return [-log2(value) if value else inf for value in self.probabilities(word)]
