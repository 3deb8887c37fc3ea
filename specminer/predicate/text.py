"""Formulas as people read them, and what they cost.

The text is for people only: names in it are raw, two formulas may share one text, and nothing parses it.
"""

from __future__ import annotations

from typing import Final

from specminer.predicate.smt import Formula, FormulaError, Language

VALUE_PRICE: Final = 1.0
"""A Boolean variable, or a variable against a constant."""
COMPARISON_PRICE: Final = 1.5
"""Equality or order between two variables."""
HISTORY_PRICE: Final = 2.0
"""``last = f`` and ``seen(f)``."""


def text(language: Language, formula: Formula) -> str:
    """Return a formula for people: ``highestBidder = 0``, ``not paused``, ``a < b and phase != Open``.

    Raises:
        FormulaError: an operator outside the fragment (and, or, not, iff, =, <=, <).

    """
    if formula.is_not():
        inner = formula.arg(0)
        if _is_comparison(inner):
            return _comparison(language, inner, negated=True)
        return f"not {_nested(language, inner)}"
    if _is_comparison(formula):
        return _comparison(language, formula, negated=False)
    if formula.is_and() or formula.is_or():
        word = " and " if formula.is_and() else " or "
        return word.join(_nested(language, part) for part in formula.args())
    if formula.is_bool_constant():
        return "true" if formula.is_true() else "false"
    if formula.is_symbol():
        return language.declaration(formula).name
    raise FormulaError(f"expected and, or, not, iff, =, <= or < but got {formula}")


def negated_text(language: Language, formula: Formula) -> str:
    """Return the text of the opposite: ``highestBidder != 0``, ``not paused``, ``a >= b``."""
    return text(language, language.negation(formula))


def unknown_text(language: Language, formula: Formula) -> str:
    """Return the text for a state where the formula's value is not known: ``highestBid unknown``."""
    symbols = language.symbols(formula)
    subject = language.declaration(symbols[0]).name if len(symbols) == 1 else text(language, formula)
    return f"{subject} unknown"


def price(language: Language, formula: Formula) -> float:
    """Return the price t_p in the objective, the sum over the atoms; at least 0.

    Source: our design, measured on ten mainnet histories (docs).
    """
    if formula.is_bool_constant():
        return 0.0
    if formula.is_symbol() or _is_comparison(formula):
        symbols = language.symbols(formula)
        if any(language.declaration(symbol).history for symbol in symbols):
            return HISTORY_PRICE
        return VALUE_PRICE if len(symbols) < 2 else COMPARISON_PRICE
    return sum(price(language, part) for part in formula.args())


def _is_comparison(formula: Formula) -> bool:
    return bool(formula.is_equals() or formula.is_iff() or formula.is_lt() or formula.is_le())


def _nested(language: Language, formula: Formula) -> str:
    shown = text(language, formula)
    return f"({shown})" if formula.is_and() or formula.is_or() or _is_compound_iff(formula) else shown


def _is_compound_iff(formula: Formula) -> bool:
    return bool(formula.is_iff()) and not all(part.is_symbol() for part in formula.args())


def _comparison(language: Language, formula: Formula, *, negated: bool) -> str:
    left, right = formula.args()
    if formula.is_lt():
        sign = ">=" if negated else "<"
    elif formula.is_le():
        sign = ">" if negated else "<="
    else:
        sign = "!=" if negated else "="
    return f"{_operand(language, left, right)} {sign} {_operand(language, right, left)}"


def _operand(language: Language, term: Formula, other: Formula) -> str:
    if not term.is_int_constant():
        return _nested(language, term)
    value = int(term.constant_value())
    return language.declaration(other).spell(value) if other.is_symbol() else str(value)
