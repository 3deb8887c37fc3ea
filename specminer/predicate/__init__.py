"""Predicates: pySMT formulas, their text and price, and their evaluation over columns."""

from specminer.predicate.column_evaluation import SymbolColumns, evaluate
from specminer.predicate.formula_parsing import names_in, parse
from specminer.predicate.formula_sorts import SORTS
from specminer.predicate.formula_text import negated_text, price, quote_name, text, unknown_text
from specminer.predicate.normal import contradictory, entails, normalise
from specminer.predicate.smt import Declaration, Formula, FormulaError, FormulaSort, Language, solver_name

__all__ = [
    "SORTS",
    "Declaration",
    "Formula",
    "FormulaError",
    "FormulaSort",
    "Language",
    "SymbolColumns",
    "contradictory",
    "entails",
    "evaluate",
    "names_in",
    "negated_text",
    "normalise",
    "parse",
    "price",
    "quote_name",
    "solver_name",
    "text",
    "unknown_text",
]
