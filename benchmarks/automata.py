"""The algebra of automata: how its cost grows, and what it saves over the obvious way.

    python -m benchmarks.automata

prints ratios of CPU times measured in this run, each the best of three: what four times as many states cost,
for chains (whose every state is a class of its own) and for random automata; refinement by the smaller half
against refining everything until nothing changes; inclusion by antichains against determinising first.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from functools import partial

from specminer.automaton import Automaton, determinise, from_edges, missing_word
from specminer.automaton.partition import bisimulation_classes
from specminer.automaton.weighted_automaton import TransitionColumns

_SIZE = 2_000


def chain(states: int) -> Automaton:
    """Accept the words of one symbol up to a length."""
    return from_edges((state, "a", state + 1, 1) for state in range(states - 1))


def scattered(states: int) -> Automaton:
    """Draw five edges a state over four symbols."""
    draw = random.Random(0)
    return from_edges(
        (draw.randrange(states), draw.choice("abcd"), draw.randrange(states), 1) for _ in range(5 * states)
    )


def guess(length: int) -> Automaton:
    """Guess which "a" is followed by a "c" so many symbols later: deterministic, 2^length states."""
    edges = [(0, "a", 0, 1), (0, "b", 0, 1), (0, "a", 1, 1), (length, "c", length, 1)]
    return from_edges(edges + [(at, symbol, at + 1, 1) for at in range(1, length) for symbol in "ab"])


def refined_until_stable(columns: TransitionColumns) -> int:
    """Return the number of classes, each round looking at every edge: the definition."""
    rows = list(zip(columns.source.tolist(), columns.symbol.tolist(), columns.target.tolist(), strict=True))
    classes = [0] * len(columns.ids)
    while True:
        moves: list[set[tuple[int, int]]] = [set() for _ in classes]
        for source, symbol, target in rows:
            moves[source].add((symbol, classes[target]))
        number: dict[tuple[int, frozenset[tuple[int, int]]], int] = {}
        finer = [
            number.setdefault((before, frozenset(move)), len(number))
            for before, move in zip(classes, moves, strict=True)
        ]
        if len(number) == len(set(classes)):
            return len(number)
        classes = finer


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the best of three runs."""
    found = []
    for _ in range(3):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def main() -> int:
    """Print the ratios."""
    for name, build in (("a chain", chain), ("a random automaton", scattered)):
        small, large = build(_SIZE).columns, build(4 * _SIZE).columns
        assert len(set(bisimulation_classes(small).tolist())) == refined_until_stable(small)
        once = seconds(partial(bisimulation_classes, small))
        more = seconds(partial(bisimulation_classes, large))
        naive = seconds(partial(refined_until_stable, small))
        print(f"bisimulation of {name}: {more / once:.1f} times the time for 4 times the states")
        print(f"  the definition takes {naive / once:.1f} times the time, at {_SIZE:,} states")
    left, right = guess(12), guess(13)
    antichains = seconds(lambda: missing_word(left, left))
    first = seconds(lambda: missing_word(determinise(left), determinise(left)))
    print(f"equal languages: determinising first takes {first / antichains:,.0f} times the time")
    antichains = seconds(lambda: missing_word(left, right))
    first = seconds(lambda: missing_word(determinise(left), determinise(right)))
    print(f"different languages: determinising first takes {first / antichains:.1f} times the time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
