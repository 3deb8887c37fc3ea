"""What a node says and cannot be true is noticed: a lesser tracer takes over and says so, or nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import ChainError, InvalidNodeResponse, NodeRefused, NotOnChain
from specminer.history.trace import Tracer
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, collected, gather
from tests.support.lying_node import Change, LyingNode, refuse
from tests.support.probe import Probed, drive


@pytest.fixture(scope="module")
def probed(tools: Path) -> Iterator[Probed]:
    with Anvil(steps_tracing=True, code_size_limit=False) as anvil:
        yield drive(anvil)


def answered(answer: dict[str, Any], result: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": answer["id"], "result": result}


def traces(kind: str) -> Change:
    """Let tracers answer as nodes do that do not know the transaction or the tracer."""

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "debug_traceTransaction":
            return answer
        script = "{" in str(params[1].get("tracer", ""))
        if kind == "empty object for the script" and script:
            return answered(answer, {})
        if kind == "empty success for the script" and script:
            return answered(answer, {"failed": False, "gas": 0, "returnValue": "0x", "structLogs": []})
        if kind == "null for the script" and script:
            return answered(answer, None)
        if kind == "steps of the wrong form" and script:
            return answered(answer, answer["result"] | {"steps": [["R", "0x12", "zz", 7]]})
        if kind == "another ending" and script:
            return answered(answer, answer["result"] | {"error": "execution reverted"})
        return answer

    return change


@pytest.mark.parametrize(
    "kind",
    [
        "empty object for the script",
        "empty success for the script",
        "null for the script",
        "steps of the wrong form",
        "another ending",
    ],
)
def test_a_script_that_did_not_run_gives_way_to_struct_logs(probed: Probed, kind: str) -> None:
    with LyingNode(probed.anvil.url, traces(kind)) as node:
        found, notes = collected(node.url, probed.probe.address)
    true, _ = collected(probed.anvil.url, probed.probe.address)
    assert [item.hash for item in found] == [item.hash for item in true]
    assert Tracer.STRUCT_LOGS in {item.tracer for item in found}
    assert any("structLogs" in note for note in notes)


def test_empty_struct_logs_give_way_to_native_tracers(probed: Probed) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "debug_traceTransaction" and "tracer" not in params[1]:
            return answered(answer, {"failed": False, "gas": 21000, "returnValue": "0x", "structLogs": []})
        if method == "debug_traceTransaction" and "{" in params[1]["tracer"]:
            return refuse(answer)
        return answer

    with LyingNode(probed.anvil.url, change) as node:
        found, notes = collected(node.url, probed.probe.address)
    assert {item.tracer for item in found} == {Tracer.PRESTATE}
    assert any("no structLogs" in note for note in notes)


def test_empty_call_traces_are_no_traces(probed: Probed) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return answered(answer, {}) if method == "debug_traceTransaction" else answer

    with LyingNode(probed.anvil.url, change) as node, pytest.raises(NodeRefused, match="no way to trace"):
        collected(node.url, probed.probe.address)


def test_a_node_without_debug_methods_is_told_from_a_broken_one(probed: Probed) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return refuse(answer) if method.startswith(("debug_", "trace_")) else answer

    with LyingNode(probed.anvil.url, change) as node, TraceStore("sqlite://") as store:
        with pytest.raises(NodeRefused, match=r"needs\s+debug_traceTransaction"):
            gather(store, node.url, probed.probe.address)
        assert store.ranges(CHAIN, address(probed.probe.address)) == []


def test_a_filter_that_finds_nothing_is_not_believed(probed: Probed) -> None:
    """A complete range without transactions would be the worst lie: silent."""

    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return answered(answer, []) if method == "trace_filter" else answer

    with LyingNode(probed.anvil.url, change) as node:
        found, notes = collected(node.url, probed.probe.address)
    assert len(found) == len(probed.anvil.touching(probed.probe.address))
    assert any("trace_filter" in note for note in notes)


def change_field(method: str, field: str, value: object) -> Change:
    def change(asked: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if asked != method or not isinstance(answer.get("result"), dict):
            return answer
        result = dict(answer["result"])
        if value is None:
            result.pop(field, None)
        else:
            result[field] = value
        return answered(answer, result)

    return change


@pytest.mark.parametrize(
    ("method", "field", "value", "message"),
    [
        ("eth_getTransactionReceipt", "blockHash", "0x" + "11" * 32, "another block"),
        ("eth_getTransactionReceipt", "gasUsed", "many", "gasUsed"),
        ("eth_getTransactionByHash", "gas", None, "no field 'gas'"),
        ("eth_getTransactionByHash", "from", "0x12", "differ in 'from'"),
        ("eth_getBlockByNumber", "hash", "0x12", "block hash"),
        ("eth_getBlockByNumber", "timestamp", None, "timestamp"),
    ],
)
def test_contradictions_and_gaps_stop_the_run_and_store_nothing(
    probed: Probed, method: str, field: str, value: object, message: str
) -> None:
    with (
        LyingNode(probed.anvil.url, change_field(method, field, value)) as node,
        TraceStore("sqlite://") as store,
    ):
        with pytest.raises(ChainError, match=message):
            gather(store, node.url, probed.probe.address)
        assert store.ranges(CHAIN, address(probed.probe.address)) == []


def test_a_foreign_kind_of_transaction_is_named(probed: Probed) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getTransactionByHash":
            result = {key: item for key, item in answer["result"].items() if key not in ("nonce", "gas")}
            return answered(answer, result | {"type": "0x7e"})
        return answer

    with LyingNode(probed.anvil.url, change) as node, pytest.raises(InvalidNodeResponse, match="type 0x7e"):
        collected(node.url, probed.probe.address)


def test_a_foreign_type_with_all_fields_is_read(probed: Probed) -> None:
    with LyingNode(probed.anvil.url, change_field("eth_getTransactionByHash", "type", "0x7e")) as node:
        found, _ = collected(node.url, probed.probe.address)
    assert found == collected(probed.anvil.url, probed.probe.address)[0]


def test_a_missing_block_is_no_empty_block(probed: Probed) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return answered(answer, None) if method == "eth_getBlockByNumber" and params[0] == "0x7" else answer

    with LyingNode(probed.anvil.url, change) as node, pytest.raises(NotOnChain, match="no block 7"):
        collected(node.url, probed.probe.address)


def test_a_false_status_of_a_receipt_is_a_gap_with_hash_and_reason(probed: Probed) -> None:
    true, _ = collected(probed.anvil.url, probed.probe.address)
    wrong = next(item for item in true if item.succeeded and item.to == address(probed.probe.address))

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "eth_getTransactionReceipt" or params[0] != "0x" + wrong.hash.hex():
            return answer
        return answered(answer, answer["result"] | {"status": "0x0"})

    with LyingNode(probed.anvil.url, change) as node, TraceStore("sqlite://") as store:
        gather(store, node.url, probed.probe.address)
        found = list(store.transactions(CHAIN, address(probed.probe.address)))
        gaps = store.gaps(CHAIN, address(probed.probe.address))
        limits = store.history(CHAIN, [address(probed.probe.address)]).limits
    assert [(gap.hash, gap.block) for gap in gaps] == [(wrong.hash, wrong.block.number)]
    assert "otherwise than" in gaps[0].reason
    assert [item.hash for item in found] == [item.hash for item in true if item.hash != wrong.hash]
    assert any(f"0x{wrong.hash.hex()} ({gaps[0].reason[:40]}" in limit for limit in limits)
