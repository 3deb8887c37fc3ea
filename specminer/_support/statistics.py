"""How well a claim is supported by what was counted: an interval, not a bare share.

Every part of a specification (a transition, a guard, an invariant) is a claim made from some cases; what they
say of cases still to come depends on how many they were.
"""

from __future__ import annotations

from math import log2, sqrt
from typing import Final

Z: Final = 1.959963984540054
"""Two-sided 95 %."""
TRAINING_SHARE: Final = 0.7
"""The first part of what was recorded, from which a claim is learned; the rest, held out, tests it."""


def training_size(count: int) -> int:
    """Return how many of ``count`` recorded cases, the first ones, claims are learned from."""
    return round(TRAINING_SHARE * count)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of which ``hits`` of ``trials`` cases were seen.

    Without any case everything is possible: 0 to 1. Rounded to six digits.

    Source: Wilson 1927, the score interval; unlike hits/trials ± z·σ it is right near 0 and 1 and for few cases.

    Raises:
        ValueError: there are less trials than hits, or either is negative.

    """
    if not 0 <= hits <= trials:
        raise ValueError(f"expected 0 <= hits <= trials but got {hits} of {trials}")
    if not trials:
        return 0.0, 1.0
    share = hits / trials
    spread = Z * sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials))
    centre = share + Z * Z / (2 * trials)
    scale = 1 + Z * Z / trials
    low = 0.0 if hits == 0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if hits == trials else min(1.0, (centre + spread) / scale)
    return round(low, 6), round(high, 6)


def divergence(share: float, expected: float) -> float:
    """Return by how many bits a case a share differs from the expected one: times the cases, how hardly it is chance.

    Source: Kullback and Leibler 1951, of two outcomes; by Chernoff 1952, as many cases or more with a larger share come
    with a probability of at most 2 to the power of minus bits times cases.

    Raises:
        ValueError: a share is not between 0 and 1, or the expected one is 0 or 1.

    """
    if not 0 <= share <= 1 or not 0 < expected < 1:
        raise ValueError(f"expected shares between 0 and 1 but got {share} and {expected}")
    parts = ((share, expected), (1 - share, 1 - expected))
    return sum(part * log2(part / whole) for part, whole in parts if part)
