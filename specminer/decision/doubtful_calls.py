"""Finds which executed path a rejected call took that read values which are not known.

Such a call cannot be executed alone, but its accesses are recorded in order, and how it ended. So the executed paths
of its function are walked as a tree: a decision upon what is known leads one way; one upon a value in doubt may lead
both ways; a way that accesses other slots than the call did, or that ends otherwise, is none. If only one path is left
and no way that nobody took was open, the call took that path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from specminer.decision.call_columns import CallColumns
from specminer.decision.feeds import Feed
from specminer.decision.selectors import selects_only
from specminer.decision.value_matching import CallValues
from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.shadow.arena import Arena
from specminer.shadow.record import ShadowRecord

MAX_OPEN: Final = 1_000
"""Places of the tree that are looked at for one call, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """An executed call, to whose path others may be matched."""

    number: int
    invocation: int
    record: ShadowRecord
    feeds: Mapping[int, Feed]


class _PathAccess(NamedTuple):
    """An access of a path: the node of its slot, or the slot if that follows from the code alone."""

    node: int | None
    slot: int
    writes: bool


@dataclass(slots=True)
class _Place:
    """A place in the tree: what comes next there."""

    branches: dict[int, dict[bool, _Place]] = field(default_factory=dict)
    accesses: dict[_PathAccess, _Place] = field(default_factory=dict)
    ends: list[EndedRun] = field(default_factory=list)

    @property
    def kinds(self) -> int:
        """How many things may come next; more than one if something else than the decisions tells which."""
        return len(self.branches) + len(self.accesses) + bool(self.ends)


class _OtherWay(Exception):  # it is no error but a result
    """The call may have gone a way that no executed call took."""


class DoubtfulCalls:
    """Matches calls of one function that read values which are not known; ``rows`` are their invocations."""

    def __init__(
        self,
        runs: Sequence[EndedRun],
        arena: Arena,
        columns: CallColumns,
        history: History,
        rows: RowColumn,
    ) -> None:
        """Build the tree of the runs."""
        self._arena, self._columns, self._history, self._rows = arena, columns, history, rows
        self._feeds: dict[int, Feed] = {}
        self._root = _Place()
        self._values: dict[int, tuple[list[int], BoolColumn]] = {}
        for run in runs:
            self._add(run)

    def matches(self) -> IntColumn:
        """Return the number of the run whose path each call took, or ``MISSING``; shape (r,)."""
        run_numbers = np.full(len(self._rows), MISSING, dtype=np.int64)
        for at in range(len(self._rows)):
            try:
                ends = self._ends(at)
            except _OtherWay:
                continue
            if len(ends) == 1:
                run_numbers[at] = ends[0].number
        return run_numbers

    def _add(self, run: EndedRun) -> None:
        record, history = run.record, self._history
        writes = history.access_write[history.accesses(run.invocation)].tolist()
        if not record.accessed == len(record.access_slots) == len(writes):
            return
        if any(self._feeds.get(node, feed) != feed for node, feed in run.feeds.items()):
            return
        self._feeds.update(run.feeds)
        subtree, decided = self._root, 0
        for (node, slot), before, write in zip(
            record.access_slots, record.access_decided, writes, strict=True
        ):
            subtree = self._follow_decisions(subtree, record, decided, before)
            subtree = subtree.accesses.setdefault(_PathAccess(node, 0 if node else slot, write), _Place())
            decided = before
        self._follow_decisions(subtree, record, decided, len(record.decisions)).ends.append(run)

    def _follow_decisions(self, subtree: _Place, record: ShadowRecord, first: int, last: int) -> _Place:
        """Return the place behind some decisions of a run."""
        for decision in record.decisions[first:last]:
            if not selects_only(self._arena, decision.condition):
                ways = subtree.branches.setdefault(decision.condition, {})
                subtree = ways.setdefault(decision.value != 0, _Place())
        return subtree

    def _ends(self, at: int) -> list[EndedRun]:
        """Return a run for each path that a call may have taken.

        Raises:
            _OtherWay: it may have taken none of them.

        """
        history = self._history
        accesses = history.accesses(int(self._rows[at]))
        slots = [history.words[slot] for slot in history.access_slot[accesses].tolist()]
        writes = history.access_write[accesses].tolist()
        ends: list[EndedRun] = []
        left: list[tuple[_Place, int, dict[int, bool]]] = [(self._root, 0, {})]
        for _ in range(MAX_OPEN):
            if not left:
                return ends
            subtree, accessed, assumed = left.pop()
            if subtree.kinds != 1:
                raise _OtherWay
            for node, ways in subtree.branches.items():
                for way in self._open_ways(node, at, assumed):
                    if way not in ways:
                        raise _OtherWay
                    left.append((ways[way], accessed, {**assumed, node: way}))
            for access, following in subtree.accesses.items():
                alike = accessed < len(slots) and access.writes == writes[accessed]
                if alike and self._may_access(access, slots[accessed], at):
                    left.append((following, accessed + 1, assumed))
            if subtree.ends and accessed == len(slots):
                ends += [run for run in subtree.ends if self._ends_alike(run, at)][:1]
        raise _OtherWay

    def _open_ways(self, node: int, at: int, assumed: Mapping[int, bool]) -> tuple[bool, ...]:
        if node in assumed:
            return (assumed[node],)
        value = self._value(node, at)
        return (True, False) if value is None else (value != 0,)

    def _may_access(self, access: _PathAccess, slot: int, at: int) -> bool:
        expected = access.slot if not access.node else self._value(access.node, at)
        return expected is None or expected == slot

    def _ends_alike(self, run: EndedRun, at: int) -> bool:
        history, row = self._history, int(self._rows[at])
        return (
            not run.record.calls
            and history.invocation_outcome[run.invocation] == history.invocation_outcome[row]
            and history.invocation_output[run.invocation] == history.invocation_output[row]
        )

    def _value(self, node: int, at: int) -> int | None:
        """Return what an expression is worth in a call; ``None`` if that is not known."""
        if node not in self._values:
            values = CallValues(self._arena, self._feeds, self._columns, self._rows)
            try:
                value = values.value(node)
            except KeyError:  # a source that no column has
                self._values[node] = [0] * len(self._rows), np.zeros(len(self._rows), dtype=np.bool_)
            else:
                words = value.tolist() if isinstance(value, np.ndarray) else [value] * len(self._rows)
                self._values[node] = words, values.is_known
        words, is_known = self._values[node]
        return words[at] if is_known[at] else None
