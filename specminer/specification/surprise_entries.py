"""What stands out in a history: the ``surprise`` of the document."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from specminer.specification.absence import absent
from specminer.specification.numbers import Count, Interval

DEFAULT_LISTED: Final = 20
"""So many interactions and events are listed, unless told otherwise."""
MAX_LISTED: Final = 1_000
"""And never more: a document has to stay readable."""


class SurpriseUnit(Enum):
    """What may be alarming."""

    INTERACTION = "interaction"
    EVENT = "event"
    """Where there are too few interactions to leave one out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutAlarms:
    """How many of the last 30 % are above the threshold of the first 70 %, which took no part in it."""

    flagged: Count
    """How many are."""
    of: Count
    """Of how many."""
    interval: Interval
    """The 95 % interval of their share (Wilson)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurprisingEvent:
    """An event that stands out; of an interaction's own events ``interaction``, ``text``, ``flagged`` are left out."""

    interaction: str | None = absent()
    """The name of its interaction."""
    event: str
    """What happened."""
    state: int | None = None
    """The id of the state in which it happened."""
    target: int | None = None
    """The id of the state that it led to."""
    transaction: str
    """The hash of its transaction."""
    block: Count | None = None
    """The number of its block."""
    bits: float | None = None
    """How improbable it is by what other interactions and transactions say."""
    excess: float | None = None
    """What it has more than events in its state usually have, in bits."""
    evidence: dict[str, float] = field(default_factory=dict)
    """The bits by what speaks against it, such as the transition or a broken invariant."""
    text: str | None = absent()
    """The reason in a sentence."""
    flagged: bool | None = absent()
    """Whether it is above the threshold; left out where interactions are what may be alarming."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurprisingInteraction:
    """An interaction that stands out."""

    interaction: str
    """Its name."""
    score: float | None = None
    """The bits of its surprising events, corrected for how many events there were."""
    bits: float | None = None
    """The bits of all its events."""
    usual: float | None = None
    """The bits that interactions of its length usually have."""
    length: Count | None = None
    """The number of its events."""
    flagged: bool = False
    """Whether it is above the threshold."""
    events: tuple[SurprisingEvent, ...] = ()
    """Its most surprising events, at most five."""
    text: str
    """The reason in a sentence."""


class EvidenceSource(Enum):
    """What speaks against a transaction."""

    PATH = "path"
    """Its calls were accepted in states in which they hardly ever are."""
    BEFORE = "before"
    """Something did not hold that always held before its function was accepted, such as a guard's condition."""
    BROKEN = "broken"
    """It broke an invariant that held everywhere else."""
    CALLER = "caller"
    """Somebody called a function for the first time that others call."""
    RELATION = "relation"
    """An address among the arguments stands in another relation to the caller than usual."""
    ORIGIN = "origin"
    """A contract called what accounts call otherwise, or the reverse."""
    NEWBORN = "newborn"
    """The caller is a contract that the same transaction created."""
    COMBINATION = "combination"
    """No other transaction makes the same calls together, or so many of them."""
    ORDER = "order"
    """Other transactions make the same calls, but not one behind the other as it does."""
    CHANGES = "changes"
    """A call changed other variables than calls of its function do, or none."""
    BRANCH = "branch"
    """A call took a way through its code that other calls of its function hardly ever take."""
    NESTED = "nested"
    """A function, or a view, was called while another call of the contract was running."""
    PAYMENT = "payment"
    """More ether left than usual, or a larger share of what was held."""
    TOKENS = "tokens"
    """More of a token moved than usual."""
    SIZE = "size"
    """An argument, the ether that came, or the change of a variable is far above what is usual."""
    REPETITION = "repetition"
    """An argument was used before that no two calls share, such as a signature or a voucher."""
    DURATION = "duration"
    """A step followed sooner than it ever does."""
    NEWCOMER = "newcomer"
    """The caller was never seen before, where hardly anybody new comes."""
    ANSWER = "answer"
    """Another contract answered something far from its history, such as a price."""
    CODE = "code"
    """Code ran in the contract's place, or was called, that never was before."""
    RACE = "race"
    """It changed what somebody else's call changed in the same block, which hardly ever happens."""
    REFUSAL = "refusal"
    """The caller refused the ether that the contract paid them afterwards."""


class EvidenceFamily(Enum):
    """Sources that see one kind of fact from several sides; only the strongest of them counts."""

    CALLERS = "callers"
    """Who calls."""
    CALLS = "calls"
    """What is called together, or within each other."""
    STATES = "states"
    """In which state."""
    EFFECTS = "effects"
    """What it changes, and what held until then."""
    TIMES = "times"
    """When, and beside whom."""
    AMOUNTS = "amounts"
    """How much."""
    OTHERS = "others"
    """What other contracts answer, run or refuse."""
    ARGUMENTS = "arguments"
    """What was given before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurprisingTransaction:
    """A transaction that stands out."""

    transaction: str
    """Its hash."""
    block: Count | None = None
    """The number of its block."""
    sender: str | None = None
    """The address that sent it."""
    score: float | None = None
    """How improbable all its evidence together is, in bits, if the families of sources are independent."""
    flagged: bool = False
    """Whether it is above the threshold."""
    families: dict[str, float] = field(default_factory=dict)
    """The bits by family of sources, which make the score."""
    evidence: dict[str, float] = field(default_factory=dict)
    """The bits by source; of the sources of one family only the strongest count."""
    reasons: tuple[str, ...] = ()
    """A sentence for each source, the strongest first."""
    text: str
    """All of it in a paragraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurprisingTransactions:
    """Transactions by how much speaks against them."""

    threshold: float | None = None
    """The score above which one is an alarm, in bits; ``None`` if nothing was measured."""
    flagged: Count | None = None
    """How many are."""
    of: Count | None = None
    """How many were judged."""
    rate: float | None = None
    """The share of benign transactions above the threshold that is aimed at."""
    calibrated: bool | None = None
    """Whether they are enough to see a share of false alarms as small as that."""
    held_out: HeldOutAlarms | None = None
    """What the threshold does with what took no part in it."""
    ranked: tuple[SurprisingTransaction, ...] = ()
    """The first of those with any evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjudgedCalls:
    """Calls that nothing judged."""

    calls: Count
    """How many."""
    reason: str
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """What stands out, the most surprising first."""

    unit: SurpriseUnit | None = None
    """What may be alarming; ``None`` if nothing was measured."""
    threshold: float | None = None
    """The score above which it is, in bits."""
    flagged: Count | None = None
    """How many are."""
    of: Count | None = None
    """How many were compared."""
    held_out: HeldOutAlarms | None = None
    """What the threshold does with what took no part in it."""
    interactions: tuple[SurprisingInteraction, ...] = ()
    """The interactions that stand out; none where events are what may be alarming."""
    events: tuple[SurprisingEvent, ...] = ()
    """The events that stand out, of all interactions."""
    transactions: SurprisingTransactions | None = absent()
    """The transactions that stand out; left out where they were not measured."""
    unjudged: tuple[UnjudgedCalls, ...] | None = absent()
    """Calls that were never judged, and why; left out where that is not known."""
