"""The search for the abstraction that describes a history best.

Selections of predicates are compared by the description length J of the automaton they make (see
:mod:`specminer.metric`). Each is a quotient of the same small graph, so a comparison costs nothing per
event. The search is exhaustive over at most ten candidates, else it climbs: it adds or drops the
predicate that lowers J most, swaps one where neither helps, and starts from nothing, from each of the two
best single predicates, and from two random pairs drawn by the seed.

Ties are broken by the sum of prices, then by the order of the candidates, which is the order of the
table's variables and not of their names.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Final, TypeAlias

import numpy as np

from specminer.abstraction import (
    FALSE,
    ROOT,
    TRUE,
    Definition,
    EventTable,
    Predicate,
    Quotient,
    Tier,
    Vocabulary,
    Weights,
    canonical,
    quotient,
    vocabulary,
)
from specminer.history import IntColumn
from specminer.metric import Counts, data_bits, description_length, measure
from specminer.naming import literal, state_names
from specminer.predicate import Formula, Language

EXHAUSTIVE: Final = 10
"""At most so many candidates are tried in all combinations."""
RESTARTS: Final = 2
"""How many random pairs the search also starts from."""
WEAK: Final = 20.0
"""A predicate that gains fewer bits is flagged."""

Selection: TypeAlias = tuple[int, ...]
"""Positions of predicates in the vocabulary, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPredicate:
    """A predicate of the abstraction, and what it is worth."""

    text: str
    formula: Formula
    price: float
    tier: Tier
    gain: float
    """Bits: J without it minus J."""
    fixed: bool
    """The definition asked for it."""
    aliases: tuple[str, ...]

    @property
    def weak(self) -> bool:
        """Whether it gains so little that chance might have chosen it."""
        return self.gain < WEAK


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedState:
    """A state of the automaton."""

    id: int
    name: str
    predicates: tuple[str, ...]
    """Each chosen predicate as it holds here, equal texts once; empty in the root."""
    visits: int
    """Events that entered this state or stayed in it."""
    ends: int
    """Interactions that end here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """The best automaton of one size among those that were compared."""

    states: int
    metrics: dict[str, float]
    predicates: tuple[str, ...]
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """The abstraction found, and the automaton it makes of the table's ``n`` events."""

    language: Language
    """What the formulas are written in."""
    predicates: tuple[ChosenPredicate, ...]
    state_before: IntColumn
    """Id of the state before each event; 0 is the root, the others in order of first visit; shape (n,)."""
    state_after: IntColumn
    states: tuple[TunedState, ...]
    """By id."""
    metrics: dict[str, float]
    front: tuple[FrontPoint, ...]
    """From few states to many; what has more states and is less precise than another is left out."""
    used_history: bool
    """Storage said nothing, so predicates about earlier events were admitted and some were chosen."""
    candidates: int
    """P, how many predicates the search chose from."""
    evaluations: int
    """How many selections were compared."""
    unmatched: tuple[str, ...]
    """What the definition prefers or forbids and the table does not have."""
    seed: int


