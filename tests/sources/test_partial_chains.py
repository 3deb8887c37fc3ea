"""A node may hold a part of the chain or of its state: what is there is collected, and what is missing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from specminer._support.errors import NodeNeed, NodeRefused, UsageError
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.sources.refusals import is_busy, is_lagging, need_of
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, collected, gather
from tests.support.command import specminer
from tests.support.counting import counted
from tests.support.lying_node import LyingNode

BEGIN: Final = 1_000


def test_a_chain_that_begins_late_is_collected_from_there(tools: Path) -> None:
    with Anvil(extra=["--number", str(BEGIN)]) as anvil:
        contract = counted(anvil, 3)
        transactions, notes = collected(anvil.url, contract)
        assert [item.block.number for item in transactions] == [BEGIN + row for row in (1, 2, 3, 4)]
        assert f"the node's chain begins at block {BEGIN}, and is read from there on" in notes


def test_a_contract_older_than_the_nodes_chain_is_collected_from_where_it_begins(tools: Path) -> None:
    with Anvil() as anvil:
        contract = counted(anvil, 5)

        def forgetting(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            forgot = (
                method == "eth_getBlockByNumber" and params[0].startswith("0x") and int(params[0], 16) < 4
            )
            return answer | {"result": None} if forgot else answer

        with LyingNode(anvil.url, forgetting) as node, TraceStore("sqlite://") as store:
            heard = gather(store, node.url, contract)
            found = list(store.transactions(CHAIN, address(contract)))
            limits = store.history(CHAIN, [address(contract)]).limits
            assert store.record(CHAIN, address(contract)).created_in_block is None
        assert [item.block.number for item in found] == [4, 5, 6]
        missing = "begins at block 4, where the contract was already there"
        assert any(missing in note for note in heard.notes)
        assert any(missing in limit for limit in limits)


def test_a_creation_behind_what_a_node_forgot_is_found(tools: Path) -> None:
    with Anvil(extra=["--prune-history", "8"]) as anvil:
        anvil.mine(20)
        contract = counted(anvil, 3)
        transactions, _ = collected(anvil.url, contract)
        assert [item.block.number for item in transactions] == [21, 22, 23, 24]


def test_a_node_without_old_state_says_which_is_needed_at_once(tools: Path, tmp_path: Path) -> None:
    with Anvil(extra=["--prune-history", "5"]) as anvil:
        contract = counted(anvil, 1)
        anvil.mine(20)
        with (
            TraceStore("sqlite://") as store,
            Node(Endpoint(anvil.url)) as node,
            pytest.raises(NodeRefused, match="keeps no state before block") as caught,
        ):
            collect(store, node, address(contract))
        assert caught.value.need is NodeNeed.ARCHIVE
        assert "--max-persisted-states" in caught.value.message
        assert node.retries == 0
        done = specminer("collect", contract, "--rpc", anvil.url, "--db", "h.db", cwd=tmp_path)
        assert done.code == 3, done.text
        assert "archive node" in done.err


def test_the_furthest_of_several_heads_counts(tools: Path) -> None:
    with Anvil() as anvil:
        contract = counted(anvil, 6)
        asked = 0

        def lagging(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            nonlocal asked
            if method == "eth_getBlockByNumber" and params[0] == "latest":
                asked += 1
                if asked % 2:
                    return answer | {"result": anvil.rpc("eth_getBlockByNumber", "0x3", False)}
            return answer

        with LyingNode(anvil.url, lagging) as node:
            transactions, _ = collected(node.url, contract)
        assert len(transactions) == 7


def test_a_range_before_the_chain_is_refused(tools: Path) -> None:
    with (
        Anvil(extra=["--number", str(BEGIN)]) as anvil,
        TraceStore("sqlite://") as store,
        pytest.raises(UsageError, match="range of blocks is empty"),
    ):
        gather(store, anvil.url, "0x" + "11" * 20, last=7)


@pytest.mark.parametrize(
    ("message", "need"),
    [
        ("missing trie node 3f (path )", NodeNeed.ARCHIVE),
        ("required historical state unavailable (reexec=128)", NodeNeed.ARCHIVE),
        ("BlockOutOfRangeError: block height is 32 but requested was 1", NodeNeed.ARCHIVE),
        ("No state available for block 0x11", NodeNeed.ARCHIVE),
        ("the method debug_traceTransaction does not exist/is not available", NodeNeed.TRACING),
        ("execution reverted", None),
    ],
)
def test_words_of_nodes_tell_what_they_lack(message: str, need: NodeNeed | None) -> None:
    assert need_of("debug_traceTransaction", -32000, message) is need
    assert not is_busy(-32000, message)
    assert not is_lagging(message)


@pytest.mark.parametrize(
    "message", ["header not found", "BlockOutOfRangeError: block height is 32 but requested was 33"]
)
def test_words_of_nodes_tell_that_they_lag(message: str) -> None:
    assert is_lagging(message)
    assert need_of("eth_getCode", -32000, message) is None
