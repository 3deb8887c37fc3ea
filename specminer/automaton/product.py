"""Intersection and union of languages, and the part of an automaton that can be reached."""

from __future__ import annotations

from collections.abc import Iterable

from specminer.automaton.subset import Subsets, bits
from specminer.automaton.weighted_automaton import Automaton, Transition, from_edges


def reachable(automaton: Automaton) -> Automaton:
    """Return the automaton without the states that no path from the initial state reaches."""
    columns = automaton.columns
    starts = columns.starts.tolist()
    targets = columns.target.tolist()
    visited = {columns.initial}
    queue = [columns.initial]
    for state in queue:  # grows while it is walked
        for target in targets[starts[state] : starts[state + 1]]:
            if target not in visited:
                visited.add(target)
                queue.append(target)
    states = frozenset(columns.ids[state] for state in visited)
    return Automaton(
        states=states,
        transitions=tuple(edge for edge in automaton.transitions if edge.source in states),
        initial_state=automaton.initial_state,
    )


def intersection(left: Automaton, right: Automaton) -> Automaton:
    """Return the product automaton, which accepts exactly what both accept.

    Only pairs that can be reached are states, numbered in breadth-first order from 0. The count of a
    transition is the smaller of the two it is made of: both saw it at least so often.
    """
    symbols = sorted(left.input_symbols & right.input_symbols)
    moves = Subsets(left, symbols).moves, Subsets(right, symbols).moves
    counts = _counts(left), _counts(right)
    ids = left.columns.ids, right.columns.ids
    start = (left.columns.initial, right.columns.initial)
    number = {start: 0}
    queue = [start]
    edges = []
    for one, other in queue:  # grows while it is walked
        for symbol, name in enumerate(symbols):
            for first in bits(moves[0][symbol].get(one, 0)):
                for second in bits(moves[1][symbol].get(other, 0)):
                    pair = (first, second)
                    if pair not in number:
                        number[pair] = len(number)
                        queue.append(pair)
                    count = min(
                        counts[0][ids[0][one], name, ids[0][first]],
                        counts[1][ids[1][other], name, ids[1][second]],
                    )
                    edges.append((number[one, other], name, number[pair], count))
    return from_edges(edges)


def union(left: Automaton, right: Automaton) -> Automaton:
    """Return an automaton that accepts exactly what one of both accepts.

    State 0 is a new initial state that begins like both; the states of ``left`` follow, then those of
    ``right``, without what cannot be reached.
    """
    shift = len(left.states) + 1
    edges = [*_shift_states(left, 1), *_shift_states(right, shift)]
    starts = {1 + left.columns.initial, shift + right.columns.initial}
    edges += [(0, symbol, target, count) for source, symbol, target, count in edges if source in starts]
    return reachable(from_edges(edges))


def side_by_side(left: Automaton, right: Automaton) -> tuple[Automaton, int, int]:
    """Return both automata as parts of one, and where each begins; to compare their states."""
    shift = len(left.states)
    edges = [*_shift_states(left, 0), *_shift_states(right, shift)]
    both = Automaton(
        states=frozenset(range(shift + len(right.states))),
        transitions=tuple(
            Transition(source=source, symbol=symbol, target=target, count=count)
            for source, symbol, target, count in edges
        ),
        initial_state=left.columns.initial,
    )
    return both, left.columns.initial, shift + right.columns.initial


def without_silent_moves(automaton: Automaton, silent: Iterable[tuple[int, int]]) -> Automaton:
    """Return the automaton of the words that are spelled when some moves make no sound.

    ``silent`` are ``(source, target)`` pairs of states. State ids stay; what can no longer be reached is left
    out. Counts of edges that fall together add up.

    Source: the elimination of epsilon moves, Hopcroft and Ullman 1979.
    """
    onward: dict[int, set[int]] = {}
    for source, target in silent:
        onward.setdefault(source, set()).add(target)
    own: dict[int, list[Transition]] = {}
    for edge in automaton.transitions:
        own.setdefault(edge.source, []).append(edge)
    edges = [
        (state, edge.symbol, edge.target, edge.count)
        for state in sorted(automaton.states)
        for near in sorted(_closure(state, onward))
        for edge in own.get(near, ())
    ]
    return reachable(from_edges(edges, automaton.initial_state))


def _closure(state: int, onward: dict[int, set[int]]) -> set[int]:
    closure = {state}
    queue = [state]
    for near in queue:  # grows while it is walked
        for target in onward.get(near, ()):
            if target not in closure:
                closure.add(target)
                queue.append(target)
    return closure


def _counts(automaton: Automaton) -> dict[tuple[int, str, int], int]:
    return {(edge.source, edge.symbol, edge.target): edge.count for edge in automaton.transitions}


def _shift_states(automaton: Automaton, shift: int) -> list[tuple[int, str, int, int]]:
    columns = automaton.columns
    return [
        (source + shift, columns.symbols[symbol], target + shift, count)
        for source, symbol, target, count in zip(
            columns.source.tolist(),
            columns.symbol.tolist(),
            columns.target.tolist(),
            columns.count.tolist(),
            strict=True,
        )
    ]
