"""Whether two shares differ by more than chance explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma
from typing import Final

from specminer.comparison.cut_shares import CutShares
from specminer.comparison.difference import Cases, Subject

SIGNIFICANCE: Final = 0.01
"""How often, over all tests of one comparison together, chance alone may make a difference."""
_FAMILIES: Final = 9
"""How often one comparison asks :meth:`ChanceTest.differ`."""
_SAME: Final = 1e-7
"""Probabilities apart by less than this share count as equal."""


def fisher(hits: int, trials: int, other_hits: int, other_trials: int) -> float:
    """Return how often chance makes two shares differ at least so much, if both are draws of one share.

    Source: Fisher's exact test, both sides: the tables that are no more likely than the one that was seen.

    Raises:
        ValueError: there are less trials than hits, or a number is negative.

    """
    if not (0 <= hits <= trials and 0 <= other_hits <= other_trials):
        raise ValueError(
            f"expected hits within trials, got {hits} of {trials}, {other_hits} of {other_trials}"
        )
    both = hits + other_hits
    low, high = max(0, both - other_trials), min(both, trials)
    weights = [
        _log_choose(trials, count) + _log_choose(other_trials, both - count) for count in range(low, high + 1)
    ]
    most, observed = max(weights), weights[hits - low]
    total = sum(exp(weight - most) for weight in weights)
    as_rare = sum(exp(weight - most) for weight in weights if weight <= observed + _SAME)
    return min(1.0, as_rare / total)


def _log_choose(number: int, size: int) -> float:
    return lgamma(number + 1) - lgamma(size + 1) - lgamma(number - size + 1)


def beyond_chance(probabilities: Sequence[float], significance: float = SIGNIFICANCE) -> list[bool]:
    """Return which of several differences are beyond chance, all tests together.

    Source: Holm 1979, a simple sequentially rejective multiple test procedure.
    """
    order = sorted(range(len(probabilities)), key=lambda position: probabilities[position])
    is_beyond = [False] * len(probabilities)
    for rank, position in enumerate(order):
        if probabilities[position] * (len(probabilities) - rank) > significance:
            break
        is_beyond[position] = True
    return is_beyond


@dataclass(slots=True)
class ChanceTest:
    """Says of all shares of one comparison which differ by more than chance."""

    cuts: CutShares | None = None
    """The shares along the history, if the comparison is of two parts of one; ``None`` for two histories."""
    drifting: int = 0
    """How many shares differ, but as clearly at other cuts of the history; complete once all were asked."""

    def differ(
        self, subject: Subject, names: Sequence[tuple[str, ...]], cases: Sequence[Cases]
    ) -> list[bool]:
        """Return which shares differ; ``names`` say what of the subject each is about."""
        differing = beyond_chance([fisher(*case) for case in cases], SIGNIFICANCE / _FAMILIES)
        if self.cuts is None:
            return differing
        cuts = self.cuts
        lasting = [
            different and cuts.belongs((subject, name))
            for name, different in zip(names, differing, strict=True)
        ]
        self.drifting += sum(differing) - sum(lasting)
        return lasting
