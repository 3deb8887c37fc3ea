"""The guards of two specifications in one language, so that a solver can compare them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from specminer.inference.guard_proofs import spell_values
from specminer.predicate import Declaration, Formula, FormulaError, FormulaSort, Language
from specminer.predicate.smt import read_formula
from specminer.specification import (
    ConditionMaker,
    Guard,
    GuardCondition,
    GuardKind,
    Specification,
    SymbolSort,
)

_SORTS: Final = {
    SymbolSort.BOOLEAN: FormulaSort.BOOL,
    SymbolSort.WORD: FormulaSort.NUMBER,
    SymbolSort.SIGNED: FormulaSort.SIGNED,
}
_UNNAMED: Final = re.compile(r"\b(?:mapping|slot)\d")
"""Storage that is called by its place."""
DEMANDED: Final = (GuardKind.REQUIRED, GuardKind.CODED)
MIN_ACCEPTED: Final = 3
"""A function of fewer accepted calls may not have shown all that its code asks."""


def followed_functions(specification: Specification) -> set[str]:
    """Return the functions whose code was followed in enough accepted calls."""
    calls: dict[str, int] = {}
    for effect in specification.effects:
        calls[effect.function] = max(calls.get(effect.function, 0), effect.calls)
    for guard in specification.guards:
        if guard.kind in DEMANDED and guard.calls is not None:
            calls[guard.scope] = max(calls.get(guard.scope, 0), guard.accepted)
    return {scope for scope, count in calls.items() if count >= MIN_ACCEPTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandedCondition:
    """A condition that a function's code asks."""

    text: str
    formula: Formula
    names: frozenset[str]
    """What it speaks of, by whole name."""
    kind: GuardKind
    partial: bool
    """Whether only some calls come to it."""
    of_compiler: bool
    order: int | None
    """Its place among the decisions of an accepted call."""

    @property
    def is_named(self) -> bool:
        """Whether all storage that it speaks of has a name."""
        return not any(_UNNAMED.search(name) for name in self.names)


@dataclass(frozen=True, slots=True)
class GuardLanguage:
    """Reads guards of two specifications into formulas over the same symbols."""

    language: Language = field(default_factory=Language)
    _symbols: dict[tuple[str, SymbolSort], Formula] = field(default_factory=dict)

    def conditions(self, guards: Iterable[Guard]) -> tuple[list[DemandedCondition], int]:
        """Return the conditions of a function's guards, and how many could not be read."""
        demands: list[DemandedCondition] = []
        unread = 0
        for guard in guards:
            if guard.kind not in DEMANDED or not guard.conditions:
                continue
            try:
                demands += self._of(guard)
            except FormulaError:
                unread += len(guard.conditions)
        return demands, unread

    def _of(self, guard: Guard) -> list[DemandedCondition]:
        formula = read_formula(guard.smt, guard.symbols)
        parts: Sequence[Formula] = list(formula.args()) if formula.is_and() else [formula]
        conditions: Sequence[GuardCondition | None] = guard.conditions
        if len(parts) != len(conditions):
            parts, conditions = [formula], [None]
        return [
            self._condition(guard, part, item)
            for part, item in zip(parts, conditions, strict=True)
            if item is None or item.version is None or item.version.until is None
        ]

    def _condition(self, guard: Guard, part: Formula, condition: GuardCondition | None) -> DemandedCondition:
        sorts = {name.strip("|"): sort for name, sort in guard.symbols.items()}
        names = {name: guard.names.get(name, name) for name in sorted(_names(part))}
        symbols = {symbol: self._symbol(names[name], sorts[name]) for name, symbol in _symbols(part).items()}
        version = None if condition is None else condition.version
        formula = self.language.translate(part, symbols)
        return DemandedCondition(
            text=guard.text if condition is None else condition.text if version is None else version.demand,
            formula=formula if version is None else self._latest(formula),
            names=frozenset(names.values()),
            kind=guard.kind,
            partial=condition is not None and condition.path is not None,
            of_compiler=condition is not None and condition.maker is ConditionMaker.COMPILER,
            order=None if condition is None else condition.order,
        )

    def _latest(self, formula: Formula) -> Formula:
        """Return a condition of the latest version of the code without the blocks in which that runs."""
        block = self.language.find("block")
        rest = [item for item in formula.args() if self.language.symbols(item) != (block,)]
        return self.language.disjunction(*rest) if formula.is_or() and rest else formula

    def _symbol(self, name: str, sort: SymbolSort) -> Formula:
        key = name, sort
        if key not in self._symbols:
            unique_name = name
            while self.language.is_taken(unique_name):  # one name, but a truth here and a number there
                unique_name = f"{unique_name} as {sort.value}"
            self._symbols[key] = self.language.declare(Declaration(name=unique_name, sort=_SORTS[sort]))
        return self._symbols[key]

    def follows(self, facts: Sequence[Formula], conclusion: Formula) -> bool | None:
        """Return whether a condition follows from others; ``None`` without a solver, or if it does not tell."""
        if conclusion in facts:
            return True
        language = self.language
        possible = language.satisfiable(language.conjunction(*facts, language.negation(conclusion)))
        return None if possible is None else not possible

    def example(self, facts: Sequence[Formula], failing: Formula) -> dict[str, str]:
        """Return values of what a condition speaks of for which it fails, although others hold; nothing if unknown."""
        language = self.language
        model = language.example(language.conjunction(*facts, language.negation(failing)))
        names = {language.declaration(symbol).name for symbol in language.symbols(failing)}
        return {name: value for name, value in spell_values(language, model or {}).items() if name in names}


def _symbols(formula: Formula) -> Mapping[str, Formula]:
    if formula.is_symbol():
        return {formula.symbol_name(): formula}
    symbols: dict[str, Formula] = {}
    for part in formula.args():
        symbols |= _symbols(part)
    return symbols


def _names(formula: Formula) -> Iterable[str]:
    return _symbols(formula).keys()
