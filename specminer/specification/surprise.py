"""What stands out in a history: the ``surprise`` of the document."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from specminer.specification.absence import absent
from specminer.specification.numbers import Count, Interval


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