def tune(table: EventTable, definition: Definition, seed: int = 0) -> Tuning:
    """Find the predicates that describe a table of events best; same input and seed, same result.

    Args:
        table: the events; calls that the definition drops must not be in it.
        definition: what is fixed, preferred and forbidden, and the weights.
        seed: draws the random starting points; has no effect on at most ten candidates.

    Raises:
        UsageError: the definition fixes a predicate that the vocabulary lacks.

    """
    full = vocabulary(table, definition)
    objective = Objective(table, full.only(Tier.STORAGE), definition.weights)
    best = search(objective, seed)
    if not best.selection and len(full.predicates) > objective.candidates:
        objective = Objective(table, full, definition.weights)
        best = search(objective, seed)
    return _result(objective, best, full, definition, seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good a selection is."""

    description_length: float
    """J in bits."""
    price: float
    selection: Selection
    states: int
    data_bits: float

    @property
    def key(self) -> tuple[float, float, Selection]:
        """What selections are compared by; J is rounded so that ties are ties on every machine."""
        return (round(self.description_length, 6), round(self.price, 6), self.selection)


class Objective:
    """Evaluates selections on the finest quotient, each once."""

    def __init__(self, table: EventTable, candidates: Vocabulary, weights: Weights) -> None:
        self.vocabulary = candidates
        self.quotient: Quotient = quotient(table, candidates)
        self.scores: dict[Selection, Score] = {}
        """Every selection evaluated so far."""
        self._weights = weights
        self._prices = [predicate.price for predicate in candidates.predicates]

    @property
    def candidates(self) -> int:
        """P, how many predicates there are to choose from."""
        return len(self._prices)

    def score(self, selection: Iterable[int]) -> Score:
        """Return the score of a set of predicates."""
        key = tuple(sorted(selection))
        known = self.scores.get(key)
        if known is None:
            counts = self.counts(key)
            known = self.scores[key] = Score(
                description_length=description_length(counts),
                price=sum(self._prices[position] for position in key),
                selection=key,
                states=len(counts.ends),
                data_bits=data_bits(counts),
            )
        return known

    def counts(self, selection: Selection) -> Counts:
        """Return the edges of the automaton that a selection makes."""
        graph = self.quotient
        blocks = graph.coarsen(selection)
        states = int(blocks.max()) + 1
        keys = (blocks[graph.source] * graph.symbols + graph.symbol) * states + blocks[graph.target]
        keys, count = _sums(keys, graph.count, states * graph.symbols * states)
        ends = np.zeros(states, dtype=np.int64)
        np.add.at(ends, blocks, graph.ends)
        pairs = keys // states
        price = sum(self._prices[position] for position in selection)
        return Counts(
            source=pairs // graph.symbols,
            symbol=pairs % graph.symbols,
            target=keys % states,
            count=count,
            ends=ends,
            surcharge=price * float(np.log2(max(1, self.candidates))),
            weights=self._weights,
        )


def _sums(keys: IntColumn, count: IntColumn, limit: int) -> tuple[IntColumn, IntColumn]:
    """Return the distinct keys (all below ``limit``), ascending, and the sum of the counts of each."""
    if limit > 8 * len(keys) + 65_536:
        keys, inverse = np.unique(keys, return_inverse=True)
        limit = len(keys)
    else:
        inverse = keys
        keys = np.arange(limit)
    total = np.bincount(inverse, weights=count, minlength=limit).astype(np.int64)
    present = np.flatnonzero(total)
    return keys[present], total[present]


def search(objective: Objective, seed: int) -> Score:
    """Return the best selection found; fixed predicates are in all of them."""
    fixed = frozenset(objective.vocabulary.fixed)
    free = [position for position in range(objective.candidates) if position not in fixed]
    if len(free) <= EXHAUSTIVE:
        subsets = chain.from_iterable(combinations(free, size) for size in range(len(free) + 1))
        return min((objective.score(fixed.union(subset)) for subset in subsets), key=lambda score: score.key)
    singles = sorted((objective.score(fixed | {position}) for position in free), key=lambda score: score.key)
    draw = random.Random(seed)
    starts = [objective.score(fixed), *singles[:2]]
    starts += [objective.score(fixed.union(draw.sample(free, 2))) for _ in range(RESTARTS)]
    return min((_climb(objective, start, fixed, free) for start in starts), key=lambda score: score.key)


def _climb(objective: Objective, start: Score, fixed: frozenset[int], free: Sequence[int]) -> Score:
    """Add, drop and, where neither helps, swap, as long as the score falls."""
    current = start
    while True:
        best = current
        for moves in (_single_moves, _swaps):
            nearby = (objective.score(moved) for moved in moves(frozenset(current.selection), fixed, free))
            best = min(nearby, key=lambda score: score.key, default=current)
            if best.key < current.key:
                break
        if best.key >= current.key:
            return current
        current = best


def _single_moves(
    selected: frozenset[int], _fixed: frozenset[int], free: Sequence[int]
) -> Iterator[frozenset[int]]:
    return (selected ^ {position} for position in free)


def _swaps(selected: frozenset[int], fixed: frozenset[int], free: Sequence[int]) -> Iterator[frozenset[int]]:
    for out in sorted(selected - fixed):
        for into in free:
            if into not in selected:
                yield selected - {out} | {into}


def _result(objective: Objective, best: Score, full: Vocabulary, definition: Definition, seed: int) -> Tuning:
    graph, candidates = objective.quotient, objective.vocabulary
    blocks = graph.coarsen(best.selection)
    before, after = blocks[graph.state_before], blocks[graph.state_after]
    chosen = _chosen(objective, best)
    return Tuning(
        language=full.language,
        predicates=chosen,
        state_before=before,
        state_after=after,
        states=_states(objective, best, blocks, after, definition),
        metrics=measure(objective.counts(best.selection)),
        front=_front(objective, best),
        used_history=any(predicate.tier is Tier.HISTORY for predicate in chosen),
        candidates=objective.candidates,
        evaluations=len(objective.scores),
        unmatched=candidates.unmatched,
        seed=seed,
    )


def _chosen(objective: Objective, best: Score) -> tuple[ChosenPredicate, ...]:
    found = []
    for position in best.selection:
        predicate = objective.vocabulary.predicates[position]
        without = objective.score(frozenset(best.selection) - {position})
        found.append(
            ChosenPredicate(
                text=predicate.text,
                formula=predicate.formula,
                price=predicate.price,
                tier=predicate.tier,
                gain=without.description_length - best.description_length,
                fixed=position in objective.vocabulary.fixed,
                aliases=predicate.aliases,
            )
        )
    return tuple(found)


def _states(
    objective: Objective, best: Score, blocks: IntColumn, after: IntColumn, definition: Definition
) -> tuple[TunedState, ...]:
    predicates: list[Predicate] = [objective.vocabulary.predicates[row] for row in best.selection]
    ends = objective.counts(best.selection).ends
    visits = np.bincount(after, minlength=best.states)
    valuations = np.full((len(predicates), best.states), FALSE, dtype=np.int8)
    valuations[:, blocks] = objective.quotient.valuations[list(best.selection)]
    called = {canonical(text): name for text, name in definition.names.items()}
    names = state_names(predicates, valuations, called, _whole(objective, blocks))
    return tuple(
        TunedState(
            id=state,
            name=names[state],
            predicates=()
            if state == ROOT
            else tuple(
                dict.fromkeys(
                    literal(predicate, int(valuations[row, state]))
                    for row, predicate in enumerate(predicates)
                )
            ),
            visits=int(visits[state]),
            ends=int(ends[state]),
        )
        for state in range(best.states)
    )


def _whole(objective: Objective, blocks: IntColumn) -> dict[int, str]:
    """Return for each state, if there is one, the best predicate that is true in it and nowhere else."""
    found: dict[int, Predicate] = {}
    for predicate, column in zip(objective.vocabulary.predicates, objective.quotient.valuations, strict=True):
        inside = np.flatnonzero(column == TRUE)
        state = int(blocks[inside[0]])
        if len(inside) == np.count_nonzero(blocks == state) and (blocks[inside] == state).all():
            best = min(found.get(state, predicate), predicate, key=lambda p: (p.price, len(p.text), p.text))
            found[state] = best
    return {state: predicate.text for state, predicate in found.items()}


def _front(objective: Objective, best: Score) -> tuple[FrontPoint, ...]:
    """Return the best selection of each size, the chosen one always among them."""
    by_size: dict[int, Score] = {best.states: best}
    fixed = frozenset(objective.vocabulary.fixed)
    for score in objective.scores.values():
        if not fixed.issubset(score.selection):
            continue
        known = by_size.setdefault(score.states, score)
        if score.key < known.key and known is not best:
            by_size[score.states] = score
    points: list[FrontPoint] = []
    reached = np.inf
    for states, score in sorted(by_size.items()):
        if score.data_bits >= reached - 1e-6 and score is not best:
            continue
        reached = min(reached, score.data_bits)
        points.append(
            FrontPoint(
                states=states,
                metrics=measure(objective.counts(score.selection)),
                predicates=tuple(objective.vocabulary.predicates[row].text for row in score.selection),
                chosen=score is best,
            )
        )
    return tuple(points)
