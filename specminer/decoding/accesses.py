"""Which invocation depends on which: read-after-write over storage locations.

An *external read* is a read before the invocation's own write of the slot; an *effective write* is one
that lasted and whose final value differs from what the invocation found. Invocation B depends on A if B
externally reads what A was the last to write effectively. Before and after are taken from the accesses,
not from the invocations, which may enclose each other. Source: the definitions of design section 2; the
paper's own are not known to us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from specminer._support.parts import rows_by_group, spans_of_groups
from specminer._support.scratch import ColumnWriter, in_file
from specminer.history.contract_history import (
    MISSING,
    BoolColumn,
    History,
    IntColumn,
    RowColumn,
    Slots,
    slots,
)
from specminer.history.trace import Tracer

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSummary:
    """Each (invocation, contract's slot) pair that was accessed, by invocation; shape (m,) each."""

    invocation: RowColumn
    slot: RowColumn
    """Number of the (contract, slot) pair, 0 .. s-1, as in :class:`specminer.history.contract_history.Slots`."""
    word: RowColumn
    """Row in ``History.words`` of the slot."""
    external_read: BoolColumn
    effective_write: BoolColumn
    writer: RowColumn
    """Row of the invocation whose effective write an external read saw; else ``MISSING``, also where what was read is
    not known, or is not what that write left: then somebody unseen wrote."""
    value_before: RowColumn
    """Row in ``History.words`` of the value that the invocation found, or ``MISSING`` if not known."""
    value_after: RowColumn
    """Row in ``History.words`` of the value that it left for good; of what it found if it changed nothing; ``MISSING``
    if not known."""
    touch: RowColumn
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


def summarize_accesses(history: History, slot_numbers: Slots | None = None) -> AccessSummary:
    """Condense accesses to what each invocation read from before and left behind, in n log n.

    ``slot_numbers`` is what :func:`specminer.history.contract_history.slots` returns, where it is at hand.
    """
    location = (slots(history) if slot_numbers is None else slot_numbers).access
    if not len(location):
        empty, none = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.bool_)
        return AccessSummary(
            invocation=empty,
            slot=empty,
            word=empty,
            external_read=none,
            effective_write=none,
            writer=empty,
            value_before=empty,
            value_after=empty,
            touch=empty,
        )
    lasting = history.access_write & ~history.access_undone
    parts = {name: ColumnWriter() for name in _COLUMNS}
    effective_accesses = np.zeros(len(location), dtype=np.bool_)
    count = 0
    for span in spans_of_groups(history.access_invocation):
        part = _condense(history, location, lasting, span)
        effective_accesses[span] = part["effective_write"][part["touch"]]
        part["touch"] += np.int32(count)
        count += len(part["first"])
        for name, kind in _COLUMNS.items():
            parts[name].append(part[name].astype(kind, copy=False).tobytes())
    columns: dict[str, Any] = {name: parts.pop(name).column(kind) for name, kind in _COLUMNS.items()}
    first = columns.pop("first")
    last = _last_writes(history, location, lasting & effective_accesses)
    return AccessSummary(
        slot=in_file(location[first]),
        word=in_file(history.access_slot[first]),
        writer=in_file(_writers(history, first, last, columns["value_before"])),
        **columns,
    )


_COLUMNS: Final[dict[str, type[np.int32 | np.bool_]]] = {
    "invocation": np.int32,
    "external_read": np.bool_,
    "effective_write": np.bool_,
    "value_before": np.int32,
    "value_after": np.int32,
    "touch": np.int32,
    "first": np.int32,
}
"""What is found of accesses in one part after another, and how it is kept."""


def _condense(history: History, location: RowColumn, lasting: BoolColumn, span: slice) -> dict[str, Any]:
    """Return what some invocations, whose accesses stand in a span, found and left; ``touch`` counted from 0."""
    order, begins = _by_invocation(history.access_invocation[span], location[span])
    starts = np.flatnonzero(begins)
    touch = np.empty(len(order), dtype=np.int32)
    touch[order] = np.cumsum(begins, dtype=np.int32) - np.int32(1)
    order += np.int32(span.start)
    first = order[starts]
    # the value found: of the first access; the value left: of the last write that lasted
    final = np.where(lasting[order], _numbers(len(order)), _NONE)
    last_write = np.maximum.reduceat(final, starts)
    external = ~history.access_write[first]
    before = np.where(external, history.access_after[first], history.access_before[first])
    after = np.where(last_write == MISSING, before, history.access_after[order[np.maximum(last_write, 0)]])
    # a write of an unknown value counts as one: what is read behind it may come from it
    effective = (last_write != MISSING) & ((after != before) | (after == MISSING))
    return {
        "invocation": history.access_invocation[first],
        "external_read": external,
        "effective_write": effective,
        "value_before": before,
        "value_after": after,
        "touch": touch,
        "first": first,
    }


