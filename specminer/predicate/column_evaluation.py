"""Formulas evaluated over whole columns of words at once, in three truth values.

Words are coded by their row in a table of distinct words. Order between words of 256 bits is order
between their ranks, so that every atom is one numpy comparison of small integers.

Source: Kleene's strong three-valued logic, for words that the tracer did not see.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Self

import numpy as np

from specminer._support.scratch import in_file
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.predicate.smt import Formula, FormulaError


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolColumns:
    """The values of symbols over ``n`` rows."""

    rows: Mapping[Formula, IntColumn]
    """For each symbol the row of its word in the table of words, or -1 where unknown; shape (n,)."""
    numeric_rows: tuple[int, ...]
    """The distinct words, ascending."""
    ranks: IntColumn
    """For each row of the table of words, its position in ``ordered``."""
    length: int
    """n."""

    @classmethod
    def of(cls, rows: Mapping[Formula, IntColumn], words: Sequence[int], length: int) -> Self:
        """Build columns over a table of words, each given once."""
        order = sorted(range(len(words)), key=words.__getitem__)
        ranks = np.empty(len(words), dtype=np.int64)
        ranks[np.array(order, dtype=np.int64)] = np.arange(len(words))
        rows = {symbol: in_file(column) for symbol, column in rows.items()}
        return cls(rows=rows, numeric_rows=tuple(words[row] for row in order), ranks=ranks, length=length)


def evaluate(formula: Formula, columns: SymbolColumns) -> tuple[BoolColumn, BoolColumn]:
    """Return (true, known), both of shape (n,); where not known, true is false.

    Raises:
        FormulaError: a symbol without a column, or an operator outside the fragment.

    """
    true, false = _walk(formula, columns)
    return true, true | false


def _walk(formula: Formula, columns: SymbolColumns) -> tuple[BoolColumn, BoolColumn]:
    """Return (certainly true, certainly false)."""
    if formula.is_symbol():
        rows = _rows(formula, columns)
        zero = bisect_left(columns.numeric_rows, 0)
        is_zero = columns.numeric_rows[zero : zero + 1] == (0,)
        holds = np.ones(columns.length, dtype=np.bool_)
        if is_zero:
            holds = columns.ranks[rows] != zero
        return holds & (rows >= 0), ~holds & (rows >= 0)
    if formula.is_bool_constant():
        holds = np.full(columns.length, bool(formula.is_true()))
        return holds, ~holds
    if formula.is_equals() or formula.is_lt() or formula.is_le():
        return _compare(formula, columns)
    parts = [_walk(part, columns) for part in formula.args()]
    if formula.is_not():
        return parts[0][1], parts[0][0]
    trues, falses = [part[0] for part in parts], [part[1] for part in parts]
    if formula.is_and():
        return reduce(np.logical_and, trues), reduce(np.logical_or, falses)
    if formula.is_or():
        return reduce(np.logical_or, trues), reduce(np.logical_and, falses)
    if formula.is_iff():
        same = (trues[0] & trues[1]) | (falses[0] & falses[1])
        return same, (trues[0] & falses[1]) | (falses[0] & trues[1])
    raise FormulaError(f"expected and, or, not, iff, =, <= or < but got {formula}")


def _compare(formula: Formula, columns: SymbolColumns) -> tuple[BoolColumn, BoolColumn]:
    relation = np.equal if formula.is_equals() else np.less if formula.is_lt() else np.less_equal
    if all(part.is_int_constant() for part in formula.args()):  # positions tell them from stored values only
        one, other = (int(part.constant_value()) for part in formula.args())
        holds = np.full(columns.length, bool(relation((one > other) - (one < other), 0)))
        return holds, ~holds
    if any(part.is_plus() or part.is_times() for part in formula.args()):
        left, right, both_known = _signs(formula, columns)
    else:
        (left, left_known), (right, right_known) = (_positions(part, columns) for part in formula.args())
        both_known = left_known & right_known
    holds = relation(left, right)
    return holds & both_known, ~holds & both_known


def _signs(formula: Formula, columns: SymbolColumns) -> tuple[IntColumn, IntColumn, BoolColumn]:
    """Return numbers that are ordered as two terms with sums or products are: each distinct case computed once."""
    symbols = list(dict.fromkeys(_symbols(formula)))
    rows = np.stack([_rows(symbol, columns) for symbol in symbols] or [np.zeros(columns.length, np.int64)])
    all_known = np.logical_and.reduce(rows >= 0, axis=0)
    cases, inverse = np.unique(rows, axis=1, return_inverse=True)
    signs = np.zeros(cases.shape[1], dtype=np.int64)
    for index, case in enumerate(cases.T.tolist()):
        if min(case) >= 0:
            values = {
                symbol: columns.numeric_rows[columns.ranks[row]]
                for symbol, row in zip(symbols, case, strict=False)
            }
            left, right = (_value(part, values) for part in formula.args())
            signs[index] = (left > right) - (left < right)
    return signs[inverse.ravel()], np.zeros(columns.length, dtype=np.int64), all_known


def _symbols(term: Formula) -> list[Formula]:
    return [term] if term.is_symbol() else [symbol for part in term.args() for symbol in _symbols(part)]


def _value(term: Formula, values: Mapping[Formula, int]) -> int:
    if term.is_symbol():
        return values[term]
    if term.is_int_constant():
        return int(term.constant_value())
    if term.is_plus():
        return sum(_value(part, values) for part in term.args())
    if term.is_times():
        return prod(_value(part, values) for part in term.args())
    raise FormulaError(f"expected a variable, a constant, + or * but got {term}")


def _positions(term: Formula, columns: SymbolColumns) -> tuple[IntColumn, BoolColumn]:
    """Return a term's positions in the order of words and where they are known.

    The word of rank r has position 2r; a constant that is no word has the odd position between its neighbours.
    """
    if term.is_int_constant():
        value = int(term.constant_value())
        rank = bisect_left(columns.numeric_rows, value)
        position = 2 * rank if columns.numeric_rows[rank : rank + 1] == (value,) else 2 * rank - 1
        return np.full(columns.length, position), np.ones(columns.length, dtype=np.bool_)
    if not term.is_symbol():
        raise FormulaError(f"expected a variable or an integer constant but got {term}")
    rows = _rows(term, columns)
    positions = 2 * columns.ranks[rows] if columns.numeric_rows else np.zeros(columns.length, dtype=np.int64)
    return positions, rows >= 0


def _rows(symbol: Formula, columns: SymbolColumns) -> IntColumn:
    try:
        return columns.rows[symbol]
    except KeyError:
        raise FormulaError(f"there is no column for the symbol {symbol}") from None
