r"""The small language that predicates are written in: printing, and what they cost.

::

    now < endTime and highestBidder != 0
    not (paused or phase = Closed)
    `a name with blanks` = 0x00000000000000000000000000000000000000ff
    status = "Available"

``or`` binds weaker than ``and``, that weaker than ``not``, that weaker than comparing (``=``, ``!=``, ``<``,
``<=``, ``>``, ``>=``), that weaker than ``+``, and that weaker than ``*``. A name is written as it is where it looks
like one: letters, digits, ``_``, ``$``, dotted, with indices in brackets and one list in parentheses
(``auction.bids[sender]``, ``seen(bid)``); any other stands between backticks, a backtick or backslash in it behind a
backslash. The constants of a variable are spelled as its type writes them: names of an enum's values, decimal or
hexadecimal numbers, texts in quotes, with ``\"``, ``\\`` and ``\u{7c}`` for what cannot stand there (a bar separates
the alternatives of a definition).
:func:`specminer.predicate.formula_parsing.parse` reads what :func:`text` prints.
"""

from __future__ import annotations

import re
from typing import Final

from specminer.predicate.smt import Declaration, Formula, FormulaError, Language

VALUE_PRICE: Final = 1.0
"""A Boolean variable, or a variable against a constant."""
COMPARISON_PRICE: Final = 1.5
"""Equality or order between two variables."""
CONTEXT_PRICE: Final = 2.0
"""Anything about the call: its sender, origin or value."""
HISTORY_PRICE: Final = 2.0
"""``last = f`` and ``seen(f)``."""

KEYWORDS: Final = ("and", "or", "not", "true", "false", "unknown")
PLAIN_NAME: Final = re.compile(
    rf"(?!(?:{'|'.join(KEYWORDS)})(?![\w$]))[A-Za-z_$][\w$]*"
    r"(?:\.[A-Za-z_$][\w$]*|\[(?:[\w$.·\-]|\[(?:[\w$.·\-]|\[[\w$.·\-]*\])*\])*\])*(?:\([\w$.\-]*\))?",
    re.ASCII,
)
"""A name that needs no backticks."""


def quote_name(name: str) -> str:
    """Return a name as it stands in a formula: between backticks where it does not look like a name."""
    if PLAIN_NAME.fullmatch(name):
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text(language: Language, formula: Formula) -> str:
    """Return a formula for people: ``highestBidder = 0``, ``not paused``, ``a < b and phase != Open``.

    Raises:
        FormulaError: an operator outside the fragment (and, or, not, iff, =, <=, <, +, *).

    """
    if formula.is_not():
        inner = formula.arg(0)
        if is_comparison(inner):
            return _comparison(language, inner, negated=True)
        return f"not {_nest(language, inner)}"
    if is_comparison(formula):
        return _comparison(language, formula, negated=False)
    if formula.is_and() or formula.is_or():
        word = " and " if formula.is_and() else " or "
        return word.join(_nest(language, part) for part in formula.args())
    if formula.is_bool_constant():
        return "true" if formula.is_true() else "false"
    if formula.is_symbol():
        declaration = language.declaration(formula)
        return declaration.name if declaration.expression else quote_name(declaration.name)
    raise FormulaError(f"expected and, or, not, iff, =, <= or < but got {formula}")


def negated_text(language: Language, formula: Formula) -> str:
    """Return the text of the opposite: ``highestBidder != 0``, ``not paused``, ``a >= b``."""
    return text(language, language.negation(formula))


def unknown_text(language: Language, formula: Formula) -> str:
    """Return the text for a state where the formula's value is not known: ``unknown(highestBid = 0)``."""
    return f"unknown({text(language, formula)})"


def price(language: Language, formula: Formula) -> float:
    """Return the price t_p in the objective, the sum over the atoms; at least 0.

    Source: our design, measured on ten mainnet histories (docs).
    """
    if formula.is_bool_constant():
        return 0.0
    if formula.is_symbol() or is_comparison(formula):
        declared = [language.declaration(symbol) for symbol in language.symbols(formula)]
        if any(item.history for item in declared):
            return HISTORY_PRICE
        if any(item.context for item in declared):
            return CONTEXT_PRICE
        return VALUE_PRICE if len(declared) < 2 else COMPARISON_PRICE
    return sum(price(language, part) for part in formula.args())


def is_comparison(formula: Formula) -> bool:
    """Whether a formula compares two terms, or two truth values."""
    return bool(formula.is_equals() or formula.is_iff() or formula.is_lt() or formula.is_le())


def members(language: Language, declaration: Declaration) -> dict[str, int]:
    """Return the names of an enum's values that can stand in a formula, with the values.

    A name that two values share, or that a symbol of the language has, would be read as something else.
    """
    values_by_name: dict[str, int] = {}
    for value, name in enumerate(declaration.members):
        if not language.is_taken(name) and declaration.members.index(name) == value:
            values_by_name[name] = value
    return values_by_name


def _nest(language: Language, formula: Formula) -> str:
    spelling = text(language, formula)
    if formula.is_symbol() or formula.is_bool_constant() or formula.is_not():
        return spelling
    compound = formula.is_and() or formula.is_or() or _is_compound_iff(formula)
    return f"({spelling})" if compound else spelling


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


def _addend(language: Language, part: Formula, whole: Formula) -> str:
    """Return a part of a sum or product; another sum or product in it stands in parentheses, unless it binds closer."""
    spelling = _operand(language, part, whole)
    closer = whole.is_plus() and part.is_times()
    return f"({spelling})" if (part.is_plus() or part.is_times()) and not closer else spelling


def _operand(language: Language, term: Formula, other: Formula) -> str:
    if term.is_symbol() or term.is_bool_constant():
        return text(language, term)
    if term.is_plus() or term.is_times():
        sign = " + " if term.is_plus() else " * "
        return sign.join(_addend(language, part, term) for part in term.args())
    if not term.is_int_constant():
        return f"({text(language, term)})"
    value = int(term.constant_value())
    if not other.is_symbol():
        return str(value)
    declaration = language.declaration(other)
    if 0 <= value < len(declaration.members):
        name = declaration.members[value]
        return quote_name(name) if members(language, declaration).get(name) == value else str(value)
    return declaration.spell(value)
