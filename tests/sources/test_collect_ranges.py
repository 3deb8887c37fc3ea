"""Whatever the order of the pieces and the poverty of the node, the creation and the code are not lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import InvalidNodeResponse, NotOnChain
from specminer.history.trace import InvocationKind, Tracer
from specminer.pipeline import collect
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


def without_creations(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Leave creations out of trace_filter and of the call traces of blocks, as some nodes do."""
    result = answer.get("result")
    if method == "trace_filter" and isinstance(result, list):
        return answer | {"result": [trace for trace in result if trace["type"] != "create"]}
    return answer


@pytest.mark.parametrize("pieces", [[(4, None), (0, 3)], [(1, 2), (None, None)], [(0, None)]])
def test_the_creation_is_found_whatever_the_pieces(
    probed: Probed, pieces: list[tuple[int | None, int | None]]
) -> None:
    contract = probed.caller.address
    with LyingNode(probed.anvil.url, without_creations) as node, TraceStore("sqlite://") as store:
        for first, last in pieces:
            gather(store, node.url, contract, first=first, last=last)
        found = list(store.transactions(CHAIN, address(contract)))
        record = store.record(CHAIN, address(contract))
    assert found == collected(probed.anvil.url, contract)[0]
    assert found[0].invocations[0].kind is InvocationKind.CONSTRUCTOR
    assert record.created_in_block == found[0].block.number


def test_the_code_of_implementations_is_kept_when_an_earlier_piece_comes_later(probed: Probed) -> None:
    contract = address(probed.forwarder.address)
    newest = probed.anvil.block_number()
    with TraceStore("sqlite://") as store:
        gather(store, probed.anvil.url, probed.forwarder.address, first=newest)
        before = store.record(CHAIN, contract)
        gather(store, probed.anvil.url, probed.forwarder.address, last=newest - 1)
        after = store.record(CHAIN, contract)
        runs = {call.code for item in store.transactions(CHAIN, contract) for call in item.invocations}
    code = bytes.fromhex(probed.anvil.rpc("eth_getCode", probed.probe.address, "latest")[2:])
    assert before.implementations == after.implementations == ((address(probed.probe.address), code),)
    assert runs == {contract, address(probed.probe.address)}


def test_code_that_was_not_reached_is_stored_by_the_next_run(probed: Probed) -> None:
    """The node fails between the last transaction and the code; nothing is new then, but the code is."""

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        implementation = method == "eth_getCode" and params[0] == probed.probe.address.lower()
        return refuse(answer, "missing trie node", -32000) if implementation else answer

    contract = address(probed.forwarder.address)
    with TraceStore("sqlite://") as store:
        with LyingNode(probed.anvil.url, change) as node, pytest.raises(Exception, match="missing trie node"):
            gather(store, node.url, probed.forwarder.address)
        gather(store, probed.anvil.url, probed.forwarder.address)
        assert [item for item, _ in store.record(CHAIN, contract).implementations] == [
            address(probed.probe.address)
        ]


@pytest.mark.parametrize("field", ["gas", "input", "from"])
def test_an_unknown_kind_of_transaction_is_one_clear_error(probed: Probed, field: str) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "eth_getTransactionByHash":
            return answer
        held = {name: value for name, value in answer["result"].items() if name != field}
        return answer | {"result": held | {"type": "0x7e", "sourceHash": "0x" + "11" * 32}}

    with (
        LyingNode(probed.anvil.url, change) as node,
        TraceStore("sqlite://") as store,
        pytest.raises(InvalidNodeResponse, match=rf"type 0x7e\) has no field '{field}'"),
    ):
        gather(store, node.url, probed.probe.address)


def test_an_unknown_kind_with_all_fields_is_read_like_any_other(probed: Probed) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "eth_getTransactionByHash":
            return answer
        return answer | {"result": answer["result"] | {"type": "0x7e", "mint": "0x0"}}

    with LyingNode(probed.anvil.url, change) as node:
        found, _ = collected(node.url, probed.probe.address)
    assert found == collected(probed.anvil.url, probed.probe.address)[0]


def test_another_transaction_than_the_one_asked_for_is_refused(probed: Probed) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "eth_getTransactionByHash":
            return answer
        return answer | {"result": answer["result"] | {"hash": "0x" + "77" * 32}}

    with (
        LyingNode(probed.anvil.url, change) as node,
        TraceStore("sqlite://") as store,
        pytest.raises(InvalidNodeResponse, match="another transaction"),
    ):
        gather(store, node.url, probed.probe.address)


@pytest.mark.parametrize("lie", ["the call of another sender", "no call at all"])
def test_a_trace_of_another_transaction_is_refused(probed: Probed, lie: str) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "debug_traceTransaction" and "{" in str(params[1].get("tracer", "")):
            other = {"from": "0x" + "99" * 20} if "sender" in lie else {"to": "0x" + "99" * 20, "steps": []}
            return answer | {"result": answer["result"] | other}
        return answer

    with LyingNode(probed.anvil.url, change) as node:
        found, notes = collected(node.url, probed.probe.address)
    assert {item.tracer for item in found} == {Tracer.PRESTATE}, "this node was not started to log steps"
    assert any("cannot run the javascript tracer" in note for note in notes)


def test_a_contract_that_is_not_final_yet_is_told_from_one_that_does_not_exist(tools: Path) -> None:
    with Anvil(chain_id=5_000, code_size_limit=False) as anvil, TraceStore("sqlite://") as store:
        probed = drive(anvil)
        with Node(Endpoint(anvil.url)) as node:
            with pytest.raises(NotOnChain, match="created after block 0"):
                collect(store, node, address(probed.probe.address), observer=Notes())
            with pytest.raises(NotOnChain, match="there is no contract"):
                collect(store, node, address(anvil.accounts[5]), observer=Notes())
