"""Makes a conjunction of conditions as short as it gets, without a solver, which then proves that it means the same.

Entailment between literals is decided on the graph of differences (:mod:`specminer.predicate.normal`), so that a
guard is the same with and without a solver installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specminer.inference.guard_learning import LearnedClause
from specminer.inference.guard_literals import Literal, Meaning, Sign
from specminer.predicate import Formula, entails

_JOINED = {
    frozenset({Sign.AT_LEAST, Sign.DIFFERENT}): Sign.GREATER,
    frozenset({Sign.AT_MOST, Sign.DIFFERENT}): Sign.LESS,
    frozenset({Sign.AT_MOST, Sign.AT_LEAST}): Sign.EQUAL,
}


def formula_of(meaning: Meaning, clauses: Sequence[LearnedClause]) -> Formula:
    """Return the conjunction of clauses; of none, true."""
    language = meaning.language
    parts = []
    for clause in clauses:
        literals = [meaning.formula(literal) for literal in clause.literals]
        parts.append(literals[0] if len(literals) == 1 else language.disjunction(*literals))
    return parts[0] if len(parts) == 1 else language.conjunction(*parts)


def simplify_clauses(meaning: Meaning, clauses: Sequence[LearnedClause]) -> tuple[LearnedClause, ...]:
    """Return the shortest equivalent conjunction: joined, without what follows from the rest."""
    found = _join_bounds(clauses)
    found = [_narrow(meaning, clause, found) for clause in found]
    order = sorted(
        range(len(found)), key=lambda place: (-_price(meaning, found[place]), -place)
    )  # what costs most is dropped first
    kept = set(range(len(found)))
    for place in order:
        rest = [found[other] for other in sorted(kept - {place})]
        if _follows(meaning, found[place], rest):
            kept.discard(place)
    return tuple(found[place] for place in sorted(kept))


def _join_bounds(clauses: Sequence[LearnedClause]) -> list[LearnedClause]:
    """Return the clauses with two bounds of the same terms as one: ``a >= b and a != b`` is ``a > b``."""
    found: list[LearnedClause] = []
    for clause in clauses:
        for place, other in enumerate(found):
            sign = _both(clause, other)
            if sign is not None:
                literal = replace(other.literals[0], sign=sign)
                causes = tuple(sorted({*clause.causes, *other.causes}))
                found[place] = LearnedClause(literals=(literal,), causes=causes)
                break
        else:
            found.append(clause)
    return found


def _both(one: LearnedClause, other: LearnedClause) -> Sign | None:
    if len(one.literals) != 1 or len(other.literals) != 1:
        return None
    (first,), (second,) = one.literals, other.literals
    if replace(first, sign=second.sign) != second:
        return None
    return _JOINED.get(frozenset({first.sign, second.sign}))


def _narrow(meaning: Meaning, clause: LearnedClause, clauses: Sequence[LearnedClause]) -> LearnedClause:
    """Return a disjunction without the literals that cannot hold, or that another of its own follows from."""
    if len(clause.literals) == 1:
        return clause
    language = meaning.language
    facts = [meaning.formula(other.literals[0]) for other in clauses if len(other.literals) == 1]
    kept: list[Literal] = list(clause.literals)
    for literal in clause.literals:
        formula = meaning.formula(literal)
        others = [meaning.formula(other) for other in kept if other != literal]
        impossible = entails(language, facts, language.negation(formula))
        said = any(entails(language, [formula], other) for other in others)
        if len(kept) > 1 and (impossible or said):
            kept.remove(literal)
    return replace(clause, literals=tuple(kept))


def _follows(meaning: Meaning, clause: LearnedClause, rest: Sequence[LearnedClause]) -> bool:
    facts = [meaning.formula(other.literals[0]) for other in rest if len(other.literals) == 1]
    return any(
        entails(meaning.language, facts, meaning.formula(literal)) for literal in clause.literals
    ) or any(set(other.literals) <= set(clause.literals) for other in rest)


def _price(meaning: Meaning, clause: LearnedClause) -> float:
    return len(clause.literals) + sum(meaning.price(literal) for literal in clause.literals)
