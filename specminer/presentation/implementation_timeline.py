"""The contracts whose code ran in a proxy, and what changed that, as a table and a timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

from specminer._support.errors import plain
from specminer._support.text import count_of, list_some
from specminer.presentation.section import Row, Section, address_cell, cell, left_out, row, transaction_cell
from specminer.specification import HistorySummary, ImplementationChange, ImplementationSummary, Specification

MAX_ROWS: Final = 1_000
"""Rows that a table lists at most."""
MAX_BARS: Final = 40
"""Implementations that the timeline draws at most."""
MAX_TOLD: Final = 5
"""Upgrades that the summary tells one by one."""
_FUNCTIONS: Final = 8
"""Functions that a cell names."""
_ADDRESSES: Final = 3
"""Addresses that a sentence names."""
_WIDTH, _LEFT, _BAR, _GAP, _BOTTOM = 900, 110, 16, 8, 28


def implementations_section(spec: Specification) -> Section | None:
    """Return whose code ran when, with a timeline; nothing if the contract is no proxy."""
    implementations = spec.history.implementations or ()
    if not implementations:
        return None
    return Section(
        id="implementations",
        title="Code that ran",
        lead=("The contract handed its calls on to the code of other contracts, which ran in its storage.",),
        header=("Code of", "First block", "Last block", "Calls", "Functions"),
        figures=frozenset({1, 2, 3}),
        rows=tuple(
            row(
                address_cell(spec.chain_id, item.address),
                item.first_block,
                item.last_block,
                item.calls,
                list_some([plain(name, 60) for name in item.functions[:_FUNCTIONS]], len(item.functions)),
            )
            for item in implementations[:MAX_ROWS]
        ),
        note=left_out(min(len(implementations), MAX_ROWS), len(implementations), "implementations"),
        chart=_timeline(implementations[:MAX_BARS], spec.history.upgrades or ()),
    )


def upgrades_section(spec: Specification) -> Section | None:
    """Return what changed the code that answers a proxy's calls; nothing if nothing did."""
    changes = spec.history.upgrades or ()
    if not changes:
        return None
    several = len({change.contract for change in changes}) > 1
    return Section(
        id="upgrades",
        title="Upgrades",
        lead=(
            "Since these transactions other code answers the calls, or some of them. Where nothing in the contract "
            "itself changed, something outside did, between the two blocks: a beacon, or an account's delegation.",
        ),
        header=("Contract", "Block", "Transaction", "Call", "New code", "Former code"),
        figures=frozenset({1}),
        rows=tuple(_change_row(spec.chain_id, change, several=several) for change in changes[:MAX_ROWS]),
        note=left_out(min(len(changes), MAX_ROWS), len(changes), "upgrades"),
    )


def _change_row(chain_id: int, change: ImplementationChange, *, several: bool) -> Row:
    inside = change.transaction is not None
    block = f"{change.block:,}" if inside else f"{change.after_block or 0:,} – {change.block:,}"
    return row(
        change.contract if several else "",
        block,
        cell("") if change.transaction is None else transaction_cell(chain_id, change.transaction),
        plain(change.function, 60) if change.function else _outside(change),
        ", ".join(change.added),
        ", ".join(change.removed),
    )


def _outside(change: ImplementationChange) -> str:
    return f"by the beacon {plain(change.beacon, 60)}" if change.beacon else "outside the contract"


def upgrade_texts(facts: HistorySummary) -> list[str]:
    """Return a sentence for each upgrade behind the first installation, and how many more there are."""
    changes = [
        change for change in facts.upgrades or () if change.removed or change.function != "constructor"
    ]
    sentences = [_change_text(change) for change in changes[:MAX_TOLD]]
    if len(changes) > MAX_TOLD:
        sentences.append(f"… and {count_of(len(changes) - MAX_TOLD, 'more upgrade')} in automaton.json")
    return sentences


def _change_text(change: ImplementationChange) -> str:
    parts = []
    if change.added:
        parts.append(f"to {_list_addresses(change.added)}")
    if change.removed:
        parts.append(f"from {_list_addresses(change.removed)}")
    if change.transaction is not None:
        where = f"in block {change.block:,} by {plain(change.function or 'a call', 60)}"
    else:
        where = f"between blocks {change.after_block or 0:,} and {change.block:,} {_outside(change)}"
    return f"Upgraded {' '.join(parts)} {where}."


def _list_addresses(addresses: Sequence[str]) -> str:
    return list_some([plain(address, 60) for address in addresses[:_ADDRESSES]], len(addresses))


def _timeline(
    implementations: Sequence[ImplementationSummary], changes: Sequence[ImplementationChange]
) -> str:
    """Return a bar for each implementation from its first to its last block, with a line at each upgrade."""
    first, last = (
        min(item.first_block for item in implementations),
        max(item.last_block for item in implementations),
    )
    height = len(implementations) * (_BAR + _GAP) + _BOTTOM
    wide = _WIDTH - _LEFT - 8

    def across(block: int) -> float:
        return _LEFT + wide * (block - first) / max(last - first, 1)

    bars, texts = [], []
    for number, item in enumerate(implementations):
        top = number * (_BAR + _GAP) + 4
        begin, end = across(item.first_block), max(across(item.last_block), across(item.first_block) + 2)
        bars.append(f"M{begin:.1f} {top}H{end:.1f}V{top + _BAR}H{begin:.1f}Z")
        texts.append((4, top + _BAR - 4, "start", f"{item.address[:8]}…{item.address[-4:]}"))
    marks = "".join(
        f"M{across(change.block):.1f} 0V{height - _BOTTOM}"
        for change in changes
        if first <= change.block <= last
    )
    texts += [
        (_LEFT, height - 8, "start", f"block {first:,}"),
        (_WIDTH - 8, height - 8, "end", f"block {last:,}"),
    ]
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Code that ran, by block">'
        f'<path class="area" d="{"".join(bars)}"/><path class="axis" d="{marks or "M0 0"}"/>'
        + "".join(
            f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
            for x, y, anchor, text in texts
        )
        + "</svg>"
    )
