"""How well a mined automaton matches a declared one."""

from __future__ import annotations

from collections.abc import Collection
from os import PathLike
from pathlib import Path

from specminer.comparison.score import Labels, Score, language, read, score
from specminer.specification import Specification


def score_automaton(
    mined: Specification | str | PathLike[str],
    truth: str | PathLike[str],
    *,
    labels: Labels = Labels.FUNCTIONS,
    ignored: Collection[str] = (),
    seeds: int = 10,
) -> Score:
    """Compare a mined automaton with a declared protocol or another automaton: precision, recall, F, exact inclusion.

    Args:
        mined: the specification, or its ``automaton.json``.
        truth: the file of a protocol as its authors declared it, or another ``automaton.json``.
        labels: bare function names, or events with their roles.
        ignored: labels that are passed over on both sides.
        seeds: how many samples of random walks are drawn.

    Raises:
        FileFormatError: a file cannot be read, or holds neither.
        ValueError: ``seeds`` is less than 1.

    """
    if isinstance(mined, Specification):
        left = language(mined, labels, ignored, mined.name)
    else:
        left = language(read(Path(mined)), labels, ignored, str(mined))
    right = language(read(Path(truth)), labels, ignored, str(truth))
    return score(left, right, seeds, labels)
