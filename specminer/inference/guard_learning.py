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

from specminer.decoding.storage_values import ValueKind
from specminer.evm.code_constants import Constants
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.inference.compound_literals import compounds
from specminer.inference.guard_literals import WEAK, Literal, LiteralEvaluator, Sign, Truth, proposals
from specminer.inference.guard_terms import FunctionCalls

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
OF_CALL: Final = 0.65
"""How relevant a condition is that speaks of the call alone, where the call looked at storage before."""
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
NEAR: Final = 0.9
"""How relevant a condition is that speaks of what was looked at last only as a key of it."""
STARTS: Final = 12
"""Literals about what was looked at last that a disjunction is tried with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedClause:
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
    order: float
    """When calls had looked at all of it."""


class Learner:
    """Learns from a sample of the calls of one function."""

    def __init__(
        self,
        meaning: LiteralEvaluator,
        cause: IntColumn,
        constants: Constants,
        sample: BoolColumn,
        *,
        checked: bool = True,
        literals: Sequence[Literal] | None = None,
    ) -> None:
        """Take the calls of ``sample``; ``cause`` numbers why calls were rejected.

        ``checked`` says that calls stop at the check that they fail, so that what they looked at last tells;
        ``literals`` are the only ones that may be conditions, ``None`` for all that the terms allow.
        """
        self._has_held_out = checked
        self._meaning = meaning
        situation = meaning.situation
        accepted = _spread(np.flatnonzero(sample & situation.accepted), SAMPLE)
        rejected = _spread(np.flatnonzero(sample & ~situation.accepted), SAMPLE)
        rows = np.sort(np.concatenate([accepted, rejected]))
        self._rows = rows
        self._accepted = situation.accepted[rows]
        self._cause = cause[rows]
        self._last = situation.last[rows] if checked else np.full(len(rows), MISSING, dtype=np.int64)
        self._accepted_count = int(np.sum(self._accepted))
        pool = proposals(situation, constants, cause) if literals is None else literals
        candidates = [self._candidate(literal) for literal in pool]
        self._candidates = [item for item in candidates if item.literal.rejected is None]
        self._intervals = [item for item in candidates if item.literal.rejected is not None]
        self._compounds: dict[int, list[_Candidate]] = {}
        self._keys = _keys(situation)

    def _candidate(self, literal: Literal) -> _Candidate:
        terms = self._meaning.situation.terms
        return _Candidate(
            literal,
            self._meaning.truth(literal, self._rows),
            self._meaning.price(literal),
            frozenset(terms[term].variable for term in literal.terms if terms[term].stored),
            max(terms[term].order for term in literal.terms),
        )

    def _about(self, site: int) -> list[_Candidate]:
        """Return the literals over sums and products that speak of what was looked at last."""
        if site == MISSING:
            return []
        if site not in self._compounds:
            self._compounds[site] = [
                self._candidate(literal) for literal in compounds(self._meaning.situation, (site,))
            ]
        return self._compounds[site]

    def votes(self) -> dict[tuple[int, str], float]:
        """Return for each cause how many bits speak for each condition that explains most of it."""
        bits_by_vote: dict[tuple[int, str], float] = {}
        for cause in np.unique(self._cause[~self._accepted]).tolist() if self._accepted_count else ():
            open_ = ~self._accepted & (self._cause == cause)
            for item in self._candidates:
                if self._fits(item.truth) and np.mean(item.truth.false[open_]) > 0.5:
                    bits_by_vote[cause, self._meaning.key(item.literal)] = self._bits(item.truth.false, open_)
        return bits_by_vote

    def required_clauses(self, shared: Mapping[tuple[int, str], float]) -> list[LearnedClause]:
        """Return the conditions that explain rejections, in the order in which they were found.

        ``shared`` are the votes of other functions.
        """
        causes_by_literals: dict[tuple[Literal, ...], set[int]] = {}
        if self._accepted_count:
            causes, counts = np.unique(self._cause[~self._accepted], return_counts=True)
            for cause in causes[np.argsort(-counts, kind="stable")].tolist():
                for literals in self._drop_covered(cause, list(self._of_cause(cause, shared))):
                    causes_by_literals.setdefault(literals, set()).add(cause)
        return [
            LearnedClause(literals=literals, causes=tuple(sorted(causes)))
            for literals, causes in causes_by_literals.items()
        ]

    def _drop_covered(self, cause: int, conditions: list[tuple[Literal, ...]]) -> list[tuple[Literal, ...]]:
        """Return the conditions without those that a later one says better: about the same, and false wherever it is.

        ``allowed != 0`` explains most calls that spend more than they are allowed to; ``amount <= allowed`` all.
        """
        rejected = ~self._accepted & (self._cause == cause)
        false = [truth_of(self._meaning, literals, self._rows).false & rejected for literals in conditions]
        terms = [{term for literal in literals for term in literal.terms} for literals in conditions]
        return [
            literals
            for index, literals in enumerate(conditions)
            if not any(
                terms[index] < terms[later] and (false[index] <= false[later]).all()
                for later in range(index + 1, len(conditions))
            )
        ]

    def _of_cause(self, cause: int, shared: Mapping[tuple[int, str], float]) -> Iterator[tuple[Literal, ...]]:
        open_ = ~self._accepted & (self._cause == cause)
        fitting = [item for item in self._candidates if self._fits(item.truth)]
        shared_bits = [
            min(SHARED, shared.get((cause, self._meaning.key(item.literal)), 0.0)) if shared else 0.0
            for item in fitting
        ]
        while open_.any():
            best = self._next(fitting, shared_bits, open_)
            if best is None:
                break
            conditions, false = best
            yield from conditions
            open_ &= ~false
        for site in np.unique(self._last[open_]).tolist():
            at_site = open_ & (self._last == site)
            if not at_site.any():
                continue
            clause = self._disjunction(at_site, site)
            if clause is not None:
                literals, false = clause
                yield literals
                open_ &= ~false
        yield from self._bounds(open_)

    def _bounds(self, open_: BoolColumn) -> Iterator[tuple[Literal, ...]]:
        """Yield bounds that the code does not know, for rejections that nothing else explains."""
        fitting = [item for item in self._intervals if self._fits(item.truth)]
        while open_.any():
            best = self._best(fitting, [0.0] * len(fitting), open_)
            if best is None:
                return
            yield from ((item.literal,) for item in best[1])
            open_ = open_ & ~_false(best[1])

    def _next(
        self, fitting: Sequence[_Candidate], shared_bits: Sequence[float], open_: BoolColumn
    ) -> tuple[list[tuple[Literal, ...]], BoolColumn] | None:
        """Return the conditions worth most, and where they are false: one, two flags, or a disjunction."""
        best = self._best(fitting, shared_bits, open_)
        if best is None or not (open_ <= _false(best[1])).all():
            sites = np.unique(self._last[open_]).tolist()
            more = [item for site in sites for item in self._about(site) if self._fits(item.truth)]
            other = self._best(more, [0.0] * len(more), open_)
            best = max(
                (item for item in (best, other) if item is not None), key=lambda item: item[0], default=None
            )
        choice = self._skipping(open_)
        if choice is not None and (best is None or choice[0] > best[0]):
            _, literals, false = choice
            return [literals], false
        if self._has_held_out and (best is None or not any(item.variables for item in best[1])):
            other_way = self._never_let_in(open_)
            if other_way is not None:
                return [other_way[0]], other_way[1]
        if best is None:
            return None
        items = best[1]
        if len(items) == 1:
            literals, false = self._or_else(items[0], open_)
            return [literals], false
        return [(item.literal,) for item in items], _false(items)

    def _skipping(self, open_: BoolColumn) -> tuple[float, tuple[Literal, ...], BoolColumn] | None:
        """Return a disjunction whose last part calls looked at only where none of the others held.

        Code stops at the first part that holds. That some accepted calls never looked at what all these rejected ones
        looked at last, and which, speaks for what they met instead, in bits.
        """
        best: tuple[float, tuple[Literal, ...], BoolColumn] | None = None
        for site in np.unique(self._last[open_]).tolist():
            at_site = open_ & (self._last == site)
            if site == MISSING or 2 * int(np.sum(at_site)) < int(np.sum(open_)):
                continue
            pool = [item for item in self._candidates if (item.truth.false | ~at_site).all()]
            starts = [
                item
                for item in (*pool, *self._about(site))
                if site in item.variables and (item.truth.false | ~at_site).all() and self._partly(item.truth)
            ]
            starts.sort(key=lambda item: (-int(np.sum(item.truth.is_known & self._accepted)), item.price))
            for start in starts[:STARTS]:
                candidate = self._instead(start, pool, at_site)
                if (
                    candidate is not None
                    and candidate[0] >= MARGIN
                    and (best is None or candidate[0] > best[0])
                ):
                    best = candidate
        return best

    def _partly(self, truth: Truth) -> bool:
        """Whether only some accepted calls looked at it, and it was true in nearly all of these."""
        known_count = int(np.sum(truth.is_known & self._accepted))
        true = int(np.sum(truth.is_true & self._accepted))
        doubtful = int(np.sum(truth.is_doubtful & self._accepted))
        return (
            doubtful <= known_count
            and 0 < known_count < DEFINED * (self._accepted_count - doubtful)
            and true >= ACCEPTED * known_count
        )

    def _instead(
        self, start: _Candidate, pool: Sequence[_Candidate], rejected: BoolColumn
    ) -> tuple[float, tuple[Literal, ...], BoolColumn] | None:
        """Return what accepted calls met that did not look at something, or it."""
        looked = start.truth.is_known & self._accepted
        accepted = self._accepted & ~start.truth.is_doubtful
        choices: list[_Candidate] = []
        truth = start.truth
        while not self._fits(truth):
            missing = accepted & ~truth.is_true
            if len(choices) == MAX_CHOICES - 1:
                return None
            gains = [
                (int(np.sum(missing & item.truth.is_true)) - int(np.sum(looked & item.truth.is_true)), item)
                for item in pool
            ]
            gain, item = max(
                gains,
                key=lambda pair: (
                    pair[0],
                    self._of_sender(pair[1]) and self._of_sender(start),
                    -pair[1].price,
                    -WEAK.index(pair[1].literal.sign),
                    -pair[1].order,
                ),
                default=(0, start),
            )
            if gain < max(MIN_CALLS, MIN_CHOICE * self._accepted_count):
                return None
            choices.append(item)
            truth = _either(truth, item.truth)
        if not choices:
            return None
        meets_choice = np.logical_or.reduce([item.truth.is_true for item in choices]) & self._accepted
        split = [
            (int(np.sum(looked & side)), int(np.sum(accepted & ~looked & side)))
            for side in (meets_choice, ~meets_choice)
        ]
        information = _entropy(int(np.sum(looked)), int(np.sum(accepted)) - int(np.sum(looked)))
        information -= sum(_entropy(*pair) for pair in split)
        items = [*choices, start]
        cost = len(items) * float(np.log2(1 + len(pool))) + PRICE * _price(items)
        worth = self._bits(truth.false, rejected) + information - cost
        return worth, tuple(item.literal for item in items), truth.false

    def _never_let_in(self, open_: BoolColumn) -> tuple[tuple[Literal, ...], BoolColumn] | None:
        """Return a disjunction whose last part no accepted call ever looked at, though all rejected ones did.

        What let the accepted ones in was decided before, by storage that was read.
        """
        sites, counts = np.unique(self._last[open_], return_counts=True)
        site = int(sites[np.argmax(counts)])
        at_site = open_ & (self._last == site)
        last = self._unseen(site, at_site)
        if last is None:
            return None
        pool = [
            item
            for item in self._candidates
            if item.variables and site not in item.variables and (item.truth.false | ~at_site).all()
        ]
        disjunction = self._instead(last, pool, at_site)
        return None if disjunction is None or disjunction[0] < MARGIN else disjunction[1:]

    def _or_else(self, item: _Candidate, open_: BoolColumn) -> tuple[tuple[Literal, ...], BoolColumn]:
        """Return a condition, with what the calls that did not meet it looked at besides, if only they did.

        Had the condition alone decided, they would have stopped there: another flag, or another account, could have
        let them in, though in this history it never did.
        """
        false = open_ & item.truth.false
        if not self._has_held_out or not item.variables:
            return (item.literal,), item.truth.false
        sites, counts = np.unique(self._last[false], return_counts=True)
        site = int(sites[np.argmax(counts)])
        other = self._unseen(site, false)
        if other is None or site in item.variables or counts.max() < int(np.sum(false)):
            return (item.literal,), item.truth.false
        return (item.literal, other.literal), _either(item.truth, other.truth).false

    def _unseen(self, site: int, rejected: BoolColumn) -> _Candidate | None:
        """Return a flag, or an account that is not the sender's, that some calls looked at last and no accepted one."""
        terms = self._meaning.situation.terms
        for item in self._candidates if site != MISSING else ():
            literal, term = item.literal, terms[item.literal.left]
            flag = literal.right is None and term.kind is ValueKind.BOOL and literal.constant == 1
            account = literal.sign is Sign.EQUAL and literal.right is not None
            account = account and "sender" in (term.name, terms[literal.right or 0].name)
            accepted_looks = int(np.sum((item.truth.is_known | item.truth.is_doubtful) & self._accepted))
            if (
                (flag or account)
                and item.variables == {site}
                and accepted_looks <= (1 - DEFINED) * self._accepted_count
                and (item.truth.false | ~rejected).all()
            ):
                return item
        return None

    def _fits(self, truth: Truth) -> bool:
        """Whether a condition is known, and true, in nearly all accepted calls."""
        known_count = int(np.sum(truth.is_known & self._accepted))
        true = int(np.sum(truth.is_true & self._accepted))
        # a value that is not known speaks neither for it nor against it
        doubtful = int(np.sum(truth.is_doubtful & self._accepted))
        accepted_count = self._accepted_count - doubtful
        # one call may be the first, which met nothing yet
        unknown = max((1 - DEFINED) * accepted_count, 1 if accepted_count >= MANY else 0)
        return (
            known_count >= max(accepted_count - unknown, doubtful)
            and true >= ACCEPTED * known_count
            and known_count > 0
        )

    def _best(
        self, fitting: Sequence[_Candidate], shared_bits: Sequence[float], open_: BoolColumn
    ) -> tuple[float, tuple[_Candidate, ...]] | None:
        """Return the literal, or the two flags, that are worth most, with the bits by which they are."""
        choices: list[tuple[tuple[_Candidate, ...], float]] = [
            ((item,), more) for item, more in zip(fitting, shared_bits, strict=True)
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
                -entry[2][0].order,
            ),
        )
        rivals = sum(other >= relevance - 0.01 for _, other, _ in ranked)
        worth -= len(best) * float(np.log2(1 + rivals))
        return (worth, best) if worth >= MARGIN else None

    def _of_sender(self, item: _Candidate) -> bool:
        """Whether a literal says who calls: the sender, or what is kept under its address."""
        terms = [self._meaning.situation.terms[term] for term in item.literal.terms]
        return any(term.name == "sender" or "sender" in term.keys for term in terms)

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
        if not self._has_held_out:
            return 1.0
        if not variables:
            return float(np.mean(np.where(self._last[explained] == MISSING, 1.0, OF_CALL)))
        keyed = sorted(
            site for site, keys in self._keys.items() if keys & variables and site not in variables
        )
        last = self._last[explained]
        return float(np.mean(np.isin(last, sorted(variables)) + NEAR * np.isin(last, keyed)))

    def _disjunction(self, rejected: BoolColumn, site: int) -> tuple[tuple[Literal, ...], BoolColumn] | None:
        """Return literals of which one was true in each accepted call, and none in these rejected ones."""
        pool = [item for item in self._candidates if (item.truth.false | ~rejected).all()]
        starts = [item for item in pool if site == MISSING or site in item.variables]
        best: tuple[float, tuple[Literal, ...], BoolColumn] | None = None
        starts.sort(key=lambda item: -int(np.sum(item.truth.is_true & self._accepted)))
        for start in starts[:12]:
            extension = self._extend(start, pool)
            if extension is None:
                continue
            literals, truth, price = extension
            cost = len(literals) * np.log2(1 + len(pool)) + PRICE * price
            worth = self._bits(truth.false, rejected) - cost
            if worth >= MARGIN and (best is None or worth > best[0]):
                best = worth, literals, truth.false
        return None if best is None else best[1:]

    def _extend(
        self, start: _Candidate, pool: Sequence[_Candidate]
    ) -> tuple[tuple[Literal, ...], Truth, float] | None:
        literals, truth, price = [start], start.truth, start.price
        while not self._fits(truth):
            if len(literals) == MAX_CHOICES:
                return None
            missing = self._accepted & ~truth.is_true & ~truth.is_doubtful
            gains = [(int(np.sum(missing & item.truth.is_true)), item) for item in pool]
            gain, item = max(
                gains,
                key=lambda pair: (
                    pair[0],
                    self._of_sender(pair[1]) and self._of_sender(start),
                    -pair[1].price,
                    -WEAK.index(pair[1].literal.sign),
                ),
            )
            if gain < max(MIN_CALLS, MIN_CHOICE * self._accepted_count):
                return None
            literals.append(item)
            price += item.price
            truth = _either(truth, item.truth)
        return tuple(item.literal for item in literals), truth, price


