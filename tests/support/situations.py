"""Calls of one function with their values, for what is learned from them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.inference.guard_terms import FunctionCalls, GuardTerm
from specminer.learning.event_table import Dimension

WORDS = (0, 1, 5, 2**255, 2**256 - 1)
NAMES = ("value", "amount", "price", "paused")
"""Two numbers of the call, one stored, and a stored flag."""
codes = st.integers(MISSING, len(WORDS) - 1)
"""Positions in the words, and the code of a value that is not known."""


def situation(rows: list[tuple[int, ...]], accepted: list[bool]) -> FunctionCalls:
    """Return the calls of one function: their values as codes, and which were accepted."""
    codes = np.array(rows, dtype=np.int32).reshape(len(rows), len(NAMES))
    terms = tuple(
        GuardTerm(
            name=name,
            kind=ValueKind.BOOL if name == "paused" else ValueKind.UINT,
            variable=place if place >= 2 else MISSING,
            dimension=Dimension.NONE if name == "paused" else Dimension.MONEY,
            codes=np.minimum(codes[:, place], np.int32(1)) if name == "paused" else codes[:, place],
        )
        for place, name in enumerate(NAMES)
    )
    return FunctionCalls(
        function="f",
        rows=np.arange(len(rows)),
        accepted=np.array(accepted, dtype=np.bool_),
        terms=terms,
        words=WORDS,
        last=np.full(len(rows), 2),
    )
