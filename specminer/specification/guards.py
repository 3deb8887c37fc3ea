"""Guards in a specification: when a function is accepted, and what a single transition asks for.

Counts are of calls, terms are SMT-LIB 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from specminer.specification.absence import absent
from specminer.specification.numbers import Count, Interval, Share
from specminer.specification.symbols import SymbolSort


class GuardKind(Enum):
    """The evidence that a guard rests on."""

    REQUIRED = "required"
    """The code decides upon it, and calls in which it did not hold stopped there."""
    CODED = "coded"
    """The code decides upon it: the other way leads straight to a revert. No recorded call tried."""
    OBSERVED = "observed"
    """It held in the accepted calls, more often than chance explains; nothing shows that it must."""
    LEARNED = "learned"
    """It was false in rejected calls and true in accepted ones; the code's own decisions could not be followed."""


class ConditionMaker(Enum):
    """Who wrote a condition into the code."""

    CONTRACT = "contract"
    """The contract's author."""
    COMPILER = "compiler"
    """The compiler, or a library in its place: sizes of calldata and answers, payability, checked arithmetic, casts."""


class Proof(Enum):
    """Whether a solver proved a claim."""

    YES = "yes"
    NO = "no"
    UNPROVED = "unproved"
    """There is no solver, or it gave no answer within its limit."""