def _false(items: Sequence[_Candidate]) -> BoolColumn:
    is_false: BoolColumn = np.logical_or.reduce([item.truth.false for item in items])
    return is_false


def _keys(situation: FunctionCalls) -> dict[int, frozenset[int]]:
    """Return for each variable the variables that hold its keys: ``isApproved[owners[id]][sender]`` hangs on owners."""
    variable = {term.name: term.variable for term in situation.terms if term.stored}
    keys_by_variable: dict[int, frozenset[int]] = {}
    for term in situation.terms:
        if term.stored:
            keys = frozenset(variable[key] for key in term.keys if key in variable)
            keys_by_variable[term.variable] = keys_by_variable.get(term.variable, frozenset()) | keys
    return keys_by_variable


def _price(items: Sequence[_Candidate]) -> float:
    return sum(item.price for item in items)


def truth_of(meaning: LiteralEvaluator, literals: Sequence[Literal], rows: IntColumn | None = None) -> Truth:
    """Return where a disjunction holds, by Kleene's logic."""
    first, *rest = (meaning.truth(literal, rows) for literal in literals)
    for other in rest:
        first = _either(first, other)
    return first


def tellable(meaning: LiteralEvaluator, literals: Sequence[Literal]) -> bool:
    """Whether a disjunction is not in doubt in more accepted calls than it is known in."""
    truth, accepted = truth_of(meaning, literals), meaning.situation.accepted
    return int(np.sum(truth.is_doubtful & accepted)) <= int(np.sum(truth.is_known & accepted))


def _either(one: Truth, other: Truth) -> Truth:
    true = one.is_true | other.is_true
    is_known = true | (one.is_known & other.is_known)
    return Truth(true, is_known, (one.is_doubtful | other.is_doubtful) & ~is_known)


def _entropy(one: int, other: int) -> float:
    """Return the bits of a column with so many of one kind and so many of another."""
    total = one + other
    return sum(part * float(np.log2(total / part)) for part in (one, other) if part)


def _spread(rows: IntColumn, most: int) -> IntColumn:
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
