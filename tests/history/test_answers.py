"""Answers of other contracts, code that ran and what code asked: the tracers tell the same, and it is the chain's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from specminer._support.errors import InvalidNodeResponse
from specminer.evm.opcodes import Op
from specminer.history.answer_log import foreign_logs
from specminer.history.trace import (
    MAX_CALL_DATA,
    MAX_LOG_DATA,
    MAX_RECORD,
    NO_ADDRESS,
    Address,
    CallKind,
    EnvironmentKind,
    Invocation,
    Tracer,
    Transaction,
)
from specminer.history.tracer_steps import Enter, Exit, QuestionStep, Read, Step, record_steps
from specminer.sources.envelopes import block_of
from specminer.sources.javascript import _step
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Call
from tests.support.bytecode import deploying
from tests.support.collecting import CHAIN, address, collected, gather
from tests.support.lying_node import LyingNode, without_javascript, without_opcodes
from tests.support.programs import push

TARGET, OTHER, LIBRARY = (Address(bytes([number]) * 20) for number in (0xAA, 0xBB, 0xCC))
LARGE = MAX_CALL_DATA + 100
COPY = bytes([Op.CALLDATASIZE]) + push(0) + push(0) + bytes([Op.CALLDATACOPY, Op.CALLDATASIZE]) + push(0)
ECHO = COPY + bytes([Op.LOG0, Op.CALLDATASIZE]) + push(0) + bytes([Op.RETURN])
"""Logs its calldata, and returns it."""
REFUSE = COPY + bytes([Op.REVERT])
"""Reverts with its calldata."""
KEEP = bytes([Op.CALLER]) + push(7) + bytes([Op.SSTORE, Op.STOP])
"""Writes its caller into slot 7."""
DROP = bytes([Op.POP])


def call(opcode: Op, to: int, size: int, *, value: int | None = None) -> bytes:
    """Return code that calls with ``size`` bytes of calldata and all gas."""
    sent = push(0) + push(0) + push(size) + push(0)
    paid = push(value or 0) if opcode in (Op.CALL, Op.CALLCODE) else b""
    return sent + paid + push(to) + bytes([Op.GAS, opcode]) + DROP


def create(code: bytes, value: int = 0) -> bytes:
    """Return code that creates a contract with short creation code."""
    word = int.from_bytes(code.ljust(32, b"\0"), "big")
    return (
        push(word)
        + push(0)
        + bytes([Op.MSTORE])
        + push(len(code))
        + push(0)
        + push(value)
        + bytes([Op.CREATE])
        + DROP
    )


def asking(echo: int, refuse: int, keep: int) -> bytes:
    """Return code that asks everything there is to ask."""
    code = b"".join(
        push(subject) + bytes([opcode]) + DROP
        for opcode, subject in (
            (Op.BALANCE, echo),
            (Op.EXTCODESIZE, echo),
            (Op.EXTCODEHASH, refuse),
            (Op.BLOCKHASH, 1),
            (Op.TLOAD, 5),
            (Op.BLOBHASH, 0),
        )
    )
    code += bytes([Op.SELFBALANCE]) + DROP + push(0) + bytes([Op.SLOAD]) + DROP
    code += push(0xAB) + push(0) + bytes([Op.MSTORE])
    code += call(Op.CALL, echo, 32) + call(Op.CALL, echo, LARGE) + call(Op.STATICCALL, refuse, 32)
    code += call(Op.DELEGATECALL, keep, 0) + call(Op.CALL, 0xE0A, 0, value=3)
    code += call(Op.CALL, refuse, 32, value=1 << 200)  # more than there is
    for number in (1, 2, 3, 4):
        code += call(Op.STATICCALL, number, 32)
    code += create(b"") + create(REFUSE) + create(push(0) + push(0) + bytes([Op.REVERT]), 1)
    # the last two take nearly all the gas
    unfit = push(0xEF) + push(0) + bytes([Op.MSTORE8]) + push(1) + push(0) + bytes([Op.RETURN])
    return code + create(b"\xfe") + create(unfit) + bytes([Op.STOP])


@dataclass(frozen=True)
class Chain:
    """A running node and the contracts on it."""

    anvil: Anvil
    contract: str
    echo: Address
    refuse: Address
    keep: Address
    code: bytes
    """Of the contract."""


def deployed(anvil: Anvil, code: bytes) -> Address:
    (receipt,) = anvil.block([Call(sender=anvil.accounts[0], to=None, data="0x" + deploying(code).hex())])
    return address(receipt["contractAddress"])


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[Chain]:
    with Anvil(steps_tracing=True) as anvil:
        echo, refuse, keep = (deployed(anvil, code) for code in (ECHO, REFUSE, KEEP))
        code = asking(*(int.from_bytes(item, "big") for item in (echo, refuse, keep)))
        contract = "0x" + deployed(anvil, code).hex()
        anvil.block([Call(sender=anvil.accounts[1], to=contract, value=1000, gas=5_000_000)])
        yield Chain(anvil, contract, echo, refuse, keep, code)


@pytest.fixture(scope="module")
def javascript(chain: Chain) -> Transaction:
    transactions, notes = collected(chain.anvil.url, chain.contract)
    assert not notes
    assert {item.tracer for item in transactions} == {Tracer.JAVASCRIPT}
    return transactions[-1]


def asked(item: Transaction) -> Invocation:
    (only,) = item.invocations
    return only


def test_what_code_asks_is_what_the_chain_says(chain: Chain, javascript: Transaction) -> None:
    answers = asked(javascript).environment
    assert answers is not None
    told = {answer.kind: answer for answer in answers}
    assert set(told) == set(EnvironmentKind)
    assert told[EnvironmentKind.BALANCE].subject == int.from_bytes(chain.echo, "big")
    assert told[EnvironmentKind.BALANCE].value == 0
    assert told[EnvironmentKind.SELF_BALANCE].value == 1000
    assert told[EnvironmentKind.CODE_SIZE].value == len(ECHO)
    assert told[EnvironmentKind.CODE_HASH].value == int.from_bytes(keccak(REFUSE), "big")
    first = chain.anvil.rpc("eth_getBlockByNumber", "0x1", False)
    assert told[EnvironmentKind.BLOCK_HASH].value == int(first["hash"], 16)
    gas = [answer.value for answer in answers if answer.kind is EnvironmentKind.GAS]
    assert gas == sorted(gas, reverse=True)
    assert javascript.gas > gas[0] > gas[-1] > 0


def test_calls_have_their_answers(chain: Chain, javascript: Transaction) -> None:
    calls = asked(javascript).calls
    assert calls is not None
    word = (0xAB).to_bytes(32, "big")
    kinds = [item.kind for item in calls]
    assert kinds == [
        *(CallKind.CALL, CallKind.CALL, CallKind.STATICCALL, CallKind.CALL, CallKind.CALL),
        *(CallKind.STATICCALL,) * 4,
        *(CallKind.CREATE,) * 5,
    ]
    echo, large, refused, paid, poor = calls[:5]
    assert (echo.to, echo.data, echo.output, echo.succeeded) == (chain.echo, word, word, True)
    assert (large.data_size, large.output_size, len(large.data), len(large.output)) == (
        LARGE,
        LARGE,
        1024,
        1024,
    )
    assert (refused.to, refused.output, refused.succeeded) == (chain.refuse, word, False)
    assert (paid.value, paid.succeeded, paid.output) == (3, True, b"")
    assert (poor.value, poor.succeeded, poor.output, poor.data) == (1 << 200, False, b"", word)
    empty, *failed = calls[9:]
    assert empty.succeeded
    assert empty.to != NO_ADDRESS
    assert [(item.succeeded, item.to, item.output) for item in failed[1:]] == [(False, NO_ADDRESS, b"")] * 3
    assert [item.output_size for item in calls[6:9]] == [32, 32, 32]
    assert calls[8].output == calls[8].data


def test_code_of_libraries_is_told_by_frame(chain: Chain, javascript: Transaction) -> None:
    codes = asked(javascript).codes
    assert codes is not None
    assert [item.address for item in codes] == [address(chain.contract), chain.keep]
    assert codes[0].hash == keccak(chain.code)
    assert codes[1].hash == keccak(KEEP)
    with TraceStore("sqlite://") as store:
        gather(store, chain.anvil.url, chain.contract)
        assert store.record(CHAIN, address(chain.contract)).codes == tuple(sorted((chain.code, KEEP)))
    writes = [access for access in asked(javascript).accesses if access.slot == 7]
    assert writes[0].position == codes[1].position


def test_logs_of_others_and_values_of_the_block_are_told(chain: Chain, javascript: Transaction) -> None:
    assert javascript.logs is not None
    assert [(item.index, item.address, item.data_size) for item in javascript.logs] == [
        (0, chain.echo, 32),
        (1, chain.echo, LARGE),
    ]
    assert len(javascript.logs[1].data) == MAX_LOG_DATA
    block = chain.anvil.rpc("eth_getBlockByNumber", hex(javascript.block.number), False)
    assert javascript.block.base_fee == int(block["baseFeePerGas"], 16)
    assert javascript.block.beneficiary == address(block["miner"])
    assert javascript.block.gas_limit == int(block["gasLimit"], 16)
    assert javascript.block.randomness == int(block["mixHash"], 16)


def test_struct_logs_tell_the_same(chain: Chain, javascript: Transaction) -> None:
    with LyingNode(chain.anvil.url, without_javascript) as node:
        transactions, _ = collected(node.url, chain.contract)
    found, right = asked(transactions[-1]), asked(javascript)
    assert transactions[-1].tracer is Tracer.STRUCT_LOGS
    assert found.calls == right.calls
    assert found.codes == right.codes
    assert found.environment == right.environment
    assert (transactions[-1].logs, transactions[-1].block) == (javascript.logs, javascript.block)


def test_prestate_tells_calls_but_not_what_was_asked(chain: Chain, javascript: Transaction) -> None:
    with LyingNode(chain.anvil.url, without_opcodes) as node:
        transactions, _ = collected(node.url, chain.contract)
    found, right = asked(transactions[-1]), asked(javascript)
    assert transactions[-1].tracer is Tracer.PRESTATE
    assert found.environment is None
    assert "asked of its environment" in Tracer.PRESTATE.blind_spots
    assert found.calls is not None
    assert right.calls is not None
    assert [(item.kind, item.to, item.data) for item in found.calls] == [
        (item.kind, item.to, item.data) for item in right.calls
    ]
    assert transactions[-1].logs == javascript.logs


# -- steps ------------------------------------------------------------------------------------------


def outermost(*inside: Step) -> list[Step]:
    return [Enter("CALL", OTHER, TARGET, 100, 0, b""), *inside, Exit(10, b"", None)]


def test_a_call_that_is_reverted_later_is_undone() -> None:
    steps = outermost(
        Enter("DELEGATECALL", TARGET, LIBRARY, 50, 0, b"x"),
        Enter("CALL", TARGET, OTHER, 40, 0, b"in"),
        Exit(1, b"out", None),
        Exit(2, b"", "execution reverted"),
        Enter("CALL", TARGET, OTHER, 40, 0, b"", 9),
        Exit(1, b"ab", None, 5),
    )
    (only,) = record_steps(steps, [TARGET]).invocations
    assert only.calls is not None
    assert [item.undone for item in only.calls] == [True, False]
    assert [(item.data_size, item.output_size) for item in only.calls] == [(2, 3), (9, 5)]
    assert only.environment is None


def test_a_call_that_comes_back_is_one_call_and_another_invocation() -> None:
    steps = outermost(
        Read(TARGET, 0, 1),
        Enter("CALL", TARGET, OTHER, 50, 0, b""),
        Enter("CALL", OTHER, TARGET, 40, 0, b""),
        QuestionStep(TARGET, EnvironmentKind.GAS, 0, 39),
        Exit(1, b"", None),
        Exit(2, b"", None),
    )
    outer, inner = record_steps(steps, [TARGET], environment=True).invocations
    assert outer.calls is not None
    assert [(item.to, item.position) for item in outer.calls] == [(OTHER, 1)]
    assert (inner.calls, outer.environment) == ((), ())
    assert inner.environment is not None
    assert [answer.value for answer in inner.environment] == [39]


def test_what_takes_too_much_room_is_not_recorded() -> None:
    one: list[Step] = [Enter("CALL", TARGET, OTHER, 40, 0, bytes(MAX_CALL_DATA)), Exit(1, b"", None)]
    count = MAX_RECORD // MAX_CALL_DATA
    (only,) = record_steps(outermost(*one * count), [TARGET]).invocations
    assert only.calls is None
    assert only.codes is not None
    (few,) = record_steps(outermost(*one * (count // 2)), [TARGET]).invocations
    assert few.calls is not None
    entry: tuple[Address, tuple[bytes, ...], bytes] = (OTHER, (), bytes(MAX_LOG_DATA))
    assert foreign_logs([entry] * (MAX_RECORD // MAX_LOG_DATA), [TARGET]) is None
    assert len(foreign_logs([entry] * 10, [TARGET]) or ()) == 10
    assert foreign_logs([entry] * 10, [OTHER]) == ()


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"difficulty": "0x7", "mixHash": "0x" + "11" * 32}, {"randomness": 7}),
        ({"difficulty": "0x0", "mixHash": "0x" + "00" * 31 + "09"}, {"randomness": 9}),
        ({"mixHash": "0x", "miner": "0x", "gasLimit": hex(1 << 64), "baseFeePerGas": 7}, {}),
    ],
)
def test_values_of_blocks_that_cannot_be_read_are_not_known(
    fields: dict[str, Any], names: dict[str, Any]
) -> None:
    plain = {"number": "0x1", "hash": "0x" + "22" * 32, "timestamp": "0x5"}
    assert block_of(plain | fields) == replace(block_of(plain), **names)


@pytest.mark.parametrize(
    "row",
    [
        ["X", "0x1", "0x0102", None, "0x3"],
        ["X", "0x1", "0x", None, "0x1", "0x1"],
        ["E", "CALL", "0x" + "aa" * 20, "0x" + "bb" * 20, "0x1", "0x0", "0x" + "00" * 1025, "0x401"],
        ["Q", "0x" + "aa" * 20, "0x30", "0x0", "0x1"],
        ["Q", "0x" + "aa" * 20, "0x31", "0x0"],
    ],
    ids=str,
)
def test_a_row_that_the_tracer_never_writes_is_a_lie(row: list[Any]) -> None:
    with pytest.raises(InvalidNodeResponse, match="never writes"):
        _step(row)
