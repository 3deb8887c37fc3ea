"""Splitting: what becomes an event of which interaction, and that nothing is lost or made up."""

from __future__ import annotations

import collections
from dataclasses import replace

import numpy as np
import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given, settings

from specminer.contracts.artifact import load
from specminer.contracts.interface import from_artifact
from specminer.decoding import HistoryContext
from specminer.decoding.slot_resolution import locate
from specminer.decoding.storage_layout import Layout
from specminer.history.contract_history import CONSTRUCTOR, OUTCOMES, History, IntColumn
from specminer.history.trace import (
    AccessKind,
    Hash,
    InvocationKind,
    OutcomeKind,
    StorageAccess,
    Tracer,
    Transaction,
    Word,
)
from specminer.interaction import MAX_UNNAMED, Interactions, Mode, analyse, split
from specminer.pipeline.datasets import dataset
from specminer.sources.tracefile import TraceFile
from specminer.store import TraceStore
from tests.support.divisions import READ_ONLY, divided, history_of
from tests.support.histories import (
    ACCOUNTS,
    CONTRACTS,
    SELECTORS,
    Simulated,
    balance_slot,
    simulate,
    simulations,
)
from tests.support.mined import mined

OWN = CONTRACTS[0]


def counted(history: History) -> list[int]:
    """Return the invocations that are events: neither of read-only functions nor rolled back."""
    return [
        row
        for row in range(len(history))
        if history.invocation_data[row][:4] != READ_ONLY
        and OUTCOMES[history.invocation_outcome[row]] is not OutcomeKind.ROLLED_BACK
    ]


@settings(max_examples=40)
@given(simulations())
def test_whole_covers_each_event_once(simulated: Simulated) -> None:
    history = history_of(simulated)
    whole = divided(history, Mode.WHOLE)
    assert sorted(whole.invocation.tolist()) == counted(history)
    assert not whole.passive.any()
    assert not whole.slice.any()
    assert (whole.names, whole.entities) == (("all",), (None,))
    assert np.all(np.diff(whole.invocation) > 0)


@settings(max_examples=40)
@given(simulations())
def test_sender_covers_each_event_once_and_what_others_did_to_it(simulated: Simulated) -> None:
    history = history_of(simulated)
    by_sender = divided(history, Mode.SENDER)
    own = [row for row in counted(history) if history.invocation_kind[row] != CONSTRUCTOR]
    active = by_sender.invocation[~by_sender.passive]
    assert sorted(active.tolist()) == own
    for row, number in zip(active, by_sender.slice[~by_sender.passive], strict=True):
        sender = history.addresses[history.invocation_sender[row]]
        assert by_sender.names[number] == to_checksum_address(sender)
        assert by_sender.entities[number] == int.from_bytes(sender, "big")
    assert _pairs(by_sender) == _expected_passive(history, by_sender)
    assert np.all(np.diff(by_sender.slice) >= 0)
    same = np.diff(by_sender.slice) == 0
    assert np.all(np.diff(by_sender.invocation)[same] > 0)
    firsts = [
        active[by_sender.slice[~by_sender.passive] == number][0] for number in range(len(by_sender.names))
    ]
    assert firsts == sorted(firsts)


def _pairs(by_sender: Interactions) -> set[tuple[str, int]]:
    rows = np.flatnonzero(by_sender.passive)
    pairs = [(by_sender.names[by_sender.slice[row]], int(by_sender.invocation[row])) for row in rows]
    assert len(set(pairs)) == len(pairs)
    return set(pairs)


def _expected_passive(history: History, by_sender: Interactions) -> set[tuple[str, int]]:
    """Return (account, invocation) for each change of the account's entry by another's call."""
    events = set(counted(history))
    found: set[tuple[str, int]] = set()
    for account in ACCOUNTS:
        if to_checksum_address(account) not in by_sender.names:
            continue
        slot = balance_slot(account)
        for row in range(len(history)):
            mine = [
                at
                for at in np.flatnonzero(history.access_invocation == row)
                if history.words[history.access_slot[at]] == slot
            ]
            lasting = [at for at in mine if history.access_write[at] and not history.access_undone[at]]
            if not lasting or history.access_after[lasting[-1]] == history.access_before[mine[0]]:
                continue
            sender = history.addresses[history.invocation_sender[row]]
            own = row in events and history.invocation_kind[row] != CONSTRUCTOR and sender == account
            if not own:
                found.add((to_checksum_address(account), row))
    return found


@settings(max_examples=20)
@given(simulations())
def test_what_is_left_out_is_said(simulated: Simulated) -> None:
    history = history_of(simulated)
    chosen = divided(history, None)
    rolled_back = sum(
        call.outcome.kind is OutcomeKind.ROLLED_BACK
        for item in simulated.transactions
        for call in item.invocations
        if call.selector != READ_ONLY
    )
    assert ("rolled back" in chosen.explanation) == bool(
        rolled_back
        or any(
            call.outcome.kind is OutcomeKind.ROLLED_BACK
            for item in simulated.transactions
            for call in item.invocations
        )
    )


