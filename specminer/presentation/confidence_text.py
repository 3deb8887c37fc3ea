"""How sure one may be, and what stands out, as sentences for the terminal. Texts are made safe here."""

from __future__ import annotations

from collections.abc import Sequence

from specminer._support.errors import plain
from specminer._support.text import show_number, unknown_part
from specminer.specification import (
    Confidence,
    InvariantEntry,
    Surprise,
    SurpriseUnit,
    SurprisingEvent,
    SurprisingInteraction,
)

FEW = 100
"""Below so many cases hardly anything can be improbable enough for an alarm."""
MAX_TEXT = 1_200
"""Characters of a sentence about an event at most."""


def confidence_sentences(confidence: Confidence) -> list[str]:
    """Return what is known of the confidence; nothing if nobody measured it."""
    sentences = []
    halves, held_out = confidence.halves, confidence.held_out
    if halves is not None:
        sentences.append(
            f"Automata of two random halves of the history accept {_share(halves.agreement)} of each other's "
            f"walks, and {_share(halves.chance)} of shuffled ones: an agreement of "
            f"{_share(halves.beyond_chance)} beyond chance. "
            f"The state of one half's automaton explains {_share(halves.explained)} of what comes next in the "
            f"other half; an event costs "
            f"{show_number(halves.bits_per_event, '.2f')} bits more under the other half's."
        )
        if halves.example:
            word = ", ".join(plain(symbol, 60) for symbol in halves.example[:20])
            sentences.append(f"Only one half allows: {word}.")
    if held_out is not None and held_out.held_out_acceptance is not None:
        shuffled = held_out.shuffled_acceptance
        beside = "" if shuffled is None else f"; of those with their events shuffled {_share(shuffled)}"
        sentences.append(
            f"{_share(held_out.held_out_acceptance)} of held-out interactions are accepted{beside}."
        )
    return sentences


def surprise_sentences(surprise: Surprise, limit: int) -> tuple[str, list[str]]:
    """Return what all was judged by, and the ``limit`` first of what stands out."""
    if surprise.unit is None:
        return "", []
    unit = surprise.unit.value
    items: Sequence[SurprisingInteraction | SurprisingEvent]
    items = surprise.events if surprise.unit is SurpriseUnit.EVENT else surprise.interactions
    lead = (
        f"{show_number(surprise.flagged)} of {show_number(surprise.of)} {unit}s "
        f"{'is' if surprise.flagged == 1 else 'are'} above the alarm threshold of "
        f"{show_number(surprise.threshold, '.2f')} bits"
        f"{'' if items else '; nothing is more surprising than usual'}."
    )
    if items and not surprise.flagged and surprise.of is not None and surprise.of < FEW:
        lead += f" Among fewer than {FEW} {unit}s hardly anything can be an alarm: look at what ranks first."
    return lead, [
        ("! " if item.flagged else "") + plain("?" if item.text is None else item.text, MAX_TEXT)
        for item in items[:limit]
    ]


def invariant_sentences(invariants: Sequence[InvariantEntry], limit: int) -> list[str]:
    """Return the ``limit`` first invariants with their cases, of each kind some: they stand ordered by kind."""
    kinds = [item.kind for item in invariants]
    ranks = [kinds[:row].count(kind) for row, kind in enumerate(kinds)]
    rows = sorted(sorted(range(len(kinds)), key=lambda row: (ranks[row], row))[:limit])
    sentences = []
    for row in rows:
        item = invariants[row]
        but = f", but not in {show_number(item.exceptions)}" if item.exceptions else ""
        cases = f"{show_number(item.support)} cases{unknown_part(item.unknown)}"
        sentences.append(f"{plain(item.text, 200)} ({cases}{but})")
    return sentences


def _share(value: float | None) -> str:
    return show_number(value, ".0%")
