"""What values of storage are in formulas."""

from __future__ import annotations

from typing import Final

from specminer.decoding.storage_values import ValueKind
from specminer.predicate.smt import FormulaSort

SORTS: Final = {
    ValueKind.BOOL: FormulaSort.BOOL,
    ValueKind.UINT: FormulaSort.NUMBER,
    ValueKind.INT: FormulaSort.SIGNED,
    ValueKind.ADDRESS: FormulaSort.ADDRESS,
    ValueKind.BYTES: FormulaSort.BYTES,
    ValueKind.TEXT: FormulaSort.TEXT,
    ValueKind.ENUM: FormulaSort.NUMBER,
    ValueKind.WORD: FormulaSort.WORD,
}
"""What a stored value is in a formula."""
