"""Differences between two specifications as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from specminer.decision.coded_effects import IdleEffect
from specminer.specification import Edge, Specification, State


class Subject(Enum):
    """The part of a specification that differs, in the order in which differences are told."""

    FUNCTION = "function"
    GUARD = "guard"
    EFFECT = "effect"
    ROLE = "role"
    ACTOR = "actor"
    """Who called a function, or held a role."""
    REJECTION = "rejection"
    INVARIANT = "invariant"
    STATE = "state"
    TRANSITION = "transition"


class Change(Enum):
    """How it differs in the second specification."""

    ADDED = "added"
    GONE = "gone"
    WEAKER = "weaker"
    """The second accepts what the first rejects, and not the other way round."""
    STRONGER = "stronger"
    OTHER = "other"
    ORDER = "order"
    """The same conditions are asked in another order."""
    MORE_OFTEN = "more often"
    LESS_OFTEN = "less often"
    BROKEN = "broken"
    """What always held in the one fails in the other."""


Cases = tuple[int, int, int, int]
"""Hits and trials in the first history, and in the second."""


def change_of(case: Cases) -> Change:
    """Return how a share changed that is not the same: whether it began, ended, grew or shrank."""
    hits, trials, later_hits, later_trials = case
    if not hits:
        return Change.ADDED
    if not later_hits:
        return Change.GONE
    return Change.MORE_OFTEN if later_hits * trials > hits * later_trials else Change.LESS_OFTEN


class Ground(Enum):
    """What a difference rests on, the surest first."""

    CODE = "code"
    """Both codes were followed, and say so."""
    DATA = "data"
    """Counts that differ by more than chance explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedEvidence:
    """What a history says of another one's specification, beyond its own."""

    claims: Mapping[str, tuple[int, int]]
    """Of the text of an invariant: in how many cases of this history it fails, and how many there are."""
    idle: Mapping[tuple[str, str], IdleEffect] = field(default_factory=dict)
    """Effects, by function and text, that are in the code but made no difference in this history."""
    refusals: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Conditions that the other specification requires, by function and text, of functions that were accepted too
    seldom here to know all their conditions; each with the values of an accepted call for which it does not hold."""
    callers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """How many accepted calls of each function each account sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs."""

    subject: Subject
    change: Change
    ground: Ground
    scope: str
    """The function, the role, or what else it is about."""
    before: str = ""
    """What the first specification says; empty if nothing."""
    after: str = ""
    """What the second one says."""
    sentence: str
    """The difference for people; raw, whoever shows it escapes it."""
    example: Mapping[str, str] = field(default_factory=dict)
    """Values that the one accepts and the other rejects, by name."""
    counts: Cases | None = None
    probability: float | None = None
    """How often chance makes counts differ so much, if nothing differs; ``None`` of what the code says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTransition:
    """A transition of one or both automata."""

    source: int
    """A state of the joint automaton."""
    target: int
    symbol: str
    before: Edge | None
    after: Edge | None
    change: Change | None = None
    """``None`` if it is the same beyond chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedState:
    """A state of one or both automata, by its number in the joint automaton."""

    id: int
    before: State | None
    after: State | None

    @property
    def name(self) -> str:
        """The second automaton's name for it, else the first's."""
        state = self.after or self.before
        return state.name if state is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two specifications beside each other."""

    before: Specification
    after: Specification
    differences: tuple[Difference, ...]
    """What weighs most first."""
    states: Sequence[PairedState] = ()
    """Of the joint automaton; the initial state is 0."""
    transitions: Sequence[PairedTransition] = ()
    uncompared: Mapping[str, int] = field(default_factory=dict)
    """What could not be compared, with the reason, and how much of it."""
