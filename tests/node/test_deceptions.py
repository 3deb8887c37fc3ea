"""A node that answers what is not true: the database holds the truth afterwards, or what it held before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import ChainError, StoreError
from specminer.history.continuity import last_values, lives, unseen_writes, visits
from specminer.history.trace import Tracer, Transaction
from specminer.pipeline import export_traces, import_traces, verify
from specminer.sources.chain_blocks import creation_block, head_block
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Call, Deployed
from tests.support.collecting import CHAIN, address, collected, content, gather
from tests.support.lying_node import Change, LyingNode, refuse, without_javascript, without_opcodes
from tests.support.machine import compiled
from tests.support.solc import compile_sources
from tests.support.swapping_node import SwappingNode

KINDS = frozenset({"eth_getTransactionByHash", "eth_getTransactionReceipt", "debug_traceTransaction"})
BLOCKS = frozenset({"eth_getBlockByNumber", "debug_traceBlockByNumber"})


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Blocks in which many transactions are alike: one sender, one calldata, one value."""

    anvil: Anvil
    machine: Deployed
    true: list[Transaction]

    @property
    def contract(self) -> str:
        return self.machine.address


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[Chain]:
    with Anvil(steps_tracing=True) as anvil:
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        for row in range(24):
            anvil.block([add(machine, anvil.accounts[row % 2]) for _ in range(4)])
        true, notes = collected(anvil.url, machine.address)
        assert len(true) == 97
        assert notes == []
        yield Chain(anvil=anvil, machine=machine, true=true)


def add(machine: Deployed, sender: str) -> Call:
    """Return a call that adds to a value: alike in everything but what it finds."""
    return machine.call(sender, "run", [machine.address] * 3, bytes([2, 1, 1]))


def unseen(text: list[str]) -> bool:
    return any("another value than the last recorded call" in item for item in text)


@pytest.mark.parametrize("seed", range(3))
def test_answers_exchanged_within_a_batch_are_put_right(chain: Chain, seed: int) -> None:
    with SwappingNode(chain.anvil.url, KINDS, seed) as node:
        found, _ = collected(node.url, chain.contract)
        assert node.exchanged > 0
    assert found == chain.true


@pytest.mark.parametrize(
    ("change", "tracer"), [(without_javascript, Tracer.STRUCT_LOGS), (without_opcodes, Tracer.PRESTATE)]
)
def test_traces_of_lesser_tracers_exchanged_within_a_batch_are_put_right(
    chain: Chain, change: Change, tracer: Tracer
) -> None:
    with LyingNode(chain.anvil.url, change) as honest:
        true, _ = collected(honest.url, chain.contract)
        with SwappingNode(honest.url, KINDS) as node:
            found, _ = collected(node.url, chain.contract)
            assert node.exchanged > 0
    assert {item.tracer for item in found} == {tracer}
    assert found == true