class ConditionOrigin(Enum):
    """The calls that a condition of a transition was learned from."""

    FUNCTION = "function"
    """All calls of the function."""
    STATE = "state"
    """Those that came to the transition's source state."""
    TARGET = "target"
    """The accepted ones of these: the condition tells where they lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionWitness:
    """A rejected call, with the values that met in the condition that stopped it."""

    transaction: str
    """Hash, ``0x`` and 64 hexadecimal digits."""
    text: str
    """What was compared, with the values, as it turned out: ``value 0.5 ETH < price 0.7 ETH``."""
    values: dict[str, str] = field(default_factory=dict)
    """The value of each term of the condition, exact, by the term's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionCause:
    """A condition that calls were rejected by."""

    condition: str
    """Its text, as in the guard."""
    stopped: Count
    """Calls that stopped there."""
    witnesses: tuple[RejectionWitness, ...] = ()
    """Some of them, the earliest first; inferred ones only if there are no others."""
    inferred: Count | None = absent()
    """Those that read a value that is not known: no other way through the code fits what is known of them. Left out if
    there are none."""
    inferred_from_gas: Count | None = absent()
    """Those of them for which other ways fit but for the gas that they take; left out if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionReason:
    """A reason that the contract gave for rejecting calls."""

    text: str
    """In the contract's own words, raw; empty where it gave no reason."""
    rejected: Count
    """Calls that were rejected for it."""
    explained: Count
    """Those of them that the conditions explain."""
    causes: tuple[RejectionCause, ...] = ()
    """The conditions at which these calls stopped, the most frequent first; only where the code was followed."""
    unexplained: dict[str, Count] = field(default_factory=dict)
    """Why the others have no cause, with the number of calls, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionCounts:
    """What calls did at a condition of the code, of those that were followed."""

    passed: Count
    """Accepted calls that decided it the accepted way."""
    stopped: Count
    """Calls that were rejected by it."""
    contradictions: Count
    """Accepted calls that decided it the rejecting way."""
    undecided: Count
    """Accepted calls that never came to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionPath:
    """A condition as what the code asks on one of its ways only."""

    premise: str
    """When calls come to it."""
    demand: str
    """What is asked of them then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeVersion:
    """When the version of the code ran that has a condition which others do not have."""

    demand: str
    """The condition in that version, for people."""
    since: Count | None = absent()
    """The first block in which it ran; left out if there was no version before it."""
    until: Count | None = absent()
    """The first block in which a later version ran; left out if there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedCalls:
    """How many calls of a function were followed through the code."""

    followed: Count
    """Calls that were executed alone and did what was recorded, or took the path of one that did."""
    unpursued: Count = 0
    """Calls that were not tried, because enough others were."""
    unproved: dict[str, Count] = field(default_factory=dict)
    """Why others could not be followed, with the number of calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedBound:
    """Where the bound of a condition lies, whose number the code does not tell."""

    accepted: str
    """The value nearest to the bound that an accepted call had."""
    rejected: str
    """The value nearest to the bound that a rejected call had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardCondition:
    """One part of a guard's conjunction."""

    text: str
    """The condition for people."""
    explained: Count = 0
    """Rejected calls in which it did not hold."""
    exceptions: Count = 0
    """Accepted calls in which it did not hold."""
    unknown: Count = 0
    """Accepted calls that did not read what the condition is about, or read a value that is not known."""
    interval: Interval | None = None
    """Of the share of accepted calls that keep it; ``null`` in documents that do not have it."""
    reasons: tuple[RejectionReason, ...] = ()
    """The contract's reasons that it explains, the most frequent first."""
    maker: ConditionMaker = ConditionMaker.CONTRACT
    """Whether the contract's author wrote it, or the compiler."""
    each: bool = False
    """Whether it is asked of each element of a loop; the text speaks of the first."""
    path: ConditionPath | None = absent()
    """The same as an implication, where not all accepted calls come to it; left out if all do."""
    version: CodeVersion | None = absent()
    """The version of the code that has it; left out if all have it that accepted calls."""
    decisions: DecisionCounts | None = absent()
    """What calls did at it; left out where the code was not followed."""
    order: Count | None = absent()
    """The place of its decision among those of an accepted call, counted from 1; left out where the code was not
    followed, or no accepted call came to it."""
    bound: ObservedBound | None = absent()
    """Between which values its bound lies; left out unless the number in it stands for nothing in the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTest:
    """How a guard that was learned on the first part of the calls does on the rest."""

    text: str
    """The guard learned on the first part."""
    accepted: Count
    """Later calls that were accepted."""
    refused: Count
    """Those of them that the guard would have refused."""
    rejected: Count
    """Later calls that were rejected."""
    explained: Count
    """Those of them that the guard refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """When a function is accepted: a conjunction, stated over all of its calls."""

    scope: str
    """The function."""
    text: str
    """The guard for people; empty if no condition was found."""
    names: dict[str, str] = field(default_factory=dict)
    """The whole name of each variable that the text calls by a short one."""
    smt: str = "true"
    """The guard as a term."""
    symbols: dict[str, SymbolSort] = field(default_factory=dict)
    """The symbols of the term by quoted name: Bool, Int (not negative), Signed Int."""
    kind: GuardKind
    """What the guard rests on."""
    accepted: Count = 0
    """Calls that were accepted."""
    rejected: Count = 0
    """Calls that the contract's code rejected."""
    explained: Count = 0
    """Rejected calls in which the guard did not hold, or that stopped at one of its conditions."""
    exceptions: Count = 0
    """Accepted calls in which the guard did not hold."""
    interval: Interval | None = None
    """Of the share of accepted calls that keep it; ``null`` in documents that do not have it."""
    explained_interval: Interval | None = None
    """Of the share of rejected calls that it explains; ``null`` in documents that do not have it."""
    proved: Proof = Proof.UNPROVED
    """Whether a solver proved that the guard as written says what was found."""
    left_out: Count = 0
    """Calls that ran out of gas, or failed otherwise than by the contract's code."""
    conditions: tuple[GuardCondition, ...] = ()
    """Its parts."""
    reasons: tuple[RejectionReason, ...] = ()
    """All reasons for which calls of the function were rejected, the most frequent first."""
    held_out: GuardTest | None = None
    """How the first part of the calls predicts the rest; ``null`` if there are too few."""
    significance: Share | None = None
    """Of an observed guard: how often chance does as well; ``null`` for others."""
    unknown: Count | None = absent()
    """Accepted calls in which it may not have held, because they read a value that is not known; left out if there are
    none."""
    calls: FollowedCalls | None = absent()
    """How many calls were followed through the code; left out for learned and observed guards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionCondition:
    """One condition of a transition."""

    text: str
    """The condition for people."""
    learned: ConditionOrigin
    """The calls that it was learned from."""
    explained: Count = 0
    """Calls rejected in the source state in which it did not hold."""
    told_apart: Count = 0
    """Accepted calls of the same event that led to other states, in which it did not hold."""
    exceptions: Count = 0
    """Calls that took the transition in which it did not hold."""
    here: str | None = None
    """What is left of a choice without the alternatives that the source state rules out; ``null`` if all of it."""
    follows_from: str | None = None
    """What the condition follows from, so that it is not part of the transition's text; ``null`` if it does not."""
    proved: Proof | None = None
    """Whether a solver proved that it follows; ``null`` if it does not."""
    kind: GuardKind | None = absent()
    """Of a condition of the function: what it rests on; left out for others, which are learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionGuard:
    """What the calls that take a transition have to meet."""

    text: str
    """The conditions that do not follow from the source state, coded ones left out; ``true`` if there are none."""
    whole: str = "true"
    """All conditions, with what follows from the source state."""
    smt: str = "true"
    """The same as a term."""
    symbols: dict[str, SymbolSort] = field(default_factory=dict)
    """The symbols of the term by quoted name: Bool, Int (not negative), Signed Int."""
    state: dict[str, str] = field(default_factory=dict)
    """Which of the symbols are variables of the interaction, with their names in ``Specification.symbols``."""
    parts: tuple[TransitionCondition, ...] = ()
    """The conditions one by one: of the function, of the source state, of the target."""
    not_kept: tuple[str, ...] = ()
    """Conditions of the function's guard that calls in the source state do not keep."""
    accepted: Count = 0
    """Calls that took the transition."""
    exceptions: Count = 0
    """Those of them that the conditions refuse."""
    rejected: Count = 0
    """Calls that were rejected in the source state."""
    explained: Count = 0
    """Those of them that the conditions refuse."""
    elsewhere: Count = 0
    """Accepted calls of the same event that led to other states."""
    told_apart: Count = 0
    """Those of them that the conditions refuse."""
    interval: Interval | None = None
    """Of the share of accepted calls that keep the conditions; ``null`` in documents that do not have it."""
    explained_interval: Interval | None = None
    """Of the share of rejected calls that the conditions explain; ``null`` in documents that do not have it."""
    held_out: GuardTest | None = None
    """How the first calls predict the later ones; ``null`` if there are too few, or no condition of its own."""
    unknown: Count | None = absent()
    """Calls that took the transition in which the conditions may not have held, because a value is not known; left out
    if there are none."""
