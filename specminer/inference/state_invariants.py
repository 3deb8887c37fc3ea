"""What holds in every visit of a state, before every call of a function, and in every moment of an interaction.

States and calls are described by the predicates that the abstraction chose from: their values in each finest state
are known, so nothing is evaluated again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np

from specminer._support.statistics import divergence
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.history.words import integer_limbs
from specminer.inference.invariant_claim import MIN_CASES, TOLERANCE, Invariant
from specminer.inference.limb_arithmetic import less
from specminer.interaction import Interactions
from specminer.learning.dimension import comparable, dimensions
from specminer.learning.quotient import ROOT
from specminer.learning.state_names import literal
from specminer.learning.tuning_result import Tuning
from specminer.learning.vocabulary import FALSE, TRUE, UNKNOWN
from specminer.predicate import Formula, entails
from specminer.predicate.smtlib import expression
from specminer.predicate.syntax import apply
from specminer.predicate.syntax import symbol as symbol_of
from specminer.specification import INTERACTION_SCOPE, ClaimScope, Template, function_scope, state_scope
from specminer.specification.abstraction_entries import Tier

MAX_CLAIMS: Final = 4
"""Claims of one state or function at most: those that tell it best from the rest."""
USUAL_SHARE: Final = 0.9
"""What holds in a larger share of all other cases tells nothing of these."""
ONCE_SHARE: Final = 0.2
"""Exceptions that may still come of a single transaction; whoever counts transactions decides."""
SAMPLE: Final = 2_000
"""Events whose values are paired at random to see whether an order holds by chance."""
MIN_BITS: Final = 10.0
"""Bits by which what holds here has to differ from what holds elsewhere: less comes by chance among so many claims."""
MAX_VARIABLES: Final = 64
"""Variables of an interaction that are compared with each other at most."""


class Moments:
    """The predicates over finest states, with the events that came into each or left it."""

    def __init__(self, tuning: Tuning, interactions: Interactions) -> None:
        table = tuning.table
        self.tuning = tuning
        self.invocation = interactions.invocation
        self.is_counted: BoolColumn = ~table.rejected
        self.is_own: BoolColumn = self.is_counted & ~interactions.passive
        self.predicates = [row for row, item in enumerate(tuning.vocabulary) if item.tier is Tier.STORAGE]

    def values(self, predicate: int, finest: IntColumn) -> IntColumn:
        """Return a predicate's value in some finest states."""
        truth_values: IntColumn = self.tuning.graph.valuations[predicate][finest].astype(np.int64)
        return truth_values

    def doubts(self, predicate: int, *, before: bool) -> BoolColumn:
        """Return before, or after, which events a predicate's value is not known, though it has one in its state."""
        tuning = self.tuning
        if tuning.doubts is None:
            return np.zeros(len(tuning.table), dtype=np.bool_)
        after = tuning.doubts.of([predicate])
        return tuning.shift_to_before(after) if before else after

    def locate_events(self) -> _PredicateValues:
        """Return the state that each event leaves behind, or those that it may."""
        return _PredicateValues(self)


class _PredicateValues:
    """In which states events are, or may be where a value is in doubt."""

    def __init__(self, moments: Moments) -> None:
        tuning = moments.tuning
        self.after: IntColumn = tuning.state_after
        self.unsure = np.flatnonzero(moments.is_counted & tuning.uncertain_after(tuning.chosen_point))
        self._blocks, self._graph = tuning.chosen_point.blocks, tuning.graph
        formulas = {item.formula for item in tuning.predicates}
        self._rows = [row for row, item in enumerate(tuning.vocabulary) if item.formula in formulas]
        self._values = self._graph.valuations[self._rows][:, self._graph.state_after[self.unsure]]
        is_known = [~moments.doubts(row, before=False)[self.unsure] for row in self._rows]
        self._is_known = np.array(is_known, dtype=np.bool_).reshape(self._values.shape)
        self._is_sure = moments.is_counted.copy()
        self._is_sure[self.unsure] = False

    def surely(self, state: int) -> IntColumn:
        """Return the events after which it is known to be in a state."""
        return np.flatnonzero(self._is_sure & (self.after == state))

    def perhaps(self, state: int) -> IntColumn:
        """Return the events after which it may be in a state, by what is known then."""
        inside = np.unique(self._graph.valuations[self._rows][:, self._blocks == state], axis=1)
        possible = np.zeros(len(self.unsure), dtype=np.bool_)
        for values in inside.T:
            possible |= (~self._is_known | (self._values == values[:, None])).all(axis=0)
        events: IntColumn = self.unsure[possible | (self.after[self.unsure] == state)]
        return events