def test_blocks_exchanged_within_a_batch_are_put_right(chain: Chain) -> None:
    def without_filter(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return refuse(answer) if method == "trace_filter" else answer

    with LyingNode(chain.anvil.url, without_filter) as blind, SwappingNode(blind.url, BLOCKS) as node:
        found, _ = collected(node.url, chain.contract)
        assert node.exchanged > 0
    assert found == chain.true


def without_identity(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Answer as nodes do whose traces do not show a sender's nonce."""
    if method == "debug_traceTransaction" and isinstance(answer.get("result"), dict):
        return answer | {"result": {key: value for key, value in answer["result"].items() if key != "nonce"}}
    return answer


@pytest.mark.parametrize("seed", range(8))
def test_traces_alike_in_all_but_the_values_are_told_apart_by_what_they_find(chain: Chain, seed: int) -> None:
    """One's value is not what the other left: they are asked for again, alone.

    Two that were exchanged may agree with each other by chance, until one of them is put right.
    """
    with LyingNode(chain.anvil.url, without_identity) as plain, SwappingNode(plain.url, KINDS, seed) as node:
        found, notes = collected(node.url, chain.contract)
        assert node.exchanged > 0
    assert found == chain.true
    assert any("one by one" in note for note in notes)


# -- what is stored does not give way ----------------------------------------------------------------


def forgetful(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Answer null for all blocks but the newest ten, as pruned nodes do."""
    if (
        method == "eth_getBlockByNumber"
        and params[0].startswith("0x")
        and int(params[0], 16) < 20
        and params[0] != "0x0"
    ):
        return {"jsonrpc": "2.0", "id": answer["id"], "result": None}
    return answer


def test_a_node_that_forgot_old_blocks_deletes_nothing(chain: Chain, tmp_path: Path) -> None:
    path = str(tmp_path / "h.db")
    with TraceStore(path) as store:
        gather(store, chain.anvil.url, chain.contract, last=10)
    before = content(path)
    with LyingNode(chain.anvil.url, forgetful) as node, TraceStore(path) as store:
        with pytest.raises(ChainError, match="has no block 10 any more"):
            gather(store, node.url, chain.contract)
    assert content(path) == before


@pytest.mark.parametrize("known", ["its first block", "nothing of its first block"])
def test_the_chain_of_a_trace_file_does_not_give_way_to_another(
    chain: Chain, tmp_path: Path, known: str
) -> None:
    """A development chain of the same id, on which the same contract lives at the same address."""
    file, path = tmp_path / "a.jsonl", str(tmp_path / "h.db")
    with TraceStore("sqlite://") as store:
        gather(store, chain.anvil.url, chain.contract)
        export_traces(store, CHAIN, address(chain.contract), file)
    if known != "its first block":
        header, _, rest = file.read_text().partition("\n")
        fields = json.loads(header)
        assert fields.pop("genesis").startswith("0x")
        file.write_text(json.dumps(fields) + "\n" + rest)
    with TraceStore(path) as store:
        import_traces(store, file)
    before = content(path)
    with Anvil(timestamp=1_600_000_000) as other, TraceStore(path) as store:
        machine = other.deploy(other.accounts[0], compiled()["Machine"])
        assert machine.address == chain.contract
        other.mine(40)
        with pytest.raises((ChainError, StoreError), match="another chain"):
            gather(store, other.url, chain.contract)
    assert content(path) == before


def test_a_trace_file_of_another_chain_is_refused(chain: Chain, tmp_path: Path) -> None:
    """Both know their first block, and share no block that either holds."""
    file = tmp_path / "a.jsonl"
    with TraceStore("sqlite://") as store:
        gather(store, chain.anvil.url, chain.contract, last=5)
        export_traces(store, CHAIN, address(chain.contract), file)
    with Anvil(timestamp=1_600_000_000) as other, TraceStore("sqlite://") as store:
        machine = other.deploy(other.accounts[1], compiled()["Machine"])
        other.mine(10)
        gather(store, other.url, machine.address, first=7)
        with pytest.raises(StoreError, match="another chain"):
            import_traces(store, file)
        assert store.ranges(CHAIN, address(chain.contract)) == []


def unlinked(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Answer other hashes for blocks from 15 on, which do not follow from those before them."""
    if method == "eth_getBlockByNumber" and isinstance(answer.get("result"), dict):
        result = answer["result"]
        if int(result["number"], 16) >= 15:
            number = int(result["number"], 16)
            return answer | {"result": result | {"hash": f"0x{number:064x}"}}
    return answer


def test_blocks_without_a_link_to_the_stored_ones_prove_nothing(chain: Chain, tmp_path: Path) -> None:
    path = str(tmp_path / "h.db")
    with TraceStore(path) as store:
        gather(store, chain.anvil.url, chain.contract, last=20)
    before = content(path)
    with LyingNode(chain.anvil.url, unlinked) as node, TraceStore(path) as store:
        with pytest.raises(ChainError, match="does not follow from"):
            gather(store, node.url, chain.contract)
    assert content(path) == before


def test_what_was_replaced_stays_until_all_of_the_new_chain_is_read(tools: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "h.db")
    with Anvil() as anvil:
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        for _ in range(8):
            anvil.block([add(machine, anvil.accounts[1])])
        with TraceStore(path) as store:
            gather(store, anvil.url, machine.address)
        before = content(path)
        anvil.rpc("anvil_rollback", 4)
        for _ in range(5):
            anvil.block([add(machine, anvil.accounts[2])])

        def stopping(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            return refuse(answer) if method == "debug_traceTransaction" else answer

        with LyingNode(anvil.url, stopping) as node, TraceStore(path) as store:
            with pytest.raises(ChainError):
                gather(store, node.url, machine.address)
        assert content(path) == before
        with TraceStore(path) as store:
            gather(store, anvil.url, machine.address)
            assert (
                list(store.transactions(CHAIN, address(machine.address)))
                == collected(anvil.url, machine.address)[0]
            )


# -- gaps --------------------------------------------------------------------------------------------


def failing_on(row: int, chain: Chain, tracers: str = "all") -> Change:
    """Let the tracers fail on one transaction."""
    bad = f"0x{chain.true[row].hash.hex()}"

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method != "debug_traceTransaction" or params[0] != bad:
            return answer
        if tracers == "javascript" and "{" not in str(params[1].get("tracer", "")):
            return answer
        return refuse(answer, "execution timeout", -32000)

    return change


@pytest.mark.parametrize("row", [0, 1, 50, 96])
def test_one_bad_transaction_is_a_gap_and_tried_again(chain: Chain, tmp_path: Path, row: int) -> None:
    path = str(tmp_path / "h.db")
    key = address(chain.contract)
    with TraceStore(path) as store:
        with LyingNode(chain.anvil.url, failing_on(row, chain)) as node:
            heard = gather(store, node.url, chain.contract)
        assert list(store.transactions(CHAIN, key)) == [*chain.true[:row], *chain.true[row + 1 :]]
        assert [(gap.hash, gap.block) for gap in store.gaps(CHAIN, key)] == [
            (chain.true[row].hash, chain.true[row].block.number)
        ]
        assert any(chain.true[row].hash.hex() in note and "gap" in note for note in heard.notes)
        limits = store.history(CHAIN, [key]).limits
        assert any(chain.true[row].hash.hex() in limit and "execution timeout" in limit for limit in limits)
        gather(store, chain.anvil.url, chain.contract)
        assert store.gaps(CHAIN, key) == []
        assert list(store.transactions(CHAIN, key)) == chain.true
        assert store.history(CHAIN, [key]).limits == ()


def test_a_transaction_that_the_node_no_longer_holds_is_a_gap(chain: Chain) -> None:
    bad = f"0x{chain.true[5].hash.hex()}"

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        missing = method == "eth_getTransactionReceipt" and params[0] == bad
        return answer | {"result": None} if missing else answer

    with LyingNode(chain.anvil.url, change) as node, TraceStore("sqlite://") as store:
        gather(store, node.url, chain.contract)
        assert [gap.hash for gap in store.gaps(CHAIN, address(chain.contract))] == [chain.true[5].hash]
        assert store.transaction_count(CHAIN, address(chain.contract)) == 96


def test_what_a_lesser_tracer_recorded_is_recorded_again(chain: Chain) -> None:
    key = address(chain.contract)
    with TraceStore("sqlite://") as store:
        with LyingNode(chain.anvil.url, failing_on(7, chain, "javascript")) as node:
            gather(store, node.url, chain.contract)
        recorded = list(store.transactions(CHAIN, key))
        assert [row for row, item in enumerate(recorded) if item.tracer is not Tracer.JAVASCRIPT] == [7]
        assert store.limits(CHAIN, key) == [Tracer.STRUCT_LOGS.blind_spots]
        gather(store, chain.anvil.url, chain.contract)
        assert list(store.transactions(CHAIN, key)) == chain.true
        assert store.limits(CHAIN, key) == []


def test_a_node_that_stops_tracing_ends_the_run_with_what_there_is(chain: Chain) -> None:
    traced = 0

    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        nonlocal traced
        traced += method == "debug_traceTransaction"
        return (
            refuse(answer, "quota exceeded", -32000) if traced > 5 and method.startswith("debug") else answer
        )  # so early that answers that come late cannot keep failures from standing in a row

    key = address(chain.contract)
    with LyingNode(chain.anvil.url, change) as node, TraceStore("sqlite://") as store:
        with pytest.raises(ChainError, match="stopped tracing"):
            gather(store, node.url, chain.contract)
        assert store.ranges(CHAIN, key) == []
        assert store.gaps(CHAIN, key) == []


# -- between transactions -----------------------------------------------------------------------------


def test_writes_of_calls_that_were_not_found_are_counted_and_said(tools: Path) -> None:
    """Scanning misses calls from other contracts that log nothing; what they wrote is seen by the next call."""
    with Anvil() as anvil:
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        caller = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        inner = bytes([2, 1, 1])
        through = bytes([10, 0, 0]) + len(inner).to_bytes(2, "big") + inner
        for script, to in ((inner, machine), (through, caller), (inner, machine), (through, caller)):
            anvil.block([to.call(anvil.accounts[1], "run", [machine.address] * 3, script)])

        def scanning(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            blind = method in ("trace_filter", "trace_block", "debug_traceBlockByNumber")
            return refuse(answer) if blind else answer

        key = address(machine.address)
        with LyingNode(anvil.url, scanning) as node, TraceStore("sqlite://") as store:
            gather(store, node.url, machine.address)
            assert store.transaction_count(CHAIN, key) == 3
            assert (
                sum(limit.startswith("1 times a slot held") for limit in store.history(CHAIN, [key]).limits)
                == 1
            )
        with TraceStore("sqlite://") as store:
            gather(store, anvil.url, machine.address)
            assert not unseen(list(store.history(CHAIN, [key]).limits))


def test_slots_that_a_difference_lists_though_they_were_only_read_are_not_cleared(chain: Chain) -> None:
    """Some nodes print read slots under ``pre`` with nothing under ``post``: as if they had been set to zero."""
    with Anvil() as anvil:
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        for script in (bytes([1, 0, 7]), bytes([0, 0, 0, 1, 1, 5]), bytes([1, 1, 0]), bytes([0, 0, 0])):
            anvil.block([machine.call(anvil.accounts[1], "run", [machine.address] * 3, script)])

        def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            if method != "debug_traceTransaction" or "tracerConfig" not in params[1]:
                return without_opcodes(method, params, answer)
            if not params[1]["tracerConfig"].get("diffMode"):
                return answer
            read = anvil.rpc(method, params[0], {"tracer": "prestateTracer"})
            for owner, account in answer["result"]["pre"].items():
                account["storage"] = read.get(owner, {}).get("storage", {}) | account.get("storage", {})
            return answer

        with LyingNode(anvil.url, without_opcodes) as node:
            true, _ = collected(node.url, machine.address)
        with LyingNode(anvil.url, change) as node:
            found, _ = collected(node.url, machine.address)
        assert {item.tracer for item in found} == {Tracer.PRESTATE}
        assert found == true


def test_a_creation_whose_receiver_is_the_zero_address_is_a_creation(chain: Chain) -> None:
    def change(method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        result = answer.get("result")
        if (
            method in ("eth_getTransactionByHash", "eth_getTransactionReceipt")
            and result
            and result["to"] is None
        ):
            return answer | {"result": result | {"to": "0x" + "00" * 20}}
        return answer

    with LyingNode(chain.anvil.url, change) as node:
        found, _ = collected(node.url, chain.contract)
    assert found == chain.true


@pytest.mark.parametrize("kind", ["error", "missing", "timeout"])
def test_a_block_that_cannot_be_traced_whole_is_gone_through_by_transaction(chain: Chain, kind: str) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "trace_filter" or method == "trace_block":
            return refuse(answer)
        if method == "debug_traceBlockByNumber" and params[0] == "0x5":
            if kind == "timeout":
                return refuse(answer, "execution timeout", -32000)
            rows = list(answer["result"])
            rows[1:2] = [{"txHash": rows[1]["txHash"], "error": "boom"}] if kind == "error" else []
            return answer | {"result": rows}
        return answer

    with LyingNode(chain.anvil.url, change) as node:
        found, _ = collected(node.url, chain.contract)
    assert found == chain.true


def test_a_suspected_transaction_that_cannot_be_traced_is_a_gap(chain: Chain) -> None:
    bad = f"0x{chain.true[18].hash.hex()}"
    block = hex(chain.true[18].block.number)

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "debug_traceBlockByNumber" and params[0] == block:
            rows = [
                row | {"result": None, "error": "boom"} if row["txHash"] == bad else row
                for row in answer["result"]
            ]
            return answer | {"result": rows}
        failing = method == "debug_traceTransaction" and params[0] == bad
        return refuse(answer) if method == "trace_filter" or failing else answer

    with LyingNode(chain.anvil.url, change) as node, TraceStore("sqlite://") as store:
        gather(store, node.url, chain.contract)
        assert [gap.hash for gap in store.gaps(CHAIN, address(chain.contract))] == [chain.true[18].hash]
        assert store.transaction_count(CHAIN, address(chain.contract)) == 96


# -- compared with the node's own storage -------------------------------------------------------------


def test_storage_is_compared_with_the_node_at_the_end_and_at_sampled_blocks(chain: Chain) -> None:
    with TraceStore("sqlite://") as store, Node(Endpoint(chain.anvil.url)) as node:
        gather(store, chain.anvil.url, chain.contract)
        verified = verify(store, node, CHAIN, address(chain.contract), 1)
        assert verified.differences == ()
        assert verified.comparisons == 24 + 1, (
            "the mapping's entry after each block, and once more at the end"
        )


def test_a_value_that_the_node_contradicts_is_told_and_stays_among_the_limits(chain: Chain) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getStorageAt" and params[2] == "0x5":
            return answer | {"result": "0x" + "00" * 31 + "99"}
        return answer

    key = address(chain.contract)
    with TraceStore("sqlite://") as store:
        gather(store, chain.anvil.url, chain.contract)
        with LyingNode(chain.anvil.url, change) as liar, Node(Endpoint(liar.url)) as node:
            (difference,) = verify(store, node, CHAIN, key, 1).differences
        assert (difference.block, difference.node_value) == (5, 0x99)
        assert any("held 0x99" in limit for limit in store.history(CHAIN, [key]).limits)
        with Node(Endpoint(chain.anvil.url)) as node:
            verify(store, node, CHAIN, key, 1)
        assert store.history(CHAIN, [key]).limits == ()


def test_proofs_are_compared_where_storage_is_refused(chain: Chain) -> None:
    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return refuse(answer) if method == "eth_getStorageAt" else answer

    with TraceStore("sqlite://") as store:
        gather(store, chain.anvil.url, chain.contract)
        with LyingNode(chain.anvil.url, change) as other, Node(Endpoint(other.url)) as node:
            verified = verify(store, node, CHAIN, address(chain.contract), 1)
    assert verified.differences == ()
    assert verified.comparisons + verified.refusals == 25
    assert verified.comparisons > 0


# -- lives --------------------------------------------------------------------------------------------

REBORN = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
contract Child {
    uint256 public x;
    event Set(uint256 x);
    function set(uint256 v) external { x = v; emit Set(v); }
    function die() external { selfdestruct(payable(msg.sender)); }
}
contract Factory {
    address public child;
    function make() external { child = address(new Child{salt: bytes32(0)}()); }
}
"""


@pytest.mark.parametrize("filtering", [True, False])
def test_a_contract_that_was_created_again_has_two_lives(tools: Path, filtering: bool) -> None:
    artifacts = compile_sources({"Reborn.sol": REBORN}, evm_version="paris")
    with Anvil(hardfork="shanghai") as anvil:
        user = anvil.accounts[0]
        factory = anvil.deploy(user, artifacts["Factory"])
        anvil.mine(3)
        anvil.block([factory.call(user, "make")])
        child = anvil.at(factory.read("child"), artifacts["Child"]["abi"])
        anvil.block([child.call(user, "set", 5)])
        anvil.block([child.call(user, "die")])
        anvil.mine(2)
        again = anvil.block([factory.call(user, "make")])
        anvil.block([child.call(user, "set", 7)])
        anvil.mine(120)
        with Node(Endpoint(anvil.url)) as direct:  # the first life, of three blocks, lies between two probes
            head = head_block(direct, "latest").number
            assert creation_block(direct, address(child.address), head) == int(again[0]["blockNumber"], 16)

        def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
            return answer if filtering or method != "trace_filter" else refuse(answer)

        key = address(child.address)
        with LyingNode(anvil.url, change) as node, TraceStore("sqlite://") as store:
            heard = gather(store, node.url, child.address)
            history = store.history(CHAIN, [key])
            assert store.transaction_count(CHAIN, key) == 5
            assert lives(history, 0).tolist() == [0, 3]
            assert len(unseen_writes(history)) == 0, "the second life found zero, not what the first one left"
            found = visits(history)
            assert found.life.tolist() == [1, 2]
            assert last_values(history) == {0: 7}
            assert filtering or any("lived before block" in note for note in heard.notes)
