"""States as formulas, and the same formulas in the words of each function's guards.

A state is the set of valuations of the chosen predicates that were joined in it: a disjunction of *cubes*, each a
conjunction of literals. What is not known in a valuation is left out of its cube.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np

from specminer.history.contract_history import MISSING
from specminer.inference.entity_terms import Entities
from specminer.inference.guard_literals import LiteralEvaluator
from specminer.learning.quotient import ROOT
from specminer.learning.tuning_result import Tuning
from specminer.learning.vocabulary import FALSE, TRUE
from specminer.predicate import Formula, Language, entails

MAX_CUBES: Final = 64
"""A state of more valuations is described by what they have in common."""


@dataclass(frozen=True)
class StateSpace:
    """The states of the chosen automaton over the variables of its interactions."""

    tuning: Tuning

    @property
    def language(self) -> Language:
        """What the formulas are written in."""
        return self.tuning.language

    @cached_property
    def cubes(self) -> Mapping[int, tuple[tuple[Formula, ...], ...]]:
        """For each state its cubes, ascending by valuation; the root has one without literals."""
        tuning = self.tuning
        row_of = {item.text: row for row, item in enumerate(tuning.vocabulary)}
        rows = [row_of[item.text] for item in tuning.predicates]
        fine = tuning.graph.valuations[rows]
        cubes_by_state: dict[int, tuple[tuple[Formula, ...], ...]] = {}
        for state in tuning.states:
            columns = fine[:, tuning.chosen_point.blocks == state.id]
            if state.id == ROOT or not columns.size:
                cubes_by_state[state.id] = ((),)
                continue
            distinct = np.unique(columns, axis=1).T.tolist()
            cubes = self._join_cubes([self._cube(rows, values) for values in distinct])
            cubes_by_state[state.id] = cubes if len(cubes) <= MAX_CUBES else (_common(cubes),)
        return cubes_by_state

    def formula(self, state: int) -> Formula:
        """Return what holds in a state: what its cubes have in common, and one of the rest of each."""
        cubes = self.cubes[state]
        shared = _common(cubes)
        rests = [[literal for literal in cube if literal not in shared] for cube in cubes]
        language = self.language
        parts = list(shared)
        if all(rests) and len(rests) > 1:
            parts.append(language.disjunction(*(_all(language, rest) for rest in rests)))
        return _all(language, parts)

    def _join_cubes(self, cubes: Sequence[tuple[Formula, ...]]) -> tuple[tuple[Formula, ...], ...]:
        """Return the cubes with two that differ in one literal alone as one without it.

        Source: Quine 1952, the resolution of prime implicants.
        """
        remaining = list(dict.fromkeys(cubes))
        while True:
            for one, other in combinations(remaining, 2):
                apart = set(one) ^ set(other)
                if len(one) == len(other) and len(apart) == 2 and self._opposite(*apart):
                    common = tuple(literal for literal in one if literal in other)
                    remaining = list(
                        dict.fromkeys(common if cube == one else cube for cube in remaining if cube != other)
                    )
                    break
            else:
                return tuple(remaining)

    def _opposite(self, one: Formula, other: Formula) -> bool:
        return self.language.negation(one) is other or self.language.negation(other) is one

    def _cube(self, rows: Sequence[int], values: Sequence[int]) -> tuple[Formula, ...]:
        literals: list[Formula] = []
        for row, value in zip(rows, values, strict=True):
            formula = self.tuning.vocabulary[row].formula
            if value in (TRUE, FALSE):
                literals.append(formula if value == TRUE else self.language.negation(formula))
        return _reduce(self.language, literals)


class FunctionSpace:
    """The states and the guards of one function, whose calls name the entity in one role, in one language."""

    def __init__(
        self,
        space: StateSpace,
        meaning: LiteralEvaluator,
        entities: Entities,
        role: int,
        fresh: dict[str, Formula],
    ) -> None:
        """Take over terms that are variables of the entity; the others' symbols are ``fresh`` ones, by name."""
        self.space = space
        self.language = meaning.language
        self.symbols: dict[Formula, Formula] = {}
        """This language's symbol of each variable of the states that was asked for."""
        keys = entities.keys(meaning.situation, None if role == MISSING else role)
        term_symbols = list(zip(meaning.situation.terms, meaning.symbols, strict=True))
        self._terms = {
            (term.variable, term.field): symbol
            for term, symbol in term_symbols
            if term.stored and set(term.keys) <= keys
        }
        self._own_address = {term.name: symbol for term, symbol in term_symbols if term.name == "this"}
        self._sender = next((symbol for term, symbol in term_symbols if term.name == "sender"), None)
        self._fields_by_name = entities.fields_by_name
        self._fresh = fresh

    def state(self, state: int) -> Formula:
        """Return what holds in a state."""
        return self.translate(self.space.formula(state))

    def cubes(self, state: int) -> tuple[tuple[Formula, ...], ...]:
        """Return the valuations that were joined in a state."""
        return tuple(tuple(self.translate(literal) for literal in cube) for cube in self.space.cubes[state])

    def known_facts(self, *formulas: Formula) -> list[Formula]:
        """Return what holds of every call, if formulas speak of it: nobody who calls is the zero address."""
        sender = self._sender
        if sender is None or sender not in self.language.symbols(self.language.conjunction(*formulas)):
            return []
        return [self.language.negation(self.language.equal(sender, self.language.number(0)))]

    def translate(self, formula: Formula) -> Formula:
        """Return a formula about the variables of an interaction as one about what the call meets."""
        for symbol in self.space.language.symbols(formula):
            if symbol not in self.symbols:
                self.symbols[symbol] = self._here(symbol)
        return self.language.translate(formula, self.symbols)

    def _here(self, symbol: Formula) -> Formula:
        declaration = self.space.language.declaration(symbol)
        own_symbol = self._terms.get(self._fields_by_name.get(declaration.name, (MISSING, MISSING)))
        if own_symbol is None:
            own_symbol = self._own_address.get(declaration.name)
        boolean = self.space.language.is_boolean(symbol)
        if own_symbol is not None and self.language.is_boolean(own_symbol) == boolean:
            return own_symbol
        name = declaration.name
        if name not in self._fresh:
            free_name = name
            while self.language.is_taken(free_name):  # the clock of a state is not that of the call
                free_name = f"{free_name} before"
            self._fresh[name] = self.language.declare(replace(declaration, name=free_name, context=False))
        return self._fresh[name]


