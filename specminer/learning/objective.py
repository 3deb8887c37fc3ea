"""What a set of predicates is worth, computed on the finest quotient alone.

A comparison costs nothing per event: the quotient is built once, and every set of predicates makes an automaton
of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from specminer.history.contract_history import IntColumn
from specminer.learning.history_folds import Folds, held_out_label_bits
from specminer.learning.metric import Counts, end_bits, model_bits, weighted_data_bits
from specminer.learning.quotient import Quotient
from specminer.learning.vocabulary import Vocabulary
from specminer.specification.abstraction_entries import Weights

Selection: TypeAlias = tuple[int, ...]
"""Positions of predicates in the vocabulary, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionScore:
    """How good a selection is."""

    description_length: float
    """J in bits."""
    price: float
    selection: Selection
    states: int
    data_bits: float
    """What fitting the events costs: how imprecise the automaton is."""
    model_bits: float
    """What its size costs."""

    @property
    def key(self) -> tuple[float, float, Selection]:
        """What selections are compared by; J is rounded so that ties are ties on every machine."""
        return (round(self.description_length, 6), round(self.price, 6), self.selection)


class Objective:
    """Evaluates selections on the finest quotient, each once."""

    def __init__(
        self,
        graph: Quotient,
        candidates: Vocabulary,
        weights: Weights,
        *,
        surcharge: float = 0.0,
        held_out: Folds | None = None,
        deadlines: frozenset[int] = frozenset(),
    ) -> None:
        self.vocabulary = candidates
        self.quotient = graph
        self.weights = weights
        self.surcharge = surcharge
        """Bits that splitting events costs, before weighting."""
        self.held_out = held_out
        """If given, the events' bits are those that the other parts of the history tell, and size is free."""
        self.deadlines = deadlines
        """Positions of the predicates that say no more than that a deadline of the entity was reached."""
        self.scores: dict[Selection, SelectionScore] = {}
        """Every selection evaluated so far."""
        self._prices = [predicate.price for predicate in candidates.predicates]

    @property
    def candidates(self) -> int:
        """How many predicates can be selected."""
        return len(self._prices)

    def score(self, selection: Iterable[int]) -> SelectionScore:
        """Return the score of a set of predicates."""
        key = tuple(sorted(selection))
        selection_score = self.scores.get(key)
        if selection_score is None:
            selection_score = self.scores[key] = self.score_merging(key, self.quotient.coarsen(key))
        return selection_score

    def score_merging(
        self, selection: Selection, blocks: IntColumn, merging_bits: float = 0.0
    ) -> SelectionScore:
        """Return the score of an automaton that a selection makes, and perhaps a merging that takes bits to tell."""
        counts = self.counts(selection, blocks, merging_bits)
        model = model_bits(counts)
        data = weighted_data_bits(counts)
        length = data + model
        if self.held_out is not None:
            length = held_out_label_bits(self.quotient, self.held_out, blocks) + end_bits(counts)
        return SelectionScore(
            description_length=length,
            price=sum(self._prices[position] for position in selection),
            selection=selection,
            states=len(counts.ends),
            data_bits=data,
            model_bits=model,
        )

    def counts(
        self, selection: Selection, blocks: IntColumn | None = None, merging_bits: float = 0.0
    ) -> Counts:
        """Return the edges of the automaton whose states are ``blocks``, one for each finest state."""
        graph = self.quotient
        if blocks is None:
            blocks = graph.coarsen(selection)
        states = int(blocks.max()) + 1
        keys = (blocks[graph.source] * graph.symbols + graph.symbol) * states + blocks[graph.target]
        keys, count = _sums(keys, graph.count, states * graph.symbols * states)
        pairs = keys // states
        symbol = pairs % graph.symbols
        return Counts(
            source=pairs // graph.symbols,
            symbol=symbol,
            target=keys % states,
            count=count,
            ends=np.bincount(blocks, weights=graph.ends, minlength=states).astype(np.int64),
            rejected=graph.rejected[symbol],
            event=None if graph.event is None else graph.event[symbol],
            is_given=None if graph.switches is None else graph.switches[symbol],
            surcharge=self.vocabulary.code_length(selection) + self.surcharge + merging_bits,
            weights=self.weights,
        )


def _sums(keys: IntColumn, count: IntColumn, limit: int) -> tuple[IntColumn, IntColumn]:
    """Return the distinct keys (all below ``limit``), ascending, and the sum of the counts of each."""
    if limit > 8 * len(keys) + 65_536:
        keys, inverse = np.unique(keys, return_inverse=True)
        limit = len(keys)
    else:
        inverse = keys
        keys = np.arange(limit)
    total = np.bincount(inverse, weights=count, minlength=limit)
    present = total.nonzero()[0]
    return keys[present], total[present].astype(np.int64)
