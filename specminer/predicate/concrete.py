"""Formulas over given values, some of which may not be known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from specminer.predicate.smt import Formula, FormulaError

Value: TypeAlias = int | bool | None
"""Of an integer or a Boolean; ``None`` if it is not known."""
Evaluator: TypeAlias = Callable[[Mapping[str, Value]], Value]
"""Tells the value of a formula for the values of its symbols, by name."""


def value_of(formula: Formula, values: Mapping[str, Value]) -> Value:
    """Return what a formula or term amounts to, by Kleene's logic; ``None`` if too little is known.

    Args:
        formula: over symbols whose internal names are those of ``values``, as :func:`~.smt.read_formula` makes them.
        values: of symbols, by name; what is left out is not known.

    Raises:
        FormulaError: an operator outside the fragment.

    """
    return evaluator(formula)(values)


def evaluator(formula: Formula) -> Evaluator:
    """Return what tells the value of a formula or term for given values, as :func:`value_of` does, but many times.

    Raises:
        FormulaError: an operator outside the fragment.

    """
    if formula.is_symbol():
        name = formula.symbol_name()
        return lambda values: values.get(name)
    if formula.is_bool_constant() or formula.is_int_constant():
        constant = bool(formula.is_true()) if formula.is_bool_constant() else int(formula.constant_value())
        return lambda values: constant
    parts = [evaluator(part) for part in formula.args()]
    if formula.is_and():
        return _conjunction(parts)
    if formula.is_or():
        return _negation(_conjunction([_negation(part) for part in parts]))
    if formula.is_implies():
        return _negation(_conjunction([parts[0], _negation(parts[1])]))
    for test, operation in _OPERATIONS:
        if getattr(formula, test)():
            return _strict(operation, parts)
    raise FormulaError(f"expected an operator of the fragment but got {formula}")


def _conjunction(parts: Sequence[Evaluator]) -> Evaluator:
    def value(values: Mapping[str, Value]) -> Value:
        result: Value = True
        for part in parts:
            found = part(values)
            if found is None:
                result = None
            elif not found:
                return False
        return result

    return value


def _negation(part: Evaluator) -> Evaluator:
    def value(values: Mapping[str, Value]) -> Value:
        found = part(values)
        return None if found is None else not found

    return value


def _strict(operation: Callable[[list[int]], Value], parts: Sequence[Evaluator]) -> Evaluator:
    """Return what applies an operation whose operands all have to be known."""

    def value(values: Mapping[str, Value]) -> Value:
        operands = []
        for part in parts:
            found = part(values)
            if found is None:
                return None
            operands.append(found)
        return operation(operands)

    return value


def _product(parts: list[int]) -> int:
    total = 1
    for part in parts:
        total *= part
    return total


_OPERATIONS: Final[tuple[tuple[str, Callable[[list[int]], Value]], ...]] = (
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
