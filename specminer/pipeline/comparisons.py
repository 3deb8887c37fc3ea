"""Two specifications, or histories, beside each other."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from specminer.comparison.difference import Comparison
from specminer.pipeline.comparing import ComparedHistory, compare_histories, compare_parts
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.selecting import Selection, SelectionOptions, select
from specminer.specification import Specification, is_specification, read_specification

Source = Specification | Selection | str | PathLike[str]
"""A specification, a history, or the name of a dataset or the path of a file that holds either."""


def diff(before: Source, after: Source, *, observer: Observer = SILENT) -> Comparison:
    """Compare two specifications; of a history one is mined first, with the first one's abstraction if it fits.

    Args:
        before: the first specification or history.
        after: the second one.
        observer: sees notes and progress.

    Raises:
        UsageError: there is no such dataset or file.
        FileFormatError: a file is malformed.

    """
    comparison, notes = compare_histories(
        _read_history(before, observer), _read_history(after, observer), observer=observer
    )
    for note in notes:
        observer.note(note)
    return comparison


def diff_at(
    source: Selection | str | PathLike[str], block: int | None = None, *, observer: Observer = SILENT
) -> Comparison:
    """Compare the two parts of one history.

    Args:
        source: a history, a dataset's name, or a trace file.
        block: the first of the later part; ``None`` for the last upgrade of the code.
        observer: sees notes and progress.

    Raises:
        UsageError: there is no such dataset or file, no upgrade, or one of the parts is empty.
        FileFormatError: the file is malformed.

    """
    selection = source if isinstance(source, Selection) else _select_history(source, observer)
    comparison, notes = compare_parts(
        selection.history, block, artifact=selection.artifact, observer=observer
    )
    for note in notes:
        observer.note(note)
    return comparison


def _read_history(source: Source, observer: Observer) -> ComparedHistory:
    if isinstance(source, Specification):
        return ComparedHistory(specification=source)
    if not isinstance(source, Selection):
        path = Path(source)
        if path.suffix == ".json" and path.is_file() and is_specification(path):
            return ComparedHistory(specification=read_specification(path))
        source = _select_history(source, observer)
    return ComparedHistory(history=source.history, artifact=source.artifact)


def _select_history(source: str | PathLike[str], observer: Observer) -> Selection:
    return select(None, SelectionOptions(targets=(str(source),)), observer=observer)
