"""What a specification claims to be proved, proved again."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from specminer.pipeline.proving import ReplayedObligation, replay
from specminer.specification import Specification, read_specification


def prove(automaton: Specification | str | PathLike[str]) -> tuple[ReplayedObligation, ...]:
    """Ask the solver again about every obligation of a specification, in the document's order.

    Raises:
        UsageError: no solver is installed.
        FileFormatError: the file cannot be read or is none, or an obligation is malformed.

    """
    if not isinstance(automaton, Specification):
        automaton = read_specification(Path(automaton))
    return replay(automaton)
