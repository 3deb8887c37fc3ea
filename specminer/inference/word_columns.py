"""Columns of 256-bit values: each distinct value once, and for each call which one it met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specminer._support.scratch import in_file
from specminer.decoding.location_columns import Field
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, IntColumn, RowColumn
from specminer.history.words import WordArray, from_integers, to_integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """A value for each of ``n`` calls."""

    words: WordArray
    """The distinct values, in any order."""
    position: RowColumn
    """Position in ``words``, or ``MISSING``; shape (n,)."""

    def field(self, field: Field) -> Values:
        """Return what some bits of these values are."""
        if field.width == 256 or not len(self.words):
            return self
        words = _extract(self.words, field)
        distinct, index = np.unique(words, return_inverse=True)
        return Values(
            words=distinct, position=np.append(index.ravel(), MISSING).astype(np.int32)[self.position]
        )


def encode_values(table: WordArray, rows: IntColumn | RowColumn) -> Values:
    """Return the values that stand at ``rows`` of a table, ``MISSING`` for none."""
    used_rows = np.unique(rows[rows != MISSING])
    distinct, index = np.unique(table[used_rows], return_inverse=True)
    of_row = np.full(len(table) + 1, MISSING, dtype=np.int32)
    of_row[used_rows] = index.ravel()
    return Values(words=distinct, position=of_row[rows])


def together(columns: Sequence[Values]) -> tuple[WordArray, list[RowColumn]]:
    """Return all values, ascending, with zero and one, and each column as places among them."""
    words = np.unique(np.concatenate([from_integers([0, 1]), *(column.words for column in columns)]))
    return words, [
        in_file(np.append(np.searchsorted(words, column.words), MISSING).astype(np.int32)[column.position])
        for column in columns
    ]


def _extract(words: WordArray, field: Field) -> WordArray:
    if field.kind is ValueKind.INT or field.shift % 8 or field.width % 8:
        return from_integers([field.extract(word) for word in to_integers(words)])
    raw = np.ascontiguousarray(words).view(np.uint8).reshape(-1, 32)
    size, end = field.width // 8, 32 - field.shift // 8
    shifted = np.zeros_like(raw)
    shifted[:, 32 - size :] = raw[:, end - size : end]
    return shifted.reshape(-1).view("S32")
