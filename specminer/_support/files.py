"""Reading files that somebody else wrote, bounded, and writing files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from specminer._support.errors import FileFormatError, plain
from specminer._support.opening import open_text


def read_bounded(path: str | PathLike[str], limit: int, noun: str) -> bytes:
    """Return the text in a file, of at most ``limit`` bytes, in UTF-8 without a byte order mark.

    The file may be compressed with gzip or zstd, and its text in UTF-16.

    ``noun`` says in messages what the file should be: ``an automaton``.

    Raises:
        FileFormatError: it cannot be read, or is larger.

    """
    with open_text(Path(path)) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise FileFormatError(
            f"{plain(path)} is larger than {limit >> 20} MiB; that is not {noun}", path=path, limit=limit
        )
    return content


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of another file beside ``path``, which takes its place once all is written.

    Whatever ends the writing before leaves ``path`` as it was, and nothing beside it.

    Raises:
        OSError: it cannot be written or replaced.

    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield partial
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
