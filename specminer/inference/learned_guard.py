"""A learned guard: what the specification says of it, with the formulas and calls behind it."""

from __future__ import annotations

from dataclasses import dataclass

from specminer.inference.guard_learning import LearnedClause
from specminer.inference.guard_literals import LiteralEvaluator
from specminer.predicate import Formula
from specminer.specification import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedGuard:
    """A guard with what reasoning about it needs."""

    guard: Guard
    """As it stands in the specification, not yet proved."""
    meaning: LiteralEvaluator
    """The calls of the function and the language of the formulas."""
    clauses: tuple[LearnedClause, ...]
    """Of each of the guard's conditions, in order."""
    formula: Formula
    """The conjunction that was learned."""
    simplified: Formula
    """The same, as short as it gets."""
