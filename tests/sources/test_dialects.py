"""Traces of opcodes in the dialects of other clients: read as what they mean, or refuted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import InvalidNodeResponse
from specminer.history.trace import Tracer, Transaction
from specminer.sources.opcode_names import NAMES, name_of
from tests.support.anvil import Anvil, Call, Deployed
from tests.support.collecting import collected
from tests.support.lying_node import LyingNode, without_javascript
from tests.support.machine import compiled, endings, script

NUMBERS = {name: number for number, name in NAMES.items()}
Rewriting = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Chain:
    anvil: Anvil
    machine: Deployed
    true: list[Transaction]


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[Chain]:
    with Anvil(steps_tracing=True) as anvil:
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        source = random.Random(5)
        peers = [machine.address] * 3
        for text in endings() + [script(source) for _ in range(10)]:
            anvil.block([machine.call(anvil.accounts[1], "run", peers, text, gas=600_000)])
        with LyingNode(anvil.url, without_javascript) as node:
            true, _ = collected(node.url, machine.address)
        assert {item.tracer for item in true} == {Tracer.STRUCT_LOGS}
        yield Chain(anvil=anvil, machine=machine, true=true)


def rewritten(chain: Chain, rewrite: Rewriting) -> list[Transaction]:
    """Collect from a node whose traces of opcodes are written otherwise."""

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        answer = without_javascript(method, params, answer)
        if method == "debug_traceTransaction" and "tracer" not in params[1]:
            answer = deepcopy(answer)
            rewrite(answer["result"])
        return answer

    with LyingNode(chain.anvil.url, change) as node:
        found, _ = collected(node.url, chain.machine.address)
    return found


def logs(result: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result["structLogs"]
    return found


def in_hexadecimal(result: dict[str, Any]) -> None:
    result["gas"] = hex(result["gas"])
    for log in logs(result):
        log["gas"], log["gasCost"] = hex(log["gas"]), hex(log["gasCost"])


def in_decimal_texts(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["gas"], log["gasCost"], log["depth"] = str(log["gas"]), str(log["gasCost"]), str(log["depth"])


def with_numbers_for_opcodes(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["op"] = NUMBERS.get(log["op"], 0xFE)


def with_hexadecimal_opcodes(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["op"] = hex(NUMBERS.get(log["op"], 0xFE))


def in_lower_case(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["op"] = log["op"].lower()


def with_old_names(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["op"] = {"KECCAK256": "SHA3", "PREVRANDAO": "DIFFICULTY"}.get(log["op"], log["op"])


def with_errors_at_calls(result: dict[str, Any]) -> None:
    """Mark calls that go on with an error, as revm's clients print what their interpreter answers."""
    for log, following in pairwise(logs(result)):
        if log["op"] in ("CALL", "DELEGATECALL", "STATICCALL", "CREATE", "CREATE2") and (
            following["depth"] >= log["depth"]
        ):
            log["error"] = "CallOrCreate"


def with_empty_errors(result: dict[str, Any]) -> None:
    for log in logs(result):
        log.setdefault("error", "")
        log["storage"] = None


def without_outputs(result: dict[str, Any]) -> None:
    result["returnValue"] = ""


