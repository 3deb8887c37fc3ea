"""Formulas over given values, some of which may not be known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from specminer.predicate.smt import Formula, FormulaError

Value: TypeAlias = int | bool | None
"""Of an integer or a Boolean; ``None`` if it is not known."""


def value_of(formula: Formula, values: Mapping[str, Value]) -> Value:
    """Return what a formula or term amounts to, by Kleene's logic; ``None`` if too little is known.

    Args:
        formula: over symbols whose internal names are those of ``values``, as :func:`~.smt.read_formula` makes them.
        values: of symbols, by name; what is left out is not known.

    Raises:
        FormulaError: an operator outside the fragment.

    """
    return values_of(formula, {name: [value] for name, value in values.items()}, 1)[0]


def values_of(formula: Formula, columns: Mapping[str, Sequence[Value]], count: int) -> Sequence[Value]:
    """Return what :func:`value_of` does for each of many rows.

    Args:
        formula: over symbols.
        columns: the values of symbols in the rows, by name; what is left out is not known.
        count: how many rows there are.

    Raises:
        FormulaError: an operator outside the fragment.

    """
    if formula.is_symbol():
        return columns.get(formula.symbol_name(), [None] * count)
    if formula.is_bool_constant():
        return [bool(formula.is_true())] * count
    if formula.is_int_constant():
        return [int(formula.constant_value())] * count
    parts = [values_of(part, columns, count) for part in formula.args()]
    if formula.is_and():
        return _all(parts)
    if formula.is_or():
        return _negate(_all([_negate(part) for part in parts]))
    if formula.is_implies():
        return _negate(_all([parts[0], _negate(parts[1])]))
    for test, operation in _OPERATIONS:
        if getattr(formula, test)():
            return [None if None in row else operation(row) for row in zip(*parts, strict=True)]
    raise FormulaError(f"expected an operator of the fragment but got {formula}")


def _all(parts: Sequence[Sequence[Value]]) -> Sequence[Value]:
    return [False if False in row else None if None in row else True for row in zip(*parts, strict=True)]


def _negate(values: Sequence[Value]) -> Sequence[Value]:
    return [None if value is None else not value for value in values]


def _product(parts: Sequence[int]) -> int:
    total = 1
    for part in parts:
        total *= part
    return total


_OPERATIONS: Final[tuple[tuple[str, Callable[[Any], Value]], ...]] = (
    ("is_not", lambda parts: not parts[0]),
    ("is_iff", lambda parts: parts[0] == parts[1]),
    ("is_equals", lambda parts: parts[0] == parts[1]),
    ("is_lt", lambda parts: parts[0] < parts[1]),
    ("is_le", lambda parts: parts[0] <= parts[1]),
    ("is_plus", sum),
    ("is_minus", lambda parts: parts[0] - parts[1]),
    ("is_times", _product),
)
"""The operators whose operands all have to be known, by the test that tells them."""
