"""Datasets cut in two: the first part is mined, once a test process, and the second is judged by it."""

from __future__ import annotations

from functools import cache

from benchmarks.checking import Recording, mined, recording_of
from specminer.specification import Specification


@cache
def recording(name: str) -> Recording:
    """Return a dataset, with where it is cut."""
    return recording_of(name, with_code=True)


@cache
def specification(name: str) -> Specification:
    """Return what is mined from a dataset's first part."""
    return mined(recording(name))
