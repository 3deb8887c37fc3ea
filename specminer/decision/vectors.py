"""Expressions over many calls at once: a value is a column of Python integers, or one integer for all calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from specminer.evm.environment_instructions import hash_word
from specminer.shadow.arena import MASK, Key, Part
from specminer.shadow.evaluation import compute

Vector = npt.NDArray[np.object_]
"""Words as Python integers, in an array of objects."""
Value = Vector | int


def _truth(values: Any) -> Value:
    """Return truths as numbers."""
    return values.astype(object) if isinstance(values, np.ndarray) else int(values)


_DIRECT: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda left, right: (left + right) & MASK,
    "sub": lambda left, right: (left - right) & MASK,
    "mul": lambda left, right: (left * right) & MASK,
    "and": lambda left, right: left & right,
    "or": lambda left, right: left | right,
    "xor": lambda left, right: left ^ right,
    "not": lambda value: value ^ MASK,
    "lt": lambda left, right: _truth(left < right),
    "eq": lambda left, right: _truth(left == right),
    "iszero": lambda value: _truth(value == 0),
}


def apply(key: Key, operands: Mapping[int, Value]) -> Value:
    """Return the value of an expression.

    Args:
        key: what the node is, as ``Arena.key`` returns it.
        operands: the values of its operands, by node.

    """
    kind = key[0]
    if kind == "opaque":
        return apply(key[1:], operands)
    if kind == "constant":
        return int(key[1])
    if kind == "field":
        return _cut(operands[key[1]], key[2], key[3])
    if kind == "shifted":
        return _cut(operands[key[1]] << key[2], 0, 256)
    if kind == "join":
        return _join_parts(key[1], operands)
    if kind == "keccak":
        size = sum(count for _, _, count in key[1])
        return _each(lambda text: hash_word(text.to_bytes(size, "big")), _join_parts(key[1], operands))
    direct = _DIRECT.get(kind)
    values = [operands[node] for node in key[1:]]
    return _each(lambda *words: compute(kind, *words), *values) if direct is None else direct(*values)


def _cut(value: Value, shift: int, bits: int) -> Value:
    """Return some bits of a value, the lowest ``shift`` left away."""
    part: Value = (value >> shift) & ((1 << bits) - 1)
    return part


def _each(work: Callable[..., int], *values: Value) -> Value:
    """Return what a function makes of each call's values."""
    if not any(isinstance(value, np.ndarray) for value in values):
        return work(*values)
    vector: Vector = np.frompyfunc(work, len(values), 1)(*values)
    return vector


def _join_parts(parts: tuple[Part, ...], operands: Mapping[int, Value]) -> Value:
    """Return the bytes of parts one after another, as one number, which may have more than 256 bits."""
    total: Value = 0
    for node, first, count in parts:
        value = operands[node]
        total = (total << 8 * count) | _cut(value, 8 * (32 - first - count), 8 * count)
    return total
