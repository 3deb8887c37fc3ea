"""A rejected call that met a value in doubt took the only path that is left, if one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specminer.chain.exported import ExportedTransaction
from specminer.decision.recordings import UNKNOWN_READ
from specminer.decision.runs import BOUND, FunctionRuns, run_calls
from specminer.decoding import decode
from specminer.history import MISSING, History
from specminer.pipeline import Export, Rulebook, import_export
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


def history_of(code: bytes, calls: Sequence[ExportedTransaction]) -> History:
    with TraceStore("sqlite://") as store:
        export = Export(transactions=(creation(code), *calls), origin="by hand")
        import_export(store, export, Rulebook(chain_id=9, fork="istanbul"))
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
    assert last in runs.matched.tolist()
    run = runs.runs[int(runs.matched_run[runs.matched.tolist().index(last)])]
    assert not run.accepted
    assert UNKNOWN_READ not in runs.unproved


def test_nothing_is_claimed_where_it_may_have_gone_a_way_that_nobody_took() -> None:
    history = history_of(LIMIT, [record(2, data=word(0)), STARVED, REFUSED])
    runs = runs_of(history)
    assert not len(runs.matched)
    assert runs.unproved[UNKNOWN_READ] == 1


def test_nothing_is_claimed_where_two_paths_are_left() -> None:
    calls = [
        record(2, data=word(0) + word(0)),
        record(3, data=word(7) + word(0), succeeded=False),
        record(4, data=word(0) + word(7), succeeded=False),
        replace(STARVED, data=word(0) + word(0)),
    ]
    unsure = runs_of(history_of(BOTH, [*calls, replace(REFUSED, data=word(9) + word(9))]))
    assert len(unsure.runs) == 3
    assert not len(unsure.matched)


def test_all_calls_that_met_values_in_doubt_are_matched_not_only_those_that_would_be_executed() -> None:
    many = [record(6 + number, data=word(9 + number), succeeded=False) for number in range(3 * BOUND)]
    calls = [record(2, data=word(0)), record(3, data=word(7), succeeded=False), STARVED, *many]
    runs = runs_of(history_of(LIMIT, calls))
    assert runs.unpursued == 0
    assert len(runs.matched) >= len(many)
    assert UNKNOWN_READ not in runs.unproved
