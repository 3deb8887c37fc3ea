"""Ganache, a node of another dialect: it is read like anvil, although it writes its traces otherwise."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from specminer.history.trace import NO_HASH, Block, Outcome, OutcomeKind, Tracer, Transaction
from specminer.pipeline import verify
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.sources.survey import survey, usable
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Deployed, MissingPart
from tests.support.collecting import address, collected, gather
from tests.support.ganache import Ganache, ganache_program
from tests.support.lying_node import LyingNode, without_javascript
from tests.support.machine import compiled, endings, script

CHAIN = 1337


@dataclass(frozen=True, kw_only=True)
class Twins:
    """The same transactions on Ganache and on anvil."""

    ganache: Ganache
    machine: Deployed
    found: list[Transaction]
    notes: list[str]
    true: list[Transaction]


@pytest.fixture(scope="module")
def twins(tools: Path) -> Iterator[Twins]:
    try:
        ganache_program()
    except MissingPart as error:
        pytest.skip(str(error))
    source = random.Random(11)
    # Ganache ends when it traces memory of terabytes that the gas never allowed
    drawn = endings() + [script(source) for _ in range(80)]
    scripts = [text for text in drawn if 6 not in text]
    assert len(scripts) > 15
    artifact = compiled("paris")["Machine"]
    with Ganache() as ganache, Anvil(hardfork="shanghai", steps_tracing=True) as anvil:
        assert ganache.accounts[:5] == anvil.accounts[:5]
        machine = ganache.deploy(ganache.accounts[0], artifact)
        assert anvil.deploy(anvil.accounts[0], artifact, gas=6_000_000).address == machine.address
        peers = [machine.address] * 3
        for row, text in enumerate(scripts):
            call = machine.call(anvil.accounts[row % 5], "run", peers, text, gas=600_000)
            ganache.send(call)
            anvil.block([call])
        with TraceStore("sqlite://") as store:
            heard = gather(store, ganache.url, machine.address)
            found = list(store.transactions(CHAIN, address(machine.address)))
        with LyingNode(anvil.url, without_javascript) as node:
            true, _ = collected(node.url, machine.address)
        yield Twins(ganache=ganache, machine=machine, found=found, notes=heard.notes, true=true)


def essence(item: Transaction) -> Transaction:
    """Forget what differs between the two chains: hashes, times, gas prices; and the gas of frames."""
    calls = tuple(
        replace(call, gas=0, gas_used=0, accesses=tuple(replace(access) for access in call.accesses))
        for call in item.invocations
    )
    block = Block(number=item.block.number, hash=NO_HASH, timestamp=None)
    return replace(item, hash=NO_HASH, block=block, invocations=calls)


def test_ganache_is_traced_by_its_opcodes(twins: Twins) -> None:
    assert {item.tracer for item in twins.found} == {Tracer.STRUCT_LOGS}
    assert any("javascript" in note for note in twins.notes)


def test_ganache_tells_the_same_history_as_anvil(twins: Twins) -> None:
    assert [essence(item) for item in twins.found] == [essence(item) for item in twins.true]


def test_reasons_are_read_from_memory_where_ganache_leaves_them_out(twins: Twins) -> None:
    outcomes = [item.invocations[0].outcome for item in twins.found]
    reverted = [outcome for outcome in outcomes if outcome.kind is OutcomeKind.REVERTED]
    assert Outcome(kind=OutcomeKind.REVERTED, data=reverted[0].data) in reverted
    assert any(b"scripted" in outcome.data for outcome in reverted)


def test_doctor_surveys_ganache(twins: Twins) -> None:
    with Node(Endpoint(twins.ganache.url), pause=0.01) as node:
        findings = {item.what: item for item in survey(node)}
    assert usable(list(findings.values()))
    assert findings["structLogs"].works
    assert findings["javascript"].works is False


def test_ganache_confirms_what_was_collected(twins: Twins) -> None:
    key = address(twins.machine.address)
    with TraceStore("sqlite://") as store, Node(Endpoint(twins.ganache.url), pause=0.01) as node:
        gather(store, twins.ganache.url, twins.machine.address)
        verified = verify(store, node, CHAIN, key, 1)
    assert verified.differences == ()
    assert verified.comparisons > 0
