"""The sections about what stands out and how sure one may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from specminer.presentation.confidence_text import confidence_sentences, surprise_sentences
from specminer.presentation.section import Cell, Section, cell, left_out, row, transaction_cell
from specminer.specification import Specification, SurpriseUnit, SurprisingEvent, SurprisingInteraction

MAX_SURPRISING: Final = 20
"""Rows of what stands out."""
MAX_EVIDENCE: Final = 5
"""Transactions named beside one interaction."""
_EVIDENCE: Final = re.compile(r" \((?:transaction 0x[0-9a-f]{64}, )?[\d.]+ bits\)(?=\.?$)")
"""What the end of a text says that the table has in columns of their own."""


def confidence_section(spec: Specification) -> Section | None:
    """Return how sure one may be of all this."""
    lead = confidence_sentences(spec.confidence)
    if not lead:
        return None
    return Section(id="confidence", title="Confidence", lead=tuple(lead))


def surprise_sections(spec: Specification) -> Iterator[Section]:
    """Yield what stands out most: interactions, and single calls."""
    lead, items = surprise_sentences(spec.surprise, MAX_SURPRISING)
    if not items:
        if lead:
            yield Section(id="surprising", title="Most surprising interactions", lead=(lead,))
        return
    unit, events = spec.surprise.unit, spec.surprise.events
    if unit is SurpriseUnit.INTERACTION:
        yield _interactions(spec, lead)
    if events:
        yield _calls(spec, events, lead if unit is SurpriseUnit.EVENT else "")


def _interactions(spec: Specification, lead: str) -> Section:
    ranked = spec.surprise.interactions
    first_interactions = ranked[:MAX_SURPRISING]
    return Section(
        id="surprising",
        title="Most surprising interactions",
        lead=(
            lead,
            "Score: the bits of the most surprising calls together, less what is usual for so many calls. None of it "
            "is learned from the interaction itself.",
        ),
        header=("Interaction", "Score", "Alarm", "What stands out", "Evidence"),
        figures=frozenset({1}),
        rows=tuple(
            row(
                item.interaction,
                _bits(item.score),
                "above the threshold" if item.flagged else "",
                _text(item, f"{item.interaction}: "),
                _evidence(spec, item),
            )
            for item in first_interactions
        ),
        note=left_out(len(first_interactions), len(ranked), "ranked ones"),
    )


def _calls(spec: Specification, calls: Sequence[SurprisingEvent], lead: str) -> Section:
    first_calls = calls[:MAX_SURPRISING]
    return Section(
        id="surprising-calls",
        title="Most surprising calls",
        lead=(lead,) if lead else (),
        header=("What stands out", "Bits", "Interaction", "Block", "Evidence"),
        figures=frozenset({1, 3}),
        rows=tuple(
            row(
                _text(item, "") + (" (alarm)" if item.flagged else ""),
                _bits(item.bits),
                item.interaction or "",
                "" if item.block is None else item.block,
                transaction_cell(spec.chain_id, item.transaction),
            )
            for item in first_calls
        ),
        note=left_out(len(first_calls), len(calls), "ranked ones"),
    )


def _text(item: SurprisingInteraction | SurprisingEvent, prefix: str) -> str:
    return _EVIDENCE.sub("", "?" if item.text is None else item.text).removeprefix(prefix)


def _evidence(spec: Specification, item: SurprisingInteraction) -> Cell:
    transactions = dict.fromkeys(event.transaction for event in item.events)
    pieces = transaction_cell(spec.chain_id, *list(transactions)[:MAX_EVIDENCE])
    rest = len(transactions) - MAX_EVIDENCE
    return (*pieces, *cell(f"and {rest} more")) if rest > 0 else pieces or cell("")


def _bits(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
