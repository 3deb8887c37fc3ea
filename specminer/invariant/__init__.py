"""What held in a history, counted: of states, of the contract, and of what functions do.

Candidates come from templates (:class:`~specminer.specification.Template`), are evaluated exactly on columns of
256-bit words (:mod:`.values`), and are claims only with enough cases and hardly any exception.
"""

from specminer.invariant.changes import Cells
from specminer.invariant.claim import Exceptions, Invariant, entry_of, exceptions
from specminer.invariant.courses import UNCHANGED
from specminer.invariant.search import MAX_TOLD, search
from specminer.specification import Template

__all__ = [
    "MAX_TOLD",
    "UNCHANGED",
    "Cells",
    "Exceptions",
    "Invariant",
    "Template",
    "entry_of",
    "exceptions",
    "search",
]
