"""What held in all accepted calls of a function, though no rejection shows that it must.

A relation between the call and the storage that it met is believed if it does not hold when calls are paired with the
storage that other calls met: a permutation test. What a call found in storage alone is compared with what the calls of
other functions found there: the same test, whose distribution is known exactly (hypergeometric).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.evm.code_constants import NONE
from specminer.history.contract_history import MISSING, IntColumn, RowColumn
from specminer.inference.guard_learning import ACCEPTED, DEFINED, LearnedClause
from specminer.inference.guard_literals import TURNED, Literal, LiteralEvaluator, Sign, proposals
from specminer.learning.event_table import Dimension
from specminer.predicate import entails

PERMUTATIONS: Final = 499
LEVEL: Final = 0.002
"""Chance may do as well at most so often: the least that this many permutations can show."""
MAX_WRONG_SHARE: Final = 0.9
"""A condition that holds in more of the wrong pairs than this says little."""
MIN_CALLS: Final = 8
SAMPLE: Final = 500
MAX_OBSERVED: Final = 3
"""Conditions told of one function, those first that chance meets least."""


@dataclass(frozen=True, slots=True)
class ObservedCondition:
    """A condition with its significance."""

    clause: LearnedClause
    significance: float
    chance: float
    """Share of the wrong pairs in which it holds, too."""


Elsewhere = Mapping[tuple[int, int], Sequence[tuple[LiteralEvaluator, int]]]
"""For each variable and field the functions that look at it, with the term that is it there."""


def find_observed(
    meaning: LiteralEvaluator, required: Sequence[LearnedClause], elsewhere: Elsewhere, seed: int
) -> tuple[ObservedCondition, ...]:
    """Return what held in all calls, accepted or not, and does not follow from what is required; seeded."""
    situation = meaning.situation
    accepted = np.flatnonzero(situation.accepted)
    if len(accepted) < MIN_CALLS:
        return ()
    rows = accepted[np.linspace(0, len(accepted) - 1, min(len(accepted), SAMPLE)).astype(np.int64)]
    random = np.random.default_rng([seed, *situation.function.encode("utf-8", "surrogatepass")])
    orders = np.array([random.permutation(len(rows)) for _ in range(PERMUTATIONS)])
    candidates = [*_relations(meaning, rows, orders), *_facts(meaning, rows, elsewhere)]
    candidates.sort(key=lambda item: (round(item.chance, 6), meaning.price(item.clause.literals[0])))
    language = meaning.language
    required_literals = [clause.literals[0] for clause in required if len(clause.literals) == 1]
    # nobody is the zero address
    premises = [language.negation(language.equal(meaning.symbols[0], language.number(0)))]
    premises += [meaning.formula(literal) for literal in required_literals]
    term_sets = {frozenset(literal.terms) for literal in required_literals}
    conditions: list[ObservedCondition] = []
    for item in candidates:
        (literal,) = item.clause.literals
        formula = meaning.formula(literal)
        if len(conditions) == MAX_OBSERVED or frozenset(literal.terms) in term_sets:
            continue
        if not entails(language, premises, formula):
            premises.append(formula)
            term_sets.add(frozenset(literal.terms))
            conditions.append(item)
    return tuple(conditions)


def _holds(meaning: LiteralEvaluator, literal: Literal) -> bool:
    """Whether a literal held in nearly all accepted calls, and no rejected call contradicts it."""
    truth = meaning.truth(literal)
    accepted = meaning.situation.accepted
    if bool(np.any(truth.false & ~accepted)):
        return False
    total, known_count = int(np.sum(accepted & ~truth.is_doubtful)), int(np.sum(truth.is_known & accepted))
    if int(np.sum(truth.is_doubtful & accepted)) > known_count:
        return False
    return known_count >= DEFINED * total and int(np.sum(truth.is_true & accepted)) >= ACCEPTED * known_count


def _relations(
    meaning: LiteralEvaluator, rows: IntColumn, orders: npt.NDArray[np.int64]
) -> Iterator[ObservedCondition]:
    """Yield relations between storage and call that hold less often in wrong pairs: of rows in other orders."""
    situation = meaning.situation
    none = np.full(len(situation), MISSING, dtype=np.int64)
    for literal in proposals(situation, NONE, none):
        if literal.right is None or literal.sign is Sign.DIFFERENT:
            continue
        left, right = situation.terms[literal.left], situation.terms[literal.right]
        if left.stored == right.stored or "this" in (left.name, right.name):
            continue
        if left.name == "block" or right.name == "block":
            continue
        if literal.sign is not Sign.EQUAL and left.dimension is Dimension.COUNT:
            continue  # numbers and amounts that have nothing to do with each other are often ordered
        if not _holds(meaning, literal):
            continue
        storage, call = (left, right) if left.stored else (right, left)
        sign = literal.sign if storage is left else TURNED.get(literal.sign, literal.sign)
        stored_codes, call_codes = storage.codes[rows], call.codes[rows]
        right_pairs = int(np.sum(_compare(stored_codes, sign, call_codes)))
        wrong = np.sum(_compare(stored_codes[orders], sign, call_codes), axis=1)
        as_good = int(np.sum(wrong >= right_pairs))
        significance = (1 + as_good) / (1 + len(orders))
        chance = float(np.mean(wrong)) / len(rows)
        if significance <= LEVEL and chance <= MAX_WRONG_SHARE:
            yield ObservedCondition(LearnedClause(literals=(literal,)), significance, chance)


def _compare(left: RowColumn, sign: Sign, right: RowColumn) -> npt.NDArray[np.bool_]:
    both_known = (left != MISSING) & (right != MISSING)
    relation = {
        Sign.EQUAL: np.equal,
        Sign.AT_MOST: np.less_equal,
        Sign.AT_LEAST: np.greater_equal,
        Sign.LESS: np.less,
        Sign.GREATER: np.greater,
    }[sign]
    result: npt.NDArray[np.bool_] = relation(left, right) & both_known
    return result


def _facts(meaning: LiteralEvaluator, rows: IntColumn, elsewhere: Elsewhere) -> Iterator[ObservedCondition]:
    situation = meaning.situation
    none = np.full(len(situation), MISSING, dtype=np.int64)
    for literal in proposals(situation, NONE, none):
        term = situation.terms[literal.left]
        if literal.right is not None or not term.stored or not _holds(meaning, literal):
            continue
        true = total = 0
        for other, index in elsewhere.get((term.variable, term.field), ()):
            if other is meaning:
                continue
            truth = other.truth(
                Literal(left=index, sign=literal.sign, constant=literal.constant),
                np.flatnonzero(other.situation.accepted),
            )
            true += int(np.sum(truth.is_true))
            total += int(np.sum(truth.is_known))
        own = len(rows)
        if total < MIN_CALLS:
            continue
        significance = exp(_choices(true + own, own) - _choices(total + own, own))
        if significance <= LEVEL and true / total <= MAX_WRONG_SHARE:
            yield ObservedCondition(LearnedClause(literals=(literal,)), significance, true / total)


def _choices(total: int, size: int) -> float:
    """Return the natural logarithm of the number of ways to choose."""
    return lgamma(total + 1) - lgamma(size + 1) - lgamma(total - size + 1)
