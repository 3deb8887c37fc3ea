"""Ether in the report: sums that can be recomputed from the recorded payments, and what is unknown said to be so."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from specminer.history.trace import ContractRecord, PaymentKind, Transaction
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import mine
from specminer.pipeline.state import MineOptions
from specminer.presentation.money_sections import UNKNOWN
from specminer.presentation.report_document import HistoryEvidence, Report
from specminer.presentation.sections import sections
from specminer.sources.tracefile import TraceFile
from specminer.specification import TransitionKind
from specminer.store import TraceStore
from specminer.store.schema import contract_code, environment_answer, external_call, foreign_log, frame_code
from tests.support.command import specminer
from tests.support.mined import marked, mined, report_of


@cache
def evidence(name: str) -> HistoryEvidence:
    found = report_of(mined(name)).evidence
    assert found is not None
    return found


@cache
def recorded(name: str) -> tuple[Transaction, ...]:
    return tuple(item for file in dataset(name).trace_files for item in TraceFile(file).transactions())


@pytest.mark.parametrize("name", ["savings", "channel", "escrow", "governance"])
def test_what_went_out_is_what_the_trace_file_says(name: str) -> None:
    told = evidence(name).money
    by: Counter[str] = Counter()
    count: Counter[str] = Counter()
    within: defaultdict[str, set[bytes]] = defaultdict(set)
    wei = 0
    for item in recorded(name):
        for call in item.invocations:
            assert call.payments is not None
            wei += call.value if call.outcome.accepted else 0
            for payment in call.payments:
                if not payment.undone:
                    by["0x" + payment.to.hex()] += payment.value or 0
                    count["0x" + payment.to.hex()] += 1
                    within["0x" + payment.to.hex()].add(item.hash)
    assert told.unknown == 0
    assert told.whole
    assert told.receivers.total == len(by)
    for receiver in told.receivers.items:
        address = receiver.address.lower()
        assert (int(receiver.value), receiver.payments) == (by[address], count[address])
        assert receiver.transactions == len(within[address])
    assert sum(int(item.value) for item in told.payouts) == sum(by.values())
    assert sum(item.payments for item in told.payouts) == sum(count.values())
    if told.held:
        assert int(told.held[-1].value) == wei - sum(by.values())
        assert min(int(item.value) for item in told.held) >= 0
    # the transitions' sums are those of the calls in interactions: no more than all
    inside = sum(int(taken.paid or 0) for taken in evidence(name).transitions)
    assert inside <= sum(by.values())


def test_functions_that_pay_are_told_with_whom_they_pay() -> None:
    told = {item.function: item for item in evidence("auction_house").money.payouts}
    refunds = told["withdraw"]
    assert refunds.to_sender == refunds.value != "0"
    names = Counter(
        call.data[:4]
        for item in recorded("auction_house")
        for call in item.invocations
        if any(not payment.undone for payment in call.payments or ())
    )
    assert sum(item.calls for item in told.values()) == sum(names.values())


def test_an_attack_shows_as_many_payments_in_one_transaction() -> None:
    (attack,) = marked("savings")
    most = max(evidence("savings").money.receivers.items, key=lambda item: item.payments / item.transactions)
    assert (most.payments, most.transactions) == (7, 1)
    assert most.first.transaction == most.last.transaction == attack


def altered(change: dict[str, object]) -> Report:
    """Return the report of a history with its payments changed."""
    file = TraceFile(dataset("lottery").traces)
    record: ContractRecord = file.header.record
    with TraceStore("sqlite://") as store:
        items = [
            replace(
                item,
                invocations=tuple(
                    replace(
                        call,
                        payments=None
                        if change.get("unknown") and (change.get("all") or not call.position)
                        else tuple(
                            replace(payment, undone=True)
                            if change.get("failed") and call.outcome.accepted
                            else replace(payment, kind=PaymentKind.SELFDESTRUCT, value=None)
                            if change.get("unseen")
                            else payment
                            for payment in call.payments or ()
                        ),
                    )
                    for call in item.invocations
                ),
            )
            for item in file.transactions()
        ]
        store.add_history(record, items, complete=(file.header.first_block, file.header.last_block))
        history = store.history(record.chain_id, [record.address])
    return report_of(mine(history, MineOptions(surprising=0)))


def test_what_was_not_recorded_is_unknown_and_not_nothing() -> None:
    told = altered({"unknown": True, "all": True})
    listed = {section.id: section for section in sections(told)}
    assert listed["payouts"].lead == (UNKNOWN,)
    assert not listed["payouts"].rows
    assert "held" not in listed
    assert told.evidence is not None
    edges = zip(told.specification.transitions, told.evidence.transitions, strict=True)
    assert {taken.paid for edge, taken in edges if edge.kind is not TransitionKind.TIME} == {None}
    assert told.evidence.money.unknown == told.evidence.money.calls


def test_amounts_that_a_tracer_did_not_see_are_counted_as_unknown() -> None:
    told = altered({"unseen": True})
    listed = {section.id: section for section in sections(told)}
    assert "is not known, or not how much" in listed["payouts"].lead[1]
    assert "held" not in listed


def test_payments_that_failed_in_accepted_calls_are_listed() -> None:
    told = altered({"failed": True})
    listed = {section.id: section for section in sections(told)}
    assert listed["unpaid"].rows
    assert listed["payouts"].lead[0] == "No accepted call paid anything out."
    assert told.evidence is not None
    expected = sum(
        len(call.payments or ())
        for item in recorded("lottery")
        for call in item.invocations
        if call.outcome.accepted
    )
    assert sum(item.payments for item in told.evidence.money.unpaid.items) == expected > 0
    assert not any(section.id == "unpaid" for section in sections(report_of(mined("lottery"))))


ADDED = {
    "block": ("base_fee", "beneficiary", "gas_limit", "randomness"),
    "recording": ("logs",),
    "invocation": ("external_calls", "frame_codes", "environment_answers"),
}
"""Columns that version 8 added."""


def test_a_database_of_before_is_read_and_says_so(tmp_path: Path) -> None:
    """The payments of a database of an older specminer are unknown, those that are added to it are not."""
    database = tmp_path / "h.db"
    assert specminer("import", str(dataset("lottery").traces), "--db", "h.db", cwd=tmp_path).code == 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE payment")
        connection.execute("DROP TABLE gap")
        connection.execute("DROP TABLE listed_record")
        for table in (external_call, frame_code, environment_answer, foreign_log, contract_code):
            connection.execute(f"DROP TABLE {table.name}")
        for name, columns in ADDED.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {name} DROP COLUMN {column}")
        connection.execute("ALTER TABLE invocation DROP COLUMN payments")
        connection.execute("UPDATE schema_version SET version = 4")
        connection.commit()
    with TraceStore(str(database)) as store:
        (contract,) = store.contracts()
        calls = [
            call
            for item in store.transactions(contract.chain_id, contract.address)
            for call in item.invocations
        ]
    assert {call.payments for call in calls} == {None}
    done = specminer("mine", f"0x{contract.address.hex()}", "--db", "h.db", "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.err
    assert UNKNOWN in (tmp_path / "out" / "report.html").read_text()


def test_a_trace_file_of_before_is_read_and_says_so(tmp_path: Path) -> None:
    file = TraceFile(dataset("lottery").traces)
    with TraceStore("sqlite://") as store:
        import_traces(store, dataset("lottery").traces)
        given = list(store.transactions(file.header.record.chain_id, file.header.record.address))
    assert all(call.payments is not None for item in given for call in item.invocations)
    assert specminer("import", str(dataset("lottery").traces), "--db", "h.db", cwd=tmp_path).code == 0
    address = f"0x{file.header.record.address.hex()}"
    assert specminer("export", address, "--db", "h.db", "--out", "h.jsonl", cwd=tmp_path).code == 0
    lines = [json.loads(line) for line in (tmp_path / "h.jsonl").read_text().splitlines()]
    for line in lines[1:]:
        for call in line["invocations"]:
            del call["payments"]
    (tmp_path / "old.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    found = list(TraceFile(tmp_path / "old.jsonl").transactions())
    assert {call.payments for item in found for call in item.invocations} == {None}


def test_one_life_tells_what_was_paid(tmp_path: Path) -> None:
    text = specminer("interactions", "auction_house", "--entity", "0", cwd=tmp_path).out
    paying = [
        payment
        for item in recorded("auction_house")
        for call in item.invocations
        for payment in call.payments or ()
        if not payment.undone
    ]
    lines = [line for line in text.splitlines() if line.startswith("    pays ")]
    for line in lines:
        assert any(f"pays {payment.value} wei to 0x" in line for payment in paying)
    life = json.loads(
        specminer(
            "interactions", "savings", "--entity", "0x325d760ec3f30e3e8342e961021e3d53e2bc8c90",
            "--format", "json", cwd=tmp_path,
        ).out
    )  # fmt: skip
    assert sum(len(event["payments"]) for event in life["events"]) >= 7
