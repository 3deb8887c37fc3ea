"""Invariants as SMT-LIB 2 terms over integers; a prime marks the value after a call."""

from __future__ import annotations


def symbol(name: str, *, after: bool = False) -> str:
    """Return a quoted symbol; what SMT-LIB does not allow in one is replaced."""
    kept = "".join(char if char.isprintable() and char not in "|\\" else "_" for char in name)
    return f"|{kept}{chr(39) if after else ''}|"


def apply(operator: str, *terms: str) -> str:
    """Return a term."""
    return f"({operator} {' '.join(terms)})"


def number(value: int) -> str:
    """Return a numeral; negative ones as SMT-LIB writes them."""
    return str(value) if value >= 0 else f"(- {-value})"
