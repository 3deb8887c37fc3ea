"""Claims in a specification besides guards and invariants: roles, and what a solver or the history says of claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from specminer.specification.absence import absent
from specminer.specification.guards import Proof
from specminer.specification.numbers import Count


class RoleKind(Enum):
    """What makes an account one that may call."""

    HOLDER = "holder"
    """Storage holds the sender's address: the owner, the seller of this item."""
    MEMBER = "member"
    """Storage under the sender's address is set: a member, somebody with a balance."""
    ADDRESS = "address"
    """The code knows the address."""
    SELF = "self"
    """The contract itself: it calls itself, as a timelock does."""
    SIGNER = "signer"
    """An account whose signature the call brings, whoever sends it."""
    SET = "set"
    """A few addresses sent all calls; nothing in storage tells why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Somebody to whom functions are reserved."""

    name: str
    """``owner``, ``auctions[auctionId].seller``, ``power[sender]``, an address."""
    kind: RoleKind
    """What makes an account one of the role."""
    functions: tuple[str, ...] = ()
    """The functions reserved to the role, ascending."""
    required: tuple[str, ...] = ()
    """Those of them that rejected others."""
    addresses: tuple[str, ...] = ()
    """The addresses of a set; of a role that is no part of an entity, those seen if they are few."""
    creator: bool = False
    """Whether the addresses are those that created the contract."""
    unknown: Count | None = absent()
    """Accepted calls of which it is not known whether the sender has the role, because a value is not known; left out
    if there are none."""


class SolverAnswer(Enum):
    """What a solver says of a script."""

    SAT = "sat"
    UNSAT = "unsat"
    UNKNOWN = "unknown"
    """It gave no answer within its limit."""
    UNPROVED = "unproved"
    """There is no solver."""


class ObligationSubject(Enum):
    """What an obligation is about."""

    GUARD = "guard"
    """The guard of a function."""
    TRANSITION = "transition"
    """A condition of a transition that follows from its source state."""
    SIBLINGS = "siblings"
    """Whether one call can take two transitions of one event."""
    CLAIM = "claim"
    """A claim that is left out because it follows from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """A claim and the question that settles it."""

    about: ObligationSubject = ObligationSubject.GUARD
    """The part of the specification that the claim belongs to."""
    scope: str
    """The function, or what else the claim is about."""
    claim: str
    """A sentence."""
    script: str
    """The question in SMT-LIB 2, ending in ``(check-sat)``."""
    expected: SolverAnswer
    """The claim holds if a solver answers this: ``sat`` or ``unsat``."""
    answer: SolverAnswer
    """What the solver answered."""
    proved: Proof = Proof.UNPROVED
    """Whether the claim is proved."""
    example: dict[str, str] = field(default_factory=dict)
    """Values, by name, for which the claim fails."""


class TransitionVerdict(Enum):
    """Whether one call can take two transitions of one event."""

    EXCLUSIVE = "exclusive"
    """No call meets both guards."""
    PREDICATE = "missing predicate"
    """Some call meets both, but a predicate that the automaton does not use tells where it leads."""
    NONDETERMINISTIC = "nondeterministic"
    """Recorded calls of one meet the guard of the other, and no predicate tells where they lead."""
    OPEN = "open"
    """Some call meets both, but none that was recorded, or too few took one of them to learn what tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompetingTransitions:
    """Two transitions that leave one state by calls of one function in one role, to different states."""

    source: int
    """The state that both leave."""
    function: str
    """What is called."""
    events: tuple[str, str]
    """The event of each."""
    targets: tuple[int, int]
    """The state that each leads to."""
    verdict: TransitionVerdict
    """Whether one call can take both."""
    text: str
    """The same in a sentence."""
    both: tuple[Count, Count]
    """How many recorded calls of each meet the guard of the other, too."""
    witnesses: tuple[str, ...] = ()
    """A transaction of each with such a call, where there is one."""
    predicate: str | None = None
    """The predicate that would tell them apart, as it holds before calls of the first."""
    example: dict[str, str] = field(default_factory=dict)
    """Values, by name, that meet both guards."""
    proved: Proof = Proof.UNPROVED
    """Whether a solver confirmed that one call can, or cannot, meet both guards."""


class ClaimKind(Enum):
    """The kind of a claim that was left out."""

    GUARD = "guard"
    INVARIANT = "invariant"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedundantClaim:
    """A claim that is left out because it follows from others."""

    of: ClaimKind
    """Whether it is an observed guard or an invariant."""
    scope: str
    """The function, or what else the claim is about."""
    text: str
    """The claim for people."""
    because: str
    """What it follows from, as a phrase."""
    proved: Proof = Proof.UNPROVED
    """Whether a solver proved that it follows."""
