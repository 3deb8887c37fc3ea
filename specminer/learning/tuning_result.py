"""What the search found, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EventTable
from specminer.learning.quotient import Quotient
from specminer.learning.vocabulary import Predicate, Vocabulary
from specminer.predicate import Formula, Language
from specminer.specification.abstraction_entries import Tier

WEAK: Final = 20.0
"""A predicate that gains fewer bits is flagged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredicateWorth:
    """A predicate of the abstraction, and what it is worth."""

    text: str
    formula: Formula = field(compare=False)
    price: float
    tier: Tier
    gain: float
    """Bits: J without it minus J."""
    stability: float | None
    """Share of random halves of the history in which it pays, too; ``None`` where that cannot be told."""
    fixed: bool
    """The definition asked for it."""
    aliases: tuple[str, ...]
    """What is true after exactly the same events of this history, or never."""
    equivalent: tuple[str, ...]
    """Those of ``aliases`` that a solver proved to mean the same, whatever the history."""
    observers: tuple[str, ...] = ()
    """Signatures of the read-only functions whose results it speaks of."""

    @property
    def weak(self) -> bool:
        """Whether it gains so little that chance might have chosen it."""
        return self.gain < WEAK


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedState:
    """A state of the automaton."""

    id: int
    name: str
    predicates: tuple[str, ...]
    """Each chosen predicate as it holds here, equal texts once; empty in the root."""
    phrases: tuple[str, ...]
    """The same as people would say them; of a variable that has none of several values, those that it had."""
    visits: int
    """Events that entered this state or stayed in it."""
    ends: int
    """Interactions that end here."""
    unknown: int = 0
    """Those of ``visits`` of which it is not known whether the predicates hold: a value is in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontAutomaton:
    """One automaton of the front."""

    blocks: IntColumn = field(compare=False)
    """Id of the state of each finest state; 0 is the root, the others in order of first visit."""
    predicates: tuple[PredicateWorth, ...]
    merged_states: tuple[str, ...]
    """Conjunctions that describe the states in which others were joined."""
    states: tuple[TunedState, ...]
    """By id."""
    metrics: dict[str, float]
    chosen: bool
    knee: bool
    """The last point before held-out acceptance falls."""
    definition: Definition
    """What makes this automaton again: nothing is left to be searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulPredicates:
    """Where predicates are not known, or only assumed, in a history some of whose values are in doubt."""

    columns: BoolColumn
    """Of each predicate after each event that was not rejected; shape (P, m)."""
    after: IntColumn
    """For each event of the table the column that holds after it, or -1; shape (n,)."""

    def of(self, predicates: Sequence[int]) -> BoolColumn:
        """Return after which events one of some predicates is not known; shape (n,)."""
        doubtful: BoolColumn = np.logical_or.reduce(self.columns[list(predicates)], axis=0)
        return np.append(doubtful, False)[self.after]


def doubts_of(candidates: Vocabulary) -> DoubtfulPredicates | None:
    """Return where the predicates of a vocabulary are not known; ``None`` if no value is in doubt."""
    if candidates.doubtful is None:
        return None
    return DoubtfulPredicates(columns=candidates.doubtful, after=candidates.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The abstraction found, and the automata that the front makes of the table's ``n`` events."""

    language: Language
    """What the formulas are written in."""
    table: EventTable
    """The events; some may have been split by predicates about their calls."""
    splits: Mapping[str, tuple[str, ...]]
    """Event to the predicates that split it."""
    phases: tuple[str, ...]
    """The flags of the whole contract whose changes are events of the table."""
    graph: Quotient
    vocabulary: tuple[Predicate, ...] = field(compare=False)
    """The predicates that the search chose from: rows of ``graph.valuations``."""
    doubts: DoubtfulPredicates | None
    """Where predicates are not known; ``None`` if no value is in doubt."""
    front: tuple[FrontAutomaton, ...]
    """From few states to many; none is dominated by another."""
    facets: tuple[str, ...]
    """What tells kinds of entities apart and never changes in one."""
    used_history: bool
    """Storage said nothing, so predicates about earlier events were admitted and some were chosen."""
    candidates: int
    """P, how many predicates the search chose from."""
    evaluations: int
    """How many selections were compared."""
    unmatched: tuple[str, ...]
    """What the definition prefers or forbids and the table does not have."""
    solver: str | None
    """What proved equivalences; ``None`` if no solver is installed."""
    preset: str
    seed: int

    def at(self, position: int) -> Tuning:
        """Return the same with another point of the front chosen, counted from 0."""
        front = tuple(replace(point, chosen=number == position) for number, point in enumerate(self.front))
        return replace(self, front=front)

    @property
    def chosen_point(self) -> FrontAutomaton:
        """The point that was chosen."""
        return next(point for point in self.front if point.chosen)

    @property
    def predicates(self) -> tuple[PredicateWorth, ...]:
        """The predicates of the chosen point."""
        return self.chosen_point.predicates

    @property
    def states(self) -> tuple[TunedState, ...]:
        """The states of the chosen point, by id."""
        return self.chosen_point.states

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of the chosen point."""
        return self.chosen_point.metrics

    def condition(self, symbol: int) -> str:
        """Return the part of its event that a symbol of the table is: `` [not _paused]``; nothing for a whole."""
        if not self.table.wholes:
            return ""
        return self.table.symbols[symbol].removeprefix(self.table.wholes[symbol])

    def before(self, point: FrontAutomaton) -> IntColumn:
        """Return the state before each event; shape (n,)."""
        return point.blocks[self.graph.state_before]

    def after(self, point: FrontAutomaton) -> IntColumn:
        """Return the state after each event; a rejected one keeps the state; shape (n,)."""
        return point.blocks[self.graph.state_after]

    def uncertain_after(self, point: FrontAutomaton) -> BoolColumn:
        """Return after which events the state is only assumed, because a value is in doubt; shape (n,)."""
        formulas = {predicate.formula for predicate in point.predicates}
        rows = [row for row, item in enumerate(self.vocabulary) if item.formula in formulas]
        if self.doubts is None or not rows:
            return np.zeros(len(self.table), dtype=np.bool_)
        return self.doubts.of(rows)

    def uncertain(self, point: FrontAutomaton) -> BoolColumn:
        """Return the events before or after which the state is only assumed; shape (n,)."""
        after = self.uncertain_after(point)
        return after | self.shift_to_before(after)

    def shift_to_before(self, after: BoolColumn) -> BoolColumn:
        """Return what holds before each event, of what holds after each: nothing before the first of an interaction."""
        before: BoolColumn = np.concatenate(([False], after[:-1]))[: len(after)]
        before[self.table.starts] = False
        return before

    @property
    def state_before(self) -> IntColumn:
        """The state before each event at the chosen point."""
        return self.before(self.chosen_point)

    @property
    def state_after(self) -> IntColumn:
        """The state after each event at the chosen point."""
        return self.after(self.chosen_point)