def _writers(history: History, first: RowColumn, last: RowColumn, before: RowColumn) -> RowColumn:
    """Return whose effective write each pair's first access saw, if it read and saw one; else ``MISSING``."""
    last = last[first]
    index = np.maximum(last, 0)
    written = np.where(last == MISSING, _NONE, history.access_after[index])
    saw_write = (last != MISSING) & (before != MISSING) & ((written == before) | (written == MISSING))
    return np.where(saw_write & ~history.access_write[first], history.access_invocation[index], _NONE)


_NONE: Final = np.int32(MISSING)


def _numbers(count: int) -> RowColumn:
    return np.arange(count, dtype=np.int32)


def _by_invocation(invocation: RowColumn, location: RowColumn) -> tuple[RowColumn, BoolColumn]:
    """Return accesses by invocation, location and position, and which of these is a pair's first."""
    pair = invocation.astype(np.int64) * (int(location.max()) + 1) + location
    # of one invocation they stand by position, and a stable sort leaves them so
    order = np.argsort(pair, kind="stable").astype(np.int32)
    pair = pair[order]
    return order, np.concatenate([[True], pair[1:] != pair[:-1]])


def _last_writes(history: History, location: RowColumn, writes: BoolColumn) -> RowColumn:
    """Return for each access the last of ``writes`` to its location before it, an access, or ``MISSING``."""
    previous = np.empty(len(location), dtype=np.int32)
    for rows in rows_by_group(location, int(location.max()) + 1):
        transaction = history.invocation_transaction[history.access_invocation[rows]]
        order = np.lexsort((history.access_position[rows], transaction, location[rows]))
        order = rows[order].astype(np.int32)
        del transaction
        numbers = _numbers(len(order))
        last = np.empty(len(order), dtype=np.int32)
        last[0] = MISSING
        last[1:] = np.maximum.accumulate(np.where(writes[order], numbers, _NONE))[:-1]
        ordered_locations = location[order]
        begins = np.concatenate([[True], ordered_locations[1:] != ordered_locations[:-1]])
        inside = last >= np.maximum.accumulate(np.where(begins, numbers, np.int32(0)))
        previous[order] = np.where(inside, order[last], _NONE)
    return previous


def first_accesses(accesses: AccessSummary, slots: int) -> IntColumn:
    """Return the row of the first access to each of ``slots`` slots."""
    first = np.full(slots, len(accesses.touch), dtype=np.int64)
    slot = accesses.slot[accesses.touch]
    first[slot[::-1]] = np.arange(len(slot))[::-1]  # the last assignment stays
    return first


def unsure_writers(history: History, accesses: AccessSummary) -> BoolColumn:
    """Return which external reads have a writer of which it is not known whether it changed anything; shape (m,)."""
    unknown = accesses.value_after == MISSING
    if history.tracers == (Tracer.EXECUTION,):  # others cannot see what is overwritten, which is not in doubt
        unknown |= accesses.value_before == MISSING
    span = int(accesses.slot.max(initial=0)) + 1
    rows = np.flatnonzero(accesses.writer != MISSING)
    # touches stand by invocation and slot
    pair = accesses.invocation.astype(np.int64) * span + accesses.slot
    at = np.searchsorted(pair, accesses.writer[rows].astype(np.int64) * span + accesses.slot[rows])
    unsure = np.zeros(len(unknown), dtype=np.bool_)
    unsure[rows] = unknown[at]
    return unsure


def dependencies(accesses: AccessSummary) -> Dependencies:
    """Return the read-after-write dependencies between invocations, by reader and slot."""
    has_writer = accesses.writer != MISSING
    return Dependencies(
        reader=accesses.invocation[has_writer],
        writer=accesses.writer[has_writer],
        slot=accesses.word[has_writer],
    )


def graph(history: History, edges: Dependencies) -> nx.MultiDiGraph:
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
    for reader, writer, slot in zip(edges.reader, edges.writer, edges.slot, strict=True):
        built.add_edge(int(reader), int(writer), slot=hex(history.words[slot]))
    return built
