"""Three ways of finding transactions find the same ones, apart from what a way says it misses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from specminer.history.trace import InvocationKind
from specminer.sources.reading_progress import Estimate
from specminer.sources.way import Way
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, collected, gather
from tests.support.faulty_node import FaultyNode
from tests.support.lying_node import Change, LyingNode, refuse
from tests.support.probe import Probed, drive


@pytest.fixture(scope="module")
def probed(tools: Path) -> Iterator[Probed]:
    with Anvil(code_size_limit=False) as anvil:
        yield drive(anvil)


def without(*methods: str) -> Change:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return refuse(answer) if method in methods else answer

    return change


@pytest.mark.parametrize(
    ("missing", "way"),
    [
        ((), Way.TRACE_FILTER),
        (("trace_filter",), Way.BLOCK_TRACES),
        (("trace_filter", "debug_traceBlockByNumber"), Way.BLOCK_TRACES),
    ],
)
def test_ways_that_see_everything_find_what_the_node_s_own_tracer_finds(
    probed: Probed, missing: tuple[str, ...], way: Way
) -> None:
    with LyingNode(probed.anvil.url, without(*missing)) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, probed.probe.address)
        found = list(store.transactions(CHAIN, address(probed.probe.address)))
        assert store.limits(CHAIN, address(probed.probe.address)) == []
    assert {"0x" + item.hash.hex() for item in found} == set(probed.anvil.touching(probed.probe.address))
    estimate = next(told for told in heard.told if isinstance(told, Estimate))
    assert estimate.way is way


def test_scanning_misses_silent_internal_calls_and_says_so(probed: Probed) -> None:
    missing = ("trace_filter", "debug_traceBlockByNumber", "trace_block")
    with LyingNode(probed.anvil.url, without(*missing)) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, probed.probe.address)
        found = list(store.transactions(CHAIN, address(probed.probe.address)))
        limits = store.limits(CHAIN, address(probed.probe.address))
    assert limits == [Way.SCAN.limit]
    assert Way.SCAN.limit in heard.notes
    everything, _ = collected(probed.anvil.url, probed.probe.address)
    missed = {item.hash: item for item in everything} | {item.hash: None for item in found}
    for item in missed.values():
        if item is not None:
            assert {call.kind for call in item.invocations} == {InvocationKind.INTERNAL}
            lasting = [event for call in item.invocations for event in call.events if not event.undone]
            assert not lasting
    assert [item for item in everything if item.hash in {other.hash for other in found}] == found


def test_a_node_that_refuses_large_ranges_is_asked_for_small_ones(probed: Probed) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "trace_filter":
            span = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16)
            if span > 3:
                return refuse(answer, "query returned more than 10000 results", -32602)
        return answer

    with LyingNode(probed.anvil.url, change) as node:
        found, _ = collected(node.url, probed.probe.address)
    assert found == collected(probed.anvil.url, probed.probe.address)[0]


def test_a_node_that_takes_no_batches_is_asked_one_by_one(probed: Probed) -> None:
    class NoBatches(LyingNode):
        def _answer(self, body: bytes, target: str, headers: dict[str, str]) -> bytes:
            if body.lstrip().startswith(b"["):
                return b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are disabled"}}'
            return super()._answer(body, target, headers)

    with NoBatches(probed.anvil.url, without()) as node:
        found, _ = collected(node.url, probed.probe.address)
    assert found == collected(probed.anvil.url, probed.probe.address)[0]


def test_the_creation_is_found_even_if_the_filter_omits_creations(probed: Probed) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "trace_filter" and isinstance(answer.get("result"), list):
            kept = [trace for trace in answer["result"] if trace["type"] != "create"]
            return {"jsonrpc": "2.0", "id": answer["id"], "result": kept}
        return answer

    with LyingNode(probed.anvil.url, change) as node:
        found, _ = collected(node.url, probed.probe.address)
    assert found == collected(probed.anvil.url, probed.probe.address)[0]


@pytest.mark.slow
def test_a_block_whose_trace_does_not_come_in_time_is_gone_through_by_transaction(probed: Probed) -> None:
    whole, _ = collected(probed.anvil.url, probed.probe.address)
    slow = hex(whole[len(whole) // 2].block.number)

    def hangs(call: dict[str, Any]) -> bool:
        return bool(call["method"] == "debug_traceBlockByNumber" and call["params"][0] == slow)

    with (
        LyingNode(probed.anvil.url, without("trace_filter")) as lying,
        FaultyNode(lying.url, hanging=hangs) as node,
        TraceStore("sqlite://") as store,
    ):
        gather(store, node.url, probed.probe.address, timeout=2)
        found = list(store.transactions(CHAIN, address(probed.probe.address)))
        assert sum(map(hangs, node.calls)) < 20
    assert found == whole


@pytest.mark.slow
def test_a_transaction_whose_trace_does_not_come_in_time_is_traced_in_another_way(probed: Probed) -> None:
    whole, _ = collected(probed.anvil.url, probed.probe.address)
    slow = "0x" + whole[len(whole) // 2].hash.hex()

    def hangs(call: dict[str, Any]) -> bool:
        tracer = str(call["params"][1].get("tracer")) if call["method"] == "debug_traceTransaction" else ""
        return tracer.startswith("{") and call["params"][0] == slow

    with FaultyNode(probed.anvil.url, hanging=hangs) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, probed.probe.address, timeout=2)
        found = list(store.transactions(CHAIN, address(probed.probe.address)))
    assert [item.hash for item in found] == [item.hash for item in whole]
    assert any("did not answer debug_traceTransaction in time" in note for note in heard.notes)
