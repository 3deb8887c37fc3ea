"""256-bit words as numpy arrays: sorted, searched and subtracted without Python integers.

A word array has the dtype ``S32``: 32 bytes each, big-endian. Numpy compares such texts byte by byte as if they
were padded with zeros, so that their order is that of the numbers and no two words are taken for one; only a
single element taken out of the array loses its trailing zeros (:func:`word_at` gives them back).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

import numpy as np
import numpy.typing as npt

WordArray = npt.NDArray[np.bytes_]
"""Words, dtype ``S32``."""
LimbArray = npt.NDArray[np.uint64]
"""Words as four 64-bit limbs each, the most significant first; shape (n, 4)."""
_CHUNK: Final = 1 << 16
"""So many integers are written as bytes at a time: as objects they take several times the room."""


class Words(Sequence[int]):
    """Words as integers, made when they are asked for: as objects all of them would take three times the room."""

    def __init__(self, column: WordArray) -> None:
        """Take the words of a column, which can be in a file."""
        self.column = column
        self._data = np.ascontiguousarray(column).view(np.uint8).reshape(-1).data

    def __len__(self) -> int:
        return len(self.column)

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[int, ...]: ...

    def __getitem__(self, index: int | slice) -> int | tuple[int, ...]:
        if isinstance(index, slice):
            return tuple(to_integers(self.column[index]))
        row = int(index)
        if row < 0:
            row += len(self.column)
        if not 0 <= row < len(self.column):
            raise IndexError("there is no such word")
        return int.from_bytes(self._data[32 * row : 32 * row + 32], "big")

    def __iter__(self) -> Iterator[int]:
        for first in range(0, len(self.column), _CHUNK):
            yield from to_integers(self.column[first : first + _CHUNK])

    def __contains__(self, value: object) -> bool:
        return bool(len(self._rows(value)))

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """Return the first row of a word from ``start`` on.

        Raises:
            ValueError: there is none.

        """
        rows = self._rows(value)
        for row in rows[(rows >= start) & (rows < (len(self) if stop is None else stop))][:1].tolist():
            return int(row)
        raise ValueError("there is no such word")

    def _rows(self, value: object) -> npt.NDArray[np.intp]:
        """Return where a word stands."""
        if not isinstance(value, int) or not 0 <= value < 1 << 256:
            return np.zeros(0, dtype=np.intp)
        return np.flatnonzero(self.column == from_integers([value]))


def from_integers(values: Iterable[int]) -> WordArray:
    """Return words from integers in ``0 .. 2**256 - 1``."""
    if isinstance(values, Words):
        return values.column
    return from_bytes([value.to_bytes(32, "big") for value in values])


def from_bytes(texts: Sequence[bytes]) -> WordArray:
    """Return words from texts of exactly 32 bytes each."""
    return np.frombuffer(b"".join(texts), dtype="S32")


def from_limbs(parts: LimbArray) -> WordArray:
    """Return words from their limbs."""
    return np.ascontiguousarray(parts.astype(">u8")).view("S32").reshape(-1)


def from_numbers(values: npt.NDArray[np.int64]) -> WordArray:
    """Return words from an array of integers that are not negative."""
    parts = np.zeros((len(values), 4), dtype=np.uint64)
    parts[:, 3] = values
    return from_limbs(parts)


def limbs(words: WordArray) -> LimbArray:
    """Return the words' limbs; shape (n, 4)."""
    return np.ascontiguousarray(words).view(">u8").reshape(-1, 4).astype(np.uint64)


def integer_limbs(values: Sequence[int]) -> LimbArray:
    """Return the limbs of integers in ``0 .. 2**256 - 1``; shape (n, 4)."""
    if isinstance(values, Words):
        return limbs(values.column)
    column = np.zeros((len(values), 4), dtype=np.uint64)
    for first in range(0, len(values), _CHUNK):
        chunk = values[first : first + _CHUNK]
        column[first : first + len(chunk)] = limbs(from_integers(chunk))
    return column


def word_at(words: WordArray, row: int) -> int:
    """Return one word as an integer."""
    return int.from_bytes(bytes(words[row]).ljust(32, b"\0"), "big")


def to_integers(words: WordArray) -> list[int]:
    """Return words as integers."""
    text = words.tobytes()
    return [int.from_bytes(text[at : at + 32], "big") for at in range(0, len(text), 32)]


def values_at(words: Sequence[int], codes: npt.NDArray[np.int32] | npt.NDArray[np.int64]) -> list[int | None]:
    """Return the words in some rows as integers, ``None`` for rows below 0; each distinct word is made once."""
    rows, inverse = np.unique(codes, return_inverse=True)
    distinct = np.empty(len(rows), dtype=object)
    distinct[:] = [None if row < 0 else words[row] for row in rows.tolist()]
    values: list[int | None] = distinct[inverse.ravel()].tolist()
    return values


def difference(one: WordArray, other: WordArray, limit: int) -> npt.NDArray[np.int64]:
    """Return ``one - other`` where that lies in ``0 .. limit - 1`` (``limit`` at most 2**62), else -1."""
    high, low = limbs(one), limbs(other)
    last = high[:, 3] - low[:, 3]  # wraps around
    carry = high[:, 3] < low[:, 3]
    same = np.ones(len(high), dtype=np.bool_)
    for limb in (2, 1, 0):
        same &= high[:, limb] == low[:, limb] + carry
        carry = carry & (low[:, limb] == np.uint64(0xFFFFFFFFFFFFFFFF))
    same &= ~carry & (last < np.uint64(limit))
    return np.where(same, last, 0).astype(np.int64) - (~same).astype(np.int64)


def find(sorted_words: WordArray, queries: WordArray) -> npt.NDArray[np.int64]:
    """Return the position of each queried word in ``sorted_words``, or -1."""
    if not len(sorted_words):
        return np.full(len(queries), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(sorted_words, queries), len(sorted_words) - 1)
    return np.where(sorted_words[at] == queries, at, -1)
