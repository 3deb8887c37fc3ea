"""The database gives back what it was given, however it was given it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer._support.errors import StoreError
from specminer.history.contract_history import KINDS, MISSING, OUTCOMES, PAYMENTS, History
from specminer.history.trace import AccessKind, Address, Block, Hash, StorageAccess, Tracer, Transaction, Word
from specminer.store import TraceStore
from tests.support.histories import (
    CHAIN,
    CONTRACTS,
    Simulated,
    block_of,
    part_of,
    record_of,
    simulate,
    simulations,
    stored,
)

OWN, OTHER = CONTRACTS
EVERY_TRACER = tuple(Tracer)
FAST = settings(max_examples=20)


def tip(number: int) -> Block:
    return block_of(number, timed=False)


def chunks(transactions: Sequence[Transaction], data: st.DataObject) -> list[tuple[int, int]]:
    """Draw ranges of blocks, one after another, that cover the history from block 10 on."""
    last = max((item.block.number for item in transactions), default=10) + 2
    cuts = sorted(data.draw(st.sets(st.integers(10, last - 1), max_size=4)) | {last})
    return list(zip([10, *(cut + 1 for cut in cuts)], cuts, strict=False))


def add(
    store: TraceStore,
    transactions: Sequence[Transaction],
    ranges: Sequence[tuple[int, int]],
    contract: Address = OWN,
) -> None:
    store.register_contract(record_of(contract))
    for first, last in ranges:
        inside = [item for item in transactions if first <= item.block.number <= last]
        end = {item.block.number: item.block for item in transactions}.get(last, tip(last))
        store.add(CHAIN, contract, inside, complete=(first, last), tip=end, limits=["b", "a"])


def content(store: TraceStore) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, in the tables' own order of keys."""
    engine = store._engine
    with engine.connect() as connection:
        names = [
            row[0]
            for row in connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            )
        ]
        return {
            name: sorted(map(tuple, connection.exec_driver_sql(f"SELECT * FROM {name}")), key=repr)
            for name in names
        }


@FAST
@given(simulations(tracers=EVERY_TRACER), st.data())
def test_what_is_added_comes_back(simulated: Simulated, data: st.DataObject) -> None:
    given = list(simulated.transactions)
    with TraceStore("sqlite://") as store:
        ranges = chunks(given, data)
        add(store, given, ranges)
        assert list(store.transactions(CHAIN, OWN)) == given
        assert store.transaction_count(CHAIN, OWN) == len(given)
        assert store.ranges(CHAIN, OWN) == [(10, ranges[-1][1])]
        assert store.record(CHAIN, OWN) == record_of()
        assert store.limits(CHAIN, OWN) == ["a", "b"]


def test_a_file_keeps_it(tmp_path: Path) -> None:
    given = simulate(7, 60, tracers=EVERY_TRACER).transactions
    path = tmp_path / "history.db"
    with stored(given, location=str(path)):
        pass
    with TraceStore(f"sqlite:///{path}") as store:
        assert tuple(store.transactions(CHAIN, OWN)) == given
        with stored(given) as memory:
            assert content(store) == content(memory)


@pytest.mark.slow
@FAST
@given(simulations(tracers=EVERY_TRACER), st.data())
def test_the_content_does_not_tell_the_chunks(simulated: Simulated, data: st.DataObject) -> None:
    given = simulated.transactions
    with TraceStore("sqlite://") as one, TraceStore("sqlite://") as many:
        ranges = chunks(given, data)
        add(many, given, ranges)
        add(one, given, [(ranges[0][0], ranges[-1][1])])
        assert content(one) == content(many)


@FAST
@given(simulations(tracers=EVERY_TRACER), st.data())
def test_adding_again_changes_nothing(simulated: Simulated, data: st.DataObject) -> None:
    given = simulated.transactions
    with TraceStore("sqlite://") as store:
        ranges = chunks(given, data)
        add(store, given, ranges)
        before = content(store)
        add(store, given, ranges)
        add(store, given, ranges[::-1])
        add(store, given, [(ranges[0][0], ranges[-1][1])])
        assert content(store) == before


@pytest.mark.slow
@FAST
@given(simulations(tracers=EVERY_TRACER), st.data())
def test_forgetting_and_adding_again_is_as_if_nothing_was(simulated: Simulated, data: st.DataObject) -> None:
    given = simulated.transactions
    with TraceStore("sqlite://") as store, TraceStore("sqlite://") as fresh:
        ranges = chunks(given, data)
        add(store, given, ranges)
        add(fresh, given, [(ranges[0][0], ranges[-1][1])])
        block = data.draw(st.integers(9, ranges[-1][1]))
        store.replace_after(CHAIN, block, [])
        assert list(store.transactions(CHAIN, OWN)) == [item for item in given if item.block.number <= block]
        assert store.ranges(CHAIN, OWN) == ([(10, block)] if block >= 10 else [])
        assert all(item.number <= block for item in store.blocks(CHAIN))
        add(store, given, [(max(block + 1, 10), ranges[-1][1])] if block < ranges[-1][1] else [])
        assert content(store) == content(fresh)


