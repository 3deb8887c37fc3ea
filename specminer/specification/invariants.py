"""What held in the history: the ``invariants`` of the document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from specminer.specification.absence import absent
from specminer.specification.numbers import Count, Interval


class Template(Enum):
    """The form of an invariant."""

    TOTAL = "total"
    """A variable is the sum, or the number, of others."""
    CONSERVED = "conserved"
    """A function moves amounts and makes or destroys none."""
    EFFECT = "effect"
    """What a variable holds after a call of a function."""
    BEFORE = "before"
    """What always held before a function was accepted."""
    STATE = "state"
    """What holds in every visit of a state."""
    ORDER = "order"
    """Of two variables of an interaction, one is never less."""
    OWN = "own entry"
    """Who calls changes only what is kept under their own address."""
    ONCE = "set once"
    """A variable is set from zero, and keeps that value."""
    MONOTONE = "monotone"
    """A variable never falls, or never rises; perhaps always by the same step."""
    CONSTANT = "constant"
    """A variable never changes after the deployment."""
    WRITERS = "writers"
    """Which functions change a variable."""

    @property
    def is_strict(self) -> bool:
        """Whether one failure in a later call breaks the invariant; the other forms only describe what was seen."""
        return self not in _DESCRIPTIONS


_DESCRIPTIONS: Final = frozenset({Template.BEFORE, Template.STATE, Template.ORDER, Template.WRITERS})
"""Forms that describe what was seen."""


class Derivation(Enum):
    """How far an invariant follows from what the code computes, on each path that an accepted call took."""

    EXACT = "exact"
    """What was decided on these paths keeps all numbers in their bounds."""
    MODULAR = "modular"
    """In the arithmetic of the machine: nothing that was decided shows that no number wraps around."""


class ScopeKind(Enum):
    """What an invariant is about."""

    CONTRACT = "contract"
    STATE = "state"
    FUNCTION = "function"
    INTERACTION = "interaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimScope:
    """What an invariant is about, by name."""

    of: ScopeKind
    """The kind of thing."""
    state: int | None = absent()
    """The state's id, where it is about a state."""
    function: str | None = absent()
    """The function's name, where it is about a function."""

    @property
    def name(self) -> str:
        """The function's name, or else the kind."""
        return self.of.value if self.function is None else self.function


CONTRACT_SCOPE: Final = ClaimScope(of=ScopeKind.CONTRACT)
"""The scope of what is about the whole contract."""
INTERACTION_SCOPE: Final = ClaimScope(of=ScopeKind.INTERACTION)
"""The scope of what is about every interaction."""


def function_scope(name: str) -> ClaimScope:
    """Return the scope of what is about a function."""
    return ClaimScope(of=ScopeKind.FUNCTION, function=name)


def state_scope(state: int) -> ClaimScope:
    """Return the scope of what is about a state, by its id."""
    return ClaimScope(of=ScopeKind.STATE, state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterCases:
    """How a claim fared in the last 30 % of the history."""

    support: Count
    """The cases in that part."""
    exceptions: Count
    """How many of them broke it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvariantEntry:
    """What held, with what it rests on."""

    scope: ClaimScope
    """What it is about."""
    text: str
    """The claim as people read it."""
    smt: str | None = None
    """The claim in SMT-LIB 2; ``None`` where it has no such form."""
    kind: Template
    """Its form."""
    support: Count
    """In how many cases it could have failed."""
    exceptions: Count
    """In how many it did."""
    interactions: Count | None = None
    """In how many interactions the cases lie: these are independent of each other, cases of one are not."""
    interval: Interval | None = None
    """The 95 % interval of the share of cases in which it holds (Wilson)."""
    test: LaterCases | None = None
    """The cases in the later part of the history."""
    broken_by: tuple[str, ...] = ()
    """Hashes of transactions that broke it, at most five, the earliest first."""
    derivation: Derivation | None = absent()
    """How far it follows from what the code computes; left out where that was not shown."""
    unknown: Count | None = absent()
    """In how many more cases it may have failed, because a value is not known; left out if there are none."""
