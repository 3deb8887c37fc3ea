"""Literals over a sum or a product of two terms: ``raised + value <= cap``, ``value >= price * amount``.

There are many, so only those are proposed that speak of what rejected calls looked at last, and whose dimensions
fit: amounts of one kind add up, a time and a number of seconds are a time, a price times a number is an amount.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations
from typing import Final

import numpy as np

from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.inference.guard_literals import Literal, Sign
from specminer.inference.guard_terms import FunctionCalls, GuardTerm
from specminer.learning.event_table import Dimension

MAX_NUMBERS: Final = 12
"""Terms of one function that sums and products are made of: those that most calls have."""
_SIGNS: Final = (Sign.AT_LEAST, Sign.AT_MOST, Sign.GREATER, Sign.LESS)
_CLOCKS: Final = (Dimension.TIME, Dimension.BLOCK)
_AMOUNTS: Final = (Dimension.MONEY, Dimension.COUNT)


def compounds(situation: FunctionCalls, sites: Collection[int]) -> Iterator[Literal]:
    """Yield the literals over three terms, of which one at least is storage at ``sites`` and one of the call."""
    terms = situation.terms
    keys = {key for term in terms for key in term.keys}
    numbers = [index for index, term in enumerate(terms) if _measures(term) and term.name not in keys][
        :MAX_NUMBERS
    ]
    for pair in combinations(numbers, 2):
        # a time before seconds, a price before a number, what there was before what is added
        right, other = sorted(pair, key=lambda index: _rank(terms[index]))
        for left in numbers:
            three = [terms[index] for index in (left, right, other)]
            if left in (right, other) or not any(term.variable in sites for term in three if term.stored):
                continue
            if all(term.stored for term in three):
                continue
            if _adds(*three):
                for sign in _SIGNS:
                    yield Literal(left=left, sign=sign, right=right, operand=other)
            if _multiplies(*three):
                for sign in (*_SIGNS, Sign.EQUAL):
                    yield Literal(left=left, sign=sign, right=right, operand=other, times=True)


def _rank(term: GuardTerm) -> tuple[bool, bool, int]:
    return term.dimension is Dimension.COUNT, not term.stored, -len(np.unique(term.codes))


def _measures(term: GuardTerm) -> bool:
    """Whether a term is a number that differs from call to call, or is stored."""
    if term.kind not in (ValueKind.UINT, ValueKind.WORD) or term.members:
        return False
    if term.dimension not in (*_CLOCKS, *_AMOUNTS):
        return False
    codes = term.codes[term.codes != MISSING]
    return len(codes) > 0 and (term.stored or bool((codes != codes[0]).any()))


def _adds(left: GuardTerm, right: GuardTerm, other: GuardTerm) -> bool:
    parts = {right.dimension, other.dimension}
    if left.dimension in _CLOCKS:
        return parts == {left.dimension, Dimension.COUNT}
    return parts == {left.dimension}


def _multiplies(left: GuardTerm, right: GuardTerm, other: GuardTerm) -> bool:
    parts = {right.dimension, other.dimension}
    if left.dimension is Dimension.MONEY:
        return parts <= set(_AMOUNTS) and Dimension.COUNT in parts
    return left.dimension is Dimension.COUNT and parts == {Dimension.COUNT}
