"""What expressions were worth in calls that were not executed, but matched to the path of one that was."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from specminer.decision.call_columns import CallColumns
from specminer.decision.call_runs import CallRun, FunctionRuns
from specminer.decision.feeds import MAX_NODES, Feed, plain_feed
from specminer.decision.value_matching import CallValues
from specminer.history.contract_history import IntColumn
from specminer.shadow.arena import SOURCES, UNKNOWN, operands_of

_NodeFeeds = tuple[tuple[int, Feed], ...]
"""Sources, with the columns that they are read from."""


class MatchedValues:
    """Evaluates expressions in the ``m`` matched calls of one function, over the columns of the history."""

    def __init__(self, runs: FunctionRuns, columns: CallColumns) -> None:
        self._runs = runs
        self._columns = columns
        order = np.argsort(runs.matched_run, kind="stable")
        numbers, starts = np.unique(runs.matched_run[order], return_index=True)
        self._positions: dict[int, IntColumn] = dict(
            zip(numbers.tolist(), np.split(order, starts[1:]) if len(order) else (), strict=True)
        )
        """Where the matched calls of a path stand among them, by the number of the run."""
        self._sources: dict[int, tuple[int, ...] | None] = {}

    def column(self, node: int) -> list[int | None]:
        """Return what a node was worth in each matched call; ``None`` where that was not recorded; shape (m,)."""
        words: list[int | None] = [None] * len(self._runs.matched_rows)
        groups: dict[tuple[int, _NodeFeeds], list[IntColumn]] = defaultdict(list)
        for number, positions in self._positions.items():
            own = self._runs.own_nodes.get(number, {}).get(node, node)
            fed = self._find_feeds(self._runs.runs[number], own)
            if fed is not None:
                groups[own, fed].append(positions)
        for (own, fed), parts in groups.items():
            self._fill(words, own, fed, np.concatenate(parts))
        return words

    def _fill(self, column: list[int | None], node: int, fed: _NodeFeeds, positions: IntColumn) -> None:
        rows = self._runs.matched_rows[positions]
        values = CallValues(self._runs.arena, dict(fed), self._columns, rows)
        try:
            value = values.value(node)
        except KeyError:
            return  # nothing computes it
        words = value.tolist() if isinstance(value, np.ndarray) else [value] * len(rows)
        for position, word, is_known in zip(positions.tolist(), words, values.is_known.tolist(), strict=True):
            if is_known:
                column[position] = int(word)

    def _find_feeds(self, run: CallRun, node: int) -> _NodeFeeds | None:
        """Return where the calls of a path have what a node is made of; ``None`` if they do not have all of it."""
        if not run.feeds:
            return None
        sources = self._sources_of(node)
        feeds: dict[int, Feed] = {}
        for source in sources or ():
            feed = run.feeds.get(source) or plain_feed(self._runs.arena, source)
            if feed is None:
                return None
            feeds[source] = feed
        return None if sources is None else tuple(feeds.items())

    def _sources_of(self, node: int) -> tuple[int, ...] | None:
        """Return what an expression is made of; ``None`` if that is not known, or too much."""
        if node not in self._sources:
            self._sources[node] = self._find_sources(node)
        return self._sources[node]

    def _find_sources(self, node: int) -> tuple[int, ...] | None:
        arena = self._runs.arena
        visited, left, sources = {node}, [node], list[int]()
        while left:
            item = left.pop()
            if item == UNKNOWN or len(visited) > MAX_NODES:
                return None
            key = arena.key(item)
            below = operands_of(key)
            if (key[1] if key[0] == "opaque" else key[0]) in SOURCES:
                sources.append(item)
                # data at a computed place is made of that, storage is read as it was recorded
                below = (key[1],) if key[0] == "calldata" and len(key) == 3 else ()
            more = [each for each in below if each not in visited]
            visited.update(more)
            left += more
        return tuple(sources)
