"""What expressions were worth in the runs of one function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from specminer.decision.call_runs import CallRun
from specminer.shadow.arena import Arena
from specminer.shadow.evaluation import evaluate

MAX_SAMPLES: Final = 24
"""Runs in which it is looked at what a source held."""


class RunValues:
    """Evaluates expressions in ``r`` runs; a run is named by its position among them.

    An expression that stands for others, such as a hash of arrays of other lengths, is worth what a run's own is.
    """

    def __init__(
        self,
        arena: Arena,
        runs: Sequence[CallRun],
        own_nodes: Mapping[int, Mapping[int, int]] | None = None,
    ) -> None:
        self.arena = arena
        self.runs = runs
        self._own_nodes = own_nodes or {}
        self._samples: dict[int, list[int]] = {}
        for position, run in enumerate(runs):
            for node in run.record.inputs:
                samples = self._samples.setdefault(node, [])
                if len(samples) < MAX_SAMPLES:
                    samples.append(position)
        self._values: dict[tuple[int, int], int | None] = {}

    def samples(self, node: int) -> Sequence[int]:
        """Return some of the runs in which a source had a value, the first ones."""
        return self._samples.get(node, ())

    def note(self, node: int, positions: Sequence[int]) -> None:
        """Note in which runs a source had a value, if none has looked at it."""
        if not self._samples.get(node):
            self._samples[node] = list(positions[:MAX_SAMPLES])

    def value(self, position: int, node: int) -> int | None:
        """Return what a node was worth in a run; ``None`` if it depends on what the run never looked at."""
        cached = self._values.get((position, node), -1)
        if cached != -1:
            return cached
        value = self._values[position, node] = self._evaluate(position, node)
        return value

    def _evaluate(self, position: int, node: int) -> int | None:
        own = self._own_nodes.get(position)
        if own is not None:
            node = own.get(node, node)
        if not node:
            return None
        try:
            return evaluate(self.arena, node, self.runs[position].record.inputs)
        except KeyError:
            return None

    def column(self, node: int) -> list[int | None]:
        """Return what a node was worth in each run; shape (r,)."""
        constant = self.arena.constants.get(node)
        if constant is not None:
            return [constant] * len(self.runs)
        return [self._evaluate(position, node) for position in range(len(self.runs))]
