"""Describes the automata of the front: what each predicate is worth, what holds in each state, what it is called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from specminer.abstraction import (
    FALSE,
    ROOT,
    TRUE,
    UNKNOWN,
    Definition,
    EventTable,
    HistoryView,
    Predicate,
    Tier,
    TruthColumn,
)
from specminer.abstraction.folds import Folds
from specminer.errors import UsageError, plain
from specminer.history import IntColumn
from specminer.metric import Finalist, measure
from specminer.naming import OPEN, Phrases, literal, state_names
from specminer.predicate import Formula, FormulaError, entails, normalised, parse, solver_name
from specminer.tuning.held import Held, held, is_value
from specminer.tuning.merging import Clause, Cube, Merging, without
from specminer.tuning.objective import Objective, Selection
from specminer.tuning.result import ChosenPredicate, FrontPoint, TunedState
from specminer.tuning.stability import stability
from specminer.tuning.union import Union, unions

FALLS: Final = 0.01
"""Held-out acceptance falls if a larger automaton loses this much of it."""
TUNED: Final = "What specminer chose: edit it, and mine with it again"
PROVED_ALIASES: Final = 8
"""The solver looks at so many aliases of a chosen predicate at most."""
MANY_DENIED: Final = 2
"""From so many values on that a variable has not, it is said which ones it had."""
_UNKNOWN: Final = re.compile(r"unknown\((.*)\)", re.DOTALL)
_TOKEN: Final = re.compile(r"`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\"|\(|\)|\band\b|\bor\b", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Describer:
    """What descriptions are made from."""

    objective: Objective
    table: EventTable
    cut: Folds
    definition: Definition
    splits: Mapping[str, tuple[str, ...]]
    seed: int

    def all(self, points: Sequence[Merging], chosen: Merging) -> tuple[FrontPoint, ...]:
        """Describe the points of a front."""
        described = [self._point(point, chosen=point is chosen) for point in points]
        knee = _knee([point.metrics.get("held_out_acceptance") for point in described])
        return tuple(replace(point, knee=place == knee) for place, point in enumerate(described))

    @staticmethod
    def cubes(objective: Objective, selection: Selection, texts: Sequence[str]) -> list[Cube]:
        """Read conjunctions of chosen predicates, and of choices between them.

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
                formula = normalised(language, parse(language, unknown[1] if unknown else part))
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

        return [
            tuple(clause(text, part) for part in ([] if text.strip() == "true" else _split(text, "and")))
            for text in texts
        ]

    def _point(self, point: Merging, *, chosen: bool) -> FrontPoint:
        valuations = self._valuations(point)
        merged = tuple(self._cube_text(cube) for cube in point.cubes)
        predicates = self._predicates(point, full=chosen)
        states = self._states(point, valuations)
        return FrontPoint(
            blocks=point.blocks,
            predicates=predicates,
            merged=merged,
            states=states,
            metrics=self._metrics(point, states),
            chosen=chosen,
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

    def _predicates(self, point: Merging, *, full: bool) -> tuple[ChosenPredicate, ...]:
        """Return what each predicate is worth; stability and proofs (``full``) for the chosen point only."""
        selection = point.score.selection
        whole = point.score.description_length
        stable: Mapping[int, float | None] = dict.fromkeys(selection)
        if full:
            stable = stability(self.objective, self.cut, point, self.seed)
        found = []
        for position in selection:
            predicate = self.objective.vocabulary.predicates[position]
            less = without(self.objective, point, position)
            found.append(
                ChosenPredicate(
                    text=predicate.text,
                    formula=predicate.formula,
                    price=predicate.price,
                    tier=predicate.tier,
                    gain=less.description_length - whole,
                    stability=stable[position],
                    fixed=position in self.objective.vocabulary.fixed,
                    aliases=predicate.aliases,
                    equivalent=self._equivalent(predicate) if full else (),
                )
            )
        return tuple(found)

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
        chosen = [self.objective.vocabulary.predicates[row] for row in point.score.selection]
        either = unions(self.objective, point)
        valuations = np.vstack([valuations, *(union.column for union in either)])
        stated = [self._holds(chosen, either, valuations, state) for state in range(point.score.states)]
        chosen += [union.predicate for union in either]
        graph = self.objective.quotient
        visits = np.bincount(
            point.blocks[graph.target], weights=graph.count, minlength=point.score.states
        ).astype(np.int64)
        ends = np.bincount(point.blocks, weights=self.objective.quotient.ends, minlength=point.score.states)
        denied = self._denied(chosen, valuations, point.blocks)
        instead = self._instead(chosen, valuations, denied)
        names = state_names(chosen, valuations, self._phrases, self._whole(point.blocks, denied), instead)
        return tuple(
            TunedState(
                id=state,
                name=names[state],
                predicates=tuple(literal(chosen[row], int(valuations[row, state])) for row in stated[state]),
                phrases=tuple(
                    dict.fromkeys(
                        instead.get((state, row))
                        or self._phrases.of(chosen[row], int(valuations[row, state]))
                        for row in stated[state]
                    )
                ),
                visits=int(visits[state]),
                ends=int(ends[state]),
            )
            for state in range(point.score.states)
        )

    def _holds(
        self, chosen: Sequence[Predicate], either: Sequence[Union], valuations: TruthColumn, state: int
    ) -> list[int]:
        """Return which predicates say what holds in a state: each text once, without what follows from the rest.

        Choices between values stand behind the chosen predicates, and say what holds instead of their members.
        """
        if state == ROOT:
            return []
        language = self.objective.vocabulary.language
        values = valuations[:, state]
        own = {row: union for row, union in enumerate(either, start=len(chosen)) if union.state == state}
        told_by = {member for union in own.values() for member in union.members}
        kept = [row for row in range(len(chosen)) if values[row] != OPEN and row not in told_by]
        formulas = {
            row: chosen[row].formula if values[row] == TRUE else language.negation(chosen[row].formula)
            for row in kept
            if values[row] in (TRUE, FALSE)
        }
        for row in sorted(formulas, key=lambda row: (values[row] == TRUE, -row)):
            others = [formulas[other] for other in kept if other != row and other in formulas]
            if entails(language, others, formulas[row]):
                kept.remove(row)
        told: dict[str, int] = {}
        for row in kept:
            told.setdefault(literal(chosen[row], int(values[row])), row)
        return [*told.values(), *own]

    @cached_property
    def _phrases(self) -> Phrases:
        language = self.objective.vocabulary.language
        called: dict[Formula, str] = {}
        for text, name in self.definition.names.items():
            try:
                called[normalised(language, parse(language, text))] = name
            except FormulaError:
                continue
        return Phrases(language, self.objective.vocabulary.dimensions, self.table.entity, called)

    def _denied(
        self, chosen: Sequence[Predicate], valuations: TruthColumn, blocks: IntColumn
    ) -> dict[int, dict[Formula, Held]]:
        """Return by state and variable what it was, where the chosen predicates deny several of its values."""
        language = self.objective.vocabulary.language
        rows: dict[Formula, list[int]] = {}
        for row, predicate in enumerate(chosen):
            if is_value(language, predicate.formula):
                rows.setdefault(predicate.formula.arg(0), []).append(row)
        if all(len(values) < MANY_DENIED for values in rows.values()):
            return {}
        return {
            state: {
                item.symbol: item
                for item in items
                if (valuations[rows.get(item.symbol, []), state] == FALSE).sum() >= MANY_DENIED
                and not (valuations[rows[item.symbol], state] == TRUE).any()
            }
            for state, items in held(self.objective, blocks).items()
        }

    def _instead(
        self,
        chosen: Sequence[Predicate],
        valuations: TruthColumn,
        denied: Mapping[int, Mapping[Formula, Held]],
    ) -> dict[tuple[int, int], str]:
        """Return by state and predicate what is said of a variable that was something, and not what it was not."""
        found: dict[tuple[int, int], str] = {}
        for state, items in denied.items():
            for row, predicate in enumerate(chosen):
                known = items.get(predicate.formula.arg(0)) if predicate.formula.is_equals() else None
                if known is not None and valuations[row, state] == FALSE:
                    phrase = self._phrases.holding(known.formula)
                    found |= {(state, row): phrase} if phrase else {}
        return found

    def _whole(self, blocks: IntColumn, denied: Mapping[int, Mapping[Formula, Held]]) -> dict[int, str]:
        """Return for each state, if there is one, how the best predicate is said that is true there alone.

        Else the values that a variable had there alone, of which the chosen predicates only deny others.
        """
        found: dict[int, Predicate] = {}
        graph, candidates = self.objective.quotient, self.objective.vocabulary.predicates
        sizes = np.bincount(blocks)
        for predicate, column in zip(candidates, graph.valuations, strict=True):
            inside = np.flatnonzero(column == TRUE)
            state = int(blocks[inside[0]])
            if len(inside) == sizes[state] and (blocks[inside] == state).all():
                found[state] = min(found.get(state, predicate), predicate, key=lambda p: p.price)
        had = {
            state: phrase
            for state, items in denied.items()
            for item in items.values()
            if item.alone and (phrase := self._phrases.holding(item.formula)) is not None
        }
        return had | {
            state: self._phrases.of(predicate, TRUE)
            for state, predicate in found.items()
            if predicate.tier is not Tier.HISTORY
        }

    def _metrics(self, point: Merging, states: Sequence[TunedState]) -> dict[str, float]:
        symbols = max(1, len(self.table.symbols))
        accepted_as = np.array(self.table.accepted_as or range(symbols), dtype=np.int64)
        rejected = np.zeros(symbols, dtype=np.bool_)
        rejected[self.table.symbol[self.table.rejected]] = True
        described = [len(state.predicates) for state in states[1:]]
        return measure(
            Finalist(
                counts=self.objective.counts(point.score.selection, point.blocks),
                graph=self.objective.quotient,
                blocks=point.blocks,
                folds=self.cut,
                rejected=rejected,
                accepted_as=accepted_as,
                literals=sum(described) / max(1, len(described)),
                seed=self.seed,
            )
        )

    def _cube_text(self, cube: Cube) -> str:
        """Return a conjunction as a definition writes it."""
        parts = []
        for clause in cube:
            shown = " or ".join(self._literal_text(position, value) for position, value in clause)
            parts.append(f"({shown})" if len(clause) > 1 else shown)
        return " and ".join(parts) or "true"

    def _literal_text(self, position: int, value: int) -> str:
        predicate = self.objective.vocabulary.predicates[position]
        shown = literal(predicate, value)
        compound = value == TRUE and (predicate.formula.is_and() or predicate.formula.is_or())
        return f"({shown})" if compound else shown

    def _definition(self, predicates: Sequence[ChosenPredicate], merged: tuple[str, ...]) -> Definition:
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
    known = [value for value in acceptance if value is not None]
    if len(known) != len(acceptance) or not known:
        return None
    best = known[0]
    for place, value in enumerate(known):
        if value < best - FALLS:
            return place - 1
        best = max(best, value)
    return len(known) - 1
