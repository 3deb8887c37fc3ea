"""Guards of transitions: learned from the calls of one state, and from where accepted calls lead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.evm.code_constants import NONE
from specminer.history.contract_history import MISSING
from specminer.inference.conjunctions import formula_of
from specminer.inference.guard_description import JudgedFunction
from specminer.inference.guard_learning import ACCEPTED, LearnedClause, truth_of
from specminer.inference.guard_literals import Literal, LiteralEvaluator, Sign
from specminer.inference.transition_guards import GuardedTransition, StateCalls, transitions
from specminer.predicate import text
from specminer.specification import ConditionOrigin, GuardKind
from tests.support.mined import mined
from tests.support.situations import codes, situation

Call = tuple[tuple[int, int, int, int], bool, int]
"""Codes of value, amount, price and paused; whether it was accepted; where it led."""


def passage_of(calls: list[Call]) -> StateCalls:
    """Return the calls that came to state 1, all of one event."""
    meaning = LiteralEvaluator(
        situation([row for row, _, _ in calls], [accepted for _, accepted, _ in calls])
    )
    count = len(calls)
    return StateCalls(
        function=JudgedFunction(number=0, meaning=meaning, cause=np.zeros(count, dtype=np.int64)),
        source=1,
        role=MISSING,
        event=np.arange(count),
        call=np.arange(count),
        symbol=np.zeros(count, dtype=np.int64),
        target=np.array([target if accepted else 1 for _, accepted, target in calls]),
        accepted=np.array([accepted for _, accepted, _ in calls], dtype=np.bool_),
    )


def told(way: GuardedTransition, origin: ConditionOrigin) -> list[str]:
    meaning = way.passage.function.meaning
    return [text(meaning.language, formula_of(meaning, (clause,))) for clause in way.of(origin)]


def test_what_only_this_state_rejects_is_learned_here() -> None:
    """Half the calls pay less than the price and are rejected; nothing is demanded in other states."""
    paid, short = [(2, 2), (3, 1), (2, 1), (3, 3)], [(1, 2), (2, 3), (1, 3), (0, 1)]
    pairs = [(paid if row % 2 else short)[row // 2 % 4] for row in range(48)]
    calls: list[Call] = [((value, 0, price, 0), value >= price, 1) for value, price in pairs]
    (way,) = transitions(passage_of(calls), {}, NONE, several=True)
    (condition,) = told(way, ConditionOrigin.STATE)
    assert condition == "value >= price"
    assert way.held_out is not None
    assert (way.held_out.refused, way.held_out.explained) == (0, way.held_out.rejected)


def test_a_condition_that_calls_of_this_state_do_not_keep_is_none_here() -> None:
    demanded = LearnedClause(literals=(Literal(left=0, sign=Sign.AT_LEAST, right=2),))
    calls: list[Call] = [((1, 0, 2, 0), True, 1)] * 20
    (way,) = transitions(passage_of(calls), {demanded: GuardKind.LEARNED}, NONE, several=True)
    assert way.parts == ()
    assert way.broken == (demanded,)


def test_targets_are_told_apart_by_a_condition_and_its_opposite() -> None:
    calls: list[Call] = [((2, 0, 2, 0), True, 2) if row % 2 else ((1, 0, 2, 0), True, 3) for row in range(40)]
    one, other = transitions(passage_of(calls), {}, NONE, several=False)
    assert [len(told(way, ConditionOrigin.TARGET)) for way in (one, other)] == [1, 1]
    meaning = one.passage.function.meaning
    (first,), (second,) = one.of(ConditionOrigin.TARGET), other.of(ConditionOrigin.TARGET)
    both = meaning.language.conjunction(*(formula_of(meaning, (clause,)) for clause in (first, second)))
    assert meaning.language.satisfiable(both) is False
    assert int(one.siblings.sum()) == int(other.is_taken.sum()) == 20


def test_two_calls_tell_no_targets_apart() -> None:
    calls: list[Call] = [((2, 0, 2, 0), True, 2)] * 30 + [((1, 0, 2, 0), True, 3)] * 2
    assert [
        told(way, ConditionOrigin.TARGET) for way in transitions(passage_of(calls), {}, NONE, several=False)
    ] == [
        [],
        [],
    ]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.tuples(codes, codes, codes, codes), st.booleans(), st.integers(1, 3)),
        min_size=1,
        max_size=40,
    )
)
def test_no_transition_refuses_more_of_its_calls_than_is_tolerated(calls: list[Call]) -> None:
    passage = passage_of(calls)
    found = list(transitions(passage, {}, NONE, several=True))
    assert sum(int(way.is_taken.sum()) for way in found) == int(passage.accepted.sum())
    for way in found:
        for part in way.parts:
            false = truth_of(passage.function.meaning, part.clause.literals, passage.call).false
            taken = way.is_taken if part.origin is ConditionOrigin.TARGET else passage.accepted
            assert int(np.sum(false & taken)) <= (1 - ACCEPTED) * int(np.sum(taken))
    again = list(transitions(passage, {}, NONE, several=True))
    assert [way.parts for way in again] == [way.parts for way in found]


@pytest.mark.parametrize("name", ["loans", "vaults", "nft_market", "names"])
def test_no_accepted_call_is_refused_beyond_what_is_counted(name: str) -> None:
    spec = mined(name).specification
    conditions = [edge.condition for edge in spec.transitions if edge.condition is not None]
    assert conditions
    for condition in conditions:
        assert condition.exceptions <= (1 - ACCEPTED) * condition.accepted
        assert condition.explained <= condition.rejected
        assert condition.told_apart <= condition.elsewhere
        assert condition.interval is not None
        assert condition.interval[0] <= 1 - condition.exceptions / condition.accepted
