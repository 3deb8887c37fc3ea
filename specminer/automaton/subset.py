"""Moves of sets of states, a set being the bits of one integer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from specminer.automaton.weighted_automaton import Automaton, TransitionColumns


def bits(mask: int) -> Iterator[int]:
    """Yield the positions of the ones in ``mask``, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Subsets:
    """Where sets of an automaton's states get by each symbol; each answer is computed once.

    ``symbols`` gives the numbering of symbols, so that two automata can be walked in step; by default it is
    the automaton's own, ascending. Symbols that the automaton lacks lead to the empty set.
    """

    def __init__(self, automaton: Automaton, symbols: Sequence[str] | None = None) -> None:
        columns = automaton.columns
        self.symbols: tuple[str, ...] = columns.symbols if symbols is None else tuple(symbols)
        self.initial: int = 1 << columns.initial
        self.moves: list[dict[int, int]] = _moves(columns, self.symbols)
        """For each symbol, the set that each state with such an edge leads to."""
        self._states_with_move = [sum(1 << state for state in moves) for moves in self.moves]
        self._successor_sets: list[dict[int, int]] = [{} for _ in self.symbols]
        self._symbol_index = {symbol: number for number, symbol in enumerate(self.symbols)}

    def after(self, states: int, symbol: int) -> int:
        """Return the set that a symbol's number leads to; 0 if nothing."""
        able = states & self._states_with_move[symbol]
        cache = self._successor_sets[symbol]
        targets = cache.get(able)
        if targets is None:
            moves = self.moves[symbol]
            targets = 0
            for state in bits(able):
                targets |= moves[state]
            cache[able] = targets
        return targets

    def accepts(self, word: Iterable[str]) -> bool:
        """Whether some path from the initial state spells ``word``; for many words of one automaton."""
        states = self.initial
        for symbol in word:
            number = self._symbol_index.get(symbol)
            states = 0 if number is None else self.after(states, number)
            if not states:
                return False
        return True


def _moves(columns: TransitionColumns, symbols: Sequence[str]) -> list[dict[int, int]]:
    number_of = {symbol: number for number, symbol in enumerate(symbols)}
    moves: list[dict[int, int]] = [{} for _ in symbols]
    rows = zip(columns.source.tolist(), columns.symbol.tolist(), columns.target.tolist(), strict=True)
    for source, symbol, target in rows:
        number = number_of.get(columns.symbols[symbol])
        if number is not None:
            moves[number][source] = moves[number].get(source, 0) | 1 << target
    return moves