def states(moments: Moments) -> Iterator[Invariant]:
    """Find what holds in every visit of each state of the chosen point, apart from what describes it."""
    tuning = moments.tuning
    graph, blocks = tuning.graph, tuning.chosen_point.blocks
    visits = np.bincount(graph.state_after[moments.is_counted], minlength=graph.states)
    descriptions = {item.text for item in tuning.predicates}
    locations = moments.locate_events()
    shares = [
        (row, *_shares(graph.valuations[row], visits, blocks, len(tuning.states)))
        for row in moments.predicates
    ]
    for state in tuning.states:
        if state.id == ROOT:
            continue
        rows, others = locations.surely(state.id), locations.perhaps(state.id)
        if len(rows) < MIN_CASES:
            continue
        premises = _premises(tuning, state.predicates)
        candidates = [
            (row, value, other)
            for row, inside, outside in shares
            for value, other in _candidate(tuning, inside[:, state.id], outside[:, state.id])
            if tuning.vocabulary[row].text not in descriptions
        ]
        for row, value, facts in _strongest(tuning, candidates, premises):
            doubtful = moments.doubts(row, before=False)
            yield _claim(
                moments,
                state_scope(state.id),
                Template.STATE,
                f"in '{state.name}': {literal(tuning.vocabulary[row], value)}",
                _formula(tuning, row, value),
                _Cases.of(
                    rows,
                    moments.values(row, graph.state_after[rows]) == value,
                    doubtful,
                    int((doubtful | (moments.values(row, graph.state_after) != value))[others].sum()),
                ),
                facts,
            )


def preconditions(moments: Moments) -> Iterator[Invariant]:
    """Find what always held before a call was accepted, by event."""
    tuning = moments.tuning
    graph, table = tuning.graph, tuning.table
    inner = moments.is_own & (graph.state_before != ROOT)
    weight = np.bincount(graph.state_before[inner], minlength=graph.states)
    for symbol in np.unique(table.symbol[inner]).tolist():
        rows = np.flatnonzero(inner & (table.symbol == symbol))
        if len(rows) < MIN_CASES:
            continue
        here = np.bincount(graph.state_before[rows], minlength=graph.states)
        candidates = []
        for row in moments.predicates:
            column = graph.valuations[row]
            inside, outside = np.zeros(3), np.zeros(3)
            np.add.at(inside, column, here)
            np.add.at(outside, column, weight - here)
            candidates += [(row, value, other) for value, other in _candidate(tuning, inside, outside)]
        name = table.symbols[symbol]
        for row, value, facts in _strongest(tuning, candidates, []):
            yield _claim(
                moments,
                function_scope(name),
                Template.BEFORE,
                f"before {name}: {literal(tuning.vocabulary[row], value)}",
                _formula(tuning, row, value),
                _Cases.of(
                    rows,
                    moments.values(row, graph.state_before[rows]) == value,
                    moments.doubts(row, before=True),
                ),
                facts,
            )


def orders(moments: Moments) -> Iterator[Invariant]:
    """Find pairs of an interaction's variables of which one is never less than the other, and not by chance."""
    table = moments.tuning.table
    kinds = dimensions(table)
    rows = np.flatnonzero(moments.is_counted)
    if not len(rows):
        return
    words = integer_limbs(list(table.words))
    draw = np.random.default_rng(moments.tuning.seed)
    for group in comparable(table.variables, kinds):
        numbers = [
            row
            for row in group
            if row not in table.flags
            and table.variables[row].kind in (ValueKind.UINT, ValueKind.INT, ValueKind.WORD)
        ]
        for left in numbers[:MAX_VARIABLES]:
            for right in numbers[:MAX_VARIABLES]:
                if left == right:
                    continue
                claim = _order(moments, left, right, rows, words, draw)
                if claim is not None:
                    yield claim


def _order(
    moments: Moments,
    left: int,
    right: int,
    rows: IntColumn,
    words: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
    draw: np.random.Generator,
) -> Invariant | None:
    """Return that the left variable is never less, if that says something."""
    table = moments.tuning.table
    one, other = table.values[left][rows], table.values[right][rows]
    both_known = (one != MISSING) & (other != MISSING)
    unknown = int((~both_known).sum()) if table.assumed is not None else 0
    one, other, rows = one[both_known], other[both_known], rows[both_known]
    if len(rows) < MIN_CASES or len(np.unique(one)) < 3 or len(np.unique(other)) < 3:
        return None
    signed = table.variables[left].kind is ValueKind.INT
    few = np.unique(np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(np.int64))
    if np.mean(less(words[one[few]], words[other[few]], signed=signed)) > ONCE_SHARE:
        return None
    permutation = draw.permutation(few)
    by_chance = float(np.mean(less(words[one[few]], words[other[permutation]], signed=signed)))
    fails = less(words[one], words[other], signed=signed)
    strict = float(np.mean(one != other))
    if by_chance < 0.02 or strict < 0.01 or np.mean(fails) > ONCE_SHARE:
        return None
    names = table.variables[left].name, table.variables[right].name
    language = moments.tuning.language
    symbols = [language.find(name) for name in names]
    formula = None
    if symbols[0] is not None and symbols[1] is not None:
        formula = language.negation(language.less(symbols[0], symbols[1]))
    cases = _Cases(rows=rows, holds=~fails, unknown=unknown)
    claim = _claim(moments, INTERACTION_SCOPE, Template.ORDER, f"{names[0]} >= {names[1]}", formula, cases)
    return replace(claim, smt=apply(">=", *(symbol_of(name) for name in names)))


