"""64-bit hashes of numbers, for columns at once."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

GOLDEN_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
"""The step of SplitMix64's sequence: 2^64 divided by the golden ratio, odd."""

Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]
"""Shape (n,)."""


def finalise(values: Hashes | npt.NDArray[np.uint64]) -> Hashes:
    """Return numbers with their bits mixed: different ones stay different.

    Source: the finaliser of SplitMix64, Steele et al. 2014.
    """
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashes: Hashes = mixed ^ (mixed >> np.uint64(31))
    return hashes
