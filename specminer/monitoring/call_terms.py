"""The values that conditions of a specification speak of, in single calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from specminer.decoding.storage_values import ValueKind
from specminer.history.words import values_at
from specminer.inference.guard_description import JudgedFunction
from specminer.inference.guard_terms import FunctionCalls
from specminer.predicate import SORTS, Declaration, Formula, FormulaError
from specminer.predicate.concrete import Value, values_of
from specminer.predicate.smt import WORD_LIMIT, read_formula
from specminer.specification import SymbolSort


@dataclass(frozen=True)
class CallTerms:
    """The terms of one function's calls, by name."""

    function: JudgedFunction

    @property
    def situation(self) -> FunctionCalls:
        """The calls."""
        return self.function.meaning.situation

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        terms = self.situation.terms
        positions = {term.name: position for position, term in enumerate(terms)}
        return positions | {
            term.formula_name: position
            for position, term in enumerate(terms)
            if term.formula_name not in positions
        }

    def position_of(self, name: str, names: Mapping[str, str]) -> int | None:
        """Return the position of a term by its name in a specification; ``names`` are the whole names of short ones."""
        position = self._positions.get(names.get(name, name))
        return self._positions.get(name) if position is None else position

    def values(self, position: int, calls: Sequence[int]) -> list[Value]:
        """Return what a term was in some calls, by its position in the situation; ``None`` if a call does not tell."""
        term = self.situation.terms[position]
        words = values_at(self.situation.words, term.codes[calls])
        if term.kind is ValueKind.BOOL:
            return [None if word is None else bool(word) for word in words]
        if term.kind is not ValueKind.INT:
            return words
        middle = WORD_LIMIT // 2
        return [word if word is None or word < middle else word - WORD_LIMIT for word in words]

    def spell(self, position: int, value: Value) -> str:
        """Return a value of a term as people write it."""
        term = self.situation.terms[position]
        if isinstance(value, bool) or value is None:
            return str(value).lower()
        return Declaration(name=term.name, sort=SORTS[term.kind], members=term.members).spell(value)


@dataclass(frozen=True, slots=True)
class CheckedCondition:
    """A condition of a specification over the terms of a function's calls."""

    text: str
    positions: Mapping[str, int]
    """The position of each symbol's term in the situation."""
    formula: Formula

    def truths(self, terms: CallTerms, calls: Sequence[int]) -> Sequence[Value]:
        """Return whether it holds in each of some calls; ``None`` where that is not known.

        Raises:
            FormulaError: an operator outside the fragment.

        """
        columns = {name: terms.values(position, calls) for name, position in self.positions.items()}
        return values_of(self.formula, columns, len(calls))

    def values(self, terms: CallTerms, call: int) -> dict[str, str]:
        """Return the values that met in it, by name, as far as they are known."""
        values_by_name = {
            name: (position, terms.values(position, [call])[0]) for name, position in self.positions.items()
        }
        return {
            name: terms.spell(position, value)
            for name, (position, value) in values_by_name.items()
            if value is not None
        }


def conditions_of(
    terms: CallTerms,
    smt: str,
    symbols: Mapping[str, SymbolSort],
    texts: Sequence[str],
    whole: str,
    names: Mapping[str, str],
) -> tuple[list[CheckedCondition | None], int]:
    """Return the conditions of a conjunction over a function's terms; ``None`` for one that cannot be asked here.

    Args:
        terms: the function's calls.
        smt: the conjunction.
        symbols: what it speaks of, by quoted name.
        texts: its conditions for people, in order; where their number is another than that of the parts, the
            conjunction is one condition.
        whole: its own text.
        names: the whole names of symbols that have short ones.

    Returns:
        The conditions, and how many of them cannot be asked: they speak of what no call here has, or are malformed.

    """
    try:
        formula = read_formula(smt, symbols)
    except FormulaError:
        return [], 1
    parts = list(formula.args()) if formula.is_and() else [formula]
    if len(parts) != len(texts):
        parts, texts = [formula], [whole]
    conditions = [_condition(terms, part, text, names) for part, text in zip(parts, texts, strict=True)]
    return conditions, sum(item is None for item in conditions)


def _condition(
    terms: CallTerms, formula: Formula, text: str, names: Mapping[str, str]
) -> CheckedCondition | None:
    positions: dict[str, int] = {}
    for name in _symbols(formula):
        position = terms.position_of(name, names)
        if position is None:
            return None
        positions[name] = position
    return CheckedCondition(text, positions, formula)


def _symbols(formula: Formula) -> Iterable[str]:
    if formula.is_symbol():
        return {formula.symbol_name()}
    return set[str]().union(*(_symbols(part) for part in formula.args()))


def judged_calls(terms: CallTerms, judged: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[int]:
    """Return the places of the calls that are judged; ``judged`` is by invocation."""
    return np.flatnonzero(judged[terms.situation.rows]).tolist()
