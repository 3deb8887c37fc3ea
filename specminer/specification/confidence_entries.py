"""How well a specification is known: the ``confidence`` of the document."""

from __future__ import annotations

from dataclasses import dataclass

from specminer.specification.absence import absent
from specminer.specification.numbers import Count, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvesAgreement:
    """What automata learned from two random halves of the interactions have in common; shares are 0 to 1."""

    splits: Count | None = None
    """How many pairs of halves were compared."""
    agreement: Share | None = None
    """The share of random walks of one half's automaton that the other accepts."""
    lowest: Share | None = None
    """The same of the pair that agrees least."""
    chance: Share | None = None
    """The share that it accepts when the events of each walk are shuffled."""
    beyond_chance: Share | None = None
    """The agreement corrected for chance (Cohen's kappa)."""
    explained: Share | None = None
    """The share of the uncertainty about the next accepted call that the other half's state takes away."""
    bits_per_event: float | None = None
    """What an event costs more under the other half's automaton than under its own, in bits."""
    equal: Count | None = None
    """In how many pairs both accept exactly the same words."""
    example: tuple[str, ...] | None = None
    """The shortest word that only one half of a pair accepts; ``None`` if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutFigures:
    """What automata learned without some interactions say of these; what was not measured is left out."""

    held_out_acceptance: Share | None = absent()
    """The share of them that is accepted."""
    shuffled_acceptance: Share | None = absent()
    """The share that is accepted when their events are shuffled."""
    held_out_label_bits: float | None = absent()
    """The bits to tell each of their events, given its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """How sure one may be of a specification."""

    halves: HalvesAgreement | None = None
    """What two halves of the history say of each other; ``None`` where there is nothing to halve."""
    held_out: HeldOutFigures | None = None
    """What was held out says."""
