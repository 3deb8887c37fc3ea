"""Literals: the smallest conditions, comparisons between terms of one dimension or with constants."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np

from specminer.decision import OPPOSITE as OPPOSITE
from specminer.decision import TURNED as TURNED
from specminer.decision import Sign as Sign
from specminer.decoding.storage_values import ValueKind, short_text
from specminer.evm.code_constants import SMALL, Constants
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn, RowColumn
from specminer.inference.guard_terms import FloatColumn, FunctionCalls, GuardTerm
from specminer.learning.event_table import Dimension
from specminer.learning.predicate_candidates import ORDERED
from specminer.predicate import SORTS, Declaration, Formula, Language, text
from specminer.predicate.smt import WORD_LIMIT

FEW_VALUES: Final = 12
"""A term with at most this many small values is compared with each of them."""
_NEGATIVE: Final = WORD_LIMIT // 2
"""From here on a signed word is negative."""
CLOSE: Final = 1e-9
"""Two floating-point numbers of words that are apart by less than this share may be equal."""


WEAK: Final = (Sign.AT_MOST, Sign.AT_LEAST, Sign.LESS, Sign.GREATER, Sign.DIFFERENT, Sign.EQUAL)
"""The signs, in the order of preference where calls do not tell them apart: those first that claim less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """``left sign constant``, or ``left sign right``, where ``right`` may be a sum or a product."""

    left: int
    """Position of a term in ``FunctionCalls.terms``."""
    sign: Sign
    right: int | None = None
    constant: int = 0
    operand: int | None = None
    """What ``right`` is added to, or multiplied with."""
    times: bool = False
    rejected: int | None = None
    """Of a bound that stands for nothing in the code: the nearest value that was rejected, ``constant`` being the
    nearest that was accepted."""

    @property
    def terms(self) -> tuple[int, ...]:
        """The terms that it speaks of."""
        return tuple(term for term in (self.left, self.right, self.operand) if term is not None)


