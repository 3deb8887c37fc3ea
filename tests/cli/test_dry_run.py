"""A dry run tells about what a collection takes, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import specminer
from specminer._support.errors import NotOnChain, UsageError
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.collecting import gather
from tests.support.command import specminer as run
from tests.support.counting import counted
from tests.support.faulty_node import FaultyNode
from tests.support.lying_node import LyingNode, refuse


@pytest.fixture(scope="module")
def busy(tools: Path) -> Iterator[tuple[Anvil, str]]:
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=5)
        yield anvil, deployed.address


def test_what_is_searched_whole_is_told_exactly(busy: tuple[Anvil, str]) -> None:
    anvil, contract = busy
    touching = anvil.touching(contract)
    estimate = specminer.estimate_collection(contract, specminer.NodeOptions(url=anvil.url))
    assert estimate.searched == estimate.blocks
    assert estimate.transactions == estimate.found_transactions == len(touching)
    assert estimate.read <= 64


def test_requests_and_bytes_are_about_what_a_collection_takes(
    busy: tuple[Anvil, str], tmp_path: Path
) -> None:
    anvil, contract = busy
    estimate = specminer.estimate_collection(contract, specminer.NodeOptions(url=anvil.url))
    with FaultyNode(anvil.url) as node, TraceStore(str(tmp_path / "h.db")) as store:
        gather(store, node.url, contract)
        sent = len(node.calls)
    assert 0.5 * sent < estimate.requests < 2 * sent
    assert estimate.received > 100 * estimate.requests


def test_of_a_long_chain_some_blocks_are_searched(tools: Path) -> None:
    def change(method: str, _params: list[object], answer: dict[str, object]) -> dict[str, object]:
        return refuse(answer) if method == "trace_filter" else answer

    with Anvil() as anvil, LyingNode(anvil.url, change) as node:
        contract = counted(anvil, 150)
        estimate = specminer.estimate_collection(contract, specminer.NodeOptions(url=node.url))
    assert (estimate.blocks, estimate.searched) == (151, 100)
    assert estimate.transactions == 151


def test_nothing_is_written(busy: tuple[Anvil, str], tmp_path: Path) -> None:
    anvil, contract = busy
    done = run("collect", contract, "--rpc", anvil.url, "--dry-run", "--db", "h.db", cwd=tmp_path)
    assert done.code == 0, done.err
    assert not list(tmp_path.iterdir())
    assert "Nothing was written." in done.out
    assert "requests      about " in done.out


def test_what_cannot_be_estimated_is_said(busy: tuple[Anvil, str], tmp_path: Path) -> None:
    anvil, contract = busy
    node = specminer.NodeOptions(url=anvil.url)
    with pytest.raises(NotOnChain, match="there is no contract"):
        specminer.estimate_collection("0x" + "77" * 20, node)
    with pytest.raises(UsageError, match="beyond the newest"):
        specminer.estimate_collection(contract, node, blocks=specminer.BlockRange(last=10**9))
    done = run("collect", contract, "--explorer", "http://127.0.0.1:1/api", "--dry-run", cwd=tmp_path)
    assert done.code == 2
    assert "--dry-run asks a node" in done.err
