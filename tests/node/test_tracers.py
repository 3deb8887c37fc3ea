"""The tracers see the same history, and it is the chain's: checked against the node's own answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from specminer.history.trace import AccessKind, Invocation, InvocationKind, OutcomeKind, Tracer, Transaction
from tests.support.anvil import Anvil
from tests.support.collecting import address, collected
from tests.support.lying_node import LyingNode, without_javascript, without_opcodes
from tests.support.probe import Probed, drive


@pytest.fixture(scope="module")
def probed(tools: Path) -> Iterator[Probed]:
    with Anvil(steps_tracing=True, code_size_limit=False) as anvil:
        yield drive(anvil)


@pytest.fixture(scope="module")
def javascript(probed: Probed) -> list[Transaction]:
    transactions, notes = collected(probed.anvil.url, probed.probe.address)
    assert not notes
    return transactions


def calls(transactions: Sequence[Transaction]) -> list[Invocation]:
    return [call for item in transactions for call in item.invocations]


def test_every_transaction_that_touches_the_contract_is_found(
    probed: Probed, javascript: list[Transaction]
) -> None:
    touching = probed.anvil.touching(probed.probe.address)
    assert {"0x" + item.hash.hex() for item in javascript} == set(touching)
    assert {item.tracer for item in javascript} == {Tracer.JAVASCRIPT}


def test_every_ending_is_told_apart(javascript: list[Transaction]) -> None:
    kinds = [call.outcome.kind for call in calls(javascript)]
    assert set(kinds) == {
        OutcomeKind.RETURNED,
        OutcomeKind.REVERTED,
        OutcomeKind.PANIC,
        OutcomeKind.INVALID_OPCODE,
        OutcomeKind.OUT_OF_GAS,
        OutcomeKind.ROLLED_BACK,
    }
    assert kinds.count(OutcomeKind.OUT_OF_GAS) == 2
    assert kinds.count(OutcomeKind.ROLLED_BACK) == 1


def test_every_kind_of_frame_is_an_invocation_of_its_own_or_stays_inside(
    javascript: list[Transaction],
) -> None:
    found = calls(javascript)
    assert found[0].kind is InvocationKind.CONSTRUCTOR
    assert {call.kind for call in found[1:]} == {InvocationKind.EXTERNAL, InvocationKind.INTERNAL}
    inside = [item for item in javascript if len(item.invocations) > 1]
    assert len(inside) == 1, "only the re-entrant call is two invocations"
    outer, inner = inside[0].invocations
    assert (outer.parent, inner.parent, inner.position, inner.depth) == (None, 0, 1, 2)
    assert inner.sender != outer.sender
    before = [access.position for access in outer.accesses if access.position < inner.accesses[0].position]
    after = [access.position for access in outer.accesses if access.position > inner.accesses[-1].position]
    assert before
    assert after


def last_values(transactions: Sequence[Transaction]) -> dict[int, int]:
    values: dict[int, int] = {}
    for item in transactions:
        accesses = [access for call in item.invocations for access in call.accesses]
        for access in sorted(accesses, key=lambda access: access.position):
            if access.kind is AccessKind.WRITE and not access.undone:
                assert access.after is not None
                values[access.slot] = access.after
    return values


def test_what_lasted_is_what_the_chain_holds(probed: Probed, javascript: list[Transaction]) -> None:
    for end in range(1, len(javascript) + 1):
        block = javascript[end - 1].block.number
        if end < len(javascript) and javascript[end].block.number == block:
            continue  # the node tells storage at the end of a block
        for slot, value in last_values(javascript[:end]).items():
            held = probed.anvil.rpc("eth_getStorageAt", probed.probe.address, f"0x{slot:064x}", hex(block))
            assert int(held, 16) == value


def test_values_before_fit_values_after(javascript: list[Transaction]) -> None:
    values: dict[int, int] = {}
    for item in javascript:
        undone: dict[int, int] = {}
        for call in item.invocations:
            for access in call.accesses:
                if access.undone:
                    undone.setdefault(access.slot, access.before or 0)
        accesses = [access for call in item.invocations for access in call.accesses]
        for access in sorted(accesses, key=lambda access: access.position):
            assert access.before is not None
            assert access.after is not None
            if access.slot not in undone:
                assert access.before == values.get(access.slot, 0)
            if not access.undone and access.slot not in undone:
                values[access.slot] = access.after
        for slot in undone:
            lasting = [access for access in accesses if access.slot == slot and not access.undone]
            writes = [access for access in lasting if access.kind is AccessKind.WRITE]
            if writes:
                last = max(writes, key=lambda access: access.position).after
                assert last is not None
                values[slot] = last


def test_hashed_slots_are_explained_by_recorded_preimages(javascript: list[Transaction]) -> None:
    images = {int.from_bytes(keccak(data), "big") for item in javascript for data in item.preimages}
    hashed = {access.slot for call in calls(javascript) for access in call.accesses if access.slot > 1 << 32}
    assert hashed
    # a long string takes the slots behind its hash
    assert all(any(0 <= slot - image < 4 for image in images) for slot in hashed)


def test_struct_logs_see_the_same_but_blind_values(probed: Probed, javascript: list[Transaction]) -> None:
    with LyingNode(probed.anvil.url, without_javascript) as node:
        found, notes = collected(node.url, probed.probe.address)
    assert {item.tracer for item in found} == {Tracer.STRUCT_LOGS}
    assert any(Tracer.STRUCT_LOGS.blind_spots in note for note in notes)

    def blind(item: Transaction) -> Transaction:
        return replace(
            item,
            tracer=Tracer.STRUCT_LOGS,
            invocations=tuple(
                replace(
                    call,
                    accesses=tuple(
                        replace(access, before=None if access.kind is AccessKind.WRITE else access.before)
                        for access in call.accesses
                    ),
                )
                for call in item.invocations
            ),
        )

    assert [blind(item) for item in found] == [blind(item) for item in javascript]
    for seen, true in zip(calls(found), calls(javascript), strict=True):
        for access, right in zip(seen.accesses, true.accesses, strict=True):
            assert access.before in (None, right.before)


def frame(call: Invocation) -> tuple[object, ...]:
    return (
        call.position,
        call.parent,
        call.depth,
        call.kind,
        call.sender,
        call.value,
        call.data,
        call.outcome,
        call.code,
        [(event.topics, event.data, event.undone) for event in call.events],
    )


def test_prestate_sees_the_same_frames_and_net_changes(probed: Probed, javascript: list[Transaction]) -> None:
    with LyingNode(probed.anvil.url, without_opcodes) as node:
        found, notes = collected(node.url, probed.probe.address)
    assert {item.tracer for item in found} == {Tracer.PRESTATE}
    assert any(Tracer.PRESTATE.blind_spots in note for note in notes)
    lasting = [call for call in calls(javascript) if call.outcome.accepted]
    seen = [call for call in calls(found) if call.outcome.accepted]
    assert [frame(call) for call in seen] == [frame(call) for call in lasting]
    assert last_values(found).items() <= last_values(javascript).items()
    changed = {slot for slot, value in last_values(javascript).items() if value}
    assert changed <= set(last_values(found))


@pytest.mark.parametrize("change", [None, without_javascript, without_opcodes])
def test_a_proxy_owns_the_storage_and_the_implementation_is_known(
    probed: Probed, change: Callable[..., dict[str, object]] | None
) -> None:
    with LyingNode(probed.anvil.url, change or (lambda _method, _params, answer: answer)) as node:
        found, _ = collected(node.url, probed.forwarder.address)
    through = [call for call in calls(found) if call.kind is not InvocationKind.CONSTRUCTOR]
    assert len(through) == 3
    assert {call.code for call in through} == {address(probed.probe.address)}
    assert {call.contract for call in through} == {address(probed.forwarder.address)}
    assert any(access.kind is AccessKind.WRITE for access in through[0].accesses)


def test_a_factory_child_has_its_creation(probed: Probed) -> None:
    child = "0x" + str(probed.factory.read("last"))[2:].lower()
    found, _ = collected(probed.anvil.url, child)
    assert [call.kind for call in calls(found)] == [InvocationKind.CONSTRUCTOR, InvocationKind.INTERNAL]
    with LyingNode(probed.anvil.url, without_javascript) as node:
        again, _ = collected(node.url, child)
    assert [replace(call, accesses=()) for call in calls(again)] == [
        replace(call, accesses=()) for call in calls(found)
    ]
