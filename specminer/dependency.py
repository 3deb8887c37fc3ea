"""Which invocation depends on which: read-after-write over storage locations.

An *external read* is a read before the invocation's own write of the slot; an *effective write* is one
that lasted and whose final value differs from what the invocation found. Invocation B depends on A if B
externally reads what A was the last to write effectively. Source: the definitions of design section 2;
the paper's own are not known to us.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np

from specminer.history import MISSING, BoolColumn, History, IntColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """Each (invocation, contract's slot) pair that was accessed, in chain order; shape (m,) each."""

    invocation: IntColumn
    slot: IntColumn
    """Number of the (contract, slot) pair, 0 .. s-1."""
    word: IntColumn
    """Row in ``History.words`` of the slot."""
    external_read: BoolColumn
    effective_write: BoolColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Read-after-write dependencies, each (reader, writer, slot) once; shape (d,) each."""

    reader: IntColumn
    """Row of the invocation that read."""
    writer: IntColumn
    """Row of the invocation that had written; smaller than ``reader`` but for re-entrant calls."""
    slot: IntColumn
    """Row in ``History.words``."""


def touches(history: History) -> Touches:
    """Condense accesses to what each invocation read from before and left behind, in n log n."""
    if not len(history.access_slot):
        empty, none = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
        return Touches(invocation=empty, slot=empty, word=empty, external_read=none, effective_write=none)
    contract = history.invocation_contract[history.access_invocation]
    location = contract * (len(history.words) + 1) + history.access_slot
    _, location = np.unique(location, return_inverse=True)
    pair = history.access_invocation * (int(location.max()) + 1) + location
    order = np.lexsort((history.access_position, pair))
    starts = np.flatnonzero(np.r_[True, pair[order][1:] != pair[order][:-1]])
    first = order[starts]
    lasting = history.access_write & ~history.access_undone
    # the value found: of the first access; the value left: of the last write that lasted
    final = np.where(lasting[order], np.arange(len(order)), MISSING)
    last_write = np.maximum.reduceat(final, starts)
    wrote = last_write != MISSING
    left = history.access_after[order[np.maximum(last_write, 0)]]
    found = history.access_before[first]
    return Touches(
        invocation=history.access_invocation[first],
        slot=location[first],
        word=history.access_slot[first],
        external_read=~history.access_write[first],
        effective_write=wrote & (left != found),
    )


def dependencies(touched: Touches) -> Dependencies:
    """Return the read-after-write dependencies between invocations."""
    order = np.lexsort((touched.invocation, touched.slot))
    slot, invocation = touched.slot[order], touched.invocation[order]
    place = np.arange(len(order))
    write = np.where(touched.effective_write[order], place, MISSING)
    # the last effective write before each row, within its slot
    before = np.r_[[MISSING], np.maximum.accumulate(write)[:-1]] if len(order) else write
    starts = np.searchsorted(slot, slot, side="left")
    linked = touched.external_read[order] & (before >= starts)
    return Dependencies(
        reader=invocation[linked], writer=invocation[before[linked]], slot=touched.word[order][linked]
    )


def graph(history: History, found: Dependencies) -> nx.MultiDiGraph:
    """Return the dependencies as a graph to inspect or export: an edge from each reader to its writer.

    Nodes are invocation rows with ``transaction`` (hash), ``block`` and ``position``; edges carry the
    ``slot`` as hexadecimal text.
    """
    built = nx.MultiDiGraph()
    for row in range(len(history)):
        transaction = int(history.invocation_transaction[row])
        built.add_node(
            row,
            transaction=f"0x{history.transaction_hash[transaction].hex()}",
            block=int(history.transaction_block[transaction]),
            position=int(history.invocation_position[row]),
        )
    for reader, writer, slot in zip(found.reader, found.writer, found.slot, strict=True):
        built.add_edge(int(reader), int(writer), slot=hex(history.words[slot]))
    return built
