"""The section about what calls do."""

from __future__ import annotations

from typing import Final

from specminer.report.section import Section, left_out, row
from specminer.specification import Effect, Specification

MAX_EFFECTS: Final = 300


def effects_section(spec: Specification) -> Section | None:
    """Return what accepted calls write, pay, call and log, and when; nothing where the document does not have it."""
    if not spec.effects:
        return None
    return Section(
        id="effects",
        title="Effects",
        lead=(
            "What accepted calls do, as the code computes it from what they found: x' is the value after the call, "
            "x the one before. When: what the code decided where it happened, and not where it did not; empty also "
            "if no decision tells. Happened: in so many of the accepted calls that were followed through the code.",
        ),
        header=("Function", "Effect", "When", "Kind", "Happened"),
        rows=tuple(
            row(item.function, effect_text(item), item.condition, item.kind.value, _happened(item))
            for item in spec.effects[:MAX_EFFECTS]
        ),
        note=left_out(min(len(spec.effects), MAX_EFFECTS), len(spec.effects), "effects"),
    )


def effect_text(item: Effect) -> str:
    """Return an effect, with what is to be known of how it reads."""
    return f"{item.text} (in each round of a loop)" if item.each else item.text


def _happened(item: Effect) -> str:
    if item.happened == item.calls:
        return f"all {item.calls:,}"
    return f"{item.happened:,} of {item.calls:,}"
