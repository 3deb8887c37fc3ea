"""Split-half agreement: what automata learned from two disjoint halves of the interactions have in common.

Both halves are read with the same abstraction. Where there are fewer than twenty interactions, they are cut
into stretches, as for all that is held out; a stretch may begin in any state, so the languages compared are
then those of all factors. Rejected calls keep the state: they are left out of the languages, not of the bits.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np

from specminer.automaton import (
    Automaton,
    AutomatonTooLarge,
    Word,
    distinguishing_word,
    from_edges,
    random_walks,
    without_silent_moves,
)
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.event_table import EventTable
from specminer.learning.history_folds import FEW, PARTS, Folds, folds, halves
from specminer.learning.quotient import ROOT, Quotient
from specminer.learning.tuning_result import Tuning
from specminer.specification import HalvesAgreement

SPLITS: Final = 5
"""So many random pairs of halves are compared."""
LIMIT: Final = 20_000
"""Sets of states looked at to find a word that tells two halves apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the halves have in common, averaged over the splits; shares are 0 to 1."""

    splits: int
    agreement: float
    """Share of random walks of one half's automaton that the other accepts, mean of both ways and all splits."""
    lowest: float
    """The same of the split that agrees least."""
    chance: float
    """The share that the other half accepts when the events of each walk are shuffled: an automaton that accepts
    everything agrees with every other, and knows nothing."""
    explained_share: float
    """Share of the uncertainty about which call is accepted next that the state takes away, in the half that it was
    not learned from; 0 if it takes none away."""
    bits: float
    """What an event costs more under the other half than under its own, in bits."""
    equal: int
    """In how many splits both accept exactly the same words."""
    example: Word | None
    """The shortest word that only one half of the first split accepts that do not agree; ``None`` if there is none."""

    @property
    def beyond_chance(self) -> float:
        """Agreement corrected for chance: 1 if complete, 0 if shuffled walks are accepted as often, or more often.

        Source: Cohen 1960, kappa.
        """
        return max(0.0, (self.agreement - self.chance) / (1 - self.chance)) if self.chance < 1 else 0.0

    @property
    def figures(self) -> HalvesAgreement:
        """The same as it stands in the specification, rounded."""
        return HalvesAgreement(
            splits=self.splits,
            agreement=round(self.agreement, 6),
            lowest=round(self.lowest, 6),
            chance=round(self.chance, 6),
            beyond_chance=round(self.beyond_chance, 6),
            explained=round(self.explained_share, 6),
            bits_per_event=round(self.bits, 6),
            equal=self.equal,
            example=self.example,
        )


def agreement(tuning: Tuning, seed: int) -> Agreement | None:
    """Compare automata of random halves, at the chosen point; ``None`` where there is nothing to halve."""
    cut = folds(tuning.graph, seed)
    if not cut.enough:
        return None
    edges, ends = _count_known(tuning, cut)
    coarse = _Coarse.of(tuning.table, tuning.graph, tuning.chosen_point.blocks, edges, ends)
    shares: list[float] = []
    mixed: list[float] = []
    explained: list[float] = []
    bits: list[float] = []
    words: list[Word | None] = []
    for half in halves(seed)[:SPLITS]:
        other = [part for part in range(PARTS) if part not in half]
        left, right = coarse.halves(tuning.table, half)
        share, chance = _shares(left, right, seed)
        shares.append(share)
        mixed.append(chance)
        explained.append((coarse.explained_share(half, other) + coarse.explained_share(other, half)) / 2)
        bits.append((coarse.excess(half, other) + coarse.excess(other, half)) / 2)
        words.append(_told_apart(left, right))
    return Agreement(
        splits=len(shares),
        agreement=max(fmean(shares), min(shares)),
        lowest=min(shares),
        chance=fmean(mixed),
        explained_share=max(0.0, fmean(explained)),
        bits=max(0.0, fmean(bits)),
        equal=sum(word is None for word in words),
        example=next((word for word in words if word), None),
    )


