"""Predicates: pySMT formulas, their text and price, and their evaluation over columns."""

from specminer.predicate.columns import Columns, evaluate
from specminer.predicate.normal import contradictory, entails, normalised
from specminer.predicate.parsing import names_in, parse
from specminer.predicate.smt import Declaration, Formula, FormulaError, Language, Sort, solver_name
from specminer.predicate.text import negated_text, price, quoted, text, unknown_text

__all__ = [
    "Columns",
    "Declaration",
    "Formula",
    "FormulaError",
    "Language",
    "Sort",
    "contradictory",
    "entails",
    "evaluate",
    "names_in",
    "negated_text",
    "normalised",
    "parse",
    "price",
    "quoted",
    "solver_name",
    "text",
    "unknown_text",
]
