"""Random transactions look the same to every tracer, and leave what the chain holds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from specminer.history.trace import AccessKind, Invocation, OutcomeKind, Tracer, Transaction
from tests.support.anvil import Anvil, Call, Deployed
from tests.support.collecting import collected
from tests.support.lying_node import LyingNode, refuse, without_javascript, without_opcodes
from tests.support.machine import compiled, endings, script

SCRIPTS = 20


@dataclass(frozen=True, kw_only=True)
class Chain:
    anvil: Anvil
    machine: Deployed
    javascript: list[Transaction]
    struct_logs: list[Transaction]
    prestate: list[Transaction]


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[Chain]:
    with Anvil(steps_tracing=True) as anvil:
        machines = [anvil.deploy(anvil.accounts[0], compiled()["Machine"]) for _ in range(3)]
        peers = [machine.address for machine in machines]
        source = random.Random(7)
        scripts = endings() + [script(source) for _ in range(SCRIPTS)]
        for row, text in enumerate(scripts):
            called = machines[0] if row % 2 or row < len(endings()) else machines[row % 3]
            anvil.block([called.call(anvil.accounts[row % 5], "run", peers, text, gas=600_000)])
        contract = peers[0]
        javascript, notes = collected(anvil.url, contract)
        assert notes == []
        with LyingNode(anvil.url, without_javascript) as node:
            struct_logs, _ = collected(node.url, contract)
        with LyingNode(anvil.url, without_opcodes) as node:
            prestate, _ = collected(node.url, contract)
        yield Chain(
            anvil=anvil,
            machine=machines[0],
            javascript=javascript,
            struct_logs=struct_logs,
            prestate=prestate,
        )


def blind(item: Transaction) -> Transaction:
    """Forget what a slot held before a write, which structLogs do not always show."""
    calls = tuple(
        replace(
            call,
            accesses=tuple(
                access if access.kind is AccessKind.READ else replace(access, before=None)
                for access in call.accesses
            ),
        )
        for call in item.invocations
    )
    return replace(item, invocations=calls, tracer=Tracer.JAVASCRIPT)


def test_the_scripts_reach_every_ending(chain: Chain) -> None:
    kinds = {call.outcome.kind for item in chain.javascript for call in item.invocations}
    assert kinds == set(OutcomeKind) - {OutcomeKind.FAILED}  # a node tells how
    assert {item.tracer for item in chain.javascript} == {Tracer.JAVASCRIPT}
    assert {item.tracer for item in chain.struct_logs} == {Tracer.STRUCT_LOGS}
    assert {item.tracer for item in chain.prestate} == {Tracer.PRESTATE}


def test_the_frames_are_those_that_the_node_counts(chain: Chain) -> None:
    """A call of a contract to itself is no invocation of its own, so the node may count more frames."""
    touching = chain.anvil.touching(chain.machine.address)
    assert ["0x" + item.hash.hex() for item in chain.javascript] == list(touching)
    for item in chain.javascript:
        assert 1 <= len(item.invocations) <= touching["0x" + item.hash.hex()]


def test_javascript_and_struct_logs_agree_on_everything_but_blind_values(chain: Chain) -> None:
    for seen, true in zip(chain.struct_logs, chain.javascript, strict=True):
        assert blind(seen) == blind(true)
        for one, other in zip(seen.invocations, true.invocations, strict=True):
            for access, right in zip(one.accesses, other.accesses, strict=True):
                assert access.before in (None, right.before)


def frame(call: Invocation) -> Invocation:
    """Forget what a call trace does not show: storage, undone events, what code asked, and so where calls stood."""
    events = tuple(replace(event, position=0) for event in call.events if not event.undone)
    assert call.calls is not None
    assert call.codes is not None
    return replace(
        call,
        accesses=(),
        events=events,
        environment=None,
        calls=tuple(replace(made, position=0) for made in call.calls),
        codes=tuple(replace(code, position=0) for code in call.codes),
    )


def test_call_traces_show_the_same_frames(chain: Chain) -> None:
    for seen, true in zip(chain.prestate, chain.javascript, strict=True):
        assert [frame(call) for call in seen.invocations] == [frame(call) for call in true.invocations]
        assert lasting_events(seen) == lasting_events(true)


def lasting_events(item: Transaction) -> list[tuple[int, tuple[bytes, ...], bytes]]:
    """Return the events of all invocations in the order in which they were emitted."""
    events = [(event, call.position) for call in item.invocations for event in call.events]
    events.sort(key=lambda pair: pair[0].position)
    return [(owner, event.topics, event.data) for event, owner in events if not event.undone]


def values(items: Sequence[Transaction]) -> dict[int, int]:
    held: dict[int, int] = {}
    for item in items:
        accesses = [access for call in item.invocations for access in call.accesses]
        for access in sorted(accesses, key=lambda access: access.position):
            if access.kind is AccessKind.WRITE and not access.undone:
                assert access.after is not None
                held[access.slot] = access.after
    return held


@pytest.mark.parametrize("tracer", ["javascript", "struct_logs", "prestate"])
def test_lasting_writes_are_what_the_chain_holds(chain: Chain, tracer: str) -> None:
    items: list[Transaction] = getattr(chain, tracer)
    for end in range(1, len(items) + 1):
        for slot, value in values(items[:end]).items():
            block = hex(items[end - 1].block.number)
            held = chain.anvil.rpc("eth_getStorageAt", chain.machine.address, f"0x{slot:064x}", block)
            assert int(held, 16) == value, (end, slot)


def test_a_slot_holds_what_was_written_last_and_not_undone(chain: Chain) -> None:
    """Reads see the writes before them in their own frame, or values from before what was undone."""
    held: dict[int, int] = {}
    for item in chain.javascript:
        touched: dict[int, set[int]] = {}
        accesses = [access for call in item.invocations for access in call.accesses]
        for access in sorted(accesses, key=lambda access: access.position):
            possible = touched.setdefault(access.slot, {held.get(access.slot, 0)})
            assert access.before in possible
            assert access.after is not None
            possible.add(access.after)
        held = held | values([item])


def test_a_deep_recursion_is_found_and_read(tools: Path) -> None:
    """Its call trace nests deeper than Python's parser and interpreter go by default."""
    with Anvil(block_gas=5_000_000_000) as anvil:
        sender = anvil.accounts[0]
        deep = anvil.deploy(sender, compiled()["Deep"])
        anvil.block([Call(sender=sender, to=deep.address, data=deep.encode("down", 600), gas=4_000_000_000)])
        for change, tracer in (
            (without_opcodes, Tracer.PRESTATE),
            (refusing_filters, Tracer.JAVASCRIPT),
        ):
            with LyingNode(anvil.url, change) as node:
                found, _ = collected(node.url, deep.address)
            assert [item.succeeded for item in found] == [True, True]
            assert {item.tracer for item in found} == {tracer}


def refusing_filters(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Refuse trace_filter, so that the finder reads the call traces of blocks."""
    return refuse(answer) if method == "trace_filter" else answer


def test_a_transfer_beside_the_creation_does_not_spoil_the_tracer(chain: Chain) -> None:
    """The block that a factory creates a contract in is traced as a whole, plain transfers included."""
    anvil = chain.anvil
    transfer = Call(sender=anvil.accounts[1], to=anvil.accounts[2], value=1, gas=21_000)
    made = chain.machine.call(
        anvil.accounts[3], "run", [chain.machine.address] * 3, bytes([9, 77, 2]), gas=3_000_000
    )
    (_, receipt) = anvil.block([transfer, made])
    trace = anvil.rpc("debug_traceTransaction", receipt["transactionHash"], {"tracer": "callTracer"})
    child = trace["calls"][0]["to"]
    with LyingNode(anvil.url, without_javascript) as node:
        found, _ = collected(node.url, child)
    assert [item.tracer for item in found] == [Tracer.STRUCT_LOGS]
