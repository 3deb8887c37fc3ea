"""What is executed again is what the node recorded: field by field, on real and on random contracts."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from specminer.history.trace import Fidelity
from specminer.pipeline import Export, ImportResult, Rulebook, import_export
from specminer.replay.engine import Engine
from specminer.sources.txlist import read_transactions
from specminer.store import TraceStore
from tests.support import crowdsale, ens_registrar, machine, probe, till
from tests.support.agreement import same_calls
from tests.support.anvil import Anvil, Call
from tests.support.bytecode import deploying
from tests.support.collecting import CHAIN, address, collected
from tests.support.exporting import write_txlist


def drive_probe(anvil: Anvil) -> str:
    return probe.drive(anvil).probe.address


def drive_crowdsale(anvil: Anvil) -> str:
    return crowdsale.drive(anvil).address


def drive_registrar(anvil: Anvil) -> str:
    return ens_registrar.drive(anvil).address


def drive_till(anvil: Anvil) -> str:
    deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
    till.drive(anvil, deployed)
    return deployed.address


def drive_machine(anvil: Anvil) -> str:
    machines = [anvil.deploy(anvil.accounts[0], machine.compiled()["Machine"]) for _ in range(3)]
    peers = [item.address for item in machines]
    source = random.Random(11)
    for row, text in enumerate([*machine.endings(), *(machine.script(source) for _ in range(20))]):
        anvil.block([machines[row % 3].call(anvil.accounts[row % 5], "run", peers, text, gas=600_000)])
    return peers[0]


def drive_creator(anvil: Anvil) -> str:
    """Calldata becomes the creation code of a contract: one that stays, or that fails in some way."""
    create = bytes.fromhex("3660006000373660006000f060005500")
    anvil.block([Call(sender=anvil.accounts[0], to=None, data="0x" + deploying(create).hex())])
    made = anvil.rpc("eth_getBlockByNumber", "0x1", True)["transactions"][0]["hash"]
    creator = str(anvil.rpc("eth_getTransactionReceipt", made)["contractAddress"])
    for code in ("00", "60006000fd", "fe", "00", "5b600056", "60ef60005360016000f3") * 2:
        anvil.block([Call(sender=anvil.accounts[1], to=creator, data=f"0x{code}", gas=300_000)])
    return creator


DRIVERS = [drive_creator, drive_probe, drive_machine, drive_till, drive_crowdsale, drive_registrar]


def executed(path: Path, fork: str = "auto", engine: Engine = Engine.FAST) -> tuple[TraceStore, ImportResult]:
    store = TraceStore("sqlite://")
    export = Export(transactions=read_transactions(path), origin=str(path))
    return store, import_export(store, export, Rulebook(chain_id=CHAIN, fork=fork, engine=engine))


@pytest.mark.parametrize("drive", DRIVERS, ids=lambda drive: str(drive.__name__))
def test_the_node_and_the_machine_agree(tools: Path, tmp_path: Path, drive: Callable[[Anvil], str]) -> None:
    with Anvil() as anvil:
        contract = drive(anvil)
        recorded, notes = collected(anvil.url, contract)
        path = write_txlist(anvil, tmp_path / "txlist.json")
    assert notes == []
    store, done = executed(path, "cancun", Engine.REFERENCE)
    with store:
        again = list(store.transactions(CHAIN, address(contract)))
    assert set(done.fidelity) == {Fidelity.EXACT}
    assert len(again) == len(recorded) > 10
    for one, other in zip(again, recorded, strict=True):
        first, second = same_calls(one, other)
        assert first == second
        assert all(code.hash for call in one.invocations for code in call.codes or ())
        assert all(call.environment is None for call in one.invocations)


@pytest.mark.parametrize("drive", DRIVERS, ids=lambda drive: str(drive.__name__))
def test_the_node_and_the_engine_agree(tools: Path, tmp_path: Path, drive: Callable[[Anvil], str]) -> None:
    with Anvil() as anvil:
        contract = drive(anvil)
        recorded, _ = collected(anvil.url, contract)
        path = write_txlist(anvil, tmp_path / "txlist.json")
    store, done = executed(path, "cancun")
    with store:
        again = list(store.transactions(CHAIN, address(contract)))
    assert set(done.fidelity) == {Fidelity.EXACT}
    for one, other in zip(again, recorded, strict=True):
        first, second = same_calls(one, other)
        assert first == second
        assert one.logs in (None, other.logs)
        for call, right in zip(one.invocations, other.invocations, strict=True):
            assert call.environment in (None, right.environment)
    assert any(call.environment is not None for item in again for call in item.invocations)
    assert any(call.calls is not None for item in again for call in item.invocations)
    assert any(item.logs is not None for item in again)
