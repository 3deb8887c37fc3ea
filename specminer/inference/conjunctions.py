"""Makes a conjunction of conditions as short as it gets, without a solver, which then proves that it means the same.

Entailment between literals is decided on the graph of differences (:mod:`specminer.predicate.normal`), so that a
guard is the same with and without a solver installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specminer.inference.guard_learning import LearnedClause
from specminer.inference.guard_literals import Literal, LiteralEvaluator, Sign
from specminer.predicate import Formula, entails

_CONJOINED_SIGNS = {
    frozenset({Sign.AT_LEAST, Sign.DIFFERENT}): Sign.GREATER,
    frozenset({Sign.AT_MOST, Sign.DIFFERENT}): Sign.LESS,
    frozenset({Sign.AT_MOST, Sign.AT_LEAST}): Sign.EQUAL,
}


def formula_of(meaning: LiteralEvaluator, clauses: Sequence[LearnedClause]) -> Formula:
    """Return the conjunction of clauses; of none, true."""
    language = meaning.language
    parts = []
    for clause in clauses:
        literals = [meaning.formula(literal) for literal in clause.literals]
        parts.append(literals[0] if len(literals) == 1 else language.disjunction(*literals))
    return parts[0] if len(parts) == 1 else language.conjunction(*parts)


def simplify_clauses(
    meaning: LiteralEvaluator, clauses: Sequence[LearnedClause]
) -> tuple[LearnedClause, ...]:
    """Return the shortest equivalent conjunction: joined, without what follows from the rest."""
    conjuncts = _join_bounds(clauses)
    conjuncts = [_narrow(meaning, clause, conjuncts) for clause in conjuncts]
    order = sorted(
        range(len(conjuncts)), key=lambda index: (-_price(meaning, conjuncts[index]), -index)
    )  # what costs most is dropped first
    indices = set(range(len(conjuncts)))
    for index in order:
        rest = [conjuncts[other] for other in sorted(indices - {index})]
        if _follows(meaning, conjuncts[index], rest):
            indices.discard(index)
    return tuple(conjuncts[index] for index in sorted(indices))


def _join_bounds(clauses: Sequence[LearnedClause]) -> list[LearnedClause]:
    """Return the clauses with two bounds of the same terms as one: ``a >= b and a != b`` is ``a > b``."""
    conjuncts: list[LearnedClause] = []
    for clause in clauses:
        for index, other in enumerate(conjuncts):
            sign = _both(clause, other)
            if sign is not None:
                literal = replace(other.literals[0], sign=sign)
                causes = tuple(sorted({*clause.causes, *other.causes}))
                conjuncts[index] = LearnedClause(literals=(literal,), causes=causes)
                break
        else:
            conjuncts.append(clause)
    return conjuncts


def _both(one: LearnedClause, other: LearnedClause) -> Sign | None:
    if len(one.literals) != 1 or len(other.literals) != 1:
        return None
    (first,), (second,) = one.literals, other.literals
    if replace(first, sign=second.sign) != second:
        return None
    return _CONJOINED_SIGNS.get(frozenset({first.sign, second.sign}))


def _narrow(
    meaning: LiteralEvaluator, clause: LearnedClause, clauses: Sequence[LearnedClause]
) -> LearnedClause:
    """Return a disjunction without the literals that cannot hold, or that another of its own follows from."""
    if len(clause.literals) == 1:
        return clause
    language = meaning.language
    facts = [meaning.formula(other.literals[0]) for other in clauses if len(other.literals) == 1]
    literals: list[Literal] = list(clause.literals)
    for literal in clause.literals:
        formula = meaning.formula(literal)
        others = [meaning.formula(other) for other in literals if other != literal]
        impossible = entails(language, facts, language.negation(formula))
        is_implied = any(entails(language, [formula], other) for other in others)
        if len(literals) > 1 and (impossible or is_implied):
            literals.remove(literal)
    return replace(clause, literals=tuple(literals))


def _follows(meaning: LiteralEvaluator, clause: LearnedClause, rest: Sequence[LearnedClause]) -> bool:
    facts = [meaning.formula(other.literals[0]) for other in rest if len(other.literals) == 1]
    return any(
        entails(meaning.language, facts, meaning.formula(literal)) for literal in clause.literals
    ) or any(set(other.literals) <= set(clause.literals) for other in rest)


def _price(meaning: LiteralEvaluator, clause: LearnedClause) -> float:
    return len(clause.literals) + sum(meaning.price(literal) for literal in clause.literals)
