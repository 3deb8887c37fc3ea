"""Which rejections prove something about the protocol.

A rejected call is *contradicted* if the same event was accepted after the same accepted events of another
interaction, or of its own: then not the protocol forbade it but a datum, such as a price. Per function the share
of contradicted rejections tells *trustworthy* negatives from *data guards*. Where no other interaction came as far,
nothing can contradict a rejection; such ones are not *comparable* and vouch for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.interactions import Interactions
from specminer.interaction.relation import contains, distinct

LOW: Final = 0.1
"""Up to this share of contradicted rejections a function's are trusted ..."""
HIGH: Final = 0.5
"""... and from this share on it is guarded by data."""
COMPARABLE: Final = 0.5
"""Less comparable rejections than this share vouch for nothing."""


class RejectionValue(Enum):
    """What a function's rejections are worth as negative examples."""

    TRUSTWORTHY = "trustworthy negative"
    GUARD = "data guard"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRejections:
    """The rejections of one function that belong to interactions."""

    function: str
    rejected: int
    """By the contract's code; without those that ran out of gas and the like."""
    comparable: int
    """Those before which another interaction had the same accepted events, and went on."""
    contradicted: int
    """Those that are accepted elsewhere after the same accepted events."""

    @property
    def rate(self) -> float:
        """The contradiction rate."""
        return self.contradicted / self.rejected

    @property
    def verdict(self) -> RejectionValue:
        """What the rejections are worth."""
        if self.rate >= HIGH:
            return RejectionValue.GUARD
        if self.rate <= LOW and self.comparable >= COMPARABLE * self.rejected:
            return RejectionValue.TRUSTWORTHY
        return RejectionValue.UNCLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejections:
    """The rejected events of a split history."""

    contradicted: BoolColumn
    """Of each event, whether it is a rejection that is contradicted; shape (n,)."""
    comparable: BoolColumn
    functions: tuple[FunctionRejections, ...]
    """By number of rejections, the most first."""
    attached: int
    """Rejected calls that belong to an interaction."""
    loose: int
    """Rejected calls that belong to none."""


def rejections(context: HistoryContext, interactions: Interactions) -> Rejections:
    """Judge the rejections; n log n in events, and linear in the longest word that two interactions share."""
    own = ~interactions.passive & context.is_event[interactions.invocation]
    accepted = own & context.history.accepted[interactions.invocation]
    rejected = own & context.is_rejected[interactions.invocation]
    symbol = context.calls.function[interactions.invocation] * (len(interactions.roles) + 1) + (
        interactions.role + 1
    )
    before: IntColumn = np.cumsum(accepted) - accepted
    starts = np.searchsorted(interactions.slice, np.arange(len(interactions.names) + 1))
    first = np.concatenate([before, [int(np.sum(accepted))]])[starts]
    words = symbol[accepted]
    node = prefixes(words, first)
    slice_of_word = interactions.slice[accepted]
    # an interaction with m accepted events has m + 1 prefixes
    node_of_event = node[before + interactions.slice]
    span = int(symbol.max(initial=0)) + 1
    edges = distinct(node[np.arange(len(words)) + slice_of_word] * span + words)
    contradicted = rejected & contains(edges, node_of_event * span + symbol)
    goes_on = distinct(
        node[np.arange(len(words)) + slice_of_word] * (len(interactions.names) + 1) + slice_of_word
    )
    others = np.bincount(goes_on // (len(interactions.names) + 1), minlength=int(node.max(initial=0)) + 1)
    continues = contains(goes_on, node_of_event * (len(interactions.names) + 1) + interactions.slice)
    comparable = rejected & (others[node_of_event] - continues > 0)
    inside = np.zeros(len(context.history), dtype=np.bool_)
    inside[interactions.invocation[own]] = True
    return Rejections(
        contradicted=contradicted,
        comparable=comparable | contradicted,
        functions=_by_function(context, interactions, rejected, comparable | contradicted, contradicted),
        attached=int(np.sum(context.is_rejected & inside)),
        loose=int(np.sum(context.is_rejected & ~inside)),
    )


def prefixes(words: IntColumn, first: IntColumn) -> IntColumn:
    """Return a number for each prefix of each word, equal for equal prefixes.

    Args:
        words: the symbols, one word after another.
        first: where each word begins, and the end; shape (k + 1,).

    Returns:
        The numbers, shorter prefixes first within a word, which has one more than symbols.

    """
    count = len(first) - 1
    lengths = np.diff(first)
    base = first[:-1] + np.arange(count)
    node = np.full(len(words) + count, MISSING, dtype=np.int64)
    node[base] = 0
    open_words, fresh = np.flatnonzero(lengths > 0), 1
    current = np.zeros(count, dtype=np.int64)
    span = int(words.max(initial=0)) + 1
    depth = 0
    while len(open_words) > 1:
        step = current[open_words] * span + words[first[open_words] + depth]
        _, inverse, counts = np.unique(step, return_inverse=True, return_counts=True)
        depth += 1
        current[open_words] = fresh + inverse
        node[base[open_words] + depth] = fresh + inverse
        fresh += len(counts)
        # a word that is alone on its way shares nothing any more
        open_words = open_words[(counts[inverse] > 1) & (lengths[open_words] > depth)]
    rest = node == MISSING
    node[rest] = fresh + np.arange(int(np.sum(rest)))
    return node


def _by_function(
    context: HistoryContext,
    interactions: Interactions,
    rejected: BoolColumn,
    comparable: BoolColumn,
    contradicted: BoolColumn,
) -> tuple[FunctionRejections, ...]:
    function = context.calls.function[interactions.invocation]
    size = len(context.calls.functions)
    totals = [np.bincount(function[kind], minlength=size) for kind in (rejected, comparable, contradicted)]
    functions = [
        FunctionRejections(
            function=name,
            rejected=int(totals[0][row]),
            comparable=int(totals[1][row]),
            contradicted=int(totals[2][row]),
        )
        for row, name in enumerate(context.calls.functions)
        if totals[0][row]
    ]
    return tuple(sorted(functions, key=lambda item: (-item.rejected, item.function)))
