"""Predicates: pySMT formulas, their text and price, and their evaluation over columns."""

from specminer.predicate.columns import Columns, evaluate
from specminer.predicate.smt import Declaration, Formula, FormulaError, Language, Sort, solver_name
from specminer.predicate.text import negated_text, price, text, unknown_text

__all__ = [
    "Columns",
    "Declaration",
    "Formula",
    "FormulaError",
    "Language",
    "Sort",
    "evaluate",
    "negated_text",
    "price",
    "solver_name",
    "text",
    "unknown_text",
]
