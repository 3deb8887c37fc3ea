"""Transitions that leave one state by the same event, and whether one call can take both.

A contract decides, so if a call meets the guards of two such transitions, either something that the states do not
tell decides, a missing predicate, or nothing that the history shows does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from specminer._support.errors import plain
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.inference.guard_learning import ACCEPTED, MIN_CALLS, truth_of
from specminer.inference.guard_proofs import obligation, spell_values
from specminer.inference.solver_questions import ObligationLog
from specminer.inference.state_formulas import StateSpace
from specminer.inference.transition_implications import GuardFormulas
from specminer.learning.state_names import literal
from specminer.learning.tuning_result import Tuning
from specminer.learning.vocabulary import FALSE, TRUE, UNKNOWN
from specminer.predicate import (
    Declaration,
    Formula,
    FormulaError,
    FormulaSort,
    contradictory,
    parse,
    solver_name,
)
from specminer.specification import Obligation, SolverAnswer, TransitionVerdict

MAX_PAIRS: Final = 100
"""Pairs that are looked at: those first that most calls took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionPair:
    """Two transitions of one event, and whether one call can take both."""

    first: GuardFormulas
    second: GuardFormulas
    verdict: TransitionVerdict
    overlaps: tuple[int, int]
    """How many recorded calls of each meet the guard of the other, too."""
    witnesses: tuple[int, ...]
    """An invocation of each that does, where there is one."""
    predicate: str | None
    """What would tell them apart, as it holds before calls of the first."""
    obligation: Obligation
    example: dict[str, str]
    """Values that meet both guards."""


def siblings(
    space: StateSpace, transitions: Sequence[GuardFormulas], log: ObligationLog
) -> list[TransitionPair]:
    """Return what is known of the transitions that share source, function and role, the most frequent first."""
    groups: dict[tuple[int, int, int], list[GuardFormulas]] = defaultdict(list)
    for item in transitions:
        passage = item.way.passage
        groups[passage.function.number, passage.source, passage.role].append(item)
    pairs = [pair for group in groups.values() for pair in combinations(group, 2) if _apart(*pair)]
    pairs.sort(key=lambda pair: -min(int(np.sum(item.way.is_taken)) for item in pair))  # stable
    return [_judge_pair(space, one, other, log) for one, other in pairs[:MAX_PAIRS]]


def _apart(one: GuardFormulas, other: GuardFormulas) -> bool:
    return one.way.target != other.way.target


def _judge_pair(
    space: StateSpace, one: GuardFormulas, other: GuardFormulas, log: ObligationLog
) -> TransitionPair:
    language, tuning = one.frame.language, space.tuning
    scope = one.way.passage.function.meaning.situation.function
    names = [tuning.states[item.way.target].name for item in (one, other)]
    source = tuning.states[one.way.passage.source].name
    labels = [tuning.table.symbols[item.way.symbol] for item in (one, other)]
    pair_text = " and ".join(
        f"'{plain(label, 80)}' to '{plain(name, 200)}'" for label, name in zip(labels, names, strict=True)
    )
    facts = [
        one.frame.state(one.way.passage.source),
        *_met_conditions(tuning, one),
        *_met_conditions(tuning, other),
    ]
    facts += one.frame.known_facts(*facts)
    expected = _expected_answer(one, facts)
    calls = "some" if expected is SolverAnswer.SAT else "no"
    claim = f"{calls} call from '{plain(source, 200)}' meets the guards of {pair_text}"
    asking = obligation(language, log.subject, scope, claim, facts, expected)
    log.record(asking)
    both = _both(one, other), _both(other, one)
    enough = min(int(item.way.is_taken.sum()) for item in (one, other)) >= MIN_CALLS
    predicate = _telling(tuning, one, other) if expected is SolverAnswer.SAT and enough else None
    if expected is SolverAnswer.UNSAT:
        verdict = TransitionVerdict.EXCLUSIVE
    elif predicate is not None:
        verdict = TransitionVerdict.PREDICATE
    elif enough and any(mask.any() for mask in both):
        verdict = TransitionVerdict.NONDETERMINISTIC
    else:
        verdict = TransitionVerdict.OPEN
    example = language.example(language.conjunction(*facts)) if asking.answer is SolverAnswer.SAT else None
    return TransitionPair(
        first=one,
        second=other,
        verdict=verdict,
        overlaps=(int(both[0].sum()), int(both[1].sum())),
        witnesses=tuple(
            int(item.way.passage.function.meaning.situation.rows[item.way.passage.call[mask][0]])
            for item, mask in zip((one, other), both, strict=True)
            if mask.any()
        ),
        predicate=predicate,
        obligation=asking,
        example=spell_values(language, example or {}),
    )


