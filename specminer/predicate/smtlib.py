"""Formulas as SMT-LIB 2 text, which any solver reads.

A symbol is called what people call it, between bars: ``|auctions[auctionId].seller|``. Names that cannot stand
there, because they hold a bar, a backslash or what does not print, keep their internal one.

Source: Barrett, Fontaine and Tinelli, The SMT-LIB Standard, version 2.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from specminer.predicate.smt import Formula, FormulaError, FormulaSort, Language, logic_of
from specminer.predicate.syntax import apply, assertion, declaration, is_quotable, number
from specminer.predicate.syntax import symbol as quoted
from specminer.specification import SymbolSort


def symbol_name(language: Language, symbol: Formula, suffix: str = "") -> str:
    """Return how a symbol is written, with what tells its copies apart."""
    name = f"{language.declaration(symbol).name}{suffix}"
    return quoted(name if is_quotable(name) else f"{symbol.symbol_name()}{suffix}")


def symbol_sorts(language: Language, symbols: Iterable[Formula]) -> dict[str, SymbolSort]:
    """Return what symbols stand for, by the name under which they are written."""
    return {symbol_name(language, symbol): _sort(language, symbol) for symbol in symbols}


def _sort(language: Language, symbol: Formula) -> SymbolSort:
    if language.is_boolean(symbol):
        return SymbolSort.BOOLEAN
    return SymbolSort.SIGNED if language.declaration(symbol).sort is FormulaSort.SIGNED else SymbolSort.WORD


def expression(language: Language, formula: Formula, suffix: Callable[[Formula], str] | None = None) -> str:
    """Return a formula or term; ``suffix`` tells copies of symbols apart: before and after a call.

    Raises:
        FormulaError: an operator outside the fragment.

    """
    if formula.is_symbol():
        return symbol_name(language, formula, suffix(formula) if suffix else "")
    if formula.is_bool_constant():
        return "true" if formula.is_true() else "false"
    if formula.is_int_constant():
        return number(int(formula.constant_value()))
    operators = (
        (formula.is_not, "not"),
        (formula.is_and, "and"),
        (formula.is_or, "or"),
        (formula.is_implies, "=>"),
        (formula.is_iff, "="),
        (formula.is_equals, "="),
        (formula.is_lt, "<"),
        (formula.is_le, "<="),
        (formula.is_plus, "+"),
        (formula.is_times, "*"),
    )
    for test, name in operators:
        if test():
            return apply(name, *(expression(language, part, suffix) for part in formula.args()))
    raise FormulaError(f"expected and, or, not, =>, =, <=, <, + or * but got {formula}")


def declarations(language: Language, symbols: Iterable[Formula], suffix: str = "") -> list[str]:
    """Return the lines that declare symbols."""
    return [
        declaration(symbol_name(language, symbol, suffix), "Bool" if language.is_boolean(symbol) else "Int")
        for symbol in symbols
    ]


def script(language: Language, assertions: Sequence[Formula]) -> str:
    """Return a whole script that asks whether the assertions, and what types say, can all be true."""
    bounds = language.bounds(*assertions)
    symbols = language.symbols(language.conjunction(*assertions))
    lines = [
        f"(set-logic {logic_of(*assertions)})",
        *declarations(language, symbols),
        *(assertion(expression(language, part)) for part in (*bounds, *assertions)),
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"
