"""What states and events are made of, and why: the ``abstraction`` of the document.

Its first part is a definition, as TOML has it; :mod:`specminer.learning.abstraction_definition` reads that from people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

import msgspec

from specminer.specification.absence import absent
from specminer.specification.numbers import Count, Share

Weight = Annotated[float, msgspec.Meta(ge=0)]
"""A factor, 0 or more."""


class RejectedCalls(Enum):
    """What a rejected call is to the automaton."""

    LOOP = "loop"
    """An event of its own that keeps the state."""
    DROP = "drop"
    """No event; whoever builds the table of events leaves it out."""


class HistoryView(Enum):
    """Whether states may depend on what happened before, and not on storage alone."""

    FALLBACK = "fallback"
    """Only where storage tells nothing, or a variable is forbidden."""
    ALWAYS = "always"
    NEVER = "never"


class Tier(Enum):
    """Where a predicate's meaning comes from."""

    STORAGE = "storage"
    TIME = "time"
    HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each term of the objective is multiplied by; see :mod:`specminer.learning.metric`."""

    label: Weight = 1.0
    """The bits to tell each event, given its state."""
    successor: Weight = 1.0
    """The bits to tell each next state, given state and event."""
    end: Weight = 1.0
    """The bits to tell where interactions end."""
    transitions: Weight = 0.25
    """Bits an edge costs, as a share of log2 of the number of events."""
    predicates: Weight = 2.0
    """Bits a predicate costs, as a multiple of its price times log2 of the number of candidates."""
    states: Weight = 0.0
    """Bits a state costs, as a share of log2 of the number of events."""
    nondeterminism: Weight = 0.0
    """Bits a (state, event) pair with several next states costs, as a share of the same."""
    precision: Weight = 1.0
    """Multiplies the first three: how much fitting the events counts against being small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRules:
    """What a definition says of states."""

    fix: tuple[str, ...] = ()
    """Predicates that are always chosen. ``a = 0 | b = 0`` is the first of these that is one here."""
    prefer: tuple[str, ...] = ()
    """Predicates, or variables with all their predicates, at half the price."""
    forbid: tuple[str, ...] = ()
    """Predicates, or variables with all their predicates, that are left out."""
    only: bool = False
    """Nothing is searched for: the fixed predicates are all."""
    merge: tuple[str, ...] = ()
    """Conjunctions of fixed predicates, or their opposites; what satisfies one of them is one state."""
    history: HistoryView = HistoryView.FALLBACK
    """Whether states may depend on what happened before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """What a definition says of events."""

    roles: bool = True
    """Whether events are told apart by the role in which a call names the entity."""
    rejected: RejectedCalls = RejectedCalls.LOOP
    """What a rejected call is."""
    called: dict[str, str] = field(default_factory=dict)
    """Function to the event that it counts as; functions of one event are not told apart."""
    drop: tuple[str, ...] = ()
    """Functions whose calls are no events."""
    phases: tuple[str, ...] | None = absent()
    """Flags of the whole contract whose changes are events; left out for those for which it pays."""
    split: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Event to predicates about the call that make several events of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionDocument:
    """What is asked of an abstraction, in the structure of its TOML."""

    name: str = ""
    """Its name."""
    summary: str = ""
    """Its purpose, in a sentence."""
    applies_to: tuple[str, ...] = ()
    """Signatures that an ABI must have."""
    refines: str | None = absent()
    """Name or path of the definition that this one adds to."""
    state: StateRules = field(default_factory=StateRules)
    """The rules for states."""
    events: EventRules = field(default_factory=EventRules)
    """The rules for events."""
    names: dict[str, str] = field(default_factory=dict)
    """Predicate to the name of what holds where it is true."""
    weights: Weights = field(default_factory=Weights)
    """The weights of the objective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPredicate:
    """A predicate that tells states apart, and what speaks for it."""

    predicate: str
    """The predicate as people read it."""
    price: float | None = None
    """How complicated it is, as a factor of its cost."""
    tier: Tier = Tier.STORAGE
    """Where its meaning comes from."""
    gain_bits: float | None = None
    """The bits by which the description grows without it."""
    stability: Share | None = None
    """The share of random halves of the history in which it pays; ``None`` where nobody measured it."""
    weak: bool = False
    """Whether chance may have chosen it."""
    fixed: bool = False
    """Whether the definition fixed it."""
    aliases: tuple[str, ...] = ()
    """Predicates that were true in exactly the same events."""
    equivalent: tuple[str, ...] = ()
    """Those of them that a solver proved to mean the same."""
    observers: tuple[str, ...] = ()
    """Signatures of the contract's read-only functions whose results it speaks of, as ``state(uint256 id)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstractionSummary(DefinitionDocument):
    """The definition that makes the automaton again, and why its predicates were chosen."""

    chosen: tuple[ChosenPredicate, ...] = ()
    """The predicates that tell states apart."""
    facets: tuple[str, ...] = ()
    """Predicates that tell kinds of entities apart: they are no states, as they do not change."""
    candidates: Count | None = None
    """How many predicates there were to choose from."""
    evaluations: Count | None = None
    """How many combinations were compared."""
    used_history: bool = False
    """Whether predicates about what happened before were candidates."""
    preset: str | None = None
    """The name of the preset that says which point of the front is chosen."""
    solver: str | None = None
    """What proved equivalences; ``None`` if no solver was there."""
    seed: int | None = None
    """The seed of what was drawn at random."""

    @property
    def observers(self) -> tuple[str, ...]:
        """Signatures of the read-only functions whose results tell states apart, each once."""
        return tuple(dict.fromkeys(name for item in self.chosen for name in item.observers))
