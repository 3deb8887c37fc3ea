"""The weighted, prefix-closed automaton as an immutable mathematical value.

Every state accepts: the language of such an automaton is closed under prefixes. It may be
nondeterministic: two transitions of one state may carry the same symbol.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int64]
Word: TypeAlias = tuple[str, ...]

MAX_COUNT: Final = (1 << 63) - 1
"""What an integer column holds."""
LIMIT: Final = 1_000_000
"""Sets of states that an operation of exponential worst case visits before it gives up."""


class AutomatonError(ValueError):
    """What was given is no automaton: a dangling transition, a missing initial state."""


class AutomatonTooLarge(AutomatonError):
    """An operation that may take too long was given up after ``limit`` steps (see the operation)."""

    def __init__(self, operation: str, limit: int) -> None:
        super().__init__(
            f"{operation} was given up after {limit:,} steps; simplify the automaton first (quotient), "
            "or allow more (limit)"
        )
        self.limit = limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """``source --symbol--> target``, seen ``count`` times."""

    source: int
    symbol: str
    target: int
    count: int


@dataclass(frozen=True, kw_only=True)
class TransitionColumns:
    """An automaton of ``n`` states and ``m`` transitions as integer columns.

    States are numbered 0 to n - 1 in the order of their ids, symbols in the order of their texts;
    transitions ascend by source, symbol and target.
    """

    ids: tuple[int, ...]
    """The id of each state; length n."""
    symbols: tuple[str, ...]
    initial: int
    """Number of the initial state."""
    source: IntArray
    """Shape (m,), as all columns of this group."""
    symbol: IntArray
    target: IntArray
    count: IntArray

    @cached_property
    def starts(self) -> IntArray:
        """Where the transitions of each state begin, and their number; shape (n + 1,)."""
        return np.searchsorted(self.source, np.arange(len(self.ids) + 1))


@dataclass(frozen=True, kw_only=True)
class Automaton:
    """``(states, input_symbols, transitions, initial_state)``, validated when it is built.

    Raises:
        AutomatonError: a state is no integer, a symbol no text, a count no positive integer; a transition
            leaves the set of states or stands twice; the initial state is no state.

    """

    states: frozenset[int]
    transitions: tuple[Transition, ...]
    initial_state: int

    def __post_init__(self) -> None:
        for state in self.states:
            _check_type("a state", state, int)
        if self.initial_state not in self.states:
            raise AutomatonError(f"the initial state {self.initial_state!r} is not one of the states")
        keys: set[tuple[int, str, int]] = set()
        for edge in self.transitions:
            key = (edge.source, edge.symbol, edge.target)
            _check_type("a symbol", edge.symbol, str)
            _check_type("a count", edge.count, int)
            if edge.source not in self.states or edge.target not in self.states:
                raise AutomatonError(f"transition {key} has an end that is not one of the states")
            if not 1 <= edge.count <= MAX_COUNT:
                raise AutomatonError(f"transition {key} has count {edge.count}; expected 1 to 2**63 - 1")
            if key in keys:
                raise AutomatonError(f"transition {key} is given twice")
            keys.add(key)

    @cached_property
    def input_symbols(self) -> frozenset[str]:
        """The symbols that stand on transitions."""
        return frozenset(edge.symbol for edge in self.transitions)

    @cached_property
    def columns(self) -> TransitionColumns:
        """The automaton as integer columns, which the algebra works on."""
        ids = tuple(sorted(self.states))
        symbols = tuple(sorted(self.input_symbols))
        number = {state: row for row, state in enumerate(ids)}
        symbol_number = {symbol: row for row, symbol in enumerate(symbols)}
        rows = sorted(
            (number[edge.source], symbol_number[edge.symbol], number[edge.target], edge.count)
            for edge in self.transitions
        )
        table = np.array(rows, dtype=np.int64).reshape(-1, 4)
        source, symbol, target, count = (np.ascontiguousarray(column) for column in table.T)
        return TransitionColumns(
            ids=ids,
            symbols=symbols,
            initial=number[self.initial_state],
            source=source,
            symbol=symbol,
            target=target,
            count=count,
        )

    @cached_property
    def _successors(self) -> dict[tuple[int, str], frozenset[int]]:
        targets: dict[tuple[int, str], set[int]] = {}
        for edge in self.transitions:
            targets.setdefault((edge.source, edge.symbol), set()).add(edge.target)
        return {key: frozenset(value) for key, value in targets.items()}

    def successors(self, state: int, symbol: str) -> frozenset[int]:
        """Return the states that ``symbol`` leads to from ``state``; empty if none."""
        return self._successors.get((state, symbol), frozenset())

    def accepts(self, word: Iterable[str]) -> bool:
        """Whether some path from the initial state spells ``word`` (subset simulation)."""
        current = frozenset({self.initial_state})
        for symbol in word:
            current = frozenset().union(*(self.successors(state, symbol) for state in current))
            if not current:
                return False
        return True

    @property
    def nondeterministic_choices(self) -> int:
        """How many (state, symbol) pairs have more than one target."""
        return sum(len(targets) > 1 for targets in self._successors.values())

    @property
    def deterministic(self) -> bool:
        """Whether no state has two targets for one symbol."""
        return not self.nondeterministic_choices


def _check_type(what: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise AutomatonError(f"expected {what} of type {kind.__name__} but got {value!r}")


def from_edges(edges: Iterable[tuple[int, str, int, int]], initial_state: int = 0) -> Automaton:
    """Return the automaton of ``(source, symbol, target, count)`` rows; counts of equal edges add up.

    Its states are the ends of the edges and the initial state. Transitions stand in ascending order.

    Raises:
        AutomatonError: a count is not positive.

    """
    counts: dict[tuple[int, str, int], int] = {}
    for source, symbol, target, count in edges:
        key = (source, symbol, target)
        counts[key] = counts.get(key, 0) + count
    return Automaton(
        states=frozenset({initial_state, *(key[0] for key in counts), *(key[2] for key in counts)}),
        transitions=tuple(
            Transition(source=source, symbol=symbol, target=target, count=count)
            for (source, symbol, target), count in sorted(counts.items())
        ),
        initial_state=initial_state,
    )
