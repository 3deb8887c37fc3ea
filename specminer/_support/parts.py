"""Work on large columns in parts: what belongs together stays together, and no part is larger than it must be.

What is counted, or found for each entry by itself, is the same whether it is done for all entries at once or in parts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

IntColumn = npt.NDArray[np.int64]
RowColumn = npt.NDArray[np.int32]

PART_ROWS: int = 1 << 20
"""Rows of one part, unless one group alone has more."""


def parts(sizes: IntColumn) -> Iterator[slice]:
    """Yield spans of groups that follow each other; ``sizes`` are the rows of each group, shape (groups,)."""
    ends = np.cumsum(sizes)
    start, before = 0, 0
    while start < len(ends):
        end = max(start + 1, int(np.searchsorted(ends, before + PART_ROWS, side="right")))
        yield slice(start, end)
        start, before = end, int(ends[end - 1])


def spans(count: int) -> Iterator[slice]:
    """Yield spans of ``count`` rows."""
    for start in range(0, count, PART_ROWS):
        yield slice(start, min(start + PART_ROWS, count))


def rows_by_group(group: RowColumn, count: int) -> Iterator[IntColumn]:
    """Yield rows, ascending, part by part: those of the first groups, then those of the next, and so on.

    Args:
        group: of each row, 0 .. count - 1.
        count: how many groups there are.

    """
    if len(group) <= PART_ROWS:
        yield np.arange(len(group))
        return
    for span in parts(np.bincount(group, minlength=count)):
        yield np.flatnonzero((group >= span.start) & (group < span.stop))


def spans_of_groups(ascending: IntColumn | RowColumn) -> Iterator[slice]:
    """Yield spans of rows; groups, which stand together, are not cut."""
    start = 0
    while start < len(ascending):
        end = len(ascending)
        if end - start > PART_ROWS:
            last = ascending[start + PART_ROWS]
            end = start + int(np.searchsorted(ascending[start:], last))
            if end == start:  # one group is larger
                end += int(np.searchsorted(ascending[start:], last, side="right"))
        yield slice(start, end)
        start = end
