"""Learns which conditions explain the rejections of a function.

A condition is a disjunction of literals that was true in nearly all accepted calls; it explains a rejected call in
which it is known to be false. Rejections are taken by their cause, as far as the contract tells one, and covered
greedily: first by single literals, then, where none does, by disjunctions for the rejections that looked at the
same storage last. Each condition has to be worth more bits than it costs to tell it from all others that would
have been possible, so that few calls do not make a condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from specminer.guard.constants import Constants
from specminer.guard.literal import WEAK, Literal, Meaning, Truth, proposals
from specminer.history import MISSING, BoolColumn, IntColumn
from specminer.location import ValueKind

ACCEPTED: Final = 0.997
"""A condition is true in at least this share of the accepted calls."""
DEFINED: Final = 0.99
"""It is known in at least this share of the accepted calls."""
MANY: Final = 20
"""From so many accepted calls on one may be unknown."""
SAMPLE: Final = 4_000
"""Accepted, and as many rejected calls, that conditions are looked for in; they are counted in all."""
MARGIN: Final = 0.0
"""Bits by which a condition has to be worth more than it costs."""
RELEVANT: Final = 4.0
"""Bits for not speaking of what a call looked at last before it was rejected."""
OF_CALL: Final = 0.8
"""How relevant a condition is that speaks of the call alone."""
SHARP: Final = 4.0
"""Bits for being false in calls rejected for other causes."""
SHARED: Final = 8.0
"""Bits that the same cause in other functions may add, where the same condition explains it."""
PRICE: Final = 2.0
"""Bits for each unit of a literal's price."""
MAX_FLAGS: Final = 6
"""Flags of which two are tried together."""
MAX_CHOICES: Final = 4
"""Literals in a disjunction."""
MIN_CHOICE: Final = 0.01
"""A literal of a disjunction adds at least this share of the accepted calls ..."""
MIN_CALLS: Final = 3
"""... and at least so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A disjunction of literals, with the causes that it explains."""

    literals: tuple[Literal, ...]
    causes: tuple[int, ...] = ()
    """Numbers of the causes of rejections, ascending; empty for what was only observed."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    literal: Literal
    truth: Truth
    price: float
    variables: frozenset[int]


class Learner:
    """Learns from a sample of the calls of one function."""

    def __init__(
        self,
        meaning: Meaning,
        cause: IntColumn,
        constants: Constants,
        chosen: BoolColumn,
        *,
        checked: bool = True,
    ) -> None:
        """Take the calls ``chosen``; ``cause`` numbers why calls were rejected.

        ``checked`` says that calls stop at the check that they fail, so that what they looked at last tells.
        """
        self._checked = checked
        self._meaning = meaning
        situation = meaning.situation
        accepted = _spread(np.flatnonzero(chosen & situation.accepted), SAMPLE)
        rejected = _spread(np.flatnonzero(chosen & ~situation.accepted), SAMPLE)
        rows = np.sort(np.concatenate([accepted, rejected]))
        self._rows = rows
        self._accepted = situation.accepted[rows]
        self._cause = cause[rows]
        self._last = situation.last[rows] if checked else np.full(len(rows), MISSING, dtype=np.int64)
        self._taken = int(np.sum(self._accepted))
        self._candidates = [
            _Candidate(
                literal,
                meaning.truth(literal, rows),
                meaning.price(literal),
                frozenset(
                    situation.terms[term].variable for term in literal.terms if situation.terms[term].stored
                ),
            )
            for literal in proposals(situation, constants, cause)
        ]

    def votes(self) -> dict[tuple[int, str], float]:
        """Return for each cause how many bits speak for each condition that explains most of it."""
        found: dict[tuple[int, str], float] = {}
        for cause in np.unique(self._cause[~self._accepted]).tolist() if self._taken else ():
            open_ = ~self._accepted & (self._cause == cause)
            for item in self._candidates:
                if self._fits(item.truth) and np.mean(item.truth.false[open_]) > 0.5:
                    found[cause, self._meaning.key(item.literal)] = self._bits(item.truth.false, open_)
        return found

    def required(self, shared: Mapping[tuple[int, str], float]) -> list[Clause]:
        """Return the conditions that explain rejections, in the order in which they were found.

        ``shared`` are the votes of other functions.
        """
        found: dict[tuple[Literal, ...], set[int]] = {}
        if self._taken:
            causes, counts = np.unique(self._cause[~self._accepted], return_counts=True)
            for cause in causes[np.argsort(-counts, kind="stable")].tolist():
                for literals in self._of_cause(cause, shared):
                    found.setdefault(literals, set()).add(cause)
        return [Clause(literals=literals, causes=tuple(sorted(causes))) for literals, causes in found.items()]

    def _of_cause(self, cause: int, shared: Mapping[tuple[int, str], float]) -> Iterator[tuple[Literal, ...]]:
        open_ = ~self._accepted & (self._cause == cause)
        fitting = [item for item in self._candidates if self._fits(item.truth)]
        added = [
            min(SHARED, shared.get((cause, self._meaning.key(item.literal)), 0.0)) if shared else 0.0
            for item in fitting
        ]
        while open_.any():
            best = self._best(fitting, added, open_)
            if best is None:
                break
            for item in best:
                yield (item.literal,)
                open_ &= ~item.truth.false
        for site in np.unique(self._last[open_]).tolist():
            mine = open_ & (self._last == site)
            if not mine.any():
                continue
            clause = self._disjunction(mine, site)
            if clause is not None:
                literals, false = clause
                yield literals
                open_ &= ~false

    def _fits(self, truth: Truth) -> bool:
        """Whether a condition is known, and true, in nearly all accepted calls."""
        known = int(np.sum(truth.known & self._accepted))
        true = int(np.sum(truth.true & self._accepted))
        # one call may be the first, which met nothing yet
        unknown = max((1 - DEFINED) * self._taken, 1 if self._taken >= MANY else 0)
        return known >= self._taken - unknown and true >= ACCEPTED * known and known > 0

    def _best(
        self, fitting: Sequence[_Candidate], added: Sequence[float], open_: BoolColumn
    ) -> tuple[_Candidate, ...] | None:
        """Return the literal, or the two flags, that are worth most."""
        choices: list[tuple[tuple[_Candidate, ...], float]] = [
            ((item,), more) for item, more in zip(fitting, added, strict=True)
        ]
        flags = [item for item in fitting if self._is_flag(item.literal) and (open_ & item.truth.false).any()]
        choices += [(pair, 0.0) for pair in combinations(flags[:MAX_FLAGS], 2)]
        ranked: list[tuple[float, float, tuple[_Candidate, ...]]] = []
        for items, more in choices:
            false = np.logical_or.reduce([item.truth.false for item in items])
            explained = open_ & false
            if explained.any():
                variables = frozenset().union(*(item.variables for item in items))
                relevance = self._relevance(variables, explained)
                worth = self._worth(false, explained, open_, relevance) + more
                ranked.append((worth - PRICE * _price(items), relevance, items))
        if not ranked:
            return None
        worth, relevance, best = max(
            ranked,
            key=lambda entry: (
                round(entry[0], 6),
                -len(entry[2]),
                -_price(entry[2]),
                -WEAK.index(entry[2][0].literal.sign),
            ),
        )
        rivals = sum(other >= relevance - 0.01 for _, other, _ in ranked)
        return best if worth - len(best) * float(np.log2(1 + rivals)) >= MARGIN else None

    def _is_flag(self, literal: Literal) -> bool:
        term = self._meaning.situation.terms[literal.left]
        return term.stored and term.kind is ValueKind.BOOL

    def _worth(self, false: BoolColumn, explained: BoolColumn, open_: BoolColumn, relevance: float) -> float:
        other = ~self._accepted & ~open_ & false
        sharp = int(np.sum(explained)) / (int(np.sum(explained)) + int(np.sum(other)))
        bits = self._bits(false, open_)
        return bits - RELEVANT * (1 - relevance) - SHARP * (1 - sharp)

    def _bits(self, false: BoolColumn, open_: BoolColumn) -> float:
        """Return what knowing where a condition is false saves in telling the open rejections from accepted calls."""
        counts = [(int(np.sum(self._accepted & side)), int(np.sum(open_ & side))) for side in (~false, false)]
        whole = _entropy(sum(one for one, _ in counts), sum(other for _, other in counts))
        return whole - sum(_entropy(*pair) for pair in counts)

    def _relevance(self, variables: frozenset[int], explained: BoolColumn) -> float:
        """Return the share of rejections that looked last at what the condition speaks of."""
        if not self._checked:
            return 1.0
        if not variables:
            return OF_CALL
        return float(np.mean(np.isin(self._last[explained], sorted(variables))))

    def _disjunction(self, mine: BoolColumn, site: int) -> tuple[tuple[Literal, ...], BoolColumn] | None:
        """Return literals of which one was true in each accepted call, and none in these rejected ones."""
        pool = [item for item in self._candidates if (item.truth.false | ~mine).all()]
        starts = [item for item in pool if site == MISSING or site in item.variables]
        best: tuple[float, tuple[Literal, ...], BoolColumn] | None = None
        starts.sort(key=lambda item: -int(np.sum(item.truth.true & self._accepted)))
        for start in starts[:12]:
            found = self._extended(start, pool)
            if found is None:
                continue
            literals, truth, price = found
            cost = len(literals) * np.log2(1 + len(pool)) + PRICE * price
            worth = self._bits(truth.false, mine) - cost
            if worth >= MARGIN and (best is None or worth > best[0]):
                best = worth, literals, truth.false
        return None if best is None else best[1:]

    def _extended(
        self, start: _Candidate, pool: Sequence[_Candidate]
    ) -> tuple[tuple[Literal, ...], Truth, float] | None:
        literals, truth, price = [start], start.truth, start.price
        while not self._fits(truth):
            if len(literals) == MAX_CHOICES:
                return None
            missing = self._accepted & ~truth.true
            gains = [(int(np.sum(missing & item.truth.true)), item) for item in pool]
            gain, item = max(
                gains, key=lambda pair: (pair[0], -pair[1].price, -WEAK.index(pair[1].literal.sign))
            )
            if gain < max(MIN_CALLS, MIN_CHOICE * self._taken):
                return None
            literals.append(item)
            price += item.price
            truth = _either(truth, item.truth)
        return tuple(item.literal for item in literals), truth, price


def _price(items: Sequence[_Candidate]) -> float:
    return sum(item.price for item in items)


def truth_of(meaning: Meaning, literals: Sequence[Literal], rows: IntColumn | None = None) -> Truth:
    """Return where a disjunction holds, by Kleene's logic."""
    first, *rest = (meaning.truth(literal, rows) for literal in literals)
    for other in rest:
        first = _either(first, other)
    return first


def _either(one: Truth, other: Truth) -> Truth:
    true = one.true | other.true
    return Truth(true, true | (one.known & other.known))


def _entropy(one: int, other: int) -> float:
    """Return the bits of a column with so many of one kind and so many of another."""
    total = one + other
    return sum(part * float(np.log2(total / part)) for part in (one, other) if part)


def _spread(rows: IntColumn, most: int) -> IntColumn:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
