"""Describes the automata of the front: what each predicate is worth, what holds in each state, what it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from specminer._support.errors import UsageError, plain
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EventTable
from specminer.learning.history_folds import Folds
from specminer.learning.joined_states import Union, unions
from specminer.learning.metric import Finalist, measure
from specminer.learning.objective import Objective, Selection
from specminer.learning.quotient import ROOT
from specminer.learning.stability import stability
from specminer.learning.state_merging import Clause, Cube, Merging, without
from specminer.learning.state_names import OPEN, Phrases, StateLabel, literal, sayings, state_names
from specminer.learning.tuning_result import FrontAutomaton, PredicateWorth, TunedState, doubts_of
from specminer.learning.vocabulary import FALSE, TRUE, UNKNOWN, Predicate, TruthColumn
from specminer.predicate import Formula, FormulaError, entails, normalise, parse, solver_name
from specminer.predicate import text as formula_text
from specminer.specification.abstraction_entries import HistoryView, Tier

FALLS: Final = 0.01
"""Held-out acceptance falls if a larger automaton loses this much of it."""
TUNED: Final = "What specminer chose: edit it, and mine with it again"
PROVED_ALIASES: Final = 8
"""The solver looks at so many aliases of a chosen predicate at most."""
_UNKNOWN: Final = re.compile(r"unknown\((.*)\)", re.DOTALL)
_TOKEN: Final = re.compile(r"`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"|\(|\)|\band\b|\bor\b", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Describer:
    """What descriptions are made from."""

    objective: Objective
    table: EventTable
    folds: Folds
    definition: Definition
    splits: Mapping[str, tuple[str, ...]]
    seed: int
    is_explained: bool = True
    """Whether stability and proofs are told of the chosen point's predicates."""

    def all(self, points: Sequence[Merging], chosen_point: Merging) -> tuple[FrontAutomaton, ...]:
        """Describe the points of a front."""
        described = [self._point(point, is_chosen=point is chosen_point) for point in points]
        knee = _knee([point.metrics.get("held_out_acceptance") for point in described])
        return tuple(replace(point, knee=position == knee) for position, point in enumerate(described))

    @staticmethod
    def cubes(
        objective: Objective, selection: Selection, texts: Sequence[str], *, lenient: bool = False
    ) -> list[Cube]:
        """Read conjunctions of chosen predicates, and of choices between them.

        Args:
            objective: has the predicates.
            selection: which of them are chosen.
            texts: the conjunctions.
            lenient: whether those are passed over that speak of something else.

        Raises:
            UsageError: something else stands there.

        """
        language = objective.vocabulary.language
        meaning: dict[Formula, tuple[int, int]] = {}
        for position in selection:
            formula = objective.vocabulary.predicates[position].formula
            meaning[formula] = (position, TRUE)
            meaning[language.negation(formula)] = (position, FALSE)

        def clause(text: str, part: str) -> Clause:
            unknown = _UNKNOWN.fullmatch(part)
            try:
                formula = normalise(language, parse(language, unknown[1] if unknown else part))
                position, value = meaning[formula]
            except (FormulaError, KeyError) as error:
                inner = part[1:-1] if part.startswith("(") and part.endswith(")") else part
                parts = _split(inner, "or")
                if len(parts) > 1:
                    return tuple(item for one in parts for item in clause(text, one))
                reason = f": {plain(error)}" if isinstance(error, FormulaError) else ""
                raise UsageError(
                    f"the abstraction joins states where '{plain(text)}' holds, but '{plain(part)}' is none "
                    f"of the predicates that it fixes{reason}"
                ) from None
            return ((position, UNKNOWN if unknown else value),)

        conjunctions: list[Cube] = []
        for text in texts:
            parts = [] if text.strip() == "true" else _split(text, "and")
            try:
                conjunctions.append(tuple(clause(text, part) for part in parts))
            except UsageError:
                if not lenient:
                    raise
        return conjunctions

    def _point(self, point: Merging, *, is_chosen: bool) -> FrontAutomaton:
        valuations = self._valuations(point)
        merged = tuple(self._cube_text(cube) for cube in point.cubes)
        predicates = self._predicates(point, full=is_chosen and self.is_explained)
        states = self._states(point, valuations)
        return FrontAutomaton(
            blocks=point.blocks,
            predicates=predicates,
            merged_states=merged,
            states=states,
            metrics=self._metrics(point, states),
            chosen=is_chosen,
            knee=False,
            definition=self._definition(predicates, merged),
        )

    def _valuations(self, point: Merging) -> TruthColumn:
        """Return each chosen predicate's value in each state, or ``OPEN``; shape (chosen, states)."""
        fine = self.objective.quotient.valuations[list(point.score.selection)]
        states = point.score.states
        lowest = np.full((len(fine), states), OPEN, dtype=np.int8)
        highest = np.zeros((len(fine), states), dtype=np.int8)
        for row in range(len(fine)):
            np.minimum.at(lowest[row], point.blocks[1:], fine[row, 1:])
            np.maximum.at(highest[row], point.blocks[1:], fine[row, 1:])
        return np.where(lowest == highest, lowest, OPEN).astype(np.int8)

    def _predicates(self, point: Merging, *, full: bool) -> tuple[PredicateWorth, ...]:
        """Return what each predicate is worth; stability and proofs (``full``) for the chosen point only."""
        selection = point.score.selection
        whole = self.objective.score_merging(selection, point.blocks).description_length
        stable: Mapping[int, float | None] = dict.fromkeys(selection)
        if full:
            stable = stability(self.objective, self.folds, point, self.seed)
        worths = []
        for position in selection:
            predicate = self.objective.vocabulary.predicates[position]
            less = without(self.objective, point, position)
            worths.append(
                PredicateWorth(
                    text=predicate.text,
                    formula=predicate.formula,
                    price=predicate.price,
                    tier=predicate.tier,
                    gain=less.description_length - whole,
                    stability=stable[position],
                    fixed=position in self.objective.vocabulary.fixed,
                    aliases=predicate.aliases,
                    equivalent=self._equivalent(predicate) if full else (),
                    observers=self._observers(predicate),
                )
            )
        return tuple(worths)

    def _observers(self, predicate: Predicate) -> tuple[str, ...]:
        """Return the signatures of the read-only functions whose results a predicate speaks of."""
        language, dimensions = self.objective.vocabulary.language, self.objective.vocabulary.dimensions
        symbol_names = {language.declaration(symbol).name for symbol in language.symbols(predicate.formula)}
        variables = zip(self.table.variables, dimensions, strict=True)
        return tuple(
            item.function for item, name in variables if item.function is not None and name in symbol_names
        )

    def _equivalent(self, predicate: Predicate) -> tuple[str, ...]:
        """Return the aliases that a solver proves to mean the same."""
        if solver_name() is None:
            return ()
        language = self.objective.vocabulary.language
        pairs = list(zip(predicate.aliases, predicate.alias_formulas, strict=True))[:PROVED_ALIASES]
        return tuple(
            text
            for text, formula in pairs
            if language.equivalent(predicate.formula, formula)
            or language.equivalent(predicate.formula, language.negation(formula))
        )

    def _states(self, point: Merging, valuations: TruthColumn) -> tuple[TunedState, ...]:
        own = [self.objective.vocabulary.predicates[row] for row in point.score.selection]
        labels = sayings(own, valuations, self._phrases, self._seen_values(own, point.blocks))
        either = unions(self.objective, point)
        valuations = np.vstack([valuations, *(union.column for union in either)])
        stated = [self._holds(own, either, valuations, state) for state in range(point.score.states)]
        predicates = [*own, *(union.predicate for union in either)]
        members = [*((row,) for row in range(len(own))), *(union.members for union in either)]
        graph = self.objective.quotient
        visits = np.bincount(
            point.blocks[graph.target], weights=graph.count, minlength=point.score.states
        ).astype(np.int64)
        unknown = self._unknown(point)
        ends = np.bincount(point.blocks, weights=self.objective.quotient.ends, minlength=point.score.states)
        apart = sayings(own, valuations[: len(own)], self._phrases, {})
        names = state_names(labels, point.score.states, self._whole(own, point.blocks), apart)
        return tuple(
            TunedState(
                id=state,
                name=names[state],
                predicates=tuple(
                    literal(predicates[row], int(valuations[row, state])) for row in stated[state]
                ),
                phrases=_phrases(
                    labels, state, {row for position in stated[state] for row in members[position]}
                ),
                visits=int(visits[state]),
                ends=int(ends[state]),
                unknown=int(unknown[state]),
            )
            for state in range(point.score.states)
        )

    def _unknown(self, point: Merging) -> IntColumn:
        """Return how many visits of each state are only assumed, because a value is in doubt; shape (states,)."""
        doubts = doubts_of(self.objective.vocabulary)
        after = point.blocks[self.objective.quotient.state_after]
        is_certain = doubts is None or not point.score.selection
        after = after[:0] if is_certain or doubts is None else after[doubts.of(point.score.selection)]
        return np.bincount(after, minlength=point.score.states).astype(np.int64)

    def _holds(
        self, predicates: Sequence[Predicate], either: Sequence[Union], valuations: TruthColumn, state: int
    ) -> list[int]:
        """Return which predicates say what holds in a state: each text once, without what follows from the rest.

        Choices between values stand behind the chosen predicates, and say what holds instead of their members.
        """
        if state == ROOT:
            return []
        language = self.objective.vocabulary.language
        values = valuations[:, state]
        own = {row: union for row, union in enumerate(either, start=len(predicates)) if union.state == state}
        joined_rows = {member for union in own.values() for member in union.members}
        rows = [row for row in range(len(predicates)) if values[row] != OPEN and row not in joined_rows]
        formulas = {
            row: predicates[row].formula
            if values[row] == TRUE
            else language.negation(predicates[row].formula)
            for row in rows
            if values[row] in (TRUE, FALSE)
        }
        for row in sorted(formulas, key=lambda row: (values[row] == TRUE, -row)):
            others = [formulas[other] for other in rows if other != row and other in formulas]
            if entails(language, others, formulas[row]):
                rows.remove(row)
        row_by_text: dict[str, int] = {}
        for row in rows:
            row_by_text.setdefault(literal(predicates[row], int(values[row])), row)
        return [*row_by_text.values(), *own]

    @cached_property
    def _phrases(self) -> Phrases:
        language = self.objective.vocabulary.language
        called: dict[Formula, str] = {}
        for text, name in self.definition.names.items():
            try:
                called[normalise(language, parse(language, text))] = name
            except FormulaError:
                continue
        functions = [word for symbol in self.table.symbols for word in symbol.split()[:1]]
        return Phrases(language, self.objective.vocabulary.dimensions, self.table.entity, called, functions)

    @cached_property
    def _constants(self) -> dict[str, dict[int, BoolColumn]]:
        """Return for each variable and value that it is compared with in which finest states it has that value.

        A comparison may be known under another one that is true after the same events.
        """
        constants: dict[str, dict[int, BoolColumn]] = {}
        language, graph = self.objective.vocabulary.language, self.objective.quotient
        for predicate, column in zip(self.objective.vocabulary.predicates, graph.valuations, strict=True):
            spelled = [(predicate.formula, True)]
            for text, formula in zip(predicate.aliases, predicate.alias_formulas, strict=True):
                spelled.append((formula, text == formula_text(language, formula)))
            for formula, same in spelled:
                if formula.is_equals() and formula.arg(1).is_int_constant():
                    subject = language.declaration(formula.arg(0)).name
                    value = int(formula.arg(1).constant_value())
                    constants.setdefault(subject, {})[value] = column == (TRUE if same else FALSE)
        return constants

    def _seen_values(
        self, predicates: Sequence[Predicate], blocks: IntColumn
    ) -> dict[str, tuple[frozenset[int] | None, ...]]:
        """Return for variables that are compared with values what was seen of them in each state."""
        result: dict[str, tuple[frozenset[int] | None, ...]] = {}
        states = int(blocks.max()) + 1
        for subject in {predicate.subject for predicate in predicates if predicate.subject is not None}:
            has_value = np.zeros(len(blocks), dtype=np.bool_)
            values: list[set[int]] = [set() for _ in range(states)]
            for value, column in self._constants.get(subject, {}).items():
                has_value |= column
                for state in set(blocks[1:][column[1:]].tolist()):
                    values[state].add(value)
            open_states = set(blocks[1:][~has_value[1:]].tolist())
            result[subject] = tuple(
                None if state in open_states or not values[state] else frozenset(values[state])
                for state in range(states)
            )
        return result

    def _whole(self, predicates: Sequence[Predicate], blocks: IntColumn) -> dict[int, str]:
        """Return for each state, if there is one, how the best predicate is said that is true there alone.

        Only what speaks of the same as the chosen predicates, or has a name of its own: a state is not to be called
        after one thing and told by another. How two variables compare is no name for a state.
        """
        best_by_state: dict[int, Predicate] = {}
        graph, candidates = self.objective.quotient, self.objective.vocabulary.predicates
        sizes = np.bincount(blocks)
        texts = {predicate.text for predicate in predicates}
        subjects = {predicate.subject for predicate in predicates} - {None}

        def rank(predicate: Predicate) -> tuple[bool, float]:
            return predicate.text not in texts, predicate.price

        for predicate, column in zip(candidates, graph.valuations, strict=True):
            inside = np.flatnonzero(column == TRUE)
            state = int(blocks[inside[0]])
            is_eligible = predicate.text in texts and (
                predicate.formula.is_symbol() or predicate.subject is not None
            )
            is_eligible |= predicate.subject in subjects or self._phrases.has_name(predicate)
            if is_eligible and len(inside) == sizes[state] and (blocks[inside] == state).all():
                best_by_state[state] = min(best_by_state.get(state, predicate), predicate, key=rank)
        return {
            state: self._phrases.of(predicate, TRUE)
            for state, predicate in best_by_state.items()
            if predicate.tier is not Tier.HISTORY
        }

    def _metrics(self, point: Merging, states: Sequence[TunedState]) -> dict[str, float]:
        symbols = max(1, len(self.table.symbols))
        accepted_as = np.array(self.table.accepted_as or range(symbols), dtype=np.int64)
        described = [len(state.predicates) for state in states[1:]]
        return measure(
            Finalist(
                counts=self.objective.counts(point.score.selection, point.blocks, point.conjunction_bits),
                graph=self.objective.quotient,
                blocks=point.blocks,
                folds=self.folds,
                rejected=self.objective.quotient.rejected,
                accepted_as=accepted_as,
                literals=sum(described) / max(1, len(described)),
                seed=self.seed,
                assumed=self._assumed_edges(point),
            )
        )

    def _assumed_edges(self, point: Merging) -> BoolColumn | None:
        """Return which edges of the finest quotient only events took whose states are assumed; ``None`` if none is."""
        doubts, graph = doubts_of(self.objective.vocabulary), self.objective.quotient
        if doubts is None or not point.score.selection:
            return None
        after = doubts.of(point.score.selection)
        before: BoolColumn = np.concatenate(([False], after[:-1]))[: len(after)]
        before[self.table.starts] = False
        certain_counts = np.bincount(graph.edge[~(after | before)], minlength=len(graph.count))
        return np.equal(certain_counts, 0)

    def _cube_text(self, cube: Cube) -> str:
        """Return a conjunction as a definition writes it."""
        parts = []
        for clause in cube:
            text = " or ".join(self._literal_text(position, value) for position, value in clause)
            parts.append(f"({text})" if len(clause) > 1 else text)
        return " and ".join(parts) or "true"

    def _literal_text(self, position: int, value: int) -> str:
        predicate = self.objective.vocabulary.predicates[position]
        text = literal(predicate, value)
        compound = value == TRUE and (predicate.formula.is_and() or predicate.formula.is_or())
        return f"({text})" if compound else text

    def _definition(self, predicates: Sequence[PredicateWorth], merged: tuple[str, ...]) -> Definition:
        """Return what makes this automaton again."""
        history = any(predicate.tier is Tier.HISTORY for predicate in predicates)
        return replace(
            self.definition,
            name=self.definition.name if self.definition.only else "tuned",
            summary=self.definition.summary if self.definition.only else TUNED,
            lenient=False,
            refines=None,
            fix=tuple(predicate.text for predicate in predicates),
            only=True,
            merge=merged,
            history=HistoryView.ALWAYS if history else self.definition.history,
            split={**self.definition.split, **self.splits},
        )


def _phrases(labels: Sequence[StateLabel], state: int, independent_rows: Set[int]) -> tuple[str, ...]:
    """Return what holds in a state as people say it; ``independent_rows`` do not follow from others."""
    phrases = [
        text
        for saying in labels
        if not set(saying.rows).isdisjoint(independent_rows) and (text := saying.phrases[state]) is not None
    ]
    return tuple(dict.fromkeys(phrases))


def _split(text: str, word: str) -> list[str]:
    """Split a text at each ``word`` outside of parentheses and backticks."""
    parts: list[str] = []
    begin = depth = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        depth += (token == "(") - (token == ")")
        if token == word and depth == 0:
            parts.append(text[begin : match.start()].strip())
            begin = match.end()
    return [*parts, text[begin:].strip()]


def _knee(acceptance: Sequence[float | None]) -> int | None:
    """Return the place of the last point before held-out acceptance falls; ``None`` if it is not known."""
    values = [value for value in acceptance if value is not None]
    if len(values) != len(acceptance) or not values:
        return None
    best = values[0]
    for position, value in enumerate(values):
        if value < best - FALLS:
            return position - 1
        best = max(best, value)
    return len(values) - 1
