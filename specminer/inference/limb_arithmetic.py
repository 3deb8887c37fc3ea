"""Exact arithmetic on columns of 256-bit words.

A column of words is an array of four 64-bit limbs each, the most significant first, shape (n, 4), as in
:mod:`specminer.history.words`. Sums of many differences are no words: they are held as eight signed digits of 32 bits,
shape (n, 8), which do not overflow for up to 2^30 terms.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.decoding.location_columns import Field
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.history.words import LimbArray, integer_limbs

Digits = npt.NDArray[np.int64]
"""Signed digits of 32 bits, the most significant first; shape (n, 8)."""
_FULL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW: Final = np.uint64(0xFFFFFFFF)


def to_integer(row: LimbArray) -> int:
    """Return one word as an integer."""
    return int.from_bytes(row.astype(">u8").tobytes(), "big")


def plus(one: LimbArray, other: LimbArray) -> LimbArray:
    """Return the sums modulo 2^256."""
    total = np.empty(np.broadcast_shapes(one.shape, other.shape), dtype=np.uint64)
    carry = np.zeros(len(total), dtype=np.uint64)
    for limb in (3, 2, 1, 0):
        half = one[:, limb] + other[:, limb]
        total[:, limb] = half + carry
        carry = ((half < one[:, limb]) | (total[:, limb] < half)).astype(np.uint64)
    return total


def minus(one: LimbArray, other: LimbArray) -> LimbArray:
    """Return the differences modulo 2^256."""
    total = np.empty(np.broadcast_shapes(one.shape, other.shape), dtype=np.uint64)
    borrow = np.zeros(len(total), dtype=np.uint64)
    for limb in (3, 2, 1, 0):
        half = one[:, limb] - other[:, limb]
        total[:, limb] = half - borrow
        borrow = ((one[:, limb] < other[:, limb]) | (half < borrow)).astype(np.uint64)
    return total


def same(one: LimbArray, other: LimbArray) -> BoolColumn:
    """Return where two columns are equal."""
    equal: BoolColumn = np.asarray((one == other).all(axis=1))
    return equal


def is_zero(column: LimbArray) -> BoolColumn:
    """Return where a column is zero."""
    nothing: BoolColumn = np.asarray(~column.any(axis=1))
    return nothing


def less(one: LimbArray, other: LimbArray, *, signed: bool = False) -> BoolColumn:
    """Return where one column is smaller; ``signed`` words are two's complement."""
    is_less = np.zeros(len(one), dtype=np.bool_)
    open_ = np.ones(len(one), dtype=np.bool_)
    flip = np.uint64(1 << 63) if signed else np.uint64(0)
    for limb in range(4):
        left, right = (one[:, 0] ^ flip, other[:, 0] ^ flip) if limb == 0 else (one[:, limb], other[:, limb])
        is_less |= open_ & (left < right)
        open_ &= left == right
    return is_less


def extract_field(words: LimbArray, field: Field) -> LimbArray:
    """Return a field's values from its slot's words; signed ones are sign-extended, as ``Field.extract`` does."""
    if field.width == 256:
        return words
    limb, bit = divmod(field.shift, 64)
    shifted = np.zeros_like(words)
    for index in range(3, limb - 1, -1):  # limb 3 is the lowest
        source = index - limb
        shifted[:, index] = words[:, source] >> np.uint64(bit)
        if bit and source > 0:
            shifted[:, index] |= words[:, source - 1] << np.uint64(64 - bit)
    for index in range(4):
        low = (3 - index) * 64
        width = min(64, max(0, field.width - low))
        shifted[:, index] &= _FULL if width == 64 else np.uint64((1 << width) - 1)
    if field.kind is ValueKind.INT:
        top = field.width - 1
        negative = (shifted[:, 3 - top // 64] >> np.uint64(top % 64)).astype(np.bool_)
        mask = integer_limbs([(1 << 256) - (1 << field.width)])
        shifted[negative] |= mask
    return shifted


def differences(left: LimbArray, before: LimbArray) -> Digits:
    """Return ``left - before`` as signed digits."""
    change = _digits(left)
    change -= _digits(before)
    return change


def _digits(column: LimbArray) -> Digits:
    digits = np.empty((len(column), 8), dtype=np.int64)
    for limb in range(4):
        digits[:, 2 * limb] = column[:, limb] >> np.uint64(32)
        digits[:, 2 * limb + 1] = column[:, limb] & _LOW
    return digits


def sum_groups(digits: Digits, group: IntColumn) -> tuple[IntColumn, Digits]:
    """Return the distinct groups, ascending, and the sum of each; each sum has one form only."""
    if not len(group):
        return group, digits
    if np.any(group[1:] < group[:-1]):
        order = np.argsort(group, kind="stable")
        group, digits = group[order], digits[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return group[starts], _carry_digits(np.add.reduceat(digits, starts, axis=0))


def pack_sums(digits: Digits) -> npt.NDArray[np.uint32]:
    """Return sums in little more than half the space, equal ones alike; shape (n, 9), the first digit takes two."""
    return np.column_stack([digits[:, :1] >> 32, digits]).astype(np.uint32)


def _carry_digits(digits: Digits) -> Digits:
    """Carry, so that all digits but the first lie in 0 .. 2^32 - 1: equal numbers have equal digits."""
    for index in range(7, 0, -1):
        digits[:, index - 1] += digits[:, index] >> 32
        digits[:, index] &= 0xFFFFFFFF
    return digits
