"""Finds which executed path other calls took, by evaluating the path's conditions over columns of calls.

Calls that are alike from outside, and of which every decision goes the same way, ran the same instructions: what they
read is recorded in order, so the n-th read of one is the n-th read of the other. What a path writes is evaluated as
well and compared with what each call is recorded to have written; a call that differs is not matched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer.decision.call_columns import CallColumns
from specminer.decision.feeds import Feed, FeedReader, gather
from specminer.decision.selectors import selects_only
from specminer.decision.vectors import Value, apply
from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.shadow.arena import UNKNOWN, Arena, operands_of
from specminer.shadow.evaluation import evaluate
from specminer.shadow.record import ShadowRecord

_TOGETHER: Final = 1 << 15
"""Calls that are looked at together: their values take memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PathWrite:
    """A write of a path."""

    access: int
    """Which access of the call it is."""
    node: int | None
    value: int
    """What it wrote, where no expression says it."""
    slot: int | None
    """Where it wrote, if that follows from the code alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPath:
    """The way that an executed call took."""

    facts: tuple[tuple[int, bool], ...]
    """What was decided, in order: nodes, and whether they are not zero."""
    writes: tuple[_PathWrite, ...]
    feeds: dict[int, Feed]
    """Where the sources of all of it are read from, by node."""
    run: int
    """Number of the run that took it."""


def known_path(
    record: ShadowRecord, run: int, *, written: Sequence[bool], recorded: bool
) -> KnownPath | None:
    """Return the path of an executed call.

    Args:
        record: what the shadow tells of the call.
        run: its number.
        written: which of its accesses write.
        recorded: whether answers of other contracts were recorded.

    Returns:
        ``None`` if other calls cannot be matched to it, because no column says what it depends on.

    """
    accesses = [number for number, write in enumerate(written) if write]
    if record.is_truncated or len(accesses) != len(record.writes):
        return None
    arena, reader = record.arena, FeedReader(record, answers_recorded=recorded)
    facts: dict[int, bool] = {}
    for decision in record.decisions:
        if decision.condition == UNKNOWN:
            return None
        if not selects_only(arena, decision.condition):
            _add_facts(record, decision.condition, facts)
    visited: set[int] = set()
    feeds: dict[int, Feed] = {}
    nodes = [*facts, *(item.node for item in record.writes if item.node is not None)]
    if not all(gather(arena, node, visited, reader, feeds) for node in nodes):
        return None
    writes = tuple(
        _PathWrite(
            access=access, node=item.node, value=item.value, slot=None if item.slot_node else item.slot
        )
        for access, item in zip(accesses, record.writes, strict=True)
    )
    return KnownPath(facts=tuple(facts.items()), writes=writes, feeds=feeds, run=run)


def _add_facts(record: ShadowRecord, node: int, facts: dict[int, bool]) -> None:
    """Note what a condition was, and what truths are that it joins: which of them held is a part of the path."""
    arena, left = record.arena, [node]
    while left:
        item = left.pop()
        if item in facts:
            continue
        facts[item] = evaluate(arena, item, record.inputs) != 0
        if arena.kind(item) in ("and", "or"):
            left += [other for other in operands_of(arena.key(item)) if arena.bits(other) == 1]


@dataclass(slots=True)
class _Branching:
    """Where known paths part: a node of a tree."""

    node: int = UNKNOWN
    """What is decided here; nothing at the end of a path."""
    ways: dict[bool, _Branching] = field(default_factory=dict)
    path: KnownPath | None = None
    """The path that ends here."""


class PathTree:
    """Paths whose sources stand in the same columns, as a tree of their decisions."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._root = _Branching()
        self.feeds: dict[int, Feed] = {}

    def add(self, path: KnownPath) -> bool:
        """Add a path; return whether it fits in: the tree has its sources in the same columns."""
        if any(self.feeds.get(node, feed) != feed for node, feed in path.feeds.items()):
            return False
        subtree = self._root
        for node, holds in path.facts:
            if subtree.path is not None or subtree.node not in (UNKNOWN, node):
                return False
            subtree.node = node
            subtree = subtree.ways.setdefault(holds, _Branching())
        if subtree.node == UNKNOWN and subtree.path is None:
            subtree.path = path
        self.feeds.update(path.feeds)
        return subtree.path is not None

    def match(self, columns: CallColumns, history: History, rows: RowColumn) -> IntColumn:
        """Return the number of the run whose path each call took, or ``MISSING``; shape (r,).

        Args:
            columns: where sources are read from.
            history: the history.
            rows: the invocations, ``r``.

        """
        run_numbers = np.full(len(rows), MISSING, dtype=np.int64)
        for start in range(0, len(rows), _TOGETHER):
            part = rows[start : start + _TOGETHER]
            values = CallValues(self._arena, self.feeds, columns, part)
            for path, positions in self._walk(values):
                matches = positions[self._validate(path, values, history, positions)]
                run_numbers[start + matches] = path.run
        return run_numbers

    def _walk(self, values: CallValues) -> Iterator[tuple[KnownPath, IntColumn]]:
        """Yield paths with the calls of which every decision goes their way."""
        left = [(self._root, np.arange(len(values.rows)))]
        while left:
            subtree, positions = left.pop()
            if not len(positions):
                continue
            if subtree.path is not None:
                yield subtree.path, positions
                continue
            holds = values.holds(subtree.node)[positions]
            for way, following in subtree.ways.items():
                left.append((following, positions[holds == way]))

    @staticmethod
    def _validate(path: KnownPath, values: CallValues, history: History, positions: IntColumn) -> BoolColumn:
        """Return for calls whether they are recorded to have written what a path writes."""
        rows = values.rows[positions]
        right = np.ones(len(positions), dtype=np.bool_)
        for write in path.writes:
            recorded, is_recorded = values.columns.column(Feed("access", write.access), rows)
            value: Value = write.value if write.node is None else values.value(write.node)
            expected = value[positions] if isinstance(value, np.ndarray) else value
            right &= ~is_recorded | np.equal(recorded, expected).astype(np.bool_)
            if write.slot is not None:
                slots, _ = values.columns.access_slot(write.access, rows)
                right &= np.equal(slots, write.slot).astype(np.bool_)
        return right & values.is_known[positions]


