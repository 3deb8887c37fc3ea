"""Many texts of bytes in one piece, which takes half the room of as many objects, and may be in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

import numpy as np
import numpy.typing as npt

from specminer._support.scratch import ColumnWriter

_TOGETHER: Final = 1 << 14
"""Texts taken out at a time where all are wanted."""


_Rows = npt.NDArray[np.int32] | npt.NDArray[np.int64]


class Texts(Sequence[bytes]):
    """Texts of any length, in order; can only be read. Slices are tuples."""

    def __init__(self, data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> None:
        """Take all texts in one piece, and where each of them ends; shape (n,)."""
        self._bytes = data
        self._data = data.data
        self._ends = ends

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Bytes of each text; shape (n,)."""
        return np.diff(self._ends, prepend=0)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[bytes, ...]: ...

    def __getitem__(self, index: int | slice) -> bytes | tuple[bytes, ...]:
        if isinstance(index, slice):
            return tuple(self[row] for row in range(*index.indices(len(self))))
        row = int(index)
        if row < 0:
            row += len(self)
        if not 0 <= row < len(self):
            raise IndexError("there is no such text")
        return bytes(self._data[int(self._ends[row - 1]) if row else 0 : int(self._ends[row])])

    def __iter__(self) -> Iterator[bytes]:
        start = 0
        for first in range(0, len(self), _TOGETHER):
            for end in self._ends[first : first + _TOGETHER].tolist():
                yield bytes(self._data[start:end])
                start = end

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, bytes | str):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def window(self, rows: _Rows, start: int, width: int) -> npt.NDArray[np.uint8]:
        """Return so many bytes of some texts, zeros behind their end; shape (rows, width)."""
        ends = self._ends[rows]
        begins = np.where(rows > 0, self._ends[rows - 1], 0) + start
        window_bytes = np.zeros((len(rows), width), dtype=np.uint8)
        reach = np.clip(ends - begins, 0, width)
        whole = reach == width
        if whole.any():
            window_bytes[whole] = np.lib.stride_tricks.sliding_window_view(self._bytes, width)[begins[whole]]
        for row in np.flatnonzero(~whole & (reach > 0)).tolist():
            begin, size = int(begins[row]), int(reach[row])
            window_bytes[row, :size] = self._bytes[begin : begin + size]
        return window_bytes

    def take(self, rows: npt.NDArray[np.intp]) -> Texts:
        """Return the texts in some rows, in their order."""
        if len(rows) == len(self) and np.array_equal(rows, np.arange(len(rows))):
            return self
        writer = TextWriter()
        for first in range(0, len(rows), _TOGETHER):
            writer.extend([self[row] for row in rows[first : first + _TOGETHER].tolist()])
        return writer.texts()


class TextWriter:
    """Texts that become more; little of them is held in memory."""

    def __init__(self) -> None:
        self._data = ColumnWriter()
        self._ends = ColumnWriter()
        self._size = 0

    def extend(self, texts: Sequence[bytes]) -> None:
        """Append texts."""
        ends = self._size + np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
        self._size = int(ends[-1]) if len(ends) else self._size
        self._data.append(b"".join(texts))
        self._ends.append(ends.tobytes())

    def texts(self) -> Texts:
        """Return all texts; nothing can be appended any more."""
        return Texts(self._data.column(np.uint8), self._ends.column(np.int64))


def read_windows(texts: Sequence[bytes], rows: _Rows, start: int, width: int) -> npt.NDArray[np.uint8]:
    """Return the same ``width`` bytes of each of some texts, zeros behind its end; shape (rows, width)."""
    windows = np.empty((len(rows), width), dtype=np.uint8)
    for first in range(0, len(rows), _TOGETHER):
        part = rows[first : first + _TOGETHER]
        if isinstance(texts, Texts):
            windows[first : first + _TOGETHER] = texts.window(part, start, width)
        else:
            data = b"".join([texts[row][start : start + width].ljust(width, b"\0") for row in part.tolist()])
            windows[first : first + _TOGETHER] = np.frombuffer(data, np.uint8).reshape(len(part), width)
    return windows


def sizes_of(texts: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """Return how many bytes each text has; shape (n,)."""
    return texts.sizes if isinstance(texts, Texts) else np.fromiter(map(len, texts), np.int64, len(texts))


def packed(texts: Iterable[bytes]) -> Texts:
    """Return texts in one piece."""
    writer = TextWriter()
    writer.extend(list(texts))
    return writer.texts()
