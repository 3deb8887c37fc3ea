"""Calls of recorded histories are executed alone, and proved to be what was recorded."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from specminer.decision.call_replaying import replays_of
from specminer.decision.call_runs import FunctionRuns
from specminer.decision.recordings import NotRecorded, Recordings
from specminer.decision.runs import execute_alone, run_calls
from specminer.decoding.decode import decode
from specminer.decoding.history_context import HistoryContext
from specminer.history.contract_history import OUTCOMES
from specminer.history.trace import OutcomeKind
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset, list_datasets
from specminer.shadow.evaluation import evaluate
from specminer.shadow.forced_calls import force
from specminer.shadow.record import ShadowRecord
from specminer.store import TraceStore
from tests.support.real import AZURE, MAINNET, RealDatabase

SHORT = "it ran out of gas"


@cache
def executed(name: str) -> tuple[HistoryContext, tuple[FunctionRuns, ...]]:
    with TraceStore("sqlite://") as store:
        records = [import_traces(store, path) for path in dataset(name).trace_files]
        history = store.history(records[0].chain_id, [record.address for record in records])
    context = decode(history)
    return context, run_calls(context)


def reasons(runs: tuple[FunctionRuns, ...]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for item in runs:
        counted.update(item.unproved)
    return counted


@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_calls_of_the_datasets_are_proved(name: str) -> None:
    context, runs = executed(name)
    counted = reasons(runs)
    counted.pop(SHORT, None)
    assert not counted
    assert sum(len(item.runs) for item in runs) > 60
    told = sum(len(item.runs) + sum(item.unproved.values()) + len(item.matched_rows) for item in runs)
    assert told == context.is_event.sum()
    assert not any(item.unpursued for item in runs)


@pytest.mark.parametrize("name", ["channel", "loans", "names", "nft_market", "single_auction"])
def test_matched_calls_take_the_path_that_they_are_matched_to(name: str) -> None:
    context, _ = executed(name)
    recordings = Recordings(context.history)
    matched = 0
    for item in run_calls(context, bound=3):
        assert item.matched_rows.tolist() == sorted(set(item.matched_rows.tolist()))
        for row, number in list(zip(item.matched_rows.tolist(), item.matched_run.tolist(), strict=True))[::4]:
            alone = execute_alone(recordings.of(row), item.arena)
            assert alone.pursuit.proved
            assert alone.record is not None
            run = item.runs[number]
            assert way(alone.record) == way(run.record)
            assert run.accepted == bool(context.history.accepted[row])
            matched += 1
    assert matched > 50


def way(record: ShadowRecord) -> list[tuple[int, bool]]:
    return [(decision.counter, decision.taken) for decision in record.decisions]


def test_more_calls_are_executed_until_all_are_matched_or_the_bound_is_reached() -> None:
    context, _ = executed("nft_market")
    for item in run_calls(context, bound=1, most=5):
        assert len(item.runs) + sum(item.unproved.values()) <= 5
    left = [item.unpursued for item in run_calls(context, bound=1, most=2)]
    assert sum(left) > 0
    assert not any(item.unpursued for item in run_calls(context, bound=1))


def test_runs_end_as_recorded_and_their_decisions_follow_from_their_inputs() -> None:
    context, runs = executed("nft_market")
    history = context.history
    for item in runs:
        rows = [run.invocation for run in item.runs]
        assert rows == sorted(rows)
        assert {int(context.calls.function[row]) for row in rows} <= {item.function}
        for run in item.runs:
            assert run.accepted == (run.halt is None) == bool(history.accepted[run.invocation])
            for decision in run.record.decisions:
                worth = evaluate(item.arena, decision.condition, run.record.inputs)
                assert bool(worth) is decision.taken


def test_every_way_of_ending_is_executed_within_the_bound() -> None:
    context, _ = executed("lottery")
    few = run_calls(context, bound=1)
    many = run_calls(context, bound=6)
    assert sum(len(item.runs) for item in few) < sum(len(item.runs) for item in many)
    for one, several in zip(few, many, strict=True):
        assert one.function == several.function
        assert {run.output[:4] for run in one.runs} == {run.output[:4] for run in several.runs}
    capped = run_calls(context, most=3)
    assert max(len(item.runs) + sum(item.unproved.values()) for item in capped) == 3


def test_a_call_that_was_proved_runs_again_and_its_decisions_can_be_forced() -> None:
    context, runs = executed("auction_house")
    replays = replays_of(context.history, runs)
    item = max(runs, key=lambda item: len(item.runs))
    run = next(run for run in item.runs if run.accepted and run.record.decisions)
    replay = replays(run.invocation)
    assert replay is not None
    again = force(
        replay.recording,
        replay.fork,
        replay.block,
        replay.codes,
        arena=item.arena,
        flips=(),
        fact=lambda node, holds: (node, holds),
    )
    assert again is not None
    assert again.record.decisions == run.record.decisions
    left_out = set(range(len(context.history))) - {run.invocation for item in runs for run in item.runs}
    assert replays(min(left_out)) is None


def test_what_ends_without_proof_is_said() -> None:
    context, _ = executed("escrow")
    history = context.history
    short = OUTCOMES.index(OutcomeKind.OUT_OF_GAS)
    row = next(row for row, ending in enumerate(history.invocation_outcome) if ending == short)
    with pytest.raises(NotRecorded, match=re.escape(SHORT)):
        Recordings(history).of(row)


@pytest.mark.real
@pytest.mark.parametrize("name", [*AZURE, *MAINNET])
def test_calls_of_executed_histories_are_proved(name: str, real_database: RealDatabase) -> None:
    with TraceStore(str(real_database(name))) as store:
        listed = store.contracts()
        history = store.history(listed[0].chain_id, [item.address for item in listed])
    runs = run_calls(decode(history))
    counted = reasons(runs)
    counted.pop(SHORT, None)
    proved = sum(len(item.runs) for item in runs)
    assert proved > 50
    assert set(counted) <= {"it asks for BALANCE, which was not recorded"}  # an export does not tell balances
    assert sum(counted.values()) <= 2
    assert not any(item.unpursued for item in runs)
