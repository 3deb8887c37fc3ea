"""Which invocation depends on which: read-after-write over storage locations.

An *external read* is a read before the invocation's own write of the slot; an *effective write* is one
that lasted and whose final value differs from what the invocation found. Invocation B depends on A if B
externally reads what A was the last to write effectively. Before and after are taken from the accesses,
not from the invocations, which may enclose each other. Source: the definitions of design section 2; the
paper's own are not known to us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specminer.history import MISSING, BoolColumn, History, IntColumn, slots

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """Each (invocation, contract's slot) pair that was accessed, by invocation; shape (m,) each."""

    invocation: IntColumn
    slot: IntColumn
    """Number of the (contract, slot) pair, 0 .. s-1, as in :class:`specminer.history.Slots`."""
    word: IntColumn
    """Row in ``History.words`` of the slot."""
    external_read: BoolColumn
    effective_write: BoolColumn
    writer: IntColumn
    """Row of the invocation whose effective write an external read saw; else ``MISSING``."""
    found: IntColumn
    """Row in ``History.words`` of the value that the invocation found, or ``MISSING`` if not seen."""
    left: IntColumn
    """Row in ``History.words`` of the value that it left for good; of what it found if it changed nothing."""
    touch: IntColumn
    """Row in these columns of each access of the history; shape (a,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Read-after-write dependencies, each (reader, writer, slot) once; shape (d,) each."""

    reader: IntColumn
    """Row of the invocation that read."""
    writer: IntColumn
    """Row of the invocation that had written; greater than ``reader`` if it was called by the reader."""
    slot: IntColumn
    """Row in ``History.words``."""


def touches(history: History) -> Touches:
    """Condense accesses to what each invocation read from before and left behind, in n log n."""
    if not len(history.access_slot):
        empty, none = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
        return Touches(
            invocation=empty,
            slot=empty,
            word=empty,
            external_read=none,
            effective_write=none,
            writer=empty,
            found=empty,
            left=empty,
            touch=empty,
        )
    location = slots(history).access
    pair = history.access_invocation * (int(location.max()) + 1) + location
    order = np.lexsort((history.access_position, pair))
    begins = np.r_[True, pair[order][1:] != pair[order][:-1]]
    starts = np.flatnonzero(begins)
    touch = np.empty(len(order), dtype=np.int64)
    touch[order] = np.cumsum(begins) - 1
    first = order[starts]
    lasting = history.access_write & ~history.access_undone
    # the value found: of the first access; the value left: of the last write that lasted
    final = np.where(lasting[order], np.arange(len(order)), MISSING)
    last_write = np.maximum.reduceat(final, starts)
    found = np.where(history.access_write[first], history.access_before[first], history.access_after[first])
    left = np.where(last_write == MISSING, found, history.access_after[order[np.maximum(last_write, 0)]])
    effective = (last_write != MISSING) & (left != found)
    external = ~history.access_write[first]
    writer = _writers(history, location, lasting & effective[touch])[first]
    return Touches(
        invocation=history.access_invocation[first],
        slot=location[first],
        word=history.access_slot[first],
        external_read=external,
        effective_write=effective,
        writer=np.where(external, writer, MISSING),
        found=found,
        left=left,
        touch=touch,
    )


def _writers(history: History, location: IntColumn, writes: BoolColumn) -> IntColumn:
    """Return for each access the invocation that made the last of ``writes`` to its location before it."""
    transaction = history.invocation_transaction[history.access_invocation]
    order = np.lexsort((history.access_position, transaction, location))
    last = np.maximum.accumulate(np.where(writes[order], np.arange(len(order)), MISSING))
    last = np.r_[[MISSING], last[:-1]]
    inside = last >= np.searchsorted(location[order], location[order], side="left")
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.where(inside, history.access_invocation[order[last]], MISSING)
    return found


def dependencies(touched: Touches) -> Dependencies:
    """Return the read-after-write dependencies between invocations, by reader and slot."""
    linked = touched.writer != MISSING
    return Dependencies(
        reader=touched.invocation[linked], writer=touched.writer[linked], slot=touched.word[linked]
    )


def graph(history: History, found: Dependencies) -> nx.MultiDiGraph:
    """Return the dependencies as a graph to inspect or export: an edge from each reader to its writer.

    Nodes are invocation rows with ``transaction`` (hash), ``block`` and ``position``; edges carry the
    ``slot`` as hexadecimal text.
    """
    import networkx as nx  # takes long to load, and few want graphs

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
