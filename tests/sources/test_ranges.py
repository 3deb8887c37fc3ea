"""A history collected in pieces, or on a chain that changes underneath, is the history collected at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from specminer._support.errors import ChainError, NodeRefused, NotOnChain, UsageError
from specminer.history.trace import Address, InvocationKind
from specminer.pipeline import collect
from specminer.sources.chain_blocks import HEADS
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, Notes, address, collected, gather
from tests.support.lying_node import LyingNode, refuse
from tests.support.probe import Probed, drive


@pytest.fixture(scope="module")
def probed(tools: Path) -> Iterator[Probed]:
    with Anvil(code_size_limit=False) as anvil:
        yield drive(anvil)


@pytest.mark.parametrize(
    "pieces", [[(5, 7), (None, 5), (None, None)], [(0, 4), (8, None), (3, None)], [(6, 6)]]
)
def test_pieces_in_any_order_make_one_history(
    probed: Probed, pieces: list[tuple[int | None, int | None]]
) -> None:
    with TraceStore("sqlite://") as store:
        for first, last in [*pieces, (None, None)]:
            gather(store, probed.anvil.url, probed.probe.address, first=first, last=last)
        found = list(store.transactions(CHAIN, address(probed.probe.address)))
        ranges = store.ranges(CHAIN, address(probed.probe.address))
    assert found == collected(probed.anvil.url, probed.probe.address)[0]
    assert len(ranges) == 1


def test_what_is_there_is_not_read_again(probed: Probed) -> None:
    with (
        LyingNode(probed.anvil.url, lambda _method, _params, answer: answer) as node,
        TraceStore("sqlite://") as store,
    ):
        gather(store, node.url, probed.probe.address)
        node.seen.clear()
        gather(store, node.url, probed.probe.address)
        assert set(node.asked) <= {"eth_chainId", "eth_getBlockByNumber"}
        assert sum(node.asked.values()) <= 4 + HEADS


def test_a_contract_without_creation_is_read_from_the_first_block(anvil: Anvil) -> None:
    source = drive(anvil)
    planted = "0x" + "77" * 20
    anvil.rpc("anvil_setCode", planted, anvil.rpc("eth_getCode", source.probe.address, "latest"))
    anvil.block([anvil.at(planted, source.probe.abi).call(anvil.accounts[1], "put", 3)])
    found, _ = collected(anvil.url, planted)
    assert [call.kind for item in found for call in item.invocations] == [InvocationKind.EXTERNAL]


def test_bad_ranges_and_addresses_are_told_apart(probed: Probed) -> None:
    newest = probed.anvil.block_number()
    contract = probed.probe.address
    with TraceStore("sqlite://") as store:
        with pytest.raises(UsageError, match="range of blocks is empty"):
            gather(store, probed.anvil.url, contract, first=5, last=4)
        with pytest.raises(UsageError, match=f"newest usable block, {newest}"):
            gather(store, probed.anvil.url, contract, last=newest + 1)
        with pytest.raises(UsageError, match="range of blocks is empty"):
            gather(store, probed.anvil.url, contract, first=newest + 5)
        with pytest.raises(NotOnChain, match="no contract at 0x"):
            gather(store, probed.anvil.url, probed.anvil.accounts[0])
        with Node(Endpoint(probed.anvil.url)) as node, pytest.raises(NotOnChain, match="chain 1 was asked"):
            collect(store, node, address(contract), chain_id=1, observer=Notes())


def test_a_node_without_old_state_needs_a_first_block(probed: Probed) -> None:
    newest = hex(probed.anvil.block_number())

    def change(method: str, params: list[object], answer: dict[str, object]) -> dict[str, object]:
        if method == "eth_getCode" and params[1] != newest:
            return refuse(answer, "missing trie node", -32000)
        return answer

    with LyingNode(probed.anvil.url, change) as node, TraceStore("sqlite://") as store:
        with pytest.raises(NodeRefused, match="--from-block"):
            gather(store, node.url, probed.probe.address)
        gather(store, node.url, probed.probe.address, first=1)
        found = list(store.transactions(CHAIN, address(probed.probe.address)))
    expected = collected(probed.anvil.url, probed.probe.address)[0]
    # without old state nothing tells the hash of the code that ran
    assert [[replace(call, codes=None) for call in item.invocations] for item in found] == [
        [replace(call, codes=None) for call in item.invocations] for item in expected
    ]


def history(store: TraceStore, contract: str) -> list[object]:
    return list(store.transactions(CHAIN, address(contract)))


def test_replaced_blocks_are_read_again(anvil: Anvil) -> None:
    probed = drive(anvil)
    contract = probed.probe.address
    with TraceStore("sqlite://") as store:
        gather(store, anvil.url, contract)
        for depth, amount in ((2, 31), (1, 32)):
            anvil.rpc("anvil_rollback", depth)
            anvil.block([probed.probe.call(anvil.accounts[4], "put", amount)])
            anvil.mine(depth)
            heard = gather(store, anvil.url, contract)
            assert any("reorganised" in note for note in heard.notes)
            assert history(store, contract) == collected(anvil.url, contract)[0]


def test_a_chain_that_became_shorter_is_noticed(anvil: Anvil) -> None:
    probed = drive(anvil)
    contract = probed.probe.address
    with TraceStore("sqlite://") as store:
        gather(store, anvil.url, contract)
        before, ranges = history(store, contract), store.ranges(CHAIN, address(contract))
        anvil.rpc("anvil_rollback", 4)
        with pytest.raises(ChainError, match="wait until the node has caught up"):
            gather(store, anvil.url, contract)
        assert history(store, contract) == before  # what a node does not have now is not gone
        assert store.ranges(CHAIN, address(contract)) == ranges


def test_a_chain_that_changes_while_it_is_read(anvil: Anvil) -> None:
    """The receipt of the last block moves to another block once, as in a reorganisation."""
    probed = drive(anvil)
    changed: list[bool] = []

    def change(method: str, _params: list[object], answer: dict[str, object]) -> dict[str, object]:
        if method == "eth_getTransactionReceipt" and not changed:
            changed.append(True)
            result = answer["result"]
            assert isinstance(result, dict)
            return answer | {"result": result | {"blockHash": "0x" + "22" * 32}}
        return answer

    with LyingNode(anvil.url, change) as node:
        found, _ = collected(node.url, probed.probe.address)
    assert changed
    assert found == collected(anvil.url, probed.probe.address)[0]


def test_another_chain_of_the_same_id_is_refused(tools: Path) -> None:
    with TraceStore("sqlite://") as store:
        with Anvil(code_size_limit=False) as first:
            contract = drive(first).probe.address
            gather(store, first.url, contract)
            before = history(store, contract)
        with Anvil(code_size_limit=False, timestamp=1_600_000_000) as second:
            assert drive(second).probe.address == contract
            with pytest.raises(ChainError, match="another chain with id 31337"):
                gather(store, second.url, contract)
        assert history(store, contract) == before


def test_a_node_that_is_behind_is_told_from_a_reorganisation(tools: Path) -> None:
    with Anvil(code_size_limit=False, chain_id=5_000) as anvil:
        probed = drive(anvil)
        anvil.mine(70)  # so that the contract's blocks are finalized
        contract = probed.probe.address
        with TraceStore("sqlite://") as store, Node(Endpoint(anvil.url)) as node:
            done = collect(store, node, address(contract), observer=Notes())
            assert done.last == anvil.block_number() - 64, "only finalized blocks are read by default"
            newest = done.last
            anvil.rpc("anvil_rollback", anvil.block_number() - newest + 2)
            with pytest.raises(ChainError, match="wait until the node has caught up"):
                collect(store, node, address(contract), observer=Notes())
            assert store.ranges(5_000, Address(address(contract)))[-1][1] == newest
