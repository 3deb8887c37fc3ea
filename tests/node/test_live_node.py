"""The whole way on a real node: a published contract, its life, ``specminer mine``, and what is written.

Everything in the result is held against the chain itself: every edge's witnesses really called the
contract with that function and that outcome, and the counts add up.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from web3 import Web3

from specminer.specification import Edge, Mode, Specification, TransitionKind, decode_specification
from tests.support import crowdsale, ens_registrar
from tests.support.anvil import Anvil
from tests.support.command import cold, specminer
from tests.support.refusing_node import RefusingNode
from tests.support.relay import Driven

FILES: Final = ("automaton.json", "automaton.dot", "automaton.svg")
DRIVERS: Final[dict[str, Callable[[Anvil], Driven]]] = {
    "crowdsale": crowdsale.drive,
    "ens_registrar": ens_registrar.drive,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A driven contract, its node, and what the first ``specminer mine`` left."""

    anvil: Anvil
    driven: Driven
    folder: Path
    specification: Specification
    calls: dict[str, list[tuple[str, bool]]]
    """By transaction hash: function and whether it succeeded, of each frame that ran at the contract."""

    def mine(self, url: str, *more: str) -> tuple[str, dict[str, bytes]]:
        """Mine once more, in a cold process; return what it said on standard error, and the files."""
        done = cold(*_arguments(self.driven, url), *more, cwd=self.folder)
        assert done.code == 0, done.text
        return done.err, {name: (self.folder / "out" / name).read_bytes() for name in FILES}


def _arguments(driven: Driven, url: str) -> list[str]:
    options = ["--rpc", url, "--abi", str(driven.artifact), "--db", "h.db", "--out", "out"]
    return ["mine", driven.address, *options]


@pytest.fixture(scope="module", params=DRIVERS)
def mined(
    request: pytest.FixtureRequest, tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mined]:
    """Drive a published contract on a fresh chain, and mine it."""
    folder = tmp_path_factory.mktemp(request.param)
    with Anvil() as anvil:
        driven = DRIVERS[request.param](anvil)
        done = specminer(*_arguments(driven, anvil.url), cwd=folder)
        assert done.code == 0, done.text
        text = (folder / "out" / "automaton.json").read_bytes()
        yield Mined(
            anvil=anvil,
            driven=driven,
            folder=folder,
            specification=decode_specification(text),
            calls=_calls(anvil, driven),
        )


def _calls(anvil: Anvil, driven: Driven) -> dict[str, list[tuple[str, bool]]]:
    """Ask the node itself which functions of the contract every transaction ran, and how they ended."""
    abi = json.loads(driven.artifact.read_text())["abi"]
    names = {
        bytes(
            Web3.keccak(text=f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})")[:4]
        ): entry["name"]
        for entry in abi
        if entry["type"] == "function"
    }
    found: dict[str, list[tuple[str, bool]]] = {}
    for transaction in anvil.touching(driven.address):
        trace = anvil.rpc("debug_traceTransaction", transaction, {"tracer": "callTracer"})
        found[transaction] = list(_frames(trace, driven.address.lower(), names))
    return found


def _frames(frame: dict[str, Any], address: str, names: dict[bytes, str]) -> Iterator[tuple[str, bool]]:
    if str(frame.get("to", "")).lower() == address and frame["type"] not in ("DELEGATECALL", "CALLCODE"):
        data = bytes.fromhex(frame["input"][2:])
        name = "constructor" if frame["type"].startswith("CREATE") else names.get(data[:4], "fallback")
        yield name, "error" not in frame
    for inner in frame.get("calls", ()):
        yield from _frames(inner, address, names)


def test_the_driver_used_many_senders_with_rejected_and_internal_calls(mined: Mined) -> None:
    driven = mined.driven
    assert driven.transactions >= 130
    assert driven.rejected >= 20
    assert driven.invocations >= driven.transactions
    assert any(
        mined.anvil.rpc("eth_getTransactionByHash", each)["to"] != driven.address.lower()
        for each in mined.calls
    )
    assert max(edge.senders for edge in mined.specification.transitions) >= 10


def test_the_numbers_are_the_drivers_own(mined: Mined) -> None:
    history = mined.specification.history
    assert mined.specification.contracts == (mined.driven.address,)
    assert history.transactions == mined.driven.transactions
    assert history.invocations == mined.driven.invocations
    assert history.source == "javascript"
    assert not history.limits
    failed = sum(not done for calls in mined.calls.values() for _, done in calls)
    assert history.rejected == failed


def test_every_rejected_transaction_of_the_driver_is_a_rejected_call(mined: Mined) -> None:
    direct = [
        transaction
        for transaction in mined.calls
        if mined.anvil.rpc("eth_getTransactionReceipt", transaction)["status"] == "0x0"
    ]
    assert len(direct) <= mined.driven.rejected
    assert mined.specification.history.rejected is not None
    assert mined.specification.history.rejected >= len(direct)


