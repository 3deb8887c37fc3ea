"""Orders of calls, and ways through the code, that other transactions hardly ever take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from specminer.decision import FunctionRuns
from specminer.decision.runs import run_calls
from specminer.history.contract_history import History, IntColumn
from specminer.inference.path_sources import branch_evidence
from specminer.inference.transaction_sources import _combinations, lasting_calls
from specminer.specification import EvidenceSource
from tests.support.mined import mined

PAY, TAKE, LOOK = 0, 1, 2


def _history(transactions: list[list[int]]) -> tuple[History, IntColumn]:
    """Return a history of these transactions, and which function each call is of."""
    history = mined("savings").history
    owner = [number for number, item in enumerate(transactions) for _ in item]
    history = replace(
        history,
        invocation_transaction=np.array(owner, dtype=np.int64),
        transaction_hash=history.transaction_hash[: len(transactions)],
    )
    return history, np.array([number for item in transactions for number in item], dtype=np.int64)


def test_the_same_calls_in_another_order_are_unusual() -> None:
    history, function = _history([[PAY, TAKE]] * 60 + [[TAKE, PAY]] + [[PAY]] * 5)
    combination, order = _combinations(history, function, np.arange(len(function)))
    assert not combination.bits.any(), "all have the same calls"
    assert np.flatnonzero(order.bits).tolist() == [60]
    assert order.bits[60] > 5
    assert order.comparisons[60] == 60


def test_an_order_that_many_have_or_that_nothing_is_compared_with_is_not_unusual() -> None:
    history, function = _history([[PAY, TAKE], [TAKE, PAY]] * 30 + [[LOOK, PAY, TAKE]])
    combination, order = _combinations(history, function, np.arange(len(function)))
    assert not order.bits.any()
    assert combination.bits[60] > 5, "nobody else makes these calls together"


def test_repeated_steps_are_no_other_order() -> None:
    history, function = _history([[PAY, PAY, PAY, TAKE]] * 30 + [[PAY, PAY, PAY, PAY, TAKE]] * 30)
    _, order = _combinations(history, function, np.arange(len(function)))
    assert not order.bits.any()


def test_a_way_through_the_code_that_others_hardly_take_is_told() -> None:
    run = mined("names")
    context, history = run.context, run.history
    lasting = lasting_calls(context)
    runs = run_calls(context)
    found = branch_evidence(context, lasting, runs)
    strange = np.flatnonzero(found.bits)
    assert len(strange), "some transaction takes a rare way"
    assert found.sentence is not None
    ways = _ways_by_call(runs)
    for transaction in strange.tolist():
        row = int(found.case[transaction])
        mine = ways[row]
        others = [
            turns
            for call, turns in ways.items()
            if context.calls.function[call] == context.calls.function[row]
            and history.invocation_transaction[call] != transaction
            and lasting[call]
        ]
        assert found.comparisons[transaction] == len(others)
        rarest = min(sum(turn in turns for turns in others) for turn in mine)
        assert rarest <= 0.01 * len(others)
        told = found.sentence(int(found.position[transaction]))
        assert f"that {rarest or 'none'} of {len(others)} other calls took" in told


def _ways_by_call(runs: Sequence[FunctionRuns]) -> dict[int, set[tuple[int, bool]]]:
    """Return where each executed or matched call decided what, one by one."""
    found: dict[int, set[tuple[int, bool]]] = {}
    for function in runs:
        turns = [{(item.counter, item.taken) for item in one.record.decisions} for one in function.runs]
        found |= {one.invocation: turns[place] for place, one in enumerate(function.runs)}
        found |= {
            call: turns[place]
            for call, place in zip(function.matched_rows.tolist(), function.matched_run.tolist(), strict=True)
        }
    return found


def test_without_runs_no_way_is_told() -> None:
    run = mined("names")
    found = branch_evidence(run.context, lasting_calls(run.context), ())
    assert found.source is EvidenceSource.BRANCH
    assert not found.bits.any()
