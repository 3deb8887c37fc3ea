"""What a history's values tell of storage without a layout: the stride of arrays, texts, which bits are used."""

from __future__ import annotations

from typing import Final

import numpy as np

from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn, Slots
from specminer.history.words import WordArray, find, from_integers, limbs

TEXT_STRIDE: Final = 0
"""What :meth:`Observed.stride` returns for the pieces of a long text."""
MAX_STRIDE: Final = 1 << 10
"""Slots of an array's element at most."""


class SlotObservations:
    """Answers questions about the values in a history's slots."""

    def __init__(self, history: History, slot_numbers: Slots, words: WordArray) -> None:
        self._history = history
        self._slot_numbers = slot_numbers
        self._words, index = np.unique(words, return_inverse=True)
        pairs = slot_numbers.contract * max(1, len(self._words)) + index
        self._order = np.argsort(pairs)
        self._pairs = pairs[self._order]

    def used_bits(self, rows: IntColumn) -> int:
        """Return the bits that were ever 1 in any of these slots."""
        at = self._accesses(rows)
        values = np.unique(np.concatenate([self._history.access_before[at], self._history.access_after[at]]))
        bits = 0
        for row in values[values != MISSING].tolist():
            bits |= self._history.words[row]
        return bits

    def _accesses(self, rows: IntColumn) -> IntColumn:
        in_rows = np.zeros(len(self._slot_numbers), dtype=np.bool_)
        in_rows[rows] = True
        return np.flatnonzero(in_rows[self._slot_numbers.access])

    def _row_of(self, contracts: IntColumn, words: WordArray) -> IntColumn:
        """Return the number of each (contract, word), or ``MISSING`` where the history never touches it."""
        if not len(self._pairs):
            return np.full(len(words), MISSING, dtype=np.int64)
        index = find(self._words, words)
        pairs = contracts * len(self._words) + index
        at = np.minimum(np.searchsorted(self._pairs, pairs), len(self._pairs) - 1)
        return np.where((index != MISSING) & (self._pairs[at] == pairs), self._order[at], MISSING)

    def stride(self, rows: IntColumn, bases: WordArray, offset: IntColumn) -> int:
        """Return how many slots an element has of the arrays whose elements these slots are, or ``TEXT_STRIDE``.

        ``bases`` are the slots that hold the arrays' lengths, ``offset`` how far each row lies behind the first
        element. An index is checked against the length before it is used, so that ``offset < stride * length``
        holds; the least stride that fits all accesses is exact as soon as the last field of any array's last
        element was touched. A text's slot holds its length in bytes instead, times two plus one.
        """
        base = self._row_of(self._slot_numbers.contract[rows], bases)
        at = self._accesses(rows)
        owner = np.full(len(self._slot_numbers), MISSING, dtype=np.int64)
        behind = np.zeros(len(self._slot_numbers), dtype=np.int64)
        owner[rows], behind[rows] = base, offset
        numbers = self._slot_numbers.access
        bases_at = self._accesses(base[base != MISSING])
        span = len(numbers) + 1
        length_codes = np.sort(numbers[bases_at] * span + bases_at)
        elements = at[owner[numbers[at]] != MISSING]
        if not len(length_codes) or not len(elements):
            return 1
        element_codes = owner[numbers[elements]] * span + elements
        last = np.searchsorted(length_codes, element_codes) - 1
        valid = (last >= 0) & (length_codes[last] // span == element_codes // span)
        if not np.any(valid):
            return 1
        before, after = self._lengths(length_codes[last[valid]] % span)
        index = behind[numbers[elements[valid]]]
        if np.all(_is_text(before, index) | _is_text(after, index)):
            return TEXT_STRIDE
        length = np.maximum(before, after)
        has_length = length > 0
        stride = int((index[has_length] // length[has_length]).max(initial=0)) + 1
        return stride if stride <= MAX_STRIDE else 1

    def _lengths(self, accesses: IntColumn) -> tuple[IntColumn, IntColumn]:
        """Return what the slots held before and after these accesses, 0 where that is no length."""
        columns = []
        for rows in (self._history.access_before[accesses], self._history.access_after[accesses]):
            distinct_rows, inverse = np.unique(rows, return_inverse=True)
            parts = limbs(
                from_integers(
                    0 if row == MISSING else self._history.words[row] for row in distinct_rows.tolist()
                )
            )
            small = (parts[:, :3] == 0).all(axis=1) & (parts[:, 3] < np.uint64(1 << 40))
            columns.append(np.where(small, parts[:, 3], np.uint64(0)).astype(np.int64)[inverse])
        return columns[0], columns[1]


def _is_text(value: IntColumn, index: IntColumn) -> BoolColumn:
    pieces = (value // 2 + 31) // 32
    fits: BoolColumn = (value % 2 == 1) & (value >= 65) & (index < pieces)
    return fits
