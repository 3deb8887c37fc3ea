"""What addresses are called, from options to names: the same for all commands that take ``--labels``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from specminer.cli.shared_options import parse_labels
from specminer.pipeline.label_file import read_labels


def read_all_labels(file: Path | None, texts: Sequence[str] = ()) -> dict[str, str]:
    """Return names by address: those of a file, and those of ``--label ADDRESS=NAME``, which count before them.

    Raises:
        UsageError: a label is malformed.
        FileFormatError: the file is.

    """
    return (read_labels(file) if file else {}) | parse_labels(texts)
