"""Plain sentences, numbers and links of a report; the page and the Markdown say the same."""

from __future__ import annotations

import re
from typing import Final

from specminer._support.addresses import ends_of
from specminer._support.text import count_of
from specminer.presentation.report_document import ElapsedTime
from specminer.specification import Edge, Specification, TransitionKind

EXPLORERS: Final = {
    1: "https://etherscan.io",
    10: "https://optimistic.etherscan.io",
    56: "https://bscscan.com",
    100: "https://gnosisscan.io",
    137: "https://polygonscan.com",
    8453: "https://basescan.org",
    42161: "https://arbiscan.io",
    59144: "https://lineascan.build",
    534352: "https://scrollscan.com",
    11155111: "https://sepolia.etherscan.io",
}
"""Block explorers by chain id; other chains get no links."""
_HASH: Final = re.compile(r"0x[0-9a-fA-F]{24,}")
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def transition_sentence(spec: Specification, edge: Edge, outflow: int, *, guard: bool = True) -> str:
    """Return what a transition says, in plain words, with its guard unless that is shown elsewhere.

    ``outflow`` counts the events that leave its source; 0 leaves the share out.
    """
    names = {state.id: state.name for state in spec.states}
    source, target = names.get(edge.source, "?"), names.get(edge.target, "?")
    start = edge.source == spec.initial
    where = "before anything else happened" if start else f"in the state “{source}”"
    if edge.outcome != "returned":
        text = f"{edge.event} is rejected {where}"
    elif edge.source == edge.target:
        text = f"{edge.event} {where} changes nothing that the states tell apart"
    elif start:
        text = f"{edge.event} brings an interaction from its start into the state “{target}”"
    else:
        text = f"{edge.event} moves an interaction from “{source}” to “{target}”"
    if edge.kind is TransitionKind.PASSIVE:
        text += " (a call about something else, which changes this one's storage)"
    elif edge.kind is TransitionKind.PHASE:
        text += " (a switch of the whole contract)"
    elif edge.kind is TransitionKind.TIME:
        text += " (nobody's call: time passed)"
    if edge.kind.befalls:
        text += f". It found {count_of(edge.interaction_count, 'interaction')} there"
        text += f", {times(edge.count)} in all" if edge.count > edge.interaction_count else ""
    else:
        text += f". It happened {times(edge.count)} in {count_of(edge.interaction_count, 'interaction')}"
        text += f", by {count_of(edge.senders, 'sender')}"
    if outflow:
        text += f"; that is {share(edge.count, outflow)} of what happens there"
    if guard and edge.guard and edge.guard != "true":
        text += f". It needs {edge.guard}"
    return text + "."


def outflows(spec: Specification) -> dict[int, int]:
    """Return how many events leave each state, rejected ones and those that stay included."""
    counts: dict[int, int] = {}
    for edge in spec.transitions:
        counts[edge.source] = counts.get(edge.source, 0) + edge.count
    return counts


def times(count: int) -> str:
    """Return ``once``, ``twice`` or ``1,329 times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def share(part: int, whole: int) -> str:
    """Return a share in percent; what is more than nothing is never shown as nothing."""
    value = part / whole if whole else 0.0
    return "< 0.1 %" if 0 < value < 0.001 else f"{100 * value:.1f} %"


def duration(seconds: int) -> str:
    """Return a span of time in its largest unit, ``3.5 hours``; ``≈`` stands before one that is rounded."""
    for size, unit in _UNITS:
        if seconds >= size:
            number = f"{seconds / size:.1f}".removesuffix(".0")
            rounded = "" if 10 * seconds % size == 0 else "≈ "
            return f"{rounded}{number} {unit}" + ("" if number == "1" else "s")
    return "0 seconds"


def short_hashes(text: str) -> str:
    """Return a text whose addresses and hashes are told by their ends, ``0x1cdf…3b63``."""
    return _HASH.sub(lambda match: ends_of(match[0]), text)


def elapsed_text(elapsed: ElapsedTime) -> str:
    """Return how long after the event before: least, median, most."""
    if elapsed.least == elapsed.most:
        return f"{duration(elapsed.median)} after the event before"
    return (
        f"{duration(elapsed.median)} after the event before (median; from {duration(elapsed.least)} "
        f"to {duration(elapsed.most)})"
    )


def transaction_link(chain_id: int, transaction: str) -> str | None:
    """Return where a block explorer shows a transaction; ``None`` where no explorer is known."""
    host = EXPLORERS.get(chain_id)
    digits = transaction.removeprefix("0x")
    if host is None or len(digits) != 64 or not set(digits.lower()) <= set("0123456789abcdef"):
        return None
    return f"{host}/tx/0x{digits}"


def address_link(chain_id: int, address: str) -> str | None:
    """Return where a block explorer shows an account; ``None`` where no explorer is known."""
    host = EXPLORERS.get(chain_id)
    digits = address.removeprefix("0x")
    if host is None or len(digits) != 40 or not set(digits.lower()) <= set("0123456789abcdef"):
        return None
    return f"{host}/address/0x{digits}"