def test_forgetting_the_creation_forgets_its_block() -> None:
    with TraceStore("sqlite://") as store:
        store.register_contract(replace(record_of(), created_in_block=20))
        store.replace_after(CHAIN, 20, [])
        assert store.record(CHAIN, OWN).created_in_block == 20
        store.replace_after(CHAIN, 19, [])
        assert store.record(CHAIN, OWN).created_in_block is None


@pytest.mark.slow
@FAST
@given(simulations(contracts=2, tracers=EVERY_TRACER), st.data())
def test_contracts_share_transactions(simulated: Simulated, data: st.DataObject) -> None:
    given = simulated.transactions
    with TraceStore("sqlite://") as store:
        ranges = chunks(given, data)
        add(store, part_of(given, OWN), ranges)
        add(store, part_of(given, OTHER), data.draw(st.permutations(ranges)), OTHER)
        for contract in CONTRACTS:
            assert list(store.transactions(CHAIN, contract)) == part_of(given, contract)
        history = store.history(CHAIN, CONTRACTS)
        assert list(history.transaction_hash) == [item.hash for item in given]
        calls = [(item.hash, call) for item in given for call in item.invocations]
        assert decoded(history) == calls_of(given)
        assert [history.transaction_hash[row] for row in history.invocation_transaction] == [
            transaction for transaction, _ in calls
        ]


def calls_of(transactions: Sequence[Transaction]) -> list[tuple[Any, ...]]:
    """Return what columns hold of each invocation, from the values."""
    rows = [(item, call) for item in transactions for call in item.invocations]
    place = {(item.hash, call.position): row for row, (item, call) in enumerate(rows)}
    return [
        (
            item.hash,
            (item.block.number, item.index, item.block.timestamp, item.sender),
            (call.contract, call.code, call.position, call.kind, call.sender, call.value),
            None if call.parent is None else place[item.hash, call.parent],
            (call.data, call.outcome.kind, call.outcome.data),
            call.accesses,
            None
            if call.payments is None
            else tuple((item.kind, item.to, item.value, item.undone) for item in call.payments),
        )
        for item, call in rows
    ]


def decoded(history: History) -> list[tuple[Any, ...]]:
    """Return the same from the columns."""
    accesses: list[list[StorageAccess]] = [[] for _ in range(len(history))]
    for row in range(len(history.access_slot)):
        before = history.access_before[row]
        accesses[history.access_invocation[row]].append(
            StorageAccess(
                position=int(history.access_position[row]),
                kind=AccessKind.WRITE if history.access_write[row] else AccessKind.READ,
                slot=Word(history.words[history.access_slot[row]]),
                before=None if before == MISSING else Word(history.words[before]),
                after=Word(history.words[history.access_after[row]]),
                undone=bool(history.access_undone[row]),
            )
        )
    payments: list[list[tuple[Any, ...]]] = [[] for _ in range(len(history))]
    for row, payer in enumerate(history.payment_invocation.tolist()):
        value = history.payment_value[row]
        payments[payer].append(
            (
                PAYMENTS[history.payment_kind[row]],
                history.addresses[history.payment_to[row]],
                None if value == MISSING else history.words[value],
                bool(history.payment_undone[row]),
            )
        )
    made = history.invocation_payments
    assert [len(found) for found in payments] == np.maximum(made, 0).tolist()
    result: list[tuple[Any, ...]] = []
    for row in range(len(history)):
        transaction, parent = history.invocation_transaction[row], int(history.invocation_parent[row])
        time = int(history.transaction_time[transaction])
        result.append(
            (
                history.transaction_hash[transaction],
                (
                    int(history.transaction_block[transaction]),
                    int(history.transaction_index[transaction]),
                    None if time == MISSING else time,
                    history.addresses[history.transaction_origin[transaction]],
                ),
                (
                    history.contracts[history.invocation_contract[row]].address,
                    history.addresses[history.invocation_code[row]],
                    int(history.invocation_position[row]),
                    KINDS[history.invocation_kind[row]],
                    history.addresses[history.invocation_sender[row]],
                    history.words[history.invocation_value[row]],
                ),
                None if parent == MISSING else parent,
                (
                    history.invocation_data[row],
                    OUTCOMES[history.invocation_outcome[row]],
                    history.invocation_output[row],
                ),
                tuple(accesses[row]),
                None if history.invocation_payments[row] == MISSING else tuple(payments[row]),
            )
        )
    return result


