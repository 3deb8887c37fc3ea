"""What the numbers of a specification measure, and how a reader sees them.

The document keeps exact numbers. :func:`for_readers` returns a copy of it whose texts tell ether, spans of time, dates
and percentages where the code shows that a number is one.
"""

from specminer.quantity.exact import ExactValue, exact_values
from specminer.quantity.inference import Scope, Units, scope_of, scopes_of, units_of
from specminer.quantity.measure import Measure, MeasureKind, group, group_digits, spell, spell_text
from specminer.quantity.reading import for_readers
from specminer.quantity.rewriting import Rewriter

__all__ = [
    "ExactValue",
    "Measure",
    "MeasureKind",
    "Rewriter",
    "Scope",
    "Units",
    "exact_values",
    "for_readers",
    "group",
    "group_digits",
    "scope_of",
    "scopes_of",
    "spell",
    "spell_text",
    "units_of",
]