def agreements(table: EventTable, graph: Quotient, blocks: IntColumn, cut: Folds, seed: int) -> list[float]:
    """Return how well halves agree, split by split, if finest states make the states ``blocks``.

    Values in doubt count as what they are taken for. None where there is nothing to halve.
    """
    if not cut.enough:
        return []
    coarse = _Coarse.of(table, graph, blocks, cut.edges, cut.ends)
    return [_shares(*coarse.halves(table, half), seed)[0] for half in halves(seed)[:SPLITS]]


def _count_known(tuning: Tuning, cut: Folds) -> tuple[IntColumn, IntColumn]:
    """Return the counts of edges and ends by part, without events whose states are only assumed."""
    unknown = np.flatnonzero(tuning.uncertain(tuning.chosen_point))
    if not len(unknown):
        return cut.edges, cut.ends
    edges, ends = cut.edges.copy(), cut.ends.copy()
    np.subtract.at(edges, (tuning.graph.edge[unknown], cut.part[unknown]), 1)
    table = tuning.table
    last = np.append(table.starts[1:], len(table)) - 1
    last = last[tuning.uncertain_after(tuning.chosen_point)[last]]
    np.subtract.at(ends, (tuning.graph.state_after[last], cut.part[last]), 1)
    return edges, np.maximum(ends, 0)


def _acceptance(walked: Automaton, judge: Automaton, seed: int) -> tuple[float, float]:
    """Return the share of random walks of one automaton that another accepts, and the same of shuffled walks."""
    walks = random_walks(walked, seed)
    if not walks:
        return 1.0, 1.0
    draw = random.Random(seed)
    shuffled = [tuple(draw.sample(walk, len(walk))) for walk in walks]
    real, mixed = (sum(map(judge.accepts, words)) / len(words) for words in (walks, shuffled))
    return real, mixed


def _shares(left: Automaton, right: Automaton, seed: int) -> tuple[float, float]:
    """Return the shares of the walks of either that the other accepts, and the same of shuffled walks."""
    ways = [_acceptance(left, right, seed), _acceptance(right, left, seed)]
    return fmean(share for share, _ in ways), fmean(share for _, share in ways)


