"""One spelling for formulas that are written differently, and what follows from literals without a solver.

The normal form turns ``paused = true`` into ``paused``, ``a <= b`` into ``not b < a``, and, of a word that cannot
be negative, ``x > 0`` and ``x >= 1`` into ``not x = 0``. Entailment between literals is decided on the graph of
differences: enough for what the vocabulary generates, so that a result is the same with and without a
solver, which then proves it.

Source: Bellman 1958 on difference constraints; the integers' disequalities are tightened bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from specminer.predicate.smt import Formula, FormulaSort, Language

MAX_TERMS: Final = 24
"""Terms in the literals of one question; beyond that nothing is decided."""


def normalise(language: Language, formula: Formula) -> Formula:
    """Return an equivalent formula in normal form; the same one for two spellings of one comparison."""
    if formula.is_symbol() or formula.is_bool_constant():
        return formula
    if formula.is_not():
        inner = normalise(language, formula.arg(0))
        if inner.is_bool_constant():
            return language.truth(inner.is_false())
        return language.negation(inner)
    if formula.is_iff():
        return _same(language, *(normalise(language, part) for part in formula.args()))
    if formula.is_equals():
        return _equal(language, *formula.args())
    if formula.is_lt():
        return _less(language, *formula.args())
    if formula.is_le():
        left, right = formula.args()
        return normalise(language, language.negation(language.less(right, left)))
    parts = [normalise(language, part) for part in formula.args()]
    if formula.is_and():
        return language.conjunction(*parts)
    return language.disjunction(*parts) if formula.is_or() else formula


def _same(language: Language, left: Formula, right: Formula) -> Formula:
    for constant, other in ((left, right), (right, left)):
        if constant.is_bool_constant():
            equivalent = other if constant.is_true() else language.negation(other)
            return normalise(language, equivalent) if other.is_bool_constant() else equivalent
    return language.equal(*_order_symbols(language, left, right))


def _equal(language: Language, left: Formula, right: Formula) -> Formula:
    if left.is_int_constant() and right.is_int_constant():
        return language.truth(left.constant_value() == right.constant_value())
    if left is right:
        return language.truth(True)
    if left.is_int_constant():
        left, right = right, left
    return language.equal(*_order_symbols(language, left, right))


def _less(language: Language, left: Formula, right: Formula) -> Formula:
    if left.is_int_constant() and right.is_int_constant():
        return language.truth(int(left.constant_value()) < int(right.constant_value()))
    if left is right:
        return language.truth(False)
    if right.is_int_constant() and _is_unsigned(language, left):
        bound = int(right.constant_value())
        if bound <= 1:
            return language.equal(left, language.number(0)) if bound == 1 else language.truth(False)
    if left.is_int_constant() and _is_unsigned(language, right):
        bound = int(left.constant_value())
        if bound <= 0:
            zero = language.equal(right, language.number(0))
            return language.negation(zero) if bound == 0 else language.truth(True)
    return language.less(left, right)


def _is_unsigned(language: Language, term: Formula) -> bool:
    return bool(term.is_symbol()) and language.declaration(term).sort is not FormulaSort.SIGNED


def _order_symbols(language: Language, left: Formula, right: Formula) -> tuple[Formula, Formula]:
    """Return two symbols in the order of their declaration; anything else as it is."""
    if not (left.is_symbol() and right.is_symbol()):
        return left, right
    names = language.names
    position = {name: at for at, name in enumerate(names)}
    first, second = (position[language.declaration(term).name] for term in (left, right))
    return (left, right) if first <= second else (right, left)


def entails(language: Language, premises: Sequence[Formula], conclusion: Formula) -> bool:
    """Whether a literal follows from others; ``False`` where that is not so or cannot be told here."""
    relevant_premises = _related_premises(language, premises, conclusion)
    values = [_value_literal(literal) for literal in (*relevant_premises, conclusion)]
    if None not in values and len({value[0] for value in values if value is not None}) == 1:
        *premise_values, (_, goal, holds) = [value for value in values if value is not None]
        equal = {constant for _, constant, positive in premise_values if positive}
        unequal = {constant for _, constant, positive in premise_values if not positive}
        if holds:
            return goal in equal or len(equal) > 1
        return goal in unequal or bool(equal - {goal})
    return contradictory(language, [*relevant_premises, language.negation(conclusion)])


def _related_premises(language: Language, premises: Sequence[Formula], conclusion: Formula) -> list[Formula]:
    """Return the premises that have to do with the conclusion: by its symbols, or symbols of such premises."""
    symbols_of = {premise: set(language.symbols(premise)) for premise in premises}
    linked_symbols = set(language.symbols(conclusion))
    relevant: list[Formula] = []
    while True:
        more = [
            item
            for item in premises
            if item not in relevant and not linked_symbols.isdisjoint(symbols_of[item])
        ]
        if not more:
            return [item for item in premises if item in relevant]
        relevant += more
        linked_symbols.update(*(symbols_of[item] for item in more))


def _value_literal(literal: Formula) -> tuple[Formula, int, bool] | None:
    """Return (symbol, constant, whether they are equal) of a literal that says just that."""
    negated = literal.is_not()
    atom = literal.arg(0) if negated else literal
    if atom.is_equals() and atom.arg(0).is_symbol() and atom.arg(1).is_int_constant():
        return atom.arg(0), int(atom.arg(1).constant_value()), not negated
    return None


def contradictory(language: Language, literals: Iterable[Formula]) -> bool:
    """Whether literals cannot all be true; ``False`` where they can or it cannot be told here.

    Literals are Boolean symbols and comparisons of symbols and constants, or their negations; others are
    passed over.
    """
    graph = _Differences(language)
    return not all(graph.add(normalise(language, literal)) for literal in literals) or graph.impossible()


class _Differences:
    """Bounds ``left - right <= limit`` between terms; a truth value is a number, 0 or 1."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._zero = language.number(0)
        self._terms: list[Formula] = [self._zero]
        self._limits: dict[tuple[Formula, Formula], int] = {}
        self._apart: list[tuple[Formula, Formula]] = []

    def add(self, literal: Formula) -> bool:
        """Take up a literal; return whether it can be true at all."""
        negated = literal.is_not()
        atom = literal.arg(0) if negated else literal
        if atom.is_bool_constant():
            return bool(atom.is_true()) is not bool(negated)
        if atom.is_symbol():
            self._limit_to(atom, 0 if negated else 1)
        elif atom.is_equals() or (atom.is_iff() and all(part.is_symbol() for part in atom.args())):
            left, right = map(self._term, atom.args())
            if negated:
                self._apart.append((left, right))
            else:
                self._limit(left, right, 0)
                self._limit(right, left, 0)
        elif atom.is_lt():
            left, right = map(self._term, atom.args())
            if negated:
                self._limit(right, left, 0)
            else:
                self._limit(left, right, -1)
        return True

    def impossible(self) -> bool:
        """Whether the bounds taken up contradict each other."""
        if len(self._terms) > MAX_TERMS:
            return False
        while True:
            if self._close():
                return True
            tightened = False
            for left, right in self._apart:
                for low, high in ((left, right), (right, left)):
                    if self._limits.get((low, high), 1) == 0:
                        self._limit(low, high, -1)
                        tightened = True
            if not tightened:
                return any(left is right for left, right in self._apart)

    def _close(self) -> bool:
        """Take the shortest way between all terms; return whether some way back is negative."""
        limits = self._limits
        for middle in self._terms:
            for first in self._terms:
                if (first, middle) not in limits:
                    continue
                for last in self._terms:
                    if (middle, last) in limits:
                        way = limits[first, middle] + limits[middle, last]
                        if first is last and way < 0:
                            return True
                        if first is not last:
                            self._limit(first, last, way)
        return False

    def _term(self, term: Formula) -> Formula:
        if term not in self._terms:
            self._terms.append(term)
            if term.is_int_constant():
                self._limit_to(term, int(term.constant_value()))
            elif term.is_symbol():
                boolean = self._language.is_boolean(term)
                low, high = (0, 2) if boolean else self._language.declaration(term).range
                self._limit(term, self._zero, high - 1)
                self._limit(self._zero, term, -low)
            elif term.is_plus() and len(term.args()) == 2:
                self._sum(term, *term.args())
        return term

    def _sum(self, whole: Formula, one: Formula, other: Formula) -> None:
        """Take up that a sum is a constant away from its other part, or not less than either."""
        for part, rest in ((one, other), (other, one)):
            if rest.is_int_constant() and not part.is_int_constant():
                self._limit(whole, self._term(part), int(rest.constant_value()))
                self._limit(self._term(part), whole, -int(rest.constant_value()))
            elif _is_unsigned(self._language, rest) and part.is_symbol():
                self._limit(self._term(part), whole, 0)

    def _limit_to(self, term: Formula, value: int) -> None:
        term = self._term(term) if not term.is_int_constant() else term
        self._limit(term, self._zero, value)
        self._limit(self._zero, term, -value)

    def _limit(self, left: Formula, right: Formula, limit: int) -> None:
        key = (left, right)
        self._limits[key] = min(limit, self._limits.get(key, limit))
