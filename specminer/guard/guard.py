"""What was learned about when a function is accepted: values, told from how they were found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from specminer.guard.learning import Clause
from specminer.guard.literal import Meaning
from specminer.predicate import Formula


class Kind(Enum):
    """What a condition is known by."""

    REQUIRED = "required"
    """Calls in which it did not hold were rejected."""
    OBSERVED = "observed"
    """It held in the accepted calls, more often than chance explains; no rejection shows that it must."""


class Proof(Enum):
    """Whether a solver proved that a guard says the same as what was learned."""

    YES = "yes"
    NO = "no"
    UNPROVED = "unproved"
    """There is no solver, or it did not tell within its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the contract rejected calls, in its own words."""

    text: str
    """Raw; empty where it gave no reason."""
    rejected: int
    explained: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One part of a guard."""

    clause: Clause
    text: str
    explained: int
    """Rejected calls in which it did not hold."""
    exceptions: int
    """Accepted calls in which it did not hold."""
    unknown: int
    """Accepted calls that did not look at what it speaks of."""
    reasons: tuple[Reason, ...]
    """Those that it explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """How a guard learned on the first part of the history does on the rest."""

    text: str
    """The guard learned on the first part."""
    accepted: int
    refused: int
    """Accepted calls that it would have refused."""
    rejected: int
    explained: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """When a function is accepted: a conjunction, stated over all of its calls."""

    function: str
    kind: Kind
    meaning: Meaning
    conditions: tuple[Condition, ...]
    formula: Formula
    """What was learned."""
    simplified: Formula
    """The same, as short as it gets."""
    text: str
    accepted: int
    rejected: int
    """Rejected by the contract's code: running out of gas proves nothing."""
    explained: int
    exceptions: int
    left_out: int
    """Calls that ran out of gas, or failed otherwise than by the contract's code."""
    held_out: HeldOut | None
    reasons: tuple[Reason, ...]
    """All reasons for which calls of the function were rejected, the most frequent first."""
    significance: float | None = None
    """For what was observed: how often chance does as well."""
