"""Pairs of integers, each once, as one sorted column: which invocation concerns which entity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specminer.history.contract_history import BoolColumn, IntColumn, RowColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRelation:
    """A set of (invocation, entity) pairs, by invocation, then entity."""

    code: IntColumn
    """``invocation * span + entity``, ascending, each once."""
    span: int
    """More than any entity."""

    @property
    def invocation(self) -> IntColumn:
        """The invocation of each pair, ascending."""
        return self.code // self.span

    @property
    def entity(self) -> IntColumn:
        """The entity of each pair."""
        return self.code % self.span

    def holds(self, invocation: IntColumn | RowColumn, entity: IntColumn) -> BoolColumn:
        """Return for each pair asked for whether it is in the set; negative entities never are."""
        return contains(self.code, codes(invocation, entity, self.span)) & (entity >= 0)

    def __len__(self) -> int:
        return len(self.code)


def relation(invocation: IntColumn | RowColumn, entity: IntColumn, span: int) -> EntityRelation:
    """Return the set of the given pairs, in n log n."""
    return EntityRelation(code=distinct(codes(invocation, entity, span)), span=span)


def codes(invocation: IntColumn | RowColumn, entity: IntColumn | RowColumn, span: int) -> IntColumn:
    """Return each pair as one number, which has 64 bits however few the columns have; ``span`` is above any entity."""
    return invocation.astype(np.int64, copy=False) * span + entity


def distinct(values: IntColumn) -> IntColumn:
    """Return the values ascending, each once."""
    ordered = np.sort(values, kind="stable")  # radix or timsort: nearly sorted columns are cheap
    keep = np.ones(len(ordered), dtype=np.bool_)
    keep[1:] = ordered[1:] != ordered[:-1]
    return ordered[keep]


def contains(ordered: IntColumn, values: IntColumn) -> BoolColumn:
    """Return for each value whether it is in an ascending column."""
    if not len(ordered):
        return np.zeros(len(values), dtype=np.bool_)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.equal(ordered[at], values)


def components(left: IntColumn, right: IntColumn, count: int) -> IntColumn:
    """Return for each of ``count`` nodes the smallest node that it is connected with by the edges given.

    Source: Shiloach and Vishkin (1982), hooking and pointer jumping on whole columns.
    """
    label = np.arange(count)
    while len(left):
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        while True:
            next_label = label[label]
            if np.array_equal(next_label, label):
                break
            label = next_label
        if np.array_equal(before, label):
            break
        is_apart = label[left] != label[right]
        left, right = left[is_apart], right[is_apart]
    return label
