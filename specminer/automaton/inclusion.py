"""Whether one language lies in another, with a shortest word that tells why not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from specminer.automaton.simulation import simulation
from specminer.automaton.subset import Subsets, bits
from specminer.automaton.weighted_automaton import LIMIT, Automaton, AutomatonTooLarge, Word


@dataclass(frozen=True, slots=True)
class _Step:
    """How a pair of the search was reached."""

    symbol: int
    before: _Step | None


_SIMULATION: Final = 1_000_000
"""Pairs of states that are compared at most to find a simulation."""

_Pair: TypeAlias = tuple[int, int, int, _Step | None]
"""Rank of the word among those of its level, left state, set of right states, the way there."""


def missing_word(left: Automaton, right: Automaton, limit: int = LIMIT) -> Word | None:
    """Return the first word that ``left`` accepts and ``right`` does not; ``None`` if there is none.

    First is the shortest, and among those the smallest in the order of symbols' texts.

    Pairs of a state of ``left`` and the set of states where ``right`` may be are searched level by level. A
    pair is passed over if a state of the set can follow the other for ever; and if one with the same state
    and a smaller set was seen before: whatever word ends in the empty set from the larger one does so from
    the smaller one, and the earlier way there is no longer.

    Source: De Wulf, Doyen, Henzinger and Raskin 2006, antichains; Abdulla, Chen, Holík, Mayr and Vojnar 2010,
    with simulation.

    Raises:
        AutomatonTooLarge: more than ``limit`` pairs are needed; the question is PSPACE-complete.

    """
    symbols = sorted(left.input_symbols | right.input_symbols)
    moves = Subsets(left, symbols).moves
    sets = Subsets(right, symbols)
    smallest_sets = _SmallestSets(left, right, symbols, limit)
    level: list[_Pair] = [(0, left.columns.initial, sets.initial, None)]
    smallest_sets.new(left.columns.initial, sets.initial)
    while level:
        successors: list[tuple[tuple[int, int], int, int, _Step]] = []
        for rank, state, states, path in level:
            for symbol, move in enumerate(moves):
                targets = move.get(state, 0)
                if targets:
                    step = _Step(symbol, path)
                    reached = sets.after(states, symbol)
                    successors += [((rank, symbol), target, reached, step) for target in bits(targets)]
        successors.sort(key=lambda pair: pair[0])
        level = []
        rank, previous = -1, (-1, -1)
        for order, target, reached, step in successors:
            if not reached:
                return _word(step, symbols)
            if order != previous:  # pairs of one word share a rank
                rank, previous = rank + 1, order
            if smallest_sets.new(target, reached):
                level.append((rank, target, reached, step))
    return None


class _SmallestSets:
    """For each state of the left automaton, the smallest sets it was seen with."""

    def __init__(self, left: Automaton, right: Automaton, symbols: Sequence[str], limit: int) -> None:
        self._smallest: list[list[int]] = [[] for _ in left.states]
        # against a deterministic automaton all sets are single states, and nothing can blow up
        self._above = [0] * len(left.states)
        if not right.deterministic:
            with suppress(AutomatonTooLarge):  # it only saves work
                self._above = simulation(right, left, symbols, _SIMULATION)
        self._visit_count = 0
        self._limit = limit

    def new(self, state: int, states: int) -> bool:
        """Enter a pair; whether it has to be searched."""
        antichain = self._smallest[state]
        if states & self._above[state] or any(member & ~states == 0 for member in antichain):
            return False
        antichain[:] = [member for member in antichain if states & ~member]
        antichain.append(states)
        self._visit_count += 1
        if self._visit_count > self._limit:
            raise AutomatonTooLarge("comparing the languages", self._limit)
        return True


def _word(step: _Step | None, symbols: list[str]) -> Word:
    word: list[str] = []
    while step is not None:
        word.append(symbols[step.symbol])
        step = step.before
    return tuple(reversed(word))


def includes(larger: Automaton, smaller: Automaton, limit: int = LIMIT) -> bool:
    """Whether ``larger`` accepts every word that ``smaller`` accepts.

    Raises:
        AutomatonTooLarge: see :func:`missing_word`.

    """
    return missing_word(smaller, larger, limit) is None


def equivalent(left: Automaton, right: Automaton, limit: int = LIMIT) -> bool:
    """Whether both accept the same words.

    Raises:
        AutomatonTooLarge: see :func:`missing_word`.

    """
    return distinguishing_word(left, right, limit) is None


def distinguishing_word(left: Automaton, right: Automaton, limit: int = LIMIT) -> Word | None:
    """Return the first word that exactly one of both accepts, as :func:`missing_word` orders them.

    Raises:
        AutomatonTooLarge: see :func:`missing_word`.

    """
    words = (missing_word(left, right, limit), missing_word(right, left, limit))
    return min((word for word in words if word is not None), key=lambda word: (len(word), word), default=None)
