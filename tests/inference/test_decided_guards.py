"""Guards from decisions: what the code asks, whom it stopped, and with which values."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.inference.caller_roles import _roles_of
from specminer.inference.decided_clauses import DecidedCalls
from specminer.inference.function_guards import _lasting, open_calls
from specminer.inference.guard_description import JudgedFunction, held_out
from specminer.inference.guard_learning import LearnedClause, truth_of
from specminer.inference.guard_literals import Literal, LiteralEvaluator, Sign
from specminer.inference.guard_terms import FunctionCalls, GuardTerm
from specminer.learning.event_table import Dimension
from specminer.pipeline.datasets import list_datasets
from specminer.specification import ConditionMaker, Guard, GuardKind, RejectionReason, RoleKind
from tests.support.mined import mined
from tests.support.situations import situation


def guard_of(dataset: str, function: str, kind: GuardKind) -> Guard:
    guards = mined(dataset).specification.guards
    (guard,) = [item for item in guards if (item.scope, item.kind) == (function, kind)]
    return guard


def texts(guard: Guard) -> set[str]:
    return {condition.text for condition in guard.conditions}


def test_a_guard_is_what_the_source_asks() -> None:
    guard = guard_of("auction_house", "bid", GuardKind.REQUIRED)
    assert texts(guard) == {
        "seller != sender",
        "seller != 0",
        "not paused",
        "now < endTime",
        "phase = Open",
        "highestBidder = 0 or value >= highestBid + 1",
        "highestBidder != 0 or value >= reserve",
    }
    assert (guard.explained, guard.exceptions) == (guard.rejected, 0)
    assert guard.calls is not None
    assert guard.calls.followed == guard.accepted + guard.rejected


def test_what_belongs_to_one_path_is_told_as_an_implication() -> None:
    guard = guard_of("auction_house", "bid", GuardKind.REQUIRED)
    paths = {item.path.premise: item.path.demand for item in guard.conditions if item.path is not None}
    assert paths == {"highestBidder != 0": "value >= highestBid + 1", "highestBidder = 0": "value >= reserve"}
    counts = [item.decisions for item in guard.conditions if item.path is not None]
    for count in counts:
        assert count is not None
        assert count.passed + count.undecided == guard.accepted
        assert count.undecided > 0 < count.stopped


def test_what_nobody_tried_is_coded() -> None:
    guard = guard_of("auction_house", "create", GuardKind.CODED)
    assert texts(guard) == {"duration <= 2592000"}
    assert (guard.explained, guard.exceptions) == (0, 0)
    (condition,) = guard.conditions
    assert condition.decisions is not None
    assert (condition.decisions.stopped, condition.decisions.passed) == (0, guard.accepted)


def test_every_rejected_call_has_a_cause_with_the_values_that_met() -> None:
    guard = guard_of("auction_house", "bid", GuardKind.REQUIRED)
    too_low = next(reason for reason in guard.reasons if reason.text == "BidTooLow")
    assert sum(cause.stopped for cause in too_low.causes) == too_low.rejected == too_low.explained
    raised = next(cause for cause in too_low.causes if "highestBid + 1" in cause.condition)
    for witness in raised.witnesses:
        assert re.fullmatch(r"value [\d.]+ ETH < highestBid \+ 1 ≈ [\d.]+ ETH", witness.text)
        asked = int(witness.values["auctions[auctionId].highestBid + 1"])
        assert int(witness.values["value"]) < asked
        assert re.fullmatch("0x[0-9a-f]{64}", witness.transaction)


@pytest.mark.slow
@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_no_required_or_coded_condition_refuses_an_accepted_call(name: str) -> None:
    run = mined(name)
    decided = (GuardKind.REQUIRED, GuardKind.CODED)
    for guard in run.specification.guards:
        if guard.kind not in decided:
            continue
        assert guard.exceptions == 0, guard.scope
        for condition in guard.conditions:
            counts = condition.decisions
            assert counts is not None
            assert (condition.exceptions, counts.contradictions) == (0, 0)
            assert (counts.stopped > 0) == (guard.kind is GuardKind.REQUIRED)
            assert guard.kind is GuardKind.REQUIRED or condition.maker is ConditionMaker.CONTRACT
        for reason in guard.reasons:
            check_reason(reason)


def check_reason(reason: RejectionReason) -> None:
    assert reason.explained + sum(reason.unexplained.values()) == reason.rejected
    for cause in reason.causes:
        assert cause.witnesses


def signed_situation(values: Sequence[tuple[int, int]]) -> FunctionCalls:
    """Return calls with two signed values."""
    words = sorted({value % 2**256 for pair in values for value in pair})
    code = {word: position for position, word in enumerate(words)}
    terms = tuple(
        GuardTerm(
            name=name,
            kind=ValueKind.INT,
            dimension=Dimension.COUNT,
            codes=np.array([code[pair[place] % 2**256] for pair in values], dtype=np.int32),
        )
        for place, name in enumerate(("temperature", "limit"))
    )
    return FunctionCalls(
        function="report",
        rows=np.arange(len(values)),
        accepted=np.ones(len(values), dtype=np.bool_),
        terms=terms,
        words=tuple(words),
        last=np.full(len(values), MISSING),
    )


SIGNED = st.integers(-3, 3) | st.sampled_from([-(2**255), 2**255 - 1])
COMPARE = {
    Sign.LESS: int.__lt__,
    Sign.AT_MOST: int.__le__,
    Sign.GREATER: int.__gt__,
    Sign.AT_LEAST: int.__ge__,
    Sign.EQUAL: int.__eq__,
    Sign.DIFFERENT: int.__ne__,
}


@given(st.lists(st.tuples(SIGNED, SIGNED), min_size=1, max_size=8), st.sampled_from(Sign), SIGNED)
def test_signed_numbers_are_compared_as_such(
    values: list[tuple[int, int]], sign: Sign, constant: int
) -> None:
    meaning = LiteralEvaluator(signed_situation(values))
    compare = COMPARE[sign]
    alone = meaning.truth(Literal(left=0, sign=sign, constant=constant))
    assert alone.is_true.tolist() == [compare(left, constant) for left, _ in values]
    pair = meaning.truth(Literal(left=0, sign=sign, right=1))
    assert pair.is_true.tolist() == [compare(left, right) for left, right in values]


def decided(count: int, followed: int) -> DecidedCalls:
    """Return calls of which the first ones were followed, without finding a condition."""
    return DecidedCalls(
        is_followed=np.arange(count) < followed,
        clauses=(),
        branches=(),
        unexplained=dict.fromkeys(range(followed), "accepted calls took the same decisions"),
        unproved={},
        unpursued=0,
        is_inferred=np.zeros(count, dtype=np.bool_),
        inferred_from_gas=np.zeros(count, dtype=np.bool_),
    )


def test_the_learner_takes_what_no_decision_explains() -> None:
    meaning = LiteralEvaluator(situation([(0, 0, 0, 0)] * 4, [True, False, False, True]))
    cause = np.array([0, 1, 2, 0])
    assert open_calls(JudgedFunction(number=0, meaning=meaning, cause=cause)).tolist() == [
        False,
        True,
        True,
        False,
    ]
    followed = JudgedFunction(number=0, meaning=meaning, cause=cause, decided_calls=decided(4, 2))
    assert open_calls(followed).tolist() == [False, True, True, False]


def test_what_failed_on_later_calls_is_no_guard() -> None:
    bound = LearnedClause(literals=(Literal(left=0, sign=Sign.AT_MOST, constant=1),))
    wider = LearnedClause(literals=(Literal(left=0, sign=Sign.AT_MOST, constant=5),))
    relation = LearnedClause(literals=(Literal(left=0, sign=Sign.AT_LEAST, right=2),))
    calls: list[tuple[int, ...]] = [(code, 0, 0, 0) for code in [1] * 14 + [2] * 6]
    meaning = LiteralEvaluator(situation(calls, [True] * 20))
    function = JudgedFunction(number=0, meaning=meaning, cause=np.zeros(20, dtype=np.int64))
    assert _lasting(function, [wider, relation], [bound, relation]) == (relation,)
    assert _lasting(function, [wider], [relation]) == (wider,)
    test = held_out(function, [bound], np.ones(20, dtype=np.bool_))
    assert test is not None
    assert (test.refused, test.accepted) == (6, 6)


def account(name: str, *, stored: bool = False, keys: tuple[str, ...] = ()) -> GuardTerm:
    return GuardTerm(
        name=name,
        kind=ValueKind.BOOL if keys else ValueKind.ADDRESS,
        variable=0 if stored else MISSING,
        codes=np.zeros(1, dtype=np.int32),
        keys=keys,
        expression=not stored,
    )


ACCOUNTS = (
    account("sender"),
    account("this"),
    account("owner", stored=True),
    account("hasRole[MINTER_ROLE][sender]", stored=True, keys=("MINTER_ROLE", "sender")),
    account("signer of hash(this, amount)"),
    account("to"),
)


@pytest.mark.parametrize(
    ("literals", "roles"),
    [
        ([Literal(left=2, sign=Sign.EQUAL, right=0)], [("owner", RoleKind.HOLDER)]),
        ([Literal(left=0, sign=Sign.EQUAL, right=1)], [("this", RoleKind.SELF)]),
        (
            [Literal(left=3, sign=Sign.EQUAL, constant=1)],
            [("hasRole[MINTER_ROLE][sender]", RoleKind.MEMBER)],
        ),
        ([Literal(left=2, sign=Sign.EQUAL, right=4)], [("owner", RoleKind.SIGNER)]),
        (
            [Literal(left=0, sign=Sign.EQUAL, right=1), Literal(left=2, sign=Sign.EQUAL, right=0)],
            [("this", RoleKind.SELF), ("owner", RoleKind.HOLDER)],
        ),
        ([Literal(left=2, sign=Sign.EQUAL, right=0), Literal(left=5, sign=Sign.EQUAL, constant=0)], []),
        ([Literal(left=2, sign=Sign.DIFFERENT, right=0)], []),
    ],
)
def test_roles_are_conditions_on_the_sender(
    literals: list[Literal], roles: list[tuple[str, RoleKind]]
) -> None:
    assert _roles_of(ACCOUNTS, LearnedClause(literals=tuple(literals))) == roles


def test_a_condition_that_is_false_in_a_rejected_call_is_not_always_observed() -> None:
    spec = mined("auction_house").specification
    kinds = {(item.scope, item.kind) for item in spec.guards}
    assert ("create", GuardKind.OBSERVED) in kinds
    for guard in spec.guards:
        if guard.kind is GuardKind.OBSERVED:
            assert guard.explained == 0


def test_truth_of_a_choice_is_that_of_its_parts() -> None:
    meaning = LiteralEvaluator(situation([(1, 0, 2, 0), (2, 0, 1, 0), (0, 0, MISSING, 1)], [True] * 3))
    either = (Literal(left=0, sign=Sign.AT_LEAST, right=2), Literal(left=3, sign=Sign.EQUAL, constant=1))
    assert truth_of(meaning, either).is_true.tolist() == [False, True, True]
