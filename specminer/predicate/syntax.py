"""How SMT-LIB 2 is spelled: symbols, numerals, applications and commands, as text.

Source: Barrett, Fontaine and Tinelli, The SMT-LIB Standard, version 2.6.
"""

from __future__ import annotations


def is_quotable(name: str) -> bool:
    """Return whether a name can stand between bars as it is."""
    return name.isprintable() and "|" not in name and "\\" not in name


def symbol(name: str, *, after: bool = False) -> str:
    """Return a quoted symbol, with a prime for the value after a call; what cannot be quoted is replaced."""
    safe_name = name if is_quotable(name) else "".join(char if is_quotable(char) else "_" for char in name)
    return f"|{safe_name}'|" if after else f"|{safe_name}|"


def number(value: int) -> str:
    """Return a numeral; a negative one is an application of ``-``."""
    return str(value) if value >= 0 else apply("-", str(-value))


def apply(operator: str, *terms: str) -> str:
    """Return a term: an operator with its arguments."""
    return f"({operator} {' '.join(terms)})"


def declaration(name: str, sort: str) -> str:
    """Return the command that declares a quoted symbol, of the sort ``Int`` or ``Bool``."""
    return f"(declare-fun {name} () {sort})"


def definition(name: str, formula: str) -> str:
    """Return the command that makes a quoted symbol stand for a formula."""
    return f"(define-fun {name} () Bool {formula})"


def assertion(formula: str) -> str:
    """Return the command that asserts a formula."""
    return apply("assert", formula)
