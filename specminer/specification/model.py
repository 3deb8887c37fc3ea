"""The mined specification: an automaton with the evidence for each of its parts.

This is the content of ``automaton.json`` (format ``specminer/automaton``), the one input of
everything that draws, reports or exports. Texts in it are raw: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Self

from specminer._support.errors import UsageError
from specminer.automaton import Automaton, Transition
from specminer.specification.absence import absent
from specminer.specification.abstraction_entries import AbstractionSummary
from specminer.specification.claims import (
    CompetingTransitions,
    Obligation,
    ObligationSubject,
    RedundantClaim,
    Role,
)
from specminer.specification.confidence_entries import Confidence
from specminer.specification.effects import Effect
from specminer.specification.guards import Guard, TransitionGuard
from specminer.specification.history_facts import HistorySummary
from specminer.specification.invariants import InvariantEntry
from specminer.specification.numbers import Count, Interval
from specminer.specification.split_document import InteractionsSummary
from specminer.specification.surprise_entries import Surprise
from specminer.specification.symbols import SymbolSort

FORMAT = "specminer/automaton"
VERSION = 2
"""Version 1 calls learned guards ``required``."""
MAX_WITNESSES = 10


def front_place(sizes: Sequence[int], states: int | None = None, point: int | None = None) -> int | None:
    """Return which point of a front is wanted, counted from 0; ``None`` if none is asked for.

    Args:
        sizes: the numbers of states of the front's points.
        states: the wanted point's.
        point: the wanted point, counted from 1.

    Raises:
        UsageError: there is none, or two are wanted.

    """
    if states is not None and point is not None:
        raise UsageError("--states and --point each choose an automaton; give one of them")
    if states is not None:
        if states not in sizes:
            sizes_text = ", ".join(map(str, sizes)) or "none"
            raise UsageError(
                f"no automaton of {states} states is on the front; it has those of {sizes_text} states"
            )
        return list(sizes).index(states)
    if point is not None and not 0 < point <= len(sizes):
        raise UsageError(
            f"there is no point {point} on the front; it has {len(sizes)} points, counted from 1"
        )
    return None if point is None else point - 1


class TransitionKind(Enum):
    """What moved the automaton."""

    CALL = "call"
    PASSIVE = "passive"
    """Somebody else's call changed this interaction's storage."""
    PHASE = "phase"
    """A flag of the whole contract was switched."""
    TIME = "time"
    """The clock reached a deadline that the interaction's storage holds."""

    @property
    def befalls(self) -> bool:
        """Whether nobody called anything of the interaction: it happened to it."""
        return self in (TransitionKind.PHASE, TransitionKind.TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """Where something happened on the chain."""

    transaction: str
    """Hash, ``0x`` and 64 hexadecimal digits."""
    block: Count
    """Its number."""
    timestamp: int | None
    """The block's, in Unix seconds; ``None`` where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of the specification, described by what holds in it."""

    id: int
    """What transitions call it by."""
    name: str
    """Short, unique, for people."""
    predicates: tuple[str, ...]
    """Each chosen predicate as it holds here, negated where it does not; empty in the initial state."""
    visits: Count
    """How often an event entered (or stayed in) this state."""
    ends: Count
    """How many interactions end here."""
    phrases: tuple[str, ...] = ()
    """The predicates as people would say them, in the same order; a variable that has none of several values is said to
    have those that it had."""
    smt: str | None = None
    """What holds here, in SMT-LIB 2 over ``Specification.symbols``: of states that were joined a disjunction."""
    unknown: Count | None = absent()
    """Those of the visits of which it is not known whether the predicates hold, because a value is not known; left out
    if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A transition with its evidence."""

    source: int
    """The state it leaves."""
    target: int
    """The state it leads to."""
    event: str
    """What a person reads: the function, with the role in a projection, or ``side effect of f``."""
    function: str
    """The bare name: ``bid``, ``constructor``, ``receive``, ``fallback`` or an unknown selector; of what the clock
    brought about, the deadline that was reached."""
    role: str | None
    """As what the call names the entity; ``None`` where calls belong to one entity."""
    kind: TransitionKind
    """A call, somebody else's call, or a switch of the whole contract."""
    outcome: str
    """``returned`` or ``reverted``."""
    count: Count
    """How often it was taken."""
    interaction_count: Count
    """In how many interactions."""
    senders: Count
    """How many different addresses; nobody sends what the clock brings about."""
    first: Occurrence
    """When it was taken first; of what the clock brought about, where the first call afterwards shows it."""
    last: Occurrence
    """When it was taken last."""
    reached: Count | None = None
    """In how many interactions some event left the source; ``None`` where nobody counted."""
    interval: Interval | None = None
    """The 95 % interval of the share of these interactions that take this transition (Wilson)."""
    guard: str | None = None
    """What the call has to meet here, besides what follows from the source state; ``true`` if all does."""
    condition: TransitionGuard | None = None
    """The same in full; ``null`` if there is no condition."""
    witnesses: tuple[str, ...] = ()
    """At most ten transaction hashes, the earliest first."""
    unknown: Count | None = absent()
    """Of how many of the times it is not known whether they began and ended in these states, because a value is not
    known; left out if there are none."""

    @property
    def symbol(self) -> str:
        """The event as a symbol of the automaton's alphabet; rejected calls are marked."""
        return self.event if self.outcome == "returned" else f"{self.event} (rejected)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The automaton of a point of the front that was not chosen."""

    states: tuple[State, ...]
    """The initial one included."""
    transitions: tuple[Edge, ...]
    """All, rejected calls included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """A point of the front from readable to precise."""

    states: Count
    """How many."""
    metrics: dict[str, float]
    """Its metrics by name."""
    chosen: bool
    """Whether the document's automaton is this one."""
    predicates: tuple[str, ...] = ()
    """What its states are told apart by."""
    knee: bool = False
    """The last point before held-out acceptance falls."""
    abstraction: AbstractionSummary | None = None
    """As in the specification; ``None`` for the chosen point, whose own it is."""
    automaton: Alternative | None = None
    """``None`` for the chosen point, whose own it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondView:
    """The automaton of the same history split by something else that is nearly as good."""

    interactions: InteractionsSummary
    """How the history is split here, and why that is nearly as good."""
    abstraction: AbstractionSummary
    """What its states distinguish; mined with it and ``--interactions``, the history gives this automaton."""
    states: tuple[State, ...]
    """The initial one included, whose id is that of the specification's."""
    transitions: tuple[Edge, ...]
    """All, rejected calls included."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What was measured of this automaton, by name."""


@dataclass(frozen=True, kw_only=True)
class Specification:
    """Everything mined from one history; the JSON document, typed."""

    name: str
    """The contract's name where it is known, else its shortened address."""
    contracts: tuple[str, ...]
    """Addresses with checksum."""
    chain_id: int
    """Of the chain that was read."""
    history: HistorySummary
    """What was read, and what that cannot see."""
    interactions: InteractionsSummary
    """How the history was split into interactions, and why."""
    abstraction: AbstractionSummary
    """The content of the abstraction's TOML, with the chosen predicates and why."""
    states: tuple[State, ...]
    """The initial one included."""
    initial: int
    """The id of the initial state: there the entity does not exist yet."""
    transitions: tuple[Edge, ...]
    """All, rejected calls included."""
    guards: tuple[Guard, ...] = ()
    """Of each function the required guard, then what is coded, learned and observed."""
    roles: tuple[Role, ...] = ()
    """Who may call what, those first to whom most functions are reserved."""
    effects: tuple[Effect, ...] = ()
    """What accepted calls do, by function and kind, what happens most often first."""
    obligations: tuple[Obligation, ...] = ()
    """What a solver was asked about guards, transitions, pairs of transitions, and claims that follow from others."""
    invariants: tuple[InvariantEntry, ...] = ()
    """What held, with what it rests on; ordered by kind."""
    symbols: dict[str, SymbolSort] = field(default_factory=dict)
    """What the variables are that states speak of, by quoted SMT-LIB 2 name: Bool, Int (not negative), Signed Int."""
    siblings: tuple[CompetingTransitions, ...] = ()
    """Pairs of transitions of one state and event, those first that most calls took."""
    redundant: tuple[RedundantClaim, ...] = ()
    """Claims that are left out because they follow from others: guards, then invariants."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What was measured of this automaton, by name."""
    confidence: Confidence = field(default_factory=Confidence)
    """How well all this is known."""
    surprise: Surprise = field(default_factory=Surprise)
    """What stands out, the most surprising first."""
    front: tuple[FrontPoint, ...] = ()
    """By states, ascending."""
    read_only_guards: tuple[Guard, ...] | None = absent()
    """Of each read-only function that rejected calls what it requires. These calls are no events: they count nowhere
    else. Left out if there are none."""
    second_view: SecondView | None = absent()
    """The history split by something else that is nearly as good; left out if there is nothing."""
    address_names: dict[str, str] | None = absent()
    """What addresses of the history are called, by address with checksum: as the user said, else as contracts of the
    same database are; raw. Left out if none has a name."""

    def seen_otherwise(self) -> Self | None:
        """Return the specification of the second view; ``None`` if there is none.

        What was found out about the interactions of the first (invariants, confidence, surprise, front) is left out.
        """
        view = self.second_view
        if view is None:
            return None
        return replace(
            self,
            interactions=view.interactions,
            abstraction=view.abstraction,
            states=view.states,
            transitions=view.transitions,
            metrics=view.metrics,
            invariants=(),
            symbols={},
            siblings=(),
            redundant=(),
            obligations=tuple(item for item in self.obligations if item.about is ObligationSubject.GUARD),
            confidence=Confidence(),
            surprise=Surprise(),
            front=(),
            second_view=None,
        )

    def at(self, index: int) -> Self:
        """Return the specification with another point of the front chosen, counted from 0.

        What only the history tells of a point (guards of transitions, invariants, confidence, surprise) is left out.

        Raises:
            UsageError: the document does not hold its automaton.

        """
        point = self.front[index]
        if point.chosen:
            return self
        if point.automaton is None or point.abstraction is None:
            raise UsageError(f"the document does not hold the automaton of point {index + 1} of its front")
        front = [
            replace(
                other,
                chosen=False,
                abstraction=self.abstraction,
                automaton=Alternative(states=self.states, transitions=self.transitions),
            )
            if other.chosen
            else other
            for other in self.front
        ]
        front[index] = replace(point, chosen=True, abstraction=None, automaton=None)
        return replace(
            self,
            abstraction=point.abstraction,
            states=point.automaton.states,
            transitions=point.automaton.transitions,
            metrics=point.metrics,
            invariants=(),
            symbols={},
            siblings=(),
            redundant=(),
            obligations=tuple(item for item in self.obligations if item.about is ObligationSubject.GUARD),
            confidence=Confidence(),
            surprise=Surprise(),
            front=tuple(front),
        )

    def with_states(self, states: int) -> Self:
        """Return the specification with the point of the front chosen that has so many states.

        Raises:
            UsageError: there is none.

        """
        index = front_place([point.states for point in self.front], states=states)
        return self if index is None else self.at(index)

    @cached_property
    def automaton(self) -> Automaton:
        """The bare automaton over :attr:`Edge.symbol`; raises ``AutomatonError`` if it is none."""
        counts: dict[tuple[int, str, int], int] = {}
        for edge in self.transitions:
            key = (edge.source, edge.symbol, edge.target)
            counts[key] = counts.get(key, 0) + edge.count
        return Automaton(
            states=frozenset(state.id for state in self.states),
            transitions=tuple(
                Transition(source=source, symbol=symbol, target=target, count=count)
                for (source, symbol, target), count in sorted(counts.items())
            ),
            initial_state=self.initial,
        )
