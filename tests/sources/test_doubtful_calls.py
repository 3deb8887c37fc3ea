"""A rejected call that met a value in doubt took the only path that is left, if one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specminer.decision.call_runs import FunctionRuns, Inference
from specminer.decision.history_decisions import decide_history
from specminer.decision.paths import ClauseKind
from specminer.decision.recordings import UNKNOWN_READ
from specminer.decision.runs import BOUND, run_calls
from specminer.decoding import decode
from specminer.evm.halts import Halt
from specminer.history.contract_history import MISSING, History
from specminer.pipeline import Export, Rulebook, import_export
from specminer.sources.exported import ExportedTransaction
from specminer.store import TraceStore
from tests.support.bytecode import CONTRACT, creation, record

LIMIT = bytes.fromhex("600035" + "600054" + "10" + "601157" + "600035" + "600155" + "00" + "5b60006000fd")
"""Rejects a number that is greater than slot 0, and keeps others in slot 1."""

BOTH = bytes.fromhex(
    "600054"
    + "80"
    + "600035"
    + "90"
    + "10"
    + "601a57"
    + "602035"
    + "90"
    + "10"
    + "601a57"
    + "6001600155"
    + "00"
) + bytes.fromhex("5b60006000fd")
"""Rejects two numbers of which one is greater than slot 0, and reads it once."""


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def history_of(
    code: bytes,
    calls: Sequence[ExportedTransaction],
    *,
    fork: str = "istanbul",
    creation_gas: int | None = None,
) -> History:
    with TraceStore("sqlite://") as store:
        first = replace(creation(code), gas_used=creation_gas)
        export = Export(transactions=(first, *calls), origin="by hand")
        import_export(store, export, Rulebook(chain_id=9, fork=fork))
        return store.history(9, [CONTRACT])


def runs_of(history: History) -> FunctionRuns:
    (found,) = (item for item in run_calls(decode(history, None)) if item.runs[0].code)
    return found


STARVED = record(5, data=word(0), gas=23_000)
"""Reads slot 0 and runs out of gas; the chain says that it did not, so that nothing of slot 0 is known any more."""
REFUSED = record(6, data=word(9), succeeded=False)


def test_a_call_that_met_a_value_in_doubt_took_the_only_path_that_ends_like_it() -> None:
    calls = [record(2, data=word(0)), record(3, data=word(7), succeeded=False), STARVED, REFUSED]
    history = history_of(LIMIT, calls)
    last = len(history) - 1
    assert (history.access_after[history.accesses(last)] == MISSING).all()
    runs = runs_of(history)
    assert last in runs.matched_rows.tolist()
    run = runs.runs[int(runs.matched_run[runs.matched_rows.tolist().index(last)])]
    assert not run.accepted
    assert UNKNOWN_READ not in runs.unproved


def test_a_way_that_nobody_took_is_found_if_it_is_the_only_one_that_fits() -> None:
    history = history_of(LIMIT, [record(2, data=word(0)), STARVED, REFUSED])
    runs, last = runs_of(history), len(history) - 1
    (run,) = (run for run in runs.runs if run.inferred)
    assert run.invocation == last
    assert run.halt is Halt.REVERT
    assert runs.inferred == {last: Inference.WAY}
    assert UNKNOWN_READ not in runs.unproved
    kinds = {runs.arena.kind(node) for node in run.record.inputs}
    assert "calldata" in kinds
    assert "storage" not in kinds  # what it found there is not known
    (decisions,) = (
        item
        for item in decide_history(decode(history, None))
        if item.runs.runs and item.runs.runs[-1].inferred
    )
    (cause,) = (item for item in decisions.causes if item.invocation == last)
    assert cause.clause is not None
    clause = decisions.clauses[cause.clause]
    assert (clause.kind, clause.rejected_calls, clause.pass_count) == (ClauseKind.REQUIRED, (last,), 1)


def test_gas_tells_ways_apart_that_access_the_same_and_end_alike() -> None:
    calls = [
        record(2, data=word(0) + word(0)),
        record(3, data=word(7) + word(0), succeeded=False),
        record(4, data=word(0) + word(7), succeeded=False),
        replace(STARVED, data=word(0) + word(0)),
        replace(REFUSED, data=word(9) + word(9)),
    ]
    created, *used = history_of(BOTH, calls, fork="osaka").transaction_gas_used.tolist()
    told = [replace(call, gas_used=gas) for call, gas in zip(calls, used, strict=True)]
    history = history_of(BOTH, told, fork="osaka", creation_gas=created)
    last = len(history) - 1
    assert (history.access_after[history.accesses(last)] == MISSING).all()
    runs = runs_of(history)
    assert runs.inferred == {last: Inference.GAS}
    (place,) = runs.matched_run[runs.matched_rows == last].tolist()
    first = next(run for run in runs.runs if history.invocation_data[run.invocation][:32] == word(7))
    assert runs.runs[place] is first
    assert used[4] - used[1] == 12  # one more byte that is not zero
    assert used[2] != used[1]


def test_nothing_is_claimed_where_two_paths_are_left() -> None:
    calls = [
        record(2, data=word(0) + word(0)),
        record(3, data=word(7) + word(0), succeeded=False),
        record(4, data=word(0) + word(7), succeeded=False),
        replace(STARVED, data=word(0) + word(0)),
    ]
    unsure = runs_of(history_of(BOTH, [*calls, replace(REFUSED, data=word(9) + word(9))]))
    assert len(unsure.runs) == 3
    assert not len(unsure.matched_rows)


def test_all_calls_that_met_values_in_doubt_are_matched_not_only_those_that_would_be_executed() -> None:
    many = [record(6 + number, data=word(9 + number), succeeded=False) for number in range(3 * BOUND)]
    calls = [record(2, data=word(0)), record(3, data=word(7), succeeded=False), STARVED, *many]
    runs = runs_of(history_of(LIMIT, calls))
    assert runs.unpursued == 0
    assert len(runs.matched_rows) >= len(many)
    assert UNKNOWN_READ not in runs.unproved