def from_depth_zero(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["depth"] -= 1


def with_stacks_of_numbers(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["stack"] = [int(item, 16) for item in log["stack"]]


def with_marked_memory(result: dict[str, Any]) -> None:
    for log in logs(result):
        if log.get("memory"):
            log["memory"] = ["0x" + word.removeprefix("0x") for word in log["memory"]]


def without_verdict(result: dict[str, Any]) -> None:
    del result["failed"]


@pytest.mark.parametrize(
    "rewrite",
    [
        in_hexadecimal,
        in_decimal_texts,
        with_numbers_for_opcodes,
        with_hexadecimal_opcodes,
        in_lower_case,
        with_old_names,
        with_errors_at_calls,
        with_empty_errors,
        without_outputs,
        from_depth_zero,
        with_stacks_of_numbers,
        with_marked_memory,
        without_verdict,
    ],
)
def test_a_dialect_is_read_as_what_it_means(chain: Chain, rewrite: Rewriting) -> None:
    assert rewritten(chain, rewrite) == chain.true


def without_last_stops(result: dict[str, Any]) -> None:
    """Leave out the STOP behind the end of a code, which some clients do not show."""
    kept = [log for log in logs(result)[:-1] if log["op"] != "STOP"]
    result["structLogs"] = [*kept, logs(result)[-1]] if logs(result)[-1]["op"] != "STOP" else kept


def test_ends_that_are_not_shown_are_found_by_the_depth(chain: Chain) -> None:
    found = rewritten(chain, without_last_stops)
    assert [without_gas(item) for item in found] == [without_gas(item) for item in chain.true]


def without_gas(item: Transaction) -> Transaction:
    return replace(item, invocations=tuple(replace(call, gas_used=0) for call in item.invocations))


@pytest.mark.parametrize("cost", [-5, 2**64 - 7, "0xfffffffffffffff9", None, 1.5])
def test_implausible_costs_are_not_stored(chain: Chain, cost: object) -> None:
    def rewrite(result: dict[str, Any]) -> None:
        for log in logs(result):
            log["gasCost"] = cost

    found = rewritten(chain, rewrite)
    assert [without_gas(item) for item in found] == [without_gas(item) for item in chain.true]
    assert all(0 <= call.gas_used <= call.gas for item in found for call in item.invocations)


def rising_depth(result: dict[str, Any]) -> None:
    middle = len(logs(result)) // 2
    for log in logs(result)[middle : middle + 3]:
        log["depth"] += 1


def going_on_behind_a_return(result: dict[str, Any]) -> None:
    logs(result)[len(logs(result)) // 2]["op"] = "RETURN"


def an_error_in_the_middle(result: dict[str, Any]) -> None:
    for log, following in pairwise(logs(result)):
        if log["op"] == "PUSH1" and following["depth"] == log["depth"]:
            log["error"] = "out of gas"
            return


def other_callers(result: dict[str, Any]) -> None:
    for log, following in pairwise(logs(result)):
        if log["op"] in ("CALLVALUE", "CALLDATASIZE") and log["depth"] == 1:
            following["stack"][-1] = "0x1234"


def words_for_opcodes(result: dict[str, Any]) -> None:
    for log in logs(result):
        log["op"] = "load from storage"


@pytest.mark.parametrize(
    "rewrite",
    [rising_depth, going_on_behind_a_return, an_error_in_the_middle, other_callers, words_for_opcodes],
)
def test_steps_that_contradict_themselves_are_refuted(chain: Chain, rewrite: Rewriting) -> None:
    found = rewritten(chain, rewrite)
    assert {item.tracer for item in found} == {Tracer.PRESTATE}


@pytest.mark.parametrize(
    ("op", "name"),
    [(0x54, "SLOAD"), ("0x55", "SSTORE"), ("84", "SLOAD"), ("sload", "SLOAD"), ("SHA3", "KECCAK256"),
     ("opcode 0xef not defined", "INVALID"), (0xEF, "INVALID"), ("EXTCALL", "EXTCALL")],
)  # fmt: skip
def test_opcodes_have_many_names(op: object, name: str) -> None:
    assert name_of(op) == name


@pytest.mark.parametrize("op", [None, True, 256, -1, "", "push a byte", [], 1.5])
def test_what_is_no_opcode_is_refuted(op: object) -> None:
    with pytest.raises(InvalidNodeResponse):
        name_of(op)


def test_memory_that_was_never_expanded_is_zero_in_every_tracer(tools: Path) -> None:
    """A log and a hash over memory that nothing wrote: JavaScript tracers see no memory there."""
    # KECCAK256 of 64 bytes at 0x400, then LOG0 of 32 bytes at 0x800, in a contract of six instructions each
    code = bytes.fromhex("604061040020506020610800a000")
    init = bytes.fromhex("60") + bytes([len(code)]) + bytes.fromhex("8060095f395ff3") + code
    with Anvil(steps_tracing=True) as anvil:
        deployed = anvil.deploy(anvil.accounts[0], {"abi": [], "bytecode": "0x" + init.hex()})
        anvil.block([Call(sender=anvil.accounts[0], to=deployed.address)])
        javascript, _ = collected(anvil.url, deployed.address)
        with LyingNode(anvil.url, without_javascript) as node:
            struct_logs, _ = collected(node.url, deployed.address)
    for item, tracer in ((javascript[1], Tracer.JAVASCRIPT), (struct_logs[1], Tracer.STRUCT_LOGS)):
        assert item.tracer is tracer
        assert item.preimages == (bytes(64),)
        assert [event.data for event in item.invocations[0].events] == [bytes(32)]