def _shares(
    column: np.ndarray[tuple[int], np.dtype[np.int8]], visits: IntColumn, blocks: IntColumn, states_: int
) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Return how often each value (false, true, unknown) was seen in each state, and in all others; (3, states)."""
    counts = np.zeros((3, states_))
    np.add.at(counts, (column, blocks), visits)
    counts[:, ROOT] = 0
    return counts, counts.sum(axis=1, keepdims=True) - counts


def _candidate(
    tuning: Tuning,
    inside: np.ndarray[Any, np.dtype[np.float64]],
    outside: np.ndarray[Any, np.dtype[np.float64]],
) -> Iterator[tuple[int, float]]:
    """Yield the value that a predicate has here but for few cases, with the share of other cases that have it."""
    total, others = float(inside.sum()), float(outside.sum())
    if tuning.doubts is not None:  # what is in doubt is counted apart
        total -= float(inside[UNKNOWN])
    elif inside[UNKNOWN]:
        return
    if not total or not others:
        return
    for value in (TRUE, FALSE):
        wrong = total - float(inside[value])
        share = float(outside[value]) / others
        if wrong > max(TOLERANCE, ONCE_SHARE) * total or share > USUAL_SHARE:
            continue
        if not comes_by_chance(total, total - wrong, others, float(outside[value])):
            yield value, share + 10.0 * wrong / total


def comes_by_chance(cases: float, successes: float, others: float, held_elsewhere: float) -> bool:
    """Return whether ``successes`` in some cases may be no more than what holds as often in all ``others``."""
    expected = (held_elsewhere + 0.5) / (others + 1.0)
    return cases * divergence(successes / cases, expected) < MIN_BITS


def _strongest(
    tuning: Tuning, candidates: Sequence[tuple[int, int, float]], premises: Sequence[Formula]
) -> Iterator[tuple[int, int, tuple[Formula, ...]]]:
    """Yield the candidates that tell most, each with what it follows from: nothing for those that say more.

    After ``MAX_CLAIMS`` that say more than the premises and those before nothing is looked at.
    """
    language = tuning.language
    facts = list(premises)
    ranked = sorted(
        candidates,
        key=lambda item: (
            round(item[2], 6),
            tuning.vocabulary[item[0]].price,
            tuning.vocabulary[item[0]].text,
        ),
    )
    count = 0
    for row, value, _ in ranked:
        literal = _formula(tuning, row, value)
        if entails(language, facts, literal):
            yield row, value, tuple(facts)
            continue
        facts.append(literal)
        yield row, value, ()
        count += 1
        if count == MAX_CLAIMS:
            return


def _premises(tuning: Tuning, texts: Sequence[str]) -> list[Formula]:
    """Return the chosen predicates that describe a state as formulas."""
    descriptions = set(texts)
    formulas = []
    for item in tuning.vocabulary:
        if item.text in descriptions:
            formulas.append(item.formula)
        elif item.negation in descriptions:
            formulas.append(tuning.language.negation(item.formula))
    return formulas


def _formula(tuning: Tuning, predicate: int, value: int) -> Formula:
    formula = tuning.vocabulary[predicate].formula
    return formula if value == TRUE else tuning.language.negation(formula)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cases:
    """Events in which a claim held or did not, and how many more there may be."""

    rows: IntColumn
    holds: BoolColumn
    unknown: int

    @classmethod
    def of(cls, rows: IntColumn, holds: BoolColumn, doubtful: BoolColumn, more: int = 0) -> Self:
        """Take the rows whose value is not ``doubtful``; ``more`` events besides may be cases in which it failed."""
        is_known = ~doubtful[rows]
        return cls(rows=rows[is_known], holds=holds[is_known], unknown=int((~is_known).sum()) + more)


def _claim(
    moments: Moments,
    scope: ClaimScope,
    template: Template,
    text: str,
    formula: Formula | None,
    cases: _Cases,
    premises: tuple[Formula, ...] = (),
) -> Invariant:
    """Return a claim about events; a call that stands in several interactions is a case in each."""
    calls = moments.invocation[cases.rows]
    order = np.argsort(calls, kind="stable")
    return Invariant(
        scope=scope,
        template=template,
        text=text,
        smt=None if formula is None else expression(moments.tuning.language, formula),
        cases=calls[order],
        holds=cases.holds[order],
        unknown=cases.unknown,
        formula=formula,
        premises=premises,
        strict=template
        is Template.STATE,  # an attack there is an event that the automaton itself finds strange
    )