def test_slots_that_nothing_explains_do_not_become_a_variable_each() -> None:
    count = 2000
    simulated = _keyed_by_nothing(count)
    history = history_of(simulated)
    whole = divided(history, Mode.WHOLE)
    locations = locate(history)
    names = {locations.text(slot) for slot in whole.owners}
    assert names == {"slot0"}
    assert len(whole.owners) <= MAX_UNNAMED


def _keyed_by_nothing(count: int) -> Simulated:
    """Return a history as without preimages: each call has its own entry of a mapping, and one counter."""
    (item,) = simulate(1, 1, created=False, tracers=(Tracer.PRESTATE,)).transactions
    call = replace(
        item.invocations[0],
        kind=InvocationKind.EXTERNAL,
        events=(),
        position=0,
        parent=None,
        data=SELECTORS[0],
    )
    transactions = []
    for number in range(count):
        accesses = tuple(
            StorageAccess(
                position=place,
                kind=AccessKind.WRITE,
                slot=Word(slot),
                before=Word(number),
                after=Word(number + 1),
            )
            for place, slot in enumerate((0, int.from_bytes(keccak(b"%d" % number), "big")))
        )
        transactions.append(
            replace(
                item,
                hash=Hash(keccak(b"tx%d" % number)),
                index=number,
                invocations=(replace(call, accesses=accesses),),
                preimages=(),
            )
        )
    return Simulated(tuple(transactions), {}, (), ())


# -- the dataset, counted from the file alone -------------------------------------------------------


@pytest.fixture(scope="module")
def auction() -> tuple[list[Transaction], History]:
    found = dataset("auction_house")
    transactions = list(TraceFile(found.traces).transactions())
    file = TraceFile(found.traces)
    with TraceStore("sqlite://") as store:
        store.add_history(
            file.header.record,
            transactions,
            complete=(file.header.first_block, file.header.last_block),
            tip=file.header.tip,
        )
        return transactions, store.history(file.header.record.chain_id, [file.header.record.address])


def test_the_auction_house_split_by_account(auction: tuple[list[Transaction], History]) -> None:
    transactions, history = auction
    found = dataset("auction_house")
    artifact = load(found.folder / "artifact.json")
    interface = from_artifact(artifact)
    assert artifact.storage_layout is not None
    layout = Layout(artifact.storage_layout, "the artifact")
    context = HistoryContext.of(history, interface, locate(history, layout))
    by_sender = split(analyse(context), "sender")

    active: collections.Counter[str] = collections.Counter()
    passive: collections.Counter[str] = collections.Counter()
    base = next(
        int(item["slot"]) for item in artifact.storage_layout["storage"] if item["label"] == "pendingReturns"
    )
    senders = {
        call.sender
        for item in transactions
        for call in item.invocations
        if call.kind is not InvocationKind.CONSTRUCTOR
        and call.outcome.kind is not OutcomeKind.ROLLED_BACK
        and not interface.functions[call.selector].read_only
    }
    slots = {
        int.from_bytes(keccak(sender.rjust(32, b"\0") + base.to_bytes(32, "big")), "big"): sender
        for sender in senders
    }
    for item in transactions:
        for call in item.invocations:
            if call.kind is InvocationKind.CONSTRUCTOR or call.outcome.kind is OutcomeKind.ROLLED_BACK:
                continue
            if interface.functions[call.selector].read_only:
                continue
            active[to_checksum_address(call.sender)] += 1
            changed: dict[int, tuple[int | None, int]] = {}
            for access in call.accesses:
                first = changed.get(access.slot, (access.before, 0))[0]
                lasts = access.kind is AccessKind.WRITE and not access.undone
                if lasts:
                    assert access.after is not None
                    changed[access.slot] = (first, access.after)
            for slot, (before, after) in changed.items():
                owner = slots.get(slot)
                if owner is not None and before != after and owner != call.sender:
                    passive[to_checksum_address(owner)] += 1
    columns: tuple[IntColumn, IntColumn] = (
        by_sender.slice[~by_sender.passive],
        by_sender.slice[by_sender.passive],
    )
    counts = [collections.Counter(by_sender.names[number] for number in column) for column in columns]
    assert counts == [active, passive]
    assert sum(passive.values()) > 0
    assert len(by_sender.names) == len(senders)


def test_a_sort_that_covers_enough_is_refused_for_another_reason() -> None:
    analysis = mined("savings").analysis
    best = analysis.assessments[0]

    def reason(coverage: float) -> str:
        refused = replace(best, score=replace(best.score, value=0.0, coverage=coverage))
        return split(replace(analysis, assessments=(refused,))).explanation

    assert "95% of the accepted calls are about" in reason(0.95)
    assert "are wanted" not in reason(0.95)
    assert "counts up and down" in reason(0.95)
    assert "7% of the accepted calls are about (more than 50% are wanted)" in reason(0.07)


def test_interactions_of_one_event_never_stand_against_contracts_with_lives() -> None:
    analysis = mined("savings").analysis
    assert analysis.contract is not None
    sort = replace(analysis.assessments[0].score, value=0.1, trivial=True)
    contracts = replace(analysis.contract, value=0.05, single=False, trivial=False)
    assert contracts.outdoes(sort)
    assert not contracts.outdoes(replace(sort, trivial=False))
    assert not replace(contracts, trivial=True).outdoes(sort)
    assert not replace(contracts, single=True).outdoes(sort)
