"""The finest quotient of a table of events, and the coarser ones it contains.

Two moments of the history are one *finest state* if no candidate predicate tells them apart. Every
automaton over some of the predicates is a quotient of the small weighted graph over finest states, so
whatever is searched for after this costs nothing per event.

State 0 is the root: where an interaction stands before its first event. It is a state of its own in every
quotient, since no values are known there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.event_table import EventTable
from specminer.learning.vocabulary import TruthColumn, Vocabulary

ROOT: Final = 0
_DIGITS: Final = 39
"""So many three-valued digits fit into 63 bits."""
_POWERS: Final = 3 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
_SHORT: Final = 4096
"""Up to this length one product is faster than passing over each column."""
_FEW: Final = 256
"""Up to this length a dictionary is faster than sorting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotient:
    """A weighted graph over ``s`` finest states with ``e`` edges, from ``n`` events."""

    valuations: TruthColumn
    """Value of each predicate in each finest state; shape (P, s); 0 in the root, where it means nothing."""
    state_before: IntColumn
    """Finest state before each event; shape (n,). States are numbered in order of first visit."""
    state_after: IntColumn
    """Finest state after each event; a rejected event keeps the state."""
    edge: IntColumn
    """Edge of each event; shape (n,)."""
    interaction: IntColumn
    """Interaction of each event, ascending; shape (n,)."""
    source: IntColumn
    """Shape (e,), as all columns of this group; edges are distinct and ascending."""
    symbol: IntColumn
    """Position in the table's symbols."""
    target: IntColumn
    count: IntColumn
    ends: IntColumn
    """How many interactions end in each finest state; shape (s,)."""
    symbols: int
    """How many symbols the table has."""
    rejected: BoolColumn
    """Of each symbol, whether it is a rejected call, which is no step of the protocol; shape (symbols,)."""
    event: IntColumn | None = None
    """For each symbol the event that it is a part of; ``None`` where each is an event of its own."""
    switches: BoolColumn | None = None
    """For each symbol whether it is a change of a flag of the whole contract; ``None`` if none is."""

    @property
    def is_flag_change(self) -> BoolColumn:
        """Which edges are changes of a flag: nobody chose them, so that they need not be told; shape (e,)."""
        if self.switches is None:
            return np.zeros(len(self.symbol), dtype=np.bool_)
        return self.switches[self.symbol]

    @property
    def states(self) -> int:
        """How many finest states there are, the root included."""
        return len(self.ends)

    def coarsen(self, selection: Sequence[int]) -> IntColumn:
        """Return the block of each finest state when only the selected predicates tell states apart.

        Blocks are numbered in order of first visit, the root alone in block 0; shape (s,).
        """
        codes = _codes(self.valuations[list(selection)], self.states) + 1
        codes[ROOT] = 0
        return _in_order_of_first(codes)


def quotient(table: EventTable, vocabulary: Vocabulary) -> Quotient:
    """Return the finest quotient of a table under all predicates of a vocabulary."""
    columns = vocabulary.columns
    codes = _codes(columns, columns.shape[1])
    finest = _in_order_of_first(codes) + 1
    after = np.where(vocabulary.after >= 0, finest[vocabulary.after] if len(finest) else ROOT, ROOT)
    before = np.concatenate(([ROOT], after[:-1]))[: len(after)]
    before[table.starts] = ROOT
    states = int(finest.max(initial=ROOT)) + 1
    valuations = np.zeros((len(columns), states), dtype=np.int8)
    valuations[:, finest] = columns
    return _graph(table, valuations, before, after)


def refine(graph: Quotient, table: EventTable) -> Quotient:
    """Return the quotient of the same states for a table whose symbols were split."""
    return _graph(table, graph.valuations, graph.state_before, graph.state_after)


def _graph(table: EventTable, valuations: TruthColumn, before: IntColumn, after: IntColumn) -> Quotient:
    states = valuations.shape[1]
    symbols = max(1, len(table.symbols))
    number = {event: row for row, event in enumerate(dict.fromkeys(table.wholes))}
    event = np.array([number[whole] for whole in table.wholes], dtype=np.int64) if number else None
    switches = np.isin(np.arange(symbols), table.switches) if table.switches else None
    keys, edge, count = np.unique(
        (before * symbols + table.symbol) * states + after, return_inverse=True, return_counts=True
    )
    last = np.append(table.starts[1:] - 1, len(after) - 1)[: len(table.starts)]
    rejected = np.zeros(symbols, dtype=np.bool_)
    rejected[table.symbol[table.rejected]] = True
    return Quotient(
        valuations=valuations,
        state_before=before,
        state_after=after,
        edge=edge.ravel(),
        interaction=table.interaction,
        source=keys // states // symbols,
        symbol=keys // states % symbols,
        target=keys % states,
        count=count,
        ends=np.bincount(after[last], minlength=states),
        symbols=symbols,
        rejected=rejected,
        event=event,
        switches=switches,
    )


def _codes(columns: TruthColumn, length: int) -> IntColumn:
    """Return an integer for each of ``length`` positions, equal exactly where all columns are equal.

    At most 39 columns are packed at a time; integers that grow too large for an array of their size are
    made dense, so codes of few columns need no sorting.
    """
    codes = np.zeros(length, dtype=np.int64)
    for first in range(0, len(columns), _DIGITS):
        packed = _pack_digits(columns[first : first + _DIGITS], length)
        if first == 0:
            codes = packed
            continue
        dense = np.unique(codes, return_inverse=True)[1]
        codes = dense * (length + 1) + np.unique(packed, return_inverse=True)[1]
    return codes


def _pack_digits(columns: TruthColumn, length: int) -> IntColumn:
    """Return the three-valued digits of each position as one number."""
    if length <= _SHORT:
        return _POWERS[len(_POWERS) - len(columns) :] @ columns
    packed = np.zeros(length, dtype=np.int64)
    for column in columns:
        packed *= 3
        packed += column
    return packed


def _in_order_of_first(codes: IntColumn) -> IntColumn:
    """Renumber non-negative integers 0, 1, ... in the order in which they first occur."""
    if len(codes) <= _FEW:
        numbers: dict[int, int] = {}
        return np.array([numbers.setdefault(code, len(numbers)) for code in codes.tolist()], dtype=np.int64)
    size = int(codes.max(initial=0)) + 1
    if size > 4 * len(codes) + 4096:
        codes = np.unique(codes, return_inverse=True)[1]
        size = int(codes.max(initial=0)) + 1
    first = np.full(size, len(codes))
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # the last assignment, the first occurrence, holds
    number = np.empty(size, dtype=np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(size)
    return number[codes]
