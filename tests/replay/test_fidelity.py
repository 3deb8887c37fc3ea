"""What differs from the chain is marked, and so is what it may have made wrong; the rest is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from specminer.history.contract_history import MISSING
from specminer.history.trace import Address, Fidelity, OutcomeKind
from specminer.pipeline import Export, Rulebook, import_export
from specminer.replay.export_replay import RecordReplay
from specminer.replay.fast_machine import FastMachine
from specminer.replay.fork_schedule import rules_of_fork
from specminer.replay.limits import MAX_STEPS
from specminer.replay.records import call_of, surroundings
from specminer.sources.exported import ExportedTransaction
from specminer.store import TraceStore
from tests.support.bytecode import CONTRACT, COUNT, FAIL, LOOP, OWNER, creation, record

SET = bytes.fromhex("600035600055" + "602035600155" + "00")
"""Puts the first words of the calldata into slots 0 and 1, unread."""


def replay(*, evidence: bool = True, max_steps: int = MAX_STEPS) -> RecordReplay:
    machine = FastMachine(max_steps=max_steps)
    return RecordReplay(
        machine, 1, rules_of_fork("istanbul"), frozenset({CONTRACT}), gas_is_evidence=evidence
    )


def gas_of(records: Sequence[ExportedTransaction]) -> list[ExportedTransaction]:
    """Return the records with the gas that they really use."""
    run = replay(evidence=False)
    return [
        replace(item, gas_used=run.machine.run(call_of(item), surroundings(item, 1), "istanbul").gas_used)
        for item in records
    ]


def marks(run: RecordReplay, records: Sequence[ExportedTransaction]) -> list[Fidelity]:
    return [run.step(item, 0).fidelity for item in records]


def test_the_same_end_and_gas_is_exact() -> None:
    records = gas_of([creation(COUNT), record(2), record(3)])
    assert marks(replay(), records) == [Fidelity.EXACT] * 3
    unknown = [replace(item, gas_used=None) for item in records]
    assert marks(replay(), unknown) == [Fidelity.UNCHECKED] * 3
    assert marks(replay(evidence=False), records) == [Fidelity.UNCHECKED] * 3


def test_what_failed_on_the_chain_leaves_nothing_and_taints_nothing() -> None:
    records = gas_of([creation(COUNT), record(2), record(3), record(4)])
    records[2] = replace(records[2], succeeded=False)
    run = replay()
    assert marks(run, records) == [Fidelity.EXACT, Fidelity.EXACT, Fidelity.STATUS, Fidelity.EXACT]
    assert run.machine.storage(CONTRACT, 0) == 2


def test_what_failed_on_the_chain_is_told_as_rejected() -> None:
    run = replay()
    run.step(creation(COUNT), 0)
    done = run.step(record(2, succeeded=False), 0).parts[CONTRACT]
    (call,) = done.invocations
    assert not done.succeeded
    assert call.outcome.kind is OutcomeKind.FAILED  # the chain does not tell how
    assert call.accesses == ()


def test_what_failed_only_here_taints_who_reads_what_it_touched() -> None:
    starved = record(3, gas=22_500)  # reads slot 0, then runs out of gas; the chain says that it did not
    records = [creation(COUNT), record(2), starved, record(4), record(5)]
    assert marks(replay(evidence=False), records) == [
        Fidelity.UNCHECKED,
        Fidelity.UNCHECKED,
        Fidelity.STATUS,
        Fidelity.TAINTED,
        Fidelity.TAINTED,
    ]


def test_what_led_a_transaction_another_way_is_unknown_in_it_already() -> None:
    run = replay(evidence=False)
    marks(run, [creation(COUNT), record(2)])
    done = run.step(record(3, gas=22_500), 0)  # reads slot 0, then fails; the chain says that it did not
    (call,) = done.parts[CONTRACT].invocations
    assert done.fidelity is Fidelity.STATUS
    assert [(int(item.slot), item.before, item.after) for item in call.accesses] == [(0, None, None)]


ASK_STRANGER = bytes.fromhex(
    "60005450" + "3d3d60043d3d" + "62515151" + "5af150" + "3d600714" + "601957" + "fe5b00"
)
"""Reads slot 0, then calls another contract and fails unless that returns seven bytes."""


def test_what_was_read_stays_known_where_a_contract_that_is_not_at_hand_was_called() -> None:
    run = replay(evidence=False)
    marks(run, [creation(ASK_STRANGER)])
    done = run.step(record(2), 0)
    (call,) = done.parts[CONTRACT].invocations
    assert done.fidelity is Fidelity.STATUS
    assert [(int(item.slot), item.before, item.after) for item in call.accesses] == [(0, 0, None)]


def test_what_failed_only_here_before_it_touched_anything_leaves_all_storage_in_doubt() -> None:
    records = [creation(SET), record(2, gas=21_001), record(3, data=bytes(32))]
    run = replay(evidence=False)
    assert marks(run, records)[1:] == [Fidelity.STATUS, Fidelity.UNCHECKED]
    assert (CONTRACT, 2) in run.doubt
    assert (CONTRACT, 0) not in run.doubt  # written since, unread


def test_a_slot_written_unread_is_believed_again() -> None:
    word = (7).to_bytes(32, "big") + (8).to_bytes(32, "big")
    good = record(2, data=word)
    bad = record(3, data=(9).to_bytes(32, "big") * 2, gas=23_000)  # less than any values cost
    run = replay(evidence=False)
    assert marks(run, [creation(SET), good, bad, record(4, data=word), record(5, data=word)]) == [
        Fidelity.UNCHECKED,
        Fidelity.UNCHECKED,
        Fidelity.STATUS,
        Fidelity.UNCHECKED,
        Fidelity.UNCHECKED,
    ]
    assert not run.doubt.slots


def test_other_gas_taints_what_was_written_where_gas_is_evidence() -> None:
    records = gas_of([creation(COUNT), record(2), record(3), record(4)])
    records[2] = replace(records[2], gas_used=(records[2].gas_used or 0) + 1)
    assert marks(replay(), records) == [
        Fidelity.EXACT,
        Fidelity.EXACT,
        Fidelity.GAS,
        Fidelity.TAINTED,
    ]


def test_a_creation_that_fails_only_here_leaves_everything_in_doubt() -> None:
    run = replay(evidence=False)
    first = replace(creation(COUNT), gas=54_000)
    done = run.step(first, 0)
    assert done.fidelity is Fidelity.STATUS
    (call,) = done.parts[CONTRACT].invocations
    assert call.outcome.kind is OutcomeKind.RETURNED  # the chain created it
    assert run.existing_targets == {CONTRACT}
    assert (CONTRACT, 12345) in run.doubt


def test_what_is_stopped_at_a_limit_differs() -> None:
    run = replay(evidence=False, max_steps=1_000)
    assert marks(run, [creation(LOOP), record(2), record(3, succeeded=False)]) == [
        Fidelity.UNCHECKED,
        Fidelity.STATUS,
        Fidelity.STATUS,
    ]


def test_rejections_are_no_difference() -> None:
    records = gas_of([creation(FAIL), record(2, succeeded=False), record(3, succeeded=False)])
    assert marks(replay(), records) == [Fidelity.EXACT] * 3


STRANGERS = [Address(bytes([place]) * 20) for place in (0x51, 0x52)]
PAY = bytes.fromhex("6000600060006000" + "6020" + "35" + "6000" + "35" + "5af1" + "6000" + "55" + "00")
"""Sends as many wei as the second word says to the address in the first; slot 0 keeps whether it worked."""


def paying(to: Address, amount: int = 1) -> bytes:
    return to.rjust(32, b"\0") + amount.to_bytes(32, "big")


@pytest.mark.parametrize("new", [False, True])
def test_whether_a_receiver_existed_is_told_by_the_gas(new: bool) -> None:
    records = gas_of(
        [
            creation(PAY),
            record(2, data=paying(STRANGERS[0]), value=10),
            record(3, data=paying(STRANGERS[0])),
        ]
    )
    if new:
        records[1] = replace(records[1], gas_used=(records[1].gas_used or 0) + 25_000)
    run = replay()
    assert marks(run, records) == [Fidelity.EXACT] * 3
    assert run.machine.balance(STRANGERS[0]) == (2 if new else 3)


def test_ether_that_no_export_shows_is_lent() -> None:
    records = gas_of([creation(PAY), record(2, data=paying(STRANGERS[0], 5), value=5)])
    poor = replace(records[1], value=0)
    run = replay()
    assert run.step(records[0], 0).fidelity is Fidelity.EXACT
    # the transaction goes on where the transfer fails; its gas tells that the transfer did not
    assert run.step(poor, 0).fidelity is Fidelity.EXACT
    assert run.funded == 1
    assert [fact.text.partition(":")[0] for fact in run.facts] == [
        f"0x{CONTRACT.hex()} had 5 wei or more that no list shows"
    ]


MUST_PAY = bytes.fromhex("6000600060006000" + "602035" + "600035" + "5af1" + "60185760006000fd" + "5b" + "00")
"""Sends like ``PAY``, and reverts where that fails."""


def test_a_contract_that_lacked_only_ether_gets_it() -> None:
    assert MUST_PAY[0x18] == 0x5B
    run = replay(evidence=False)
    run.step(creation(MUST_PAY), 0)
    done = run.step(record(2, data=paying(STRANGERS[0], 5)), 0)
    assert (done.fidelity, run.funded) == (Fidelity.UNCHECKED, 1)
    assert run.machine.balance(STRANGERS[0]) == 6
    assert run.machine.balance(CONTRACT) == 0
    assert OWNER != CONTRACT


def test_what_is_in_doubt_is_mined_without_its_values() -> None:
    records = [creation(COUNT), record(2), record(3, gas=22_500), record(4), record(5)]
    with TraceStore("sqlite://") as store:
        export = Export(transactions=tuple(records), origin="by hand")
        done = import_export(store, export, Rulebook(chain_id=9, fork="istanbul"))
        history = store.history(9, [CONTRACT])
    assert done.fidelity == {Fidelity.UNCHECKED: 2, Fidelity.STATUS: 1, Fidelity.TAINTED: 2}
    assert history.fidelity == done.fidelity
    assert len(history) == len(records)
    assert history.accepted.all()
    doubtful = history.access_invocation >= 2
    assert (history.access_after[doubtful] == MISSING).all()
    assert (history.access_after[~doubtful] != MISSING).all()
