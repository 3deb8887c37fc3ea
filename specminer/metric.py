"""What can be measured of an automaton, and the objective made of it.

A metric declares its name, range, direction, unit and source, and is refused where one is missing: a
number that nobody can interpret is worth nothing. All are computed from the counts on the edges.

The objective is a description length in bits, lower is better::

    J = D_label + D_succ + D_end + (log2 N / 4) m + a sum(t_p log2 P)

with the terms weighted by the definition (1/4 and a = 2 are its defaults).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.abstraction import ROOT, Weights
from specminer.history import IntColumn


class MetricError(ValueError):
    """A metric whose declaration is incomplete or contradicts another."""


class Direction(Enum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"
    """A description, not a judgement."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The edges of an automaton with ``b`` states, ``m`` distinct edges and ``n`` events."""

    source: IntColumn
    """Shape (m,), as all columns of this group; edges stand ascending by source, symbol, target."""
    symbol: IntColumn
    target: IntColumn
    count: IntColumn
    ends: IntColumn
    """How many interactions end in each state; shape (b,)."""
    surcharge: float = 0.0
    """Bits the chosen predicates cost before weighting: the sum of t_p log2 P."""
    weights: Weights = field(default_factory=Weights)

    @property
    def events(self) -> int:
        """How many events the edges count."""
        return int(self.count.sum())

    @cached_property
    def choice_starts(self) -> IntColumn:
        """Positions at which the edges of another (source, symbol) begin."""
        changed = (np.diff(self.source, prepend=-1) != 0) | (np.diff(self.symbol, prepend=-1) != 0)
        return np.flatnonzero(changed)

    @cached_property
    def choices(self) -> IntColumn:
        """Events of each (source, symbol), in the order of ``choice_starts``."""
        if not len(self.count):
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(self.count, self.choice_starts)

    @cached_property
    def leaving(self) -> IntColumn:
        """Events that leave each state, loops included; shape (b,)."""
        totals = np.zeros(len(self.ends), dtype=np.int64)
        np.add.at(totals, self.source, self.count)
        return totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One measure with what is needed to read it.

    Raises:
        MetricError: a text is empty or the range is upside down.

    """

    name: str
    low: float
    high: float
    """``inf`` where there is no bound."""
    better: Direction
    unit: str
    source: str
    """Who defined it: a paper, a theorem, or our design."""
    measure: Callable[[Counts], float]

    def __post_init__(self) -> None:
        missing = [key for key in ("name", "unit", "source") if not str(getattr(self, key)).strip()]
        if missing:
            raise MetricError(f"expected {', '.join(missing)} to be given but metric '{self.name}' lacks it")
        if not self.low < self.high:
            raise MetricError(f"expected a range but metric '{self.name}' has {self.low} .. {self.high}")


def registry(metrics: Iterable[Metric]) -> Mapping[str, Metric]:
    """Return the metrics by name; raises ``MetricError`` if one name is taken twice."""
    by_name: dict[str, Metric] = {}
    for metric in metrics:
        if metric.name in by_name:
            raise MetricError(f"expected one metric a name but '{metric.name}' is given twice")
        by_name[metric.name] = metric
    return MappingProxyType(by_name)


def label_bits(counts: Counts) -> float:
    """Return D_label, the bits to tell each event given its state."""
    return _plogp(counts.leaving) - _plogp(counts.choices)


def successor_bits(counts: Counts) -> float:
    """Return D_succ, the bits to tell each next state given state and event: what nondeterminism costs."""
    return _plogp(counts.choices) - _plogp(counts.count)


def end_bits(counts: Counts) -> float:
    """Return D_end, the bits to tell where interactions end, by one stop probability E / (E + V).

    E is the number of ends in states with successors (ends in dead ends are free), V the number of events
    that leave another state than the root. An interaction of nothing but calls rejected at its start ends
    in the root and counts in E.
    """
    stops = int(counts.ends[counts.leaving > 0].sum())
    goes_on = int(counts.leaving.sum() - counts.leaving[ROOT])
    return _plogp(np.array([stops + goes_on])) - _plogp(np.array([stops, goes_on]))


def description_length(counts: Counts) -> float:
    """Return J, the weighted sum of all terms in bits."""
    weights = counts.weights
    return (
        weights.label * label_bits(counts)
        + weights.successor * successor_bits(counts)
        + weights.end * end_bits(counts)
        + weights.transition * float(np.log2(max(1, counts.events))) * len(counts.count)
        + weights.predicate * counts.surcharge
    )


def data_bits(counts: Counts) -> float:
    """Return D_label + D_succ + D_end: how imprecise the automaton is, whatever its size."""
    return label_bits(counts) + successor_bits(counts) + end_bits(counts)


def _plogp(counts: npt.NDArray[np.int64]) -> float:
    """Return the sum of c log2 c over positive counts."""
    return float((counts * np.log2(np.maximum(counts, 1))).sum())


def _nondeterminism(counts: Counts) -> float:
    sizes = np.diff(np.append(counts.choice_starts, len(counts.count)))
    return float((sizes > 1).sum())


def _bits(name: str, measure: Callable[[Counts], float], source: str) -> Metric:
    return Metric(
        name=name, low=0.0, high=np.inf, better=Direction.LOWER, unit="bits", source=source, measure=measure
    )


_DESIGN: Final = "specminer's design"
_ENTROPY: Final = "Shannon 1948, empirical conditional entropy times the number of events"

METRICS: Final = registry(
    (
        Metric(
            name="states",
            low=1.0,
            high=np.inf,
            better=Direction.LOWER,
            unit="states",
            source=_DESIGN,
            measure=lambda counts: float(len(counts.ends)),
        ),
        Metric(
            name="transitions",
            low=0.0,
            high=np.inf,
            better=Direction.LOWER,
            unit="edges",
            source=_DESIGN,
            measure=lambda counts: float(len(counts.count)),
        ),
        Metric(
            name="nondeterminism",
            low=0.0,
            high=np.inf,
            better=Direction.LOWER,
            unit="(state, event) pairs with more than one next state",
            source=_DESIGN,
            measure=_nondeterminism,
        ),
        _bits("label_bits", label_bits, _ENTROPY),
        _bits("successor_bits", successor_bits, _ENTROPY),
        _bits("end_bits", end_bits, _ENTROPY),
        _bits("description_length", description_length, f"Rissanen 1978; terms and weights: {_DESIGN}"),
    )
)
"""Every metric by name, in the order in which they are shown."""


def measure(counts: Counts) -> dict[str, float]:
    """Return all metrics of an automaton by name."""
    return {name: metric.measure(counts) for name, metric in METRICS.items()}
