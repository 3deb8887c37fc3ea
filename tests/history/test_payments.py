"""Ether that leaves a contract: every way of recording tells the same, and it adds up to what the chain says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from specminer.history.trace import AccessKind, Payment, PaymentKind, Tracer, Transaction
from specminer.pipeline import Export, Rulebook, import_export
from specminer.sources.txlist import read_transactions
from specminer.store import TraceStore
from tests.support import purse
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, collected
from tests.support.exporting import write_txlist
from tests.support.lying_node import LyingNode, without_javascript, without_opcodes


@dataclass(frozen=True)
class Paid:
    """A chain on which a purse paid."""

    anvil: Anvil
    contract: str
    recorded: list[Transaction]
    """By the JavaScript tracer."""


@pytest.fixture(scope="module")
def paid(tools: Path) -> Iterator[Paid]:
    with Anvil(steps_tracing=True) as anvil:
        contract = purse.drive(anvil).address
        recorded, notes = collected(anvil.url, contract)
        assert not notes
        yield Paid(anvil, contract, recorded)


def payments(item: Transaction) -> list[Payment]:
    return [payment for call in item.invocations for payment in call.payments or ()]


def held(recorded: Sequence[Transaction], block: int) -> int:
    """Return what a contract holds after a block, by what was recorded of it."""
    wei = 0
    for item in recorded:
        if item.block.number <= block:
            wei += sum(call.value for call in item.invocations if call.outcome.accepted)
            wei -= sum(payment.value or 0 for payment in payments(item) if not payment.undone)
    return wei


def test_what_came_in_less_what_was_paid_is_the_balance_on_the_chain(paid: Paid) -> None:
    last = paid.anvil.block_number()
    for block in range(1, last + 1):
        balance = int(paid.anvil.rpc("eth_getBalance", paid.contract, hex(block)), 16)
        forced = purse.FORCED if block == last else 0
        assert held(paid.recorded, block) == balance - forced


def test_each_way_to_pay_is_told_with_what_became_of_it(paid: Paid) -> None:
    found = Counter(
        (payment.kind.value, payment.value, payment.undone)
        for item in paid.recorded
        for payment in payments(item)
    )
    left = held([item for item in paid.recorded if item.block.number <= 9], 9)
    assert left == 0, "the purse destroyed itself, and paid out all of it"
    kept = [key for key in found if not key[2] and key[0] == "call"]
    assert {value for _, value, _ in kept} == {1000, 2000, 9, 77, 11, 7, 1, 2, 13, 3, 5}
    assert {value for kind, value, undone in found if kind == "call" and undone} == {4, 5, 10**30}
    assert {(value, undone) for kind, value, undone in found if kind == "creation"} == {
        (21, False),
        (10**30, True),
        (23, True),
    }
    (end,) = [key for key in found if key[0] == "selfdestruct"]
    assert end[1] is not None
    assert end[1] > 10**17
    assert not end[2]


def test_a_payment_tells_its_place_and_its_receiver(paid: Paid) -> None:
    (item,) = [item for item in paid.recorded if [payment.value for payment in payments(item)] == [1, 2]]
    one, other = payments(item)
    (call,) = item.invocations
    (written,) = (access.position for access in call.accesses if access.kind is AccessKind.WRITE)
    assert one.position <= written < other.position
    assert one.to == address(paid.anvil.accounts[0])
    assert call.sender == address(paid.anvil.accounts[1])


def test_ether_forced_upon_a_contract_is_no_call_of_it(paid: Paid) -> None:
    for item in paid.recorded:
        for call in item.invocations:
            assert call.value != purse.FORCED


def test_struct_logs_tell_the_same_but_for_what_a_destroyed_contract_pays(paid: Paid) -> None:
    with LyingNode(paid.anvil.url, without_javascript) as node:
        found, notes = collected(node.url, paid.contract)
    assert any("destroys itself" in note for note in notes)
    assert {item.tracer for item in found} == {Tracer.STRUCT_LOGS}
    expected = [
        [
            replace(payment, value=None if payment.kind is PaymentKind.SELFDESTRUCT else payment.value)
            for payment in payments(item)
        ]
        for item in paid.recorded
    ]
    assert [payments(item) for item in found] == expected


def test_call_traces_tell_the_same_but_the_place(paid: Paid) -> None:
    with LyingNode(paid.anvil.url, without_opcodes) as node:
        found, _ = collected(node.url, paid.contract)
    assert {item.tracer for item in found} == {Tracer.PRESTATE}
    assert [[replace(payment, position=0) for payment in payments(item)] for item in found] == [
        [replace(payment, position=0) for payment in payments(item)] for item in paid.recorded
    ]


def test_what_is_executed_again_pays_the_same(paid: Paid, tmp_path: Path) -> None:
    path = write_txlist(paid.anvil, tmp_path / "txlist.json")
    with TraceStore("sqlite://") as store:
        export = Export(transactions=read_transactions(path), origin=str(path))
        import_export(store, export, Rulebook(chain_id=CHAIN, fork="cancun"))
        again = list(store.transactions(CHAIN, address(paid.contract)))
    calls = [item for item in paid.recorded if item.invocations]
    assert [payments(item) for item in again] == [payments(item) for item in calls]
