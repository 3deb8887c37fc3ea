"""How sure one may be, and what stands out, as sentences for the terminal. Texts are made safe here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from specminer.errors import plain

MAX_TEXT = 1_200
"""Characters of a sentence about an event at most."""


def confidence_sentences(confidence: dict[str, Any]) -> list[str]:
    """Return what is known of the confidence; nothing if nobody measured it."""
    found = []
    halves, held_out = confidence.get("halves"), confidence.get("held_out")
    if isinstance(halves, dict):
        found.append(
            f"Automata of two random halves of the history accept {_share(halves.get('agreement'))} of each other's "
            f"walks, and {_share(halves.get('chance'))} of shuffled ones: an agreement of "
            f"{_share(halves.get('beyond_chance'))} beyond chance. "
            f"The state of one half's automaton explains {_share(halves.get('explained'))} of what comes next in the "
            f"other half; an event costs "
            f"{_figure(halves.get('bits_per_event'))} bits more under the other half's."
        )
        example = halves.get("example")
        if isinstance(example, list | tuple) and example:
            word = ", ".join(plain(symbol, 60) for symbol in example[:20])
            found.append(f"Only one half allows: {word}.")
    if isinstance(held_out, dict) and "held_out_acceptance" in held_out:
        shuffled = held_out.get("shuffled_acceptance")
        beside = f"; of those with their events shuffled {_share(shuffled)}" if shuffled is not None else ""
        found.append(
            f"{_share(held_out['held_out_acceptance'])} of held-out interactions are accepted{beside}."
        )
    return found


def surprise_sentences(surprise: dict[str, Any], shown: int) -> tuple[str, list[str]]:
    """Return what all was judged by, and the ``shown`` first of what stands out."""
    if not surprise:
        return "", []
    unit = plain(surprise.get("unit"), 20)
    ranked = surprise.get(f"{unit}s")
    items = [item for item in ranked if isinstance(item, dict)] if isinstance(ranked, list | tuple) else []
    lead = (
        f"{_count(surprise.get('flagged'))} of {_count(surprise.get('of'))} {unit}s "
        f"{'is' if surprise.get('flagged') == 1 else 'are'} above the alarm threshold of "
        f"{_figure(surprise.get('threshold'))} bits"
        f"{'' if items else '; nothing is more surprising than usual'}."
    )
    return lead, [
        ("! " if item.get("flagged") else "") + plain(item.get("text", "?"), MAX_TEXT)
        for item in items[:shown]
    ]


def invariant_sentences(invariants: Sequence[dict[str, Any]], shown: int) -> list[str]:
    """Return the ``shown`` first invariants with their cases, of each kind some: they stand ordered by kind."""
    kinds = [item.get("kind") for item in invariants]
    place = [kinds[:row].count(kind) for row, kind in enumerate(kinds)]
    chosen = sorted(sorted(range(len(kinds)), key=lambda row: (place[row], row))[:shown])
    found = []
    for row in chosen:
        item = invariants[row]
        cases, broken = item.get("support"), item.get("exceptions")
        but = f", but not in {_count(broken)}" if broken else ""
        found.append(f"{plain(item.get('text', '?'), 200)} ({_count(cases)} cases{but})")
    return found


def _share(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, int | float) else "?"


def _figure(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "?"


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"
