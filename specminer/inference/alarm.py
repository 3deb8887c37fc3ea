"""When a score is an alarm: a threshold that fewer than one in two hundred benign cases reach.

Scores are of held-out cases already: nothing is learned from the interaction that is judged. If the automaton
were the truth, a score of b bits would come up with probability 2^-b; real histories have heavier tails, so the
threshold follows the tail that is seen. A few cases may be the very attacks that are looked for: as many as
might be false alarms, at least one, are left out before the tail is measured. They are left out by unit: an attack
consists of many events, and those that remained would raise the threshold for all others.
"""

from __future__ import annotations

from math import ceil, log, log2
from typing import Final

import numpy as np

from specminer._support.statistics import training_size, wilson
from specminer.history.contract_history import IntColumn
from specminer.inference.leave_one_out import FloatColumn
from specminer.specification import HeldOutAlarms

RATE: Final = 0.005
"""Benign cases above the threshold stay below this share."""
AIM: Final = 0.2
"""The part of that share that the tail's estimate aims at: it is an estimate."""
MIN_BITS: Final = log2(1 / RATE)
"""No threshold is lower: what the automaton itself expects once in 200 cases."""
TAIL: Final = 10
"""One of so many cases belongs to the tail, three at least."""


def threshold(
    scores: FloatColumn,
    unit: IntColumn | None = None,
    rate: float = RATE,
    least: float | None = None,
    aim: float = AIM,
) -> float:
    """Return the score above which a case is an alarm, in bits; cost n log n.

    ``unit`` tells which cases are one decision of one author, such as the events of a transaction; by default each is
    its own. Benign cases above the threshold stay below ``rate``. It is never lower than ``least`` bits, by default
    what comes up with probability ``rate``. The tail's estimate aims at the part ``aim`` of that share.
    Source: exponential tail above a high order statistic, Pickands 1975, with the shape at 0.
    """
    rest = _without_strangest(scores, np.arange(len(scores)) if unit is None else unit, rate)
    count = len(scores)
    least = log2(1 / rate) if least is None else least
    if not len(rest):
        return least
    # most cases may have nothing against them at all: they belong to no tail
    size = min(max(3, count // TAIL), len(rest) - 1, max(int((rest > 0).sum()) - 1, 0))
    low = float(rest[size])
    scale = float(np.mean(rest[:size] - low)) if size else 0.0
    estimate = low + scale * max(0.0, log(max(size, 1) / (rate * aim * count)))
    return max(least, estimate, float(rest[0]))


def _without_strangest(scores: FloatColumn, unit: IntColumn, rate: float) -> FloatColumn:
    """Return the scores, descending, but none of the units with the highest: as many as may be false alarms."""
    order = np.argsort(-scores, kind="stable")
    units, first = np.unique(unit[order], return_index=True)
    allowed = max(1, ceil(rate * len(units)) - 1)
    strangest = units[np.argsort(first)[:allowed]]
    usual_scores: FloatColumn = scores[order][~np.isin(unit[order], strangest)]
    return usual_scores


def check_alarms(
    scores: FloatColumn,
    unit: IntColumn | None = None,
    rate: float = RATE,
    least: float | None = None,
    aim: float = AIM,
) -> HeldOutAlarms:
    """Return how many of the held-out scores are above the threshold of those before, with their share's interval.

    Nothing of what is held out took part in that threshold.
    """
    cut = training_size(len(scores))
    limit = threshold(scores[:cut], None if unit is None else unit[:cut], rate, least, aim)
    flagged = int((scores[cut:] > limit).sum())
    total = len(scores) - cut
    return HeldOutAlarms(flagged=flagged, of=total, interval=wilson(flagged, total))