def opposite(literal: Literal) -> Literal:
    """Return the literal that holds where this one does not."""
    return replace(literal, sign=OPPOSITE[literal.sign])


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a condition in each call; shapes (n,)."""

    is_true: BoolColumn
    is_known: BoolColumn
    is_doubtful: BoolColumn
    """It is not known because a call looked at a value that is not known, and not because it looked at nothing."""

    @property
    def false(self) -> BoolColumn:
        """Where it is known not to hold."""
        return self.is_known & ~self.is_true


class LiteralEvaluator:
    """The literals of one function: their truth in its calls, their formulas and their texts."""

    def __init__(self, situation: FunctionCalls) -> None:
        self.situation = situation
        self.language = Language()
        self.symbols = tuple(
            self.language.declare(
                Declaration(
                    name=term.formula_name,
                    sort=SORTS[term.kind],
                    members=term.members,
                    context=not term.stored and term.name != "this",
                    expression=term.expression,
                )
            )
            for term in situation.terms
        )
        for term, symbol in zip(situation.terms, self.symbols, strict=True):
            self.language.alias(term.name, symbol)

    def truth(self, literal: Literal, rows: IntColumn | None = None) -> Truth:
        """Return where a literal holds, in all calls or in some."""
        terms = self.situation.terms
        left = _at(terms[literal.left].codes, rows)
        is_known = left != MISSING
        signed = terms[literal.left].kind is ValueKind.INT
        if literal.right is None:
            right = np.full(len(left), self._bound(literal.constant, signed=signed))
            # an odd place lies between two words
            left = 2 * (self._order_signed(left) if signed else left)
        else:
            right = _at(terms[literal.right].codes, rows)
            is_known &= right != MISSING
            if literal.operand is not None:
                other = _at(terms[literal.operand].codes, rows)
                is_known &= other != MISSING
                left, right = self._order_combined(left, right, other, times=literal.times)
            elif literal.constant:
                left, right = self._order_shifted(left, right, literal.constant)
            elif signed and terms[literal.right].kind is ValueKind.INT:
                left, right = self._order_signed(left), self._order_signed(right)
        doubtful = np.zeros(len(is_known), dtype=np.bool_)
        for term in literal.terms:
            unknown = terms[term].doubtful
            if unknown is not None:
                doubtful |= unknown if rows is None else unknown[rows]
        return Truth(_compare(left, literal.sign, right) & is_known, is_known, doubtful & ~is_known)

    def _bound(self, constant: int, *, signed: bool) -> int:
        words, word = self.situation.words, constant % WORD_LIMIT if signed else constant
        position = bisect_left(words, word)
        bound = 2 * position if words[position : position + 1] == (word,) else 2 * position - 1
        return bound - 2 * len(words) if signed and word >= _NEGATIVE else bound

    def _order_signed(self, codes: IntColumn) -> IntColumn:
        """Return codes in the order of signed numbers: those of negative ones are below zero."""
        first = bisect_left(self.situation.words, _NEGATIVE)
        return np.where(codes >= first, codes - len(self.situation.words), codes)

    def _order_shifted(self, left: IntColumn, right: IntColumn, constant: int) -> tuple[IntColumn, IntColumn]:
        """Return the order of ``left`` and ``right + constant`` as numbers, exactly, each distinct pair once."""
        span = len(self.situation.words) + 1
        pairs, inverse = np.unique((left + 1) * span + right + 1, return_inverse=True)
        words = self.situation.words
        signs = []
        for pair in pairs.tolist():
            first, second = pair // span - 1, pair % span - 1
            if first == MISSING or second == MISSING:
                signs.append(0)
            else:
                apart = words[first] - words[second] - constant
                signs.append((apart > 0) - (apart < 0))
        return np.array(signs, dtype=np.int64)[inverse.ravel()], np.zeros(len(left), dtype=np.int64)

    def _order_combined(
        self, left: IntColumn, right: IntColumn, other: IntColumn, *, times: bool
    ) -> tuple[IntColumn, IntColumn]:
        """Return the order of ``left`` and the sum, or product, of the others; unknown ones are anything.

        Floating-point numbers tell the order of what lies clearly apart; the rest is computed exactly.
        """
        words, sizes = self.situation.words, self._sizes
        whole = sizes[right] * sizes[other] if times else sizes[right] + sizes[other]
        apart = sizes[left] - whole
        signs = np.sign(apart).astype(np.int64)
        close = np.abs(apart) <= CLOSE * np.maximum(np.abs(sizes[left]), np.abs(whole))
        close &= (left != MISSING) & (right != MISSING) & (other != MISSING)
        near = np.flatnonzero(close)
        cases, inverse = np.unique(
            np.stack([left[near], right[near], other[near]]), axis=1, return_inverse=True
        )
        exact = np.zeros(cases.shape[1], dtype=np.int64)
        for index, (first, second, third) in enumerate(cases.T.tolist()):
            total = words[second] * words[third] if times else words[second] + words[third]
            exact[index] = (words[first] > total) - (words[first] < total)
        signs[near] = exact[inverse.ravel()]
        return signs, np.zeros(len(left), dtype=np.int64)

    @cached_property
    def _sizes(self) -> FloatColumn:
        return self.situation.sizes

    def formula(self, literal: Literal) -> Formula:
        """Return a literal as a formula."""
        language, left = self.language, self.symbols[literal.left]
        if self.situation.terms[literal.left].kind is ValueKind.BOOL and literal.right is None:
            holds = (literal.sign is Sign.EQUAL) == bool(literal.constant)
            return left if holds else language.negation(left)
        if literal.right is None:
            right = language.number(literal.constant)
        else:
            right = self.symbols[literal.right]
            if literal.operand is not None:
                join = language.times if literal.times else language.plus
                right = join(right, self.symbols[literal.operand])
            elif literal.constant:
                right = language.plus(right, language.number(literal.constant))
        sign = literal.sign
        if literal.operand is not None and self._limits(literal):
            left, right, sign = right, left, TURNED.get(sign, sign)
        match sign:
            case Sign.EQUAL:
                return language.equal(left, right)
            case Sign.DIFFERENT:
                return language.negation(language.equal(left, right))
            case Sign.LESS:
                return language.less(left, right)
            case Sign.AT_MOST:
                return language.at_most(left, right)
            case Sign.AT_LEAST:
                return language.negation(language.less(left, right))
            case Sign.GREATER:
                return language.negation(language.at_most(left, right))

    def _limits(self, literal: Literal) -> bool:
        """Whether storage limits a sum or product of something that the call brings: ``raised + value <= cap``."""
        first, *rest = (self.situation.terms[term] for term in literal.terms)
        return first.stored and not all(term.stored for term in rest)

    def text(self, literal: Literal) -> str:
        """Return a literal for people."""
        return text(self.language, self.formula(literal))

    def key(self, literal: Literal) -> str:
        """Return what a literal says, the same in all functions: with the whole names of its terms."""
        names = " ".join(self.situation.terms[term].name for term in literal.terms)
        return f"{names} {'*' if literal.times else ''}{literal.sign.value} {literal.constant}"

    def price(self, literal: Literal) -> float:
        """Return what a literal costs: more the more it says."""
        term = self.situation.terms[literal.left]
        equality = literal.sign in (Sign.EQUAL, Sign.DIFFERENT)
        if literal.right is not None:
            other = self.situation.terms[literal.right]
            # two accounts in storage, or two that the caller names, seldom are a condition
            odd = equality and term.stored == other.stored and term.dimension is Dimension.ACCOUNT
            more = 1.0 if literal.constant or literal.operand is not None else 0.0
            if literal.operand is not None and term.stored and literal.sign in (Sign.LESS, Sign.AT_MOST):
                more += 0.5  # what a call adds is limited; that it has to be added seldom is a condition
            return 1.0 + more + (0.5 if odd else 0.0)
        if term.kind is ValueKind.BOOL or (term.kind is ValueKind.ENUM and literal.sign is Sign.EQUAL):
            return 0.0
        if literal.constant == 0:
            return 0.1 if literal.sign is Sign.EQUAL else 0.0
        if literal.rejected is not None:
            return 1.5
        if not equality:  # small numbers are found in any code
            if literal.constant >= SMALL:
                return 0.3
            # of choices code seldom asks which comes first
            return 1.3 if term.kind is ValueKind.ENUM else 1.1 if term.stored else 0.9
        if literal.sign is Sign.DIFFERENT:
            return 1.2 if term.stored else 1.5
        return 0.4 if term.stored or term.dimension is Dimension.ACCOUNT else 1.0


def _at(column: RowColumn, rows: IntColumn | None) -> IntColumn:
    """Return codes to be computed with."""
    return (column if rows is None else column[rows]).astype(np.int64)


def _compare(left: IntColumn, sign: Sign, right: IntColumn) -> BoolColumn:
    relation = {
        Sign.EQUAL: np.equal,
        Sign.DIFFERENT: np.not_equal,
        Sign.AT_MOST: np.less_equal,
        Sign.AT_LEAST: np.greater_equal,
        Sign.LESS: np.less,
        Sign.GREATER: np.greater,
    }[sign]
    holds: BoolColumn = relation(left, right)
    return holds


def proposals(situation: FunctionCalls, constants: Constants, cause: IntColumn) -> Iterator[Literal]:
    """Yield the literals that may be conditions.

    Args:
        situation: the calls.
        constants: the numbers in the contract's code.
        cause: why each call was rejected, as a number; shape (n,).

    """
    terms = situation.terms
    causes = [~situation.accepted & (cause == number) for number in np.unique(cause[~situation.accepted])]
    for index, term in enumerate(terms):
        if term.name not in ("now", "block", "this", "origin"):
            yield from _alone(situation, index, term, constants, causes)
    for left, right in combinations(range(len(terms)), 2):
        yield from _pair(terms, left, right)
        yield from _shifts(situation, left, right, constants, causes)


def _alone(
    situation: FunctionCalls, index: int, term: GuardTerm, constants: Constants, causes: Sequence[BoolColumn]
) -> Iterator[Literal]:
    both = (Sign.EQUAL, Sign.DIFFERENT)
    if term.kind is ValueKind.BOOL:
        for constant in (1, 0):
            yield Literal(left=index, sign=Sign.EQUAL, constant=constant)
        return
    codes = np.unique(term.codes[term.codes != MISSING])
    if term.dimension is Dimension.ACCOUNT:
        accepted_codes = np.unique(term.codes[situation.accepted & (term.codes != MISSING)])
        for code in accepted_codes.tolist() if len(accepted_codes) <= 2 and not term.stored else ():
            if situation.words[code] in constants and situation.words[code]:
                yield Literal(left=index, sign=Sign.EQUAL, constant=situation.words[code])
        if term.name == "sender":
            return
    values = {situation.words[code] for code in codes[: 4 * FEW_VALUES].tolist()}
    few = len(codes) <= FEW_VALUES and term.dimension is not Dimension.ACCOUNT
    if term.kind is ValueKind.TEXT:
        values = {value for value in values if short_text(value) is not None}
    elif term.kind not in (ValueKind.BYTES, ValueKind.ENUM):
        values = {value for value in values if value < SMALL}
    for value in sorted({0, *(values if few else ())}):
        for sign in both:
            yield Literal(left=index, sign=sign, constant=value)
    if term.dimension in ORDERED - {Dimension.TIME, Dimension.BLOCK} and term.kind is not ValueKind.INT:
        bounds = dict.fromkeys(
            literal for refused in causes for literal in _thresholds(situation, index, constants, refused)
        )
        yield from bounds
    elif term.kind is ValueKind.ENUM:
        for value in sorted(values)[1:-1]:
            yield Literal(left=index, sign=Sign.AT_MOST, constant=value)
            yield Literal(left=index, sign=Sign.AT_LEAST, constant=value)


def _thresholds(
    situation: FunctionCalls, index: int, constants: Constants, rejected: BoolColumn
) -> Iterator[Literal]:
    """Yield bounds between what was accepted and what was rejected.

    They stand at constants that the code knows; if it knows none there, at what was accepted.
    """
    codes = situation.terms[index].codes
    accepted_codes = codes[situation.accepted & (codes != MISSING)]
    refused = codes[rejected & (codes != MISSING)]
    if not len(accepted_codes) or not len(refused):
        return
    words = situation.words
    above, below = refused[refused > accepted_codes.max()], refused[refused < accepted_codes.min()]
    if len(above):
        inside, outside = words[int(accepted_codes.max())], words[int(above.min())]
        yield from _between(index, Sign.AT_MOST, Sign.LESS, inside, outside, constants)
    if len(below):
        inside, outside = words[int(accepted_codes.min())], words[int(below.max())]
        yield from _between(index, Sign.AT_LEAST, Sign.GREATER, inside, outside, constants)


def _between(
    index: int, weak: Sign, strict: Sign, inside: int, outside: int, constants: Constants
) -> Iterator[Literal]:
    """Yield the bound that lets ``inside`` pass, and not ``outside``."""
    constant = constants.between(inside, outside)
    if constant:  # no more than zero is zero, which is a literal of its own
        yield Literal(left=index, sign=strict if constant == outside else weak, constant=constant)
    elif constant is None and inside:
        yield Literal(left=index, sign=weak, constant=inside, rejected=outside)


def _shifts(
    situation: FunctionCalls, one: int, other: int, constants: Constants, causes: Sequence[BoolColumn]
) -> Iterator[Literal]:
    """Yield the clock against a stored time and a number of seconds, or blocks, that the code knows."""
    left, right = situation.terms[one], situation.terms[other]
    if left.name not in ("now", "block") or left.dimension is not right.dimension:
        return
    both_known = (left.codes != MISSING) & (right.codes != MISSING)
    words = np.array([min(word, 1 << 62) for word in situation.words], dtype=np.int64)
    apart = words[left.codes] - words[right.codes]
    accepted_gaps = apart[both_known & situation.accepted & (words[right.codes] > 0)]
    if not len(accepted_gaps):
        return
    literals: dict[Literal, None] = {}
    for refused in causes:
        others = apart[both_known & refused & (words[right.codes] > 0)]
        for sides, weak, strict in (
            ((accepted_gaps.max(), others[others > accepted_gaps.max()]), Sign.AT_MOST, Sign.LESS),
            ((accepted_gaps.min(), others[others < accepted_gaps.min()]), Sign.AT_LEAST, Sign.GREATER),
        ):
            inside, outside = sides
            if len(outside):
                nearest = int(outside[np.argmin(np.abs(outside - inside))])
                constant = constants.between(int(inside), nearest, computed=True)
                if constant is not None and SMALL <= constant < 1 << 40:
                    sign = strict if constant == nearest else weak
                    literals[Literal(left=one, sign=sign, right=other, constant=constant)] = None
    yield from literals


def _pair(terms: Sequence[GuardTerm], one: int, other: int) -> Iterator[Literal]:
    first, second = terms[one], terms[other]
    if "this" in (first.name, second.name) and not (first.stored or second.stored):
        return
    if not _comparable(first, second):
        return
    accounts = first.dimension is Dimension.ACCOUNT
    # what a call is compared with comes first, but whose an account must be comes last: owner = sender
    left, right = (other, one) if accounts else (one, other)
    for sign in (Sign.EQUAL, Sign.DIFFERENT):
        yield Literal(left=left, sign=sign, right=right)
    if first.dimension in ORDERED and ValueKind.INT not in (first.kind, second.kind):
        for sign in (Sign.AT_LEAST, Sign.AT_MOST, Sign.GREATER, Sign.LESS):
            yield Literal(left=left, sign=sign, right=right)


def _comparable(first: GuardTerm, second: GuardTerm) -> bool:
    kinds = {first.dimension, second.dimension}
    if kinds == {Dimension.NONE}:
        same = first.kind is second.kind and first.members == second.members
        return same and first.kind is not ValueKind.BOOL  # two flags that are off are not compared
    if (first.kind is ValueKind.INT) != (second.kind is ValueKind.INT):
        return False
    if kinds == {Dimension.MONEY, Dimension.COUNT}:
        # small amounts look like counts; of what is stored the history tells enough to see which it is
        return "value" not in (first.name, second.name) and not (first.stored and second.stored)
    return len(kinds) == 1