class CallValues:
    """What expressions are worth in some calls; each is evaluated when it is first asked for."""

    def __init__(self, arena: Arena, feeds: dict[int, Feed], columns: CallColumns, rows: RowColumn) -> None:
        self.rows = rows
        self.columns = columns
        self.is_known = np.ones(len(rows), dtype=np.bool_)
        """Calls of which all is known that was asked for."""
        self._arena, self._feeds = arena, feeds
        self._values: dict[int, Value] = {}
        self._holds: dict[int, BoolColumn] = {}

    def holds(self, node: int) -> BoolColumn:
        """Return for each call whether an expression is not zero."""
        truth = self._holds.get(node)
        if truth is None:
            value = self.value(node)
            full = value if isinstance(value, np.ndarray) else np.full(len(self.rows), value, dtype=object)
            truth = self._holds[node] = full.astype(np.bool_)
        return truth

    def value(self, node: int) -> Value:
        """Return what an expression is worth."""
        values = self._values
        if node in values:
            return values[node]
        for item in self._needed_nodes(node):
            feed = self._feeds.get(item)
            if feed is None:
                values[item] = apply(self._arena.key(item), values)
            elif feed.kind == "fixed":
                values[item] = feed.number
            elif feed.kind == "calldata at":
                values[item] = self.columns.calldata_at(values[feed.number], feed.start, self.rows)
            else:
                values[item], is_recorded = self.columns.column(feed, self.rows)
                self.is_known &= is_recorded
        return values[node]

    def _needed_nodes(self, node: int) -> list[int]:
        """Return what has to be evaluated first, and the node, in order."""
        nodes, left = {node}, [node]
        while left:
            item = left.pop()
            feed = self._feeds.get(item)
            operands = operands_of(self._arena.key(item)) if feed is None else ()
            if feed is not None and feed.kind == "calldata at":
                operands = (feed.number,)
            for operand in operands:
                if operand not in nodes and operand not in self._values:
                    nodes.add(operand)
                    left.append(operand)
        return sorted(nodes)


def match_calls(
    paths: Sequence[KnownPath], arena: Arena, columns: CallColumns, history: History, rows: RowColumn
) -> IntColumn:
    """Return the number of the run whose path each of some calls took, or ``MISSING``; shape (r,).

    Args:
        paths: those of executed calls that are like these.
        arena: holds their expressions.
        columns: where sources are read from.
        history: the history.
        rows: the invocations, ``r``, ascending.

    """
    trees: list[PathTree] = []
    for path in paths:
        if not any(tree.add(path) for tree in trees):
            tree = PathTree(arena)
            tree.add(path)
            trees.append(tree)
    run_numbers = np.full(len(rows), MISSING, dtype=np.int64)
    for tree in trees:
        left = np.flatnonzero(run_numbers == MISSING)
        run_numbers[left] = tree.match(columns, history, rows[left])
    return run_numbers
