"""What a way of finding omits although the contract logged something is found by its logs, and said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from specminer.history.trace import Transaction
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, collected, gather
from tests.support.lying_node import LyingNode, refuse
from tests.support.probe import Probed, drive


@pytest.fixture(scope="module")
def probed(tools: Path) -> Iterator[Probed]:
    with Anvil(steps_tracing=True, code_size_limit=False) as anvil:
        yield drive(anvil)


@pytest.fixture(scope="module")
def true(probed: Probed) -> list[Transaction]:
    return collected(probed.anvil.url, probed.probe.address)[0]


def logging(true: list[Transaction]) -> Transaction:
    """Return a transaction in which the contract logged something, called by another contract."""
    return next(
        item
        for item in true
        if any(not event.undone for call in item.invocations for event in call.events)
        and any(call.depth for call in item.invocations)
    )


class Omitting:
    """A change of answers: traces lack a transaction, as where an index has a hole."""

    def __init__(self, omitted: Transaction) -> None:
        self.hash = "0x" + omitted.hash.hex()
        self.asked: list[dict[str, Any]] = []

    def __call__(self, method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getLogs":
            self.asked.append(params[0])
        if method in ("trace_filter", "trace_block") and isinstance(answer.get("result"), list):
            kept = [item for item in answer["result"] if item.get("transactionHash") != self.hash]
            return answer | {"result": kept}
        return answer


def test_what_trace_filter_omits_is_found_by_logs_and_said(probed: Probed, true: list[Transaction]) -> None:
    omitted = logging(true)
    contract = address(probed.probe.address)
    with LyingNode(probed.anvil.url, Omitting(omitted)) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, probed.probe.address)
        found = list(store.transactions(CHAIN, contract))
        limits = store.limits(CHAIN, contract)
    assert found == true
    assert any(
        "trace_filter omitted transactions" in note and f"0x{omitted.hash.hex()}" in note
        for note in heard.notes
    )
    assert (
        sum("trace_filter omitted transactions in which the contract logged" in limit for limit in limits)
        == 1
    )


def test_an_honest_filter_is_not_suspected(probed: Probed, true: list[Transaction]) -> None:
    with TraceStore("sqlite://") as store:
        heard = gather(store, probed.anvil.url, probed.probe.address)
        assert not [
            limit for limit in store.limits(CHAIN, address(probed.probe.address)) if "omitted" in limit
        ]
    assert not [note for note in heard.notes if "omitted" in note or "not compared" in note]


def test_what_logs_alone_name_and_nothing_can_trace_is_a_gap(probed: Probed, true: list[Transaction]) -> None:
    omitted = logging(true)
    hidden = Omitting(omitted)

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "debug_traceTransaction" and params[0] == hidden.hash:
            return refuse(answer, "missing trie node", -32000)
        return hidden(method, params, answer)

    contract = address(probed.probe.address)
    with LyingNode(probed.anvil.url, change) as node, TraceStore("sqlite://") as store:
        gather(store, node.url, probed.probe.address)
        assert [gap.hash for gap in store.gaps(CHAIN, contract)] == [omitted.hash]
        assert "missing trie node" in store.gaps(CHAIN, contract)[0].reason
        assert any("trace_filter omitted" in limit for limit in store.limits(CHAIN, contract))
        assert {item.hash for item in store.transactions(CHAIN, contract)} == {
            item.hash for item in true if item.hash != omitted.hash
        }


def test_logs_that_name_transactions_of_others_add_nothing(probed: Probed, true: list[Transaction]) -> None:
    """An index of logs may lie as well; the trace decides."""
    known = {"0x" + item.hash.hex() for item in true}
    blocks = [probed.anvil.rpc("eth_getBlockByNumber", hex(number), False) for number in range(2, 5)]
    block = next(item for item in blocks if item["transactions"] and item["transactions"][0] not in known)
    log = {
        "address": probed.probe.address,
        "blockNumber": block["number"],
        "transactionHash": block["transactions"][0],
    }

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "eth_getLogs" or not isinstance(answer.get("result"), list):
            return answer
        return answer | {"result": [*answer["result"], log]}

    with LyingNode(probed.anvil.url, change) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, probed.probe.address)
        assert list(store.transactions(CHAIN, address(probed.probe.address))) == true
    assert not [note for note in heard.notes if "omitted" in note]


@pytest.mark.parametrize("blocks", [0, 2])
def test_a_node_that_gives_few_logs_or_none_is_collected_all_the_same(
    probed: Probed, true: list[Transaction], blocks: int
) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "eth_getLogs":
            return answer
        size = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
        return answer if size <= blocks else refuse(answer, "query exceeds max block range", -32000)

    with LyingNode(probed.anvil.url, change) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, probed.probe.address)
        assert list(store.transactions(CHAIN, address(probed.probe.address))) == true
    said = [note for note in heard.notes if "is not compared with the contract's logs" in note]
    assert len(said) == (0 if blocks else 1)
