"""Whether two parts of one history differ more than where else it might be cut.

Calls that follow one another are no independent draws: a contract is set up first and used later, and is paused for
some days. An exact test that takes them for such finds that almost any two parts of a history differ. The history
itself tells how much its parts differ wherever it is cut: a difference belongs to a cut if hardly any other one shows
it as clearly.

Source: Westfall and Young 1993, Resampling-Based Multiple Testing: the smallest of many dependent probabilities is
compared with what it is without a difference. Here the draws are the other cuts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from specminer.comparison.difference import Subject
from specminer.history.contract_history import BoolColumn, IntColumn

ShareKey = tuple[Subject, tuple[str, ...]]
"""What a share is about: a function, a function and a reason, a function and an account, and so on."""
MAX_CUTS: Final = 2_000
"""Other cuts that are looked at; of more blocks some are taken, spread evenly."""
_Numbers = npt.NDArray[np.float64]


class TimedShare(NamedTuple):
    """Blocks, ascending, in which each unit (a call, an interaction) was a trial and a hit first and last."""

    first_trial: IntColumn
    last_trial: IntColumn
    first_hit: IntColumn
    last_hit: IntColumn

    @classmethod
    def of(cls, block: IntColumn, hit: BoolColumn, unit: IntColumn | None = None) -> Self:
        """Return the share of units with a hit among those with a trial.

        Args:
            block: of each trial; shape (n,).
            hit: whether it was one; shape (n,).
            unit: what it counts for; ``None`` if each counts for itself.

        """
        if unit is None:
            trials, hits = np.sort(block), np.sort(block[hit])
            return cls(trials, trials, hits, hits)
        return cls(*_ends(block, unit), *_ends(block[hit], unit[hit]))

    def scores(self, cuts: IntColumn) -> _Numbers:
        """Return by how many standard errors the parts before and from some blocks on differ; shape (cuts,)."""
        trials = np.searchsorted(self.first_trial, cuts).astype(np.float64)
        later_trials = len(self.last_trial) - np.searchsorted(self.last_trial, cuts).astype(np.float64)
        hits = np.searchsorted(self.first_hit, cuts)
        later_hits = len(self.last_hit) - np.searchsorted(self.last_hit, cuts)
        with np.errstate(divide="ignore", invalid="ignore"):
            both = (hits + later_hits) / (trials + later_trials)
            error = np.sqrt(both * (1 - both) * (1 / trials + 1 / later_trials))
            scores = np.abs(hits / trials - later_hits / later_trials) / error
        return np.nan_to_num(scores, nan=0.0, posinf=0.0)


def _ends(block: IntColumn, unit: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Return the first block of each unit, and the last one; each ascending."""
    if not len(block):
        return block, block
    order = np.lexsort((block, unit))
    block, unit = block[order], unit[order]
    first = np.flatnonzero(np.diff(unit, prepend=unit[0] - 1))
    return np.sort(block[first]), np.sort(block[np.append(first[1:], len(block)) - 1])


@dataclass(frozen=True, slots=True)
class CutShares:
    """The shares of a history that is cut at a block."""

    shares: Mapping[ShareKey, TimedShare]
    blocks: IntColumn
    """The blocks at which it could be cut; each once, ascending."""
    block: int
    """The first block of the later part."""
    significance: float
    """In which share of all cuts any difference at all may be told."""
    _ranks: dict[ShareKey, float] = field(default_factory=dict, init=False)
    """In which share of all cuts each differs as clearly as at this one."""
    _smallest: list[_Numbers] = field(default_factory=list, init=False)

    def belongs(self, key: ShareKey) -> bool:
        """Return whether a share differs at this cut as it does at hardly any other one; true if it is not known."""
        if key not in self.shares:
            return True
        if not self._smallest:
            self._smallest.append(self._rank())
        return bool(np.mean(self._smallest[0] <= self._ranks[key]) <= self.significance)

    def _rank(self) -> _Numbers:
        """Return, for each cut, the smallest rank of any share that differs there beyond what draws explain."""
        step = max(1, -(-len(self.blocks) // MAX_CUTS))
        cuts = np.unique(np.append(self.blocks[::step], self.block))
        here = int(np.searchsorted(cuts, self.block))
        least = NormalDist().inv_cdf(1 - self.significance / 2 / max(1, len(self.shares)))
        smallest = np.ones(len(cuts))
        for key, share in self.shares.items():
            scores = share.scores(cuts)
            ranks = 1 - np.searchsorted(np.sort(scores), scores) / len(cuts)
            self._ranks[key] = float(ranks[here])
            smallest = np.minimum(smallest, np.where(scores >= least, ranks, 1.0))
        return smallest
