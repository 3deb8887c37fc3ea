"""The weighted, prefix-closed automaton as an immutable mathematical value.

Every state accepts: the language of such an automaton is closed under prefixes. It may be
nondeterministic: two transitions of one state may carry the same symbol.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


class AutomatonError(ValueError):
    """What was given is no automaton: a dangling transition, a missing initial state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """``source --symbol--> target``, seen ``count`` times."""

    source: int
    symbol: str
    target: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Automaton:
    """``(states, input_symbols, transitions, initial_state)``, validated when it is built.

    Raises:
        AutomatonError: a transition leaves the set of states or stands twice, the initial state is
            no state, or a count is not positive.

    """

    states: frozenset[int]
    transitions: tuple[Transition, ...]
    initial_state: int

    def __post_init__(self) -> None:
        if self.initial_state not in self.states:
            raise AutomatonError(f"the initial state {self.initial_state} is not one of the states")
        seen: set[tuple[int, str, int]] = set()
        for edge in self.transitions:
            key = (edge.source, edge.symbol, edge.target)
            if edge.source not in self.states or edge.target not in self.states:
                raise AutomatonError(f"transition {key} has an end that is not one of the states")
            if edge.count < 1:
                raise AutomatonError(f"transition {key} has count {edge.count}; expected 1 or more")
            if key in seen:
                raise AutomatonError(f"transition {key} is given twice")
            seen.add(key)

    @cached_property
    def input_symbols(self) -> frozenset[str]:
        """The symbols that stand on transitions."""
        return frozenset(edge.symbol for edge in self.transitions)

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