def _expected_answer(item: GuardFormulas, facts: Sequence[Formula]) -> SolverAnswer:
    """Return what a solver says, or without one what the graph of differences tells."""
    language = item.frame.language
    if solver_name() is not None:
        possible = language.satisfiable(language.conjunction(*facts))
        if possible is not None:
            return SolverAnswer.SAT if possible else SolverAnswer.UNSAT
    literals = [part for fact in facts for part in (fact.args() if fact.is_and() else (fact,))]
    impossible = contradictory(language, [part for part in literals if not part.is_or()])
    return SolverAnswer.UNSAT if impossible else SolverAnswer.SAT


def _met_conditions(tuning: Tuning, item: GuardFormulas) -> list[Formula]:
    """Return what a call meets that takes a transition, the condition in the event's own name included."""
    condition = tuning.condition(item.way.symbol).strip().removeprefix("[").removesuffix("]")
    conditions = [item.conjunction]
    if condition:
        conditions.append(_split(item, condition))
    return conditions


def _split(item: GuardFormulas, condition: str) -> Formula:
    """Return the condition that makes an event of its own of some calls; what cannot be read is a truth by itself."""
    language = item.frame.language
    try:
        return parse(language, condition)
    except FormulaError:
        parts = []
        for text in condition.split(" and "):
            name = (
                text.removeprefix("not ").replace(" != ", " = ").replace(" >= ", " < ").replace(" > ", " <= ")
            )
            symbol = language.find(name)
            if symbol is None:
                symbol = language.declare(Declaration(name=name, sort=FormulaSort.BOOL, context=True))
            parts.append(symbol if name == text else language.negation(symbol))
        return language.conjunction(*parts)


def _both(one: GuardFormulas, other: GuardFormulas) -> BoolColumn:
    """Return which calls of a passage took one transition and meet the guard of the other."""
    passage, meets_both = one.way.passage, one.way.is_taken.copy()
    if one.way.symbol != other.way.symbol:
        # the condition in the event's name holds of one only
        return np.zeros(len(meets_both), dtype=np.bool_)
    for part in other.way.parts:
        meets_both &= truth_of(passage.function.meaning, part.clause.literals, passage.call).is_true
    return meets_both


def _telling(tuning: Tuning, one: GuardFormulas, other: GuardFormulas) -> str | None:
    """Return the cheapest predicate that the search could have chosen and that tells the calls of both apart."""
    columns = [_before(tuning, item) for item in (one, other)]
    best: tuple[float, str, str] | None = None
    for row, predicate in enumerate(tuning.vocabulary):
        values = [tuning.graph.valuations[row][column] for column in columns]
        for value in (TRUE, FALSE):
            wrong = int(np.sum(values[0] != value)) + int(np.sum(values[1] != 1 - value))
            unknown = any(bool(np.any(column == UNKNOWN)) for column in values)
            if not unknown and wrong <= (1 - ACCEPTED) * sum(map(len, values)):
                entry = predicate.price, predicate.text, literal(predicate, value)
                best = entry if best is None else min(best, entry)
    return None if best is None else best[2]


def _before(tuning: Tuning, item: GuardFormulas) -> IntColumn:
    """Return the finest states from which calls took a transition, one a call."""
    way = item.way
    return tuning.graph.state_before[way.passage.event[way.is_taken]]