def test_the_counts_add_up(mined: Mined) -> None:
    spec = mined.specification
    events = [edge for edge in spec.transitions if edge.kind is TransitionKind.CALL]
    abi = json.loads(mined.driven.artifact.read_text())["abi"]
    reading = {
        entry["name"]
        for entry in abi
        if entry["type"] == "function"
        and (entry.get("constant") or entry.get("stateMutability") in ("view", "pure"))
    }
    # what its caller rolled back neither lasted nor was rejected: the node says it succeeded
    left_out = sum(name in reading for calls in mined.calls.values() for name, _ in calls)
    rolled_back = _number_before(spec.interactions.explanation, "calls that their callers rolled back")
    assert spec.interactions.mode is not Mode.PROJECTION, (
        "else a call may be an event of several interactions"
    )
    total = sum(edge.count for edge in events) + sum(spec.interactions.outside.values())
    assert total + left_out + rolled_back == spec.history.invocations
    entered = Counter[int]()
    for edge in spec.transitions:
        entered[edge.target] += edge.count
    assert {state.id: state.visits for state in spec.states} == {
        state.id: entered[state.id] for state in spec.states
    }
    assert sum(state.ends for state in spec.states) == spec.interactions.count


def _number_before(text: str, words: str) -> int:
    head, found, _ = text.partition(f" {words}")
    return int(head.split()[-1].replace(",", "")) if found else 0


def test_every_edge_is_backed_by_transactions_of_this_chain(mined: Mined) -> None:
    spec = mined.specification
    assert spec.transitions
    for edge in spec.transitions:
        assert 1 <= len(edge.witnesses) <= 10
        assert len(edge.witnesses) == min(len(set(edge.witnesses)), edge.count)
        assert edge.witnesses[0] == edge.first.transaction
        for witness in {*edge.witnesses, edge.last.transaction}:
            _check_witness(mined, edge, witness)
        assert (edge.first.block, edge.first.timestamp) <= (edge.last.block, edge.last.timestamp)
        assert edge.count >= edge.interaction_count >= 1
        assert edge.count >= edge.senders >= (edge.kind is not TransitionKind.TIME)


def _check_witness(mined: Mined, edge: Edge, witness: str) -> None:
    receipt = mined.anvil.rpc("eth_getTransactionReceipt", witness)
    assert receipt is not None
    # when the clock brought it about, the witness is the first call afterwards
    called = (edge.function, edge.outcome == "returned") in mined.calls[witness]
    assert called or edge.kind is TransitionKind.TIME
    for seen in (edge.first, edge.last):
        if seen.transaction == witness:
            block = mined.anvil.rpc("eth_getBlockByNumber", receipt["blockNumber"], False)
            assert (seen.block, seen.timestamp) == (int(block["number"], 16), int(block["timestamp"], 16))


def test_the_automaton_is_one(mined: Mined) -> None:
    automaton = mined.specification.automaton
    assert automaton.initial_state == mined.specification.initial
    names = [state.name for state in mined.specification.states]
    assert len(set(names)) == len(names) >= 2
    assert sum(item.count for item in automaton.transitions) == sum(
        edge.count for edge in mined.specification.transitions
    )


def test_the_picture_names_the_functions(mined: Mined) -> None:
    picture = (mined.folder / "out" / "automaton.svg").read_text()
    most = max(mined.specification.transitions, key=lambda edge: edge.count)
    assert most.function in picture


def test_again_reads_nothing_twice_and_writes_the_same_bytes(mined: Mined) -> None:
    before = {name: (mined.folder / "out" / name).read_bytes() for name in FILES}
    with RefusingNode(mined.anvil.url, lambda *_: None) as counting:
        said, after = mined.mine(counting.url)
        methods = Counter(method for method, _, _ in counting.seen)
    assert after == before
    assert said.startswith("note: nothing new in blocks ")
    assert said.count("\n") == 1
    assert not [method for method in methods if method.startswith(("debug_", "trace_"))]
    assert methods["eth_getTransactionReceipt"] == 0
    assert methods.total() <= 14  # the head is asked for eight times, because nodes behind a balancer lag


def test_a_new_database_gives_the_same_bytes_without_the_node(mined: Mined) -> None:
    before = {name: (mined.folder / "out" / name).read_bytes() for name in FILES}
    address = mined.driven.address
    assert specminer("export", address, "--db", "h.db", "--out", "t.zst", cwd=mined.folder).code == 0
    done = specminer("mine", "t.zst", "--out", "again", cwd=mined.folder)
    assert done.code == 0, done.text
    assert {name: (mined.folder / "again" / name).read_bytes() for name in FILES} == before