def _told_apart(left: Automaton, right: Automaton) -> Word | None:
    """Return a word that only one accepts; the empty one where that took too long to find."""
    try:
        return distinguishing_word(left, right, LIMIT)
    except AutomatonTooLarge:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coarse:
    """The edges of the chosen automaton, counted by part."""

    source: IntColumn
    symbol: IntColumn
    target: IntColumn
    counts: IntColumn
    """Shape (e, PARTS)."""
    ends: IntColumn
    """Shape (states, PARTS)."""
    symbols: Sequence[str]
    is_silent: BoolColumn
    """Which symbols are rejected calls, or changes of a flag of the whole contract."""
    is_given: BoolColumn
    """Which symbols are the latter: nobody chose them, so that they need not be told."""

    @classmethod
    def of(
        cls, table: EventTable, graph: Quotient, blocks: IntColumn, edges: IntColumn, by_end: IntColumn
    ) -> _Coarse:
        symbols = table.symbols
        silent = np.zeros(len(symbols), dtype=np.bool_)
        silent[table.symbol[table.rejected]] = True
        silent[list(table.switches)] = True
        states = int(blocks.max(initial=0)) + 1
        codes = (blocks[graph.source] * graph.symbols + graph.symbol) * states + blocks[graph.target]
        keys, which = np.unique(codes, return_inverse=True)
        counts = np.zeros((len(keys), PARTS), dtype=np.int64)
        np.add.at(counts, which.ravel(), edges)
        ends = np.zeros((states, PARTS), dtype=np.int64)
        np.add.at(ends, blocks, by_end)
        return cls(
            source=keys // states // graph.symbols,
            symbol=keys // states % graph.symbols,
            target=keys % states,
            counts=counts,
            ends=ends,
            symbols=symbols,
            is_silent=silent,
            is_given=np.zeros(len(symbols), dtype=np.bool_) if graph.switches is None else graph.switches,
        )

    def halves(self, table: EventTable, half: Sequence[int]) -> tuple[Automaton, Automaton]:
        """Return the automata of some parts of a table and of the others."""
        several = len(table.starts) >= FEW
        other = [part for part in range(PARTS) if part not in half]
        return self.automaton(half, whole=several), self.automaton(other, whole=several)

    def automaton(self, parts: Sequence[int], *, whole: bool) -> Automaton:
        """Return the automaton of some parts; of stretches (not ``whole``) it begins in any state."""
        count = self.counts[:, list(parts)].sum(axis=1)
        heard = ~self.is_silent[self.symbol]
        rows = np.flatnonzero((count > 0) & heard)
        moves = np.flatnonzero((count > 0) & ~heard & (self.source != self.target)).tolist()
        edges = [
            (int(self.source[row]), self.symbols[self.symbol[row]], int(self.target[row]), int(count[row]))
            for row in rows
        ]
        if not whole:
            edges += [(ROOT, symbol, target, number) for _, symbol, target, number in edges]
        if not moves:
            return from_edges(edges, ROOT)
        everything = Automaton(
            states=frozenset({ROOT, *self.source.tolist(), *self.target.tolist()}),
            transitions=from_edges(edges, ROOT).transitions,
            initial_state=ROOT,
        )
        return without_silent_moves(
            everything, [(int(self.source[row]), int(self.target[row])) for row in moves]
        )

    def excess(self, training_parts: Sequence[int], test_parts: Sequence[int]) -> float:
        """Return the bits that an event of ``test_parts`` costs more under ``training_parts`` than under itself.

        Each outcome of a state that occurs anywhere has half a count beforehand (Krichevsky and Trofimov 1981).
        """
        counts = np.where(self.is_given[self.symbol][:, None], 0, self.counts)
        left, right = counts[:, list(training_parts)].sum(axis=1), counts[:, list(test_parts)].sum(axis=1)
        stop_left, stop_right = (
            self.ends[:, list(training_parts)].sum(axis=1),
            self.ends[:, list(test_parts)].sum(axis=1),
        )
        states = len(self.ends)
        step_sources = self.source[~self.is_given[self.symbol]]
        outcomes = np.bincount(step_sources, minlength=states) + (self.ends.sum(axis=1) > 0)
        total_left = np.bincount(self.source, weights=left, minlength=states) + stop_left + outcomes / 2
        total_right = np.bincount(self.source, weights=right, minlength=states) + stop_right + outcomes / 2
        ratio = np.log2(total_left / np.maximum(total_right, 0.5), where=total_left > 0, out=np.zeros(states))
        bits = right * (np.log2((right + 0.5) / (left + 0.5)) + ratio[self.source])
        stops = stop_right * (np.log2((stop_right + 0.5) / (stop_left + 0.5)) + ratio)
        events = int(right.sum() + stop_right.sum())
        return float(bits.sum() + stops.sum()) / events if events else 0.0

    def explained_share(self, training_parts: Sequence[int], test_parts: Sequence[int]) -> float:
        """Return the share of the bits to tell the next accepted call that knowing the state saves.

        Both the automaton and what it is compared with, the bare frequencies, are of ``training_parts``, and asked
        about the other part; each outcome has half a count beforehand. Negative if the states mislead.
        """
        states, kinds = len(self.ends), len(self.symbols)
        heard = np.flatnonzero(~self.is_silent[self.symbol])
        left, right = (np.zeros((states, kinds)) for _ in range(2))
        for table, parts in ((left, list(training_parts)), (right, list(test_parts))):
            np.add.at(
                table, (self.source[heard], self.symbol[heard]), self.counts[heard][:, parts].sum(axis=1)
            )
        possible = np.flatnonzero((left + right).sum(axis=0))
        left, right = left[:, possible], right[:, possible]
        by_state = (left + 0.5) / (left.sum(axis=1, keepdims=True) + len(possible) / 2)
        bare = (left.sum(axis=0) + 0.5) / (left.sum() + len(possible) / 2)
        without = float(-(right.sum(axis=0) * np.log2(bare)).sum())
        return 1.0 - float(-(right * np.log2(by_state)).sum()) / without if without > 0 else 0.0
