"""Formulas of a specification over given values: what is not known makes no claim."""

from __future__ import annotations

import pytest

from specminer.predicate import FormulaError
from specminer.predicate.concrete import Value, value_of
from specminer.predicate.smt import read_formula
from specminer.specification import SymbolSort

SYMBOLS = {
    "|a[·].b|": SymbolSort.WORD,
    "|c|": SymbolSort.SIGNED,
    "|p q|": SymbolSort.BOOLEAN,
}


@pytest.mark.parametrize(
    ("smt", "values", "expected"),
    [
        ("(= |a[·].b| 2)", {"a[·].b": 2}, True),
        ("(= |a[·].b| 2)", {"a[·].b": 3}, False),
        ("(= |a[·].b| 2)", {}, None),
        ("(and (= |a[·].b| 2) |p q|)", {"p q": False}, False),
        ("(and (= |a[·].b| 2) |p q|)", {"p q": True}, None),
        ("(or (= |a[·].b| 2) |p q|)", {"p q": True}, True),
        ("(or (= |a[·].b| 2) |p q|)", {"p q": False}, None),
        ("(=> |p q| (< |c| 0))", {"p q": False}, True),
        ("(=> |p q| (< |c| 0))", {"c": -1}, True),
        ("(=> |p q| (< |c| 0))", {"c": 1, "p q": True}, False),
        ("(not |p q|)", {}, None),
        ("(= |p q| true)", {"p q": True}, True),
        ("(<= (+ |a[·].b| 3) (* 2 |c|))", {"a[·].b": 1, "c": 2}, True),
        ("(<= (+ |a[·].b| 3) (* 2 |c|))", {"a[·].b": 2, "c": 2}, False),
        ("(= |c| (- 5))", {"c": -5}, True),
        ("(distinct |a[·].b| |c|)", {"a[·].b": 1, "c": 1}, False),
    ],
)
def test_a_formula_over_values(smt: str, values: dict[str, Value], expected: bool | None) -> None:
    assert value_of(read_formula(smt, SYMBOLS), values) is expected


@pytest.mark.parametrize(
    "smt", ["(= |foreign| 2)", "(and", "(check-sat)", "true) (check-sat) (assert true", "(" * 300 + ")" * 300]
)
def test_what_is_no_formula_is_refused(smt: str) -> None:
    with pytest.raises(FormulaError):
        read_formula(smt, SYMBOLS)
