"""What can be measured of an automaton, and the objective made of it.

A metric declares its name, range, direction, unit and source, and is refused where one is missing: a
number that nobody can interpret is worth nothing. All are computed on the quotient, not on the events.

The objective is a description length in bits, lower is better::

    J = w (D_label + D_succ + D_end) + log2 N (m / 4 + c_s b + c_d d) + a sum(t_p L_p)

for N events, m edges, b states, d nondeterministic choices and chosen predicates of prices t_p that take L_p
bits to name (:meth:`specminer.learning.vocabulary.Vocabulary.code_length`); the definition weighs the terms (1/4, a =
2,
w = 1 and c_s = c_d = 0 are its defaults). Changes of a flag of the whole contract are given: they count in D_succ, in
m where they move an interaction, and nowhere else. Where an event is split by predicates over its call (see
:mod:`specminer.learning`), these are inputs, not outcomes: D_label tells the event, D_succ the next state given the
part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from math import log2
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.history_folds import Folds, held_out_acceptance, shuffled_acceptance
from specminer.learning.quotient import ROOT, Quotient
from specminer.specification.abstraction_entries import Weights

CONTRADICTED: Final = 0.2
"""Rejections of a function are trusted if at most this share comes where the same call is also accepted."""


_COUNTS: Final = np.arange(4096)
_PLOGP: Final = _COUNTS * np.log2(np.maximum(_COUNTS, 1))
"""c log2 c of small counts, looked up: the search asks for them all the time."""


class MetricError(ValueError):
    """A metric whose declaration is incomplete or contradicts another."""


class Direction(Enum):
    """Which way is better."""

    LOWER = "lower"
    HIGHER = "higher"


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
    rejected: BoolColumn
    """Whether the edge is a rejected call; shape (m,)."""
    event: IntColumn | None = None
    """The event that the symbol is a part of; ``None`` where each symbol is an event of its own."""
    is_given: BoolColumn | None = None
    """Which edges are changes of a flag of the whole contract: they befall an interaction, and are not told.
    ``None`` if none is."""
    surcharge: float = 0.0
    """Bits the chosen predicates cost before weighting: the sum of t_p L_p."""
    weights: Weights = field(default_factory=Weights)

    @cached_property
    def own_count(self) -> IntColumn:
        """``count``, 0 for edges that are given."""
        return self.count if self.is_given is None else np.where(self.is_given, 0, self.count)

    @property
    def events(self) -> int:
        """How many events the edges count, without those that are given."""
        return int(self.own_count.sum())

    @property
    def size(self) -> int:
        """How many edges an automaton has to be told; what is given and keeps the state is none."""
        if self.is_given is None:
            return len(self.count)
        return len(self.count) - int((self.is_given & (self.source == self.target)).sum())

    @cached_property
    def choice_starts(self) -> IntColumn:
        """Positions at which the edges of another (source, symbol) begin."""
        changed = np.ones(len(self.source), dtype=np.bool_)
        changed[1:] = (self.source[1:] != self.source[:-1]) | (self.symbol[1:] != self.symbol[:-1])
        return changed.nonzero()[0]

    @cached_property
    def choices(self) -> IntColumn:
        """Events of each (source, symbol), in the order of ``choice_starts``."""
        if not len(self.count):
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(self.count, self.choice_starts)

    @cached_property
    def labels(self) -> IntColumn:
        """How often each event leaves each state, for pairs that occur."""
        if (self.event is None and self.is_given is None) or not len(self.count):
            return self.choices
        event = self.symbol if self.event is None else self.event
        pairs = self.source * (int(event.max()) + 1) + event
        totals = np.bincount(pairs, weights=self.own_count).astype(np.int64)
        return totals[totals > 0]

    @cached_property
    def leaving(self) -> IntColumn:
        """Events that leave each state, loops included, without those that are given; shape (b,)."""
        return np.bincount(self.source, weights=self.own_count, minlength=len(self.ends)).astype(np.int64)

    @cached_property
    def steps(self) -> IntColumn:
        """Accepted calls that leave each state, loops included; shape (b,)."""
        count = self.own_count * ~self.rejected
        return np.bincount(self.source, weights=count, minlength=len(self.ends)).astype(np.int64)

    @cached_property
    def alive(self) -> BoolColumn:
        """Which states are no dead ends: a call is ever accepted there, or where what is given leads; shape (b,)."""
        is_alive: BoolColumn = self.steps > 0
        if self.is_given is None:
            return is_alive
        source, target = self.source[self.is_given], self.target[self.is_given]
        while (revived := source[is_alive[target] & ~is_alive[source]]).size:
            is_alive[revived] = True
        return is_alive


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """An automaton that is measured by all metrics, with what they need."""

    counts: Counts
    graph: Quotient
    blocks: IntColumn
    """State of each finest state."""
    folds: Folds
    rejected: BoolColumn
    """For each symbol whether it is a rejected call; shape (symbols,)."""
    accepted_as: IntColumn
    """For each symbol the same call accepted."""
    literals: float
    """How many predicates describe a state, on average."""
    seed: int = 0
    assumed: BoolColumn | None = None
    """Which edges of the graph only events with assumed states took, as a value is in doubt; ``None`` if none is."""


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
    measure: Callable[[Finalist], float | None]
    """``None`` where a history is too short to tell."""

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
    return plogp(counts.leaving) - plogp(counts.labels)


def successor_bits(counts: Counts) -> float:
    """Return D_succ, the bits to tell each next state given state and event: what nondeterminism costs."""
    return plogp(counts.choices) - plogp(counts.count)


def end_bits(counts: Counts) -> float:
    """Return D_end, the bits to tell where interactions end, by one stop probability E / (E + V).

    E is the number of ends in states where a call is ever accepted (ends in dead ends are free), V the number of
    accepted events that leave another state than the root. Rejected calls are no steps: what is over stays over
    however often somebody tries. An interaction of nothing but calls rejected at its start ends in the root and
    counts in E.
    """
    stops = int(counts.ends[counts.alive].sum())
    goes_on = int(counts.steps.sum() - counts.steps[ROOT])
    both, one, other = (count * log2(count) if count else 0.0 for count in (stops + goes_on, stops, goes_on))
    return both - one - other


def description_length(counts: Counts) -> float:
    """Return J, the weighted sum of all terms in bits."""
    return weighted_data_bits(counts) + model_bits(counts)


def weighted_data_bits(counts: Counts) -> float:
    """Return what fitting the events costs in J."""
    weights = counts.weights
    return weights.precision * (
        weights.label * label_bits(counts)
        + weights.successor * successor_bits(counts)
        + weights.end * end_bits(counts)
    )


def model_bits(counts: Counts) -> float:
    """Return what the size of the automaton costs in J."""
    weights = counts.weights
    size = weights.transitions * counts.size + weights.states * len(counts.ends)
    if weights.nondeterminism:
        size += weights.nondeterminism * nondeterminism(counts)
    return float(np.log2(max(1, counts.events))) * size + weights.predicates * counts.surcharge


def data_bits(counts: Counts) -> float:
    """Return D_label + D_succ + D_end: how imprecise the automaton is, whatever its size."""
    return label_bits(counts) + successor_bits(counts) + end_bits(counts)


def plogp(counts: npt.NDArray[np.int64]) -> float:
    """Return the sum of c log2 c over positive counts."""
    if len(counts) and counts.max() < len(_PLOGP):
        return float(_PLOGP[counts].sum())
    return float((counts * np.log2(np.maximum(counts, 1))).sum())


def nondeterminism(counts: Counts) -> float:
    """Return how many (state, symbol) pairs have more than one next state."""
    sizes = np.diff(np.append(counts.choice_starts, len(counts.count)))
    return float((sizes > 1).sum())


def _bits(name: str, measure: Callable[[Counts], float], source: str) -> Metric:
    return Metric(
        name=name,
        low=0.0,
        high=np.inf,
        better=Direction.LOWER,
        unit="bits",
        source=source,
        measure=lambda finalist: measure(finalist.counts),
    )


def precision(finalist: Finalist) -> float:
    """Return which share of what the automaton allows was seen, weighed by how often it was asked.

    What a state allows are the accepted events that leave it; what was seen, those that left the same finest
    state.
    """
    graph, blocks = finalist.graph, finalist.blocks
    is_step = ~finalist.rejected[graph.symbol] & ~graph.is_flag_change
    finest, symbol, count = graph.source[is_step], graph.symbol[is_step], graph.count[is_step]
    weights = np.bincount(finest, weights=count, minlength=graph.states)
    symbols_seen = _distinct(finest, symbol, graph.symbols, graph.states)
    allowed = _distinct(blocks[finest], symbol, graph.symbols, graph.states)[blocks]
    total = float((weights * allowed).sum())
    return float((weights * symbols_seen).sum()) / total if total else 1.0


def _distinct(states: IntColumn, symbol: IntColumn, symbols: int, size: int) -> IntColumn:
    """Return how many symbols leave each state."""
    return np.bincount(np.unique(states * symbols + symbol) // symbols, minlength=size)


def coverage(finalist: Finalist) -> float:
    """Return the estimated chance that the next event takes an edge that was seen before."""
    counts = finalist.counts.own_count
    return 1.0 - float((counts == 1).sum()) / max(1, int(counts.sum()))


def rejection(finalist: Finalist) -> float | None:
    """Return the share of trustworthy rejections that the automaton explains: it has no such event there.

    A function's rejections are trusted if at most a fifth of them come where the same call is also accepted, on
    the finest states; the others have reasons that no state can tell (a stale price, too little paid).
    """
    graph, blocks = finalist.graph, finalist.blocks
    refused = finalist.rejected[graph.symbol]
    call = finalist.accepted_as[graph.symbol]
    fine = np.isin(graph.source * graph.symbols + call, (graph.source * graph.symbols + call)[~refused])
    coarse_key = blocks[graph.source] * graph.symbols + call
    coarse = np.isin(coarse_key, coarse_key[~refused])
    total = np.bincount(call[refused], weights=graph.count[refused], minlength=graph.symbols)
    contradicted = np.bincount(
        call[refused & fine], weights=graph.count[refused & fine], minlength=graph.symbols
    )
    trusted = (total > 0) & (contradicted <= CONTRADICTED * total)
    is_counted = refused & trusted[call] & ~fine
    weight = float(graph.count[is_counted].sum())
    return float(graph.count[is_counted & ~coarse].sum()) / weight if weight else None


def _held_out(finalist: Finalist) -> float | None:
    if not finalist.folds.enough:
        return None
    return held_out_acceptance(finalist.graph, finalist.folds, finalist.blocks, finalist.assumed)


def _shuffled_acceptance(finalist: Finalist) -> float | None:
    if not finalist.folds.enough:
        return None
    return shuffled_acceptance(finalist.graph, finalist.folds, finalist.blocks, finalist.seed)


def _share(name: str, measure: Callable[[Finalist], float | None], better: Direction, source: str) -> Metric:
    return Metric(name=name, low=0.0, high=1.0, better=better, unit="share", source=source, measure=measure)


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
            measure=lambda finalist: float(len(finalist.counts.ends)),
        ),
        Metric(
            name="transitions",
            low=0.0,
            high=np.inf,
            better=Direction.LOWER,
            unit="edges",
            source=_DESIGN,
            measure=lambda finalist: float(len(finalist.counts.count)),
        ),
        Metric(
            name="nondeterminism",
            low=0.0,
            high=np.inf,
            better=Direction.LOWER,
            unit="(state, event) pairs with more than one next state",
            source=_DESIGN,
            measure=lambda finalist: nondeterminism(finalist.counts),
        ),
        Metric(
            name="label_length",
            low=0.0,
            high=np.inf,
            better=Direction.LOWER,
            unit="predicates that describe a state, on average",
            source=_DESIGN,
            measure=lambda finalist: finalist.literals,
        ),
        _bits("label_bits", label_bits, _ENTROPY),
        _bits("successor_bits", successor_bits, _ENTROPY),
        _bits("end_bits", end_bits, _ENTROPY),
        _bits("description_length", description_length, f"Rissanen 1978; terms and weights: {_DESIGN}"),
        _share("precision", precision, Direction.HIGHER, "Muñoz-Gama and Carmona 2010, on finest states"),
        _share("coverage", coverage, Direction.HIGHER, "Good 1953"),
        _share("rejection", rejection, Direction.HIGHER, _DESIGN),
        _share("held_out_acceptance", _held_out, Direction.HIGHER, "ten-fold cross-validation, Stone 1974"),
        _share("shuffled_acceptance", _shuffled_acceptance, Direction.LOWER, _DESIGN),
    )
)
"""Every metric by name, in the order in which they are shown."""


def measure(finalist: Finalist) -> dict[str, float]:
    """Return all metrics of an automaton by name, without those that its history is too short for."""
    measures = {name: metric.measure(finalist) for name, metric in METRICS.items()}
    return {name: value for name, value in measures.items() if value is not None}