class Frames:
    """The frames of all functions and roles, each made once."""

    def __init__(self, space: StateSpace, entities: Entities) -> None:
        self.space = space
        self._entities = entities
        self._spaces: dict[tuple[int, int], FunctionSpace] = {}
        self._fresh: dict[int, dict[str, Formula]] = {}

    def of(self, meaning: LiteralEvaluator, role: int) -> FunctionSpace:
        """Return the frame of the calls that name the entity in a role."""
        key = (id(meaning), role)
        if key not in self._spaces:
            fresh = self._fresh.setdefault(id(meaning), {})
            self._spaces[key] = FunctionSpace(self.space, meaning, self._entities, role, fresh)
        return self._spaces[key]


def follows(
    language: Language,
    cubes: Sequence[Sequence[Formula]],
    facts: Sequence[Formula],
    conclusion: Sequence[Formula],
) -> bool:
    """Whether one of some literals follows in every cube, as the graph of differences tells."""
    return all(any(entails(language, [*cube, *facts], literal) for literal in conclusion) for cube in cubes)


def _common(cubes: Sequence[Sequence[Formula]]) -> tuple[Formula, ...]:
    return tuple(literal for literal in cubes[0] if all(literal in cube for cube in cubes))


def _all(language: Language, parts: Sequence[Formula]) -> Formula:
    return parts[0] if len(parts) == 1 else language.conjunction(*parts)


def _reduce(language: Language, literals: Sequence[Formula]) -> tuple[Formula, ...]:
    """Return literals without those that follow from the rest, negations first."""
    remaining = list(dict.fromkeys(literals))
    for literal in sorted(remaining, key=lambda item: not item.is_not()):
        if entails(language, [other for other in remaining if other is not literal], literal):
            remaining.remove(literal)
    return tuple(remaining)
