"""What an export writes: a text, and what it had to leave out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specminer._support.errors import plain
from specminer.export.function_claims import LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportText:
    """A specification in the language of another tool."""

    text: str
    left_out: tuple[LeftOut, ...]
    """What is not stated, in the order of the document; the text lists it too where the language has comments."""


def comment_lines(mark: str, left_out: Sequence[LeftOut]) -> Iterator[str]:
    """Yield comments that list what is left out; nothing if nothing is."""
    if not left_out:
        return
    yield f"{mark} Not stated:"
    for item in left_out:
        yield f"{mark}   {plain(str(item), 400)}"
