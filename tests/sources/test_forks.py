"""Which rules a block has: schedules of known chains, and the fork that fits a chain that nobody knows."""

from __future__ import annotations

import random
from importlib import import_module
from pathlib import Path

import pytest
from ethereum.fork_criteria import ByBlockNumber, ByTimestamp

from specminer._support.errors import UsageError
from specminer.replay.engine import MachineMaker
from specminer.replay.fork_choice import choose, measure
from specminer.replay.fork_schedule import SCHEDULES, rules_of_chain, rules_of_fork
from specminer.replay.machine_calls import FORKS
from specminer.replay.records import call_of, surroundings
from specminer.sources.storage_diffs import SlotEvidence, StorageDiffs
from specminer.sources.txlist import read_transactions
from tests.support import machine
from tests.support.anvil import Anvil
from tests.support.bytecode import CONTRACT, creation, record
from tests.support.collecting import CHAIN
from tests.support.exporting import write_txlist


@pytest.mark.parametrize("name", FORKS)
def test_the_main_chain_forks_where_the_specification_says(name: str) -> None:
    criteria = import_module(f"ethereum.forks.{name}").FORK_CRITERIA
    rules = rules_of_chain(1)
    assert rules is not None
    place = FORKS.index(name)
    before = FORKS[max(0, place - 1)]
    if isinstance(criteria, ByBlockNumber):
        number = int(criteria.block_number)
        assert rules(number, 0) == name
        assert number == 0 or rules(number - 1, 0) == before
    else:
        assert isinstance(criteria, ByTimestamp)
        time = int(criteria.timestamp)
        assert rules(20_000_000, time) == name
        assert rules(20_000_000, time - 1) == before


@pytest.mark.parametrize("chain_id", SCHEDULES)
def test_schedules_are_in_order(chain_id: int) -> None:
    names, begins = zip(*SCHEDULES[chain_id].items(), strict=True)
    assert list(names) == sorted(names, key=FORKS.index)
    assert list(begins) == sorted(begins)


def test_a_time_that_decides_must_be_known() -> None:
    rules = rules_of_chain(1)
    assert rules is not None
    assert rules(15_000_000, None) == "london"
    with pytest.raises(UsageError, match=r"block 19000000 depend on its time.*--fork"):
        rules(19_000_000, None)


def test_names_of_forks() -> None:
    assert rules_of_fork("Tangerine Whistle")(1, None) == "tangerine_whistle"
    assert rules_of_fork("petersburg")(1, None) == "constantinople"
    with pytest.raises(UsageError, match=r"no fork 'homestaed\\x1b'; expected auto or one of frontier, "):
        rules_of_fork("homestaed\x1b")


def test_other_chains_have_no_schedule() -> None:
    assert rules_of_chain(CHAIN) is None


@pytest.mark.parametrize("name", ["berlin", "london", "shanghai", "cancun", "prague"])
def test_the_fork_of_a_private_chain_is_found(tools: Path, tmp_path: Path, name: str) -> None:
    source = random.Random(3)
    with Anvil(hardfork=name) as anvil:
        deployed = [anvil.deploy(anvil.accounts[0], machine.compiled("berlin")["Machine"]) for _ in range(3)]
        peers = [item.address for item in deployed]
        for row in range(12):
            text = machine.script(source)
            anvil.block([deployed[row % 3].call(anvil.accounts[row], "run", peers, text, gas=600_000)])
        path = write_txlist(anvil, tmp_path / "txlist.json")
    records = read_transactions(path)
    choice = choose(records, CHAIN, MachineMaker(), lambda text: None)
    assert (choice.status, choice.gas) == (1, 1)
    assert FORKS.index(choice.name) >= FORKS.index(name), "among forks that fit equally the newest is taken"
    older = [item for item in FORKS if FORKS.index(item) < FORKS.index("berlin")]
    assert all(
        measure(records, CHAIN, item, rules_of_fork(item), MachineMaker(), lambda text: None).gas < 1
        for item in older[-2:]
    )


def test_storage_that_nodes_tell_of_decides_where_no_gas_is_recorded() -> None:
    """The contract keeps how much gas it has left, and calldata cost more before Istanbul."""
    records = [
        creation(bytes.fromhex("5a600055" + "00")),
        *(record(row, data=b"\1" * row) for row in range(2, 9)),
    ]
    heard: list[str] = []
    diffs: StorageDiffs = {}
    node = MachineMaker().make(None, heard.append)
    for item in records:
        node.run(call_of(item), surroundings(item, 99), "byzantium", [CONTRACT])
        diffs[item.hash] = {(CONTRACT, 0): SlotEvidence(after=node.storage(CONTRACT, 0))}
    found = choose(records, 99, MachineMaker(), heard.append, diffs)
    assert FORKS.index("byzantium") <= FORKS.index(found.name) < FORKS.index("istanbul")
    assert choose(records, 99, MachineMaker(), heard.append).name == FORKS[-1]