@FAST
@given(simulations(tracers=EVERY_TRACER), st.integers(5, 60), st.integers(5, 60))
def test_columns_agree_with_values(simulated: Simulated, first: int, last: int) -> None:
    given = simulated.transactions
    with stored(given) as store:
        whole = store.history(CHAIN, [OWN])
        assert decoded(whole) == calls_of(given)
        assert set(whole.tracers) == {item.tracer for item in given}
        assert set(whole.preimages.values()) == {data for item in given for data in item.preimages}
        assert whole.ranges == ((whole.first_block, whole.last_block),)
        inside = [item for item in given if first <= item.block.number <= last]
        cut = store.history(CHAIN, [OWN], first=first, last=last)
        assert decoded(cut) == calls_of(inside)
        assert set(cut.tracers) == {item.tracer for item in inside}
        assert all(first <= low <= high <= last for low, high in cut.ranges)


def test_several_contracts_have_all_tracers_and_the_last_block() -> None:
    (item,) = simulate(1, 1).transactions
    call = item.invocations[0]
    other = replace(item, tracer=Tracer.PRESTATE, invocations=(replace(call, contract=OTHER),))
    with TraceStore("sqlite://") as store:
        store.add_history(record_of(OWN), [item], complete=(5, 100))
        store.add_history(record_of(OTHER), [other], complete=(10, 20))
        history = store.history(CHAIN, CONTRACTS)
        assert set(history.tracers) == {item.tracer, Tracer.PRESTATE}
        assert (history.first_block, history.last_block) == (5, 100)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=8))
@settings(max_examples=30)
def test_ranges_merge(drawn: list[tuple[int, int]]) -> None:
    with TraceStore("sqlite://") as store:
        store.register_contract(record_of())
        complete: set[int] = set()
        for first, length in drawn:
            store.add(CHAIN, OWN, [], complete=(first, first + length), tip=tip(first + length), limits=())
            complete |= set(range(first, first + length + 1))
        ranges = store.ranges(CHAIN, OWN)
        assert {number for first, last in ranges for number in range(first, last + 1)} == complete
        assert all(one[1] + 1 < other[0] for one, other in pairwise(ranges))
        assert [block.number for block in store.blocks(CHAIN)] == [last for _, last in ranges[::-1]]


@pytest.mark.parametrize("stage", ["blocks", "transactions", "extend", "limits"])
def test_what_is_interrupted_leaves_nothing(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = simulate(3, 40).transactions
    with stored(given[:20]) as store:
        before = content(store)

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(f"specminer.store.writing.{stage}", killed)
            with pytest.raises(KeyboardInterrupt):
                store.add(CHAIN, OWN, given[20:], complete=(10, 500), tip=tip(500), limits=["new"])
        assert content(store) == before

        def stream() -> Any:
            yield from given[20:]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.add_history(record_of(), stream(), complete=(10, 500))
        assert content(store) == before


def test_a_block_of_another_chain_is_refused() -> None:
    (item,) = simulate(1, 1).transactions
    with stored([item]) as store:
        before = content(store)
        forged = replace(item, hash=Hash(b"\1" * 32), block=replace(item.block, hash=Hash(b"\2" * 32)))
        with pytest.raises(StoreError, match=f"block {item.block.number} .* another chain"):
            store.add_history(record_of(OTHER), [forged], complete=(10, 12))
        assert content(store) == before


def test_a_timestamp_may_come_later() -> None:
    with TraceStore("sqlite://") as store:
        store.register_contract(record_of())
        block = Block(number=5, hash=Hash(b"\5" * 32), timestamp=None)
        store.add(CHAIN, OWN, [], complete=(5, 5), tip=block)
        store.add(CHAIN, OWN, [], complete=(5, 5), tip=replace(block, timestamp=77))
        store.add(CHAIN, OWN, [], complete=(5, 5), tip=block)
        assert store.blocks(CHAIN) == [replace(block, timestamp=77)]


def test_numbers_out_of_range_are_store_errors() -> None:
    (item,) = simulate(1, 1).transactions
    call = item.invocations[0]
    with stored([]) as store:
        before = content(store)
        for bad in (
            replace(item, nonce=1 << 63),
            replace(item, value=-1),
            replace(item, invocations=(replace(call, gas=1 << 70),)),
        ):
            with pytest.raises(StoreError, match="too large"):
                store.add(CHAIN, OWN, [bad], complete=(10, 20))
        with pytest.raises(StoreError, match="too large"):
            store.history(CHAIN, [OWN], first=1 << 64)
        assert content(store) == before


def test_unknown_contracts_are_store_errors() -> None:
    with TraceStore("sqlite://") as store:
        with pytest.raises(StoreError, match="holds nothing of 0xc0"):
            store.history(CHAIN, [OWN])
        with pytest.raises(StoreError, match="holds nothing of 0xc0"):
            store.add(CHAIN, OWN, [], complete=(0, 1))
        assert store.ranges(CHAIN, OWN) == []
        assert store.contracts() == []


def test_a_file_can_be_read_by_any_sqlite(tmp_path: Path) -> None:
    given = simulate(2, 10).transactions
    path = tmp_path / "h.db"
    with stored(given, location=str(path)):
        pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT count(*) FROM transaction_").fetchone() == (10,)
