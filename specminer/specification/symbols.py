"""The symbols of the SMT-LIB terms in a specification."""

from __future__ import annotations

from enum import Enum


class SymbolSort(Enum):
    """What a symbol of a term stands for."""

    BOOLEAN = "Bool"
    WORD = "Int"
    """A word of the machine: not negative, less than two to the power of 256."""
    SIGNED = "Signed Int"
    """A signed word: from minus two to the power of 255 to one less than that power."""
