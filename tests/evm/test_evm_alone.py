"""A recorded call runs alone, and proves that it is the recorded execution."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from specminer.evm.alone import CallRecording, Pursuit, pursue, recordings
from specminer.evm.execution_events import SlotRead, SlotWrite
from specminer.evm.execution_recorder import EventRecorder
from specminer.evm.forks import FORKS as RULES
from specminer.evm.frame import BlockContext
from specminer.evm.halts import Halt
from specminer.evm.opcodes import Op
from specminer.evm.taped_instructions import taped_instructions
from specminer.replay.machine_calls import FORKS
from specminer.shadow.observer import Shadow
from specminer.shadow.record import ShadowRecord
from tests.support.engine import number, results
from tests.support.programs import CONTRACTS, SENDER, push, scenario
from tests.support.real import AZURE, MAINNET, history
from tests.support.reference import Given, Scenario, by_engine
from tests.support.shadows import CheckedShadow

MINE, OTHER = CONTRACTS[:2]
ALLOWED = ("it, or a call inside it, ran out of gas", "its code is not known", "it runs the code of")
"""Why a call alone may not be proved: gas, and contracts that delegate to others (EIP-7702)."""


def path(record: ShadowRecord) -> object:
    """Return what a call did, without the numbers of frames."""
    decisions = [(item.counter, item.condition, item.value, item.taken) for item in record.decisions]
    return decisions, record.writes, record.logs, record.calls


@pytest.mark.parametrize("fork", FORKS)
def test_calls_of_random_programs_are_proved_and_go_the_same_way(fork: str) -> None:
    endings: Counter[str | None] = Counter()
    for seed in range(300, 330):
        case = scenario(seed, fork, asks_gas=False)
        world = Shadow(None, branches=True, questions=True)
        by_engine(case, world)
        there = {record.frame: record for record in world.records}
        for recording in recordings(world.events, None, with_questions=True):
            alone = CheckedShadow(None, world.arena, foundation=taped_instructions)
            pursuit = follow(case, recording, world.codes, alone)
            endings[pursuit.reason] += 1
            if pursuit.proved and alone.records[0].decisions:
                assert path(alone.records[0]) == path(there[recording.frame])
            assert pursuit.proved or (pursuit.reason or "").startswith(ALLOWED)
    assert endings[None] > 15


def follow(
    case: Scenario, recording: CallRecording, codes: dict[int, bytes], shadow: Shadow | None = None
) -> Pursuit:
    transaction = case.transaction
    return pursue(
        recording,
        RULES[case.fork],
        case.block,
        codes,
        gas_price=transaction.gas_price,
        observer=shadow,
    )


@pytest.mark.real
@pytest.mark.parametrize("name", [*AZURE, *MAINNET])
def test_calls_of_real_histories_are_proved(name: str) -> None:
    records, rules = history(name)
    targets = frozenset(found for record in records if (found := number(record.created)) is not None)
    recorder = EventRecorder(targets or None, questions=True)
    codes: dict[int, bytes] = {}
    reasons: Counter[str | None] = Counter()
    for record, _ in zip(records[:300], results(records[:300], rules, recorder), strict=True):
        codes.update(recorder.codes)
        timestamp = record.block if record.timestamp is None else record.timestamp
        block = BlockContext(number=record.block, timestamp=timestamp)
        for recording in recordings(recorder.events, targets or None, with_questions=True):
            pursuit = pursue(
                recording,
                RULES[rules(record.block, record.timestamp)],
                block,
                codes,
                gas_price=record.gas_price or 0,
            )
            assert pursuit.proved or recording.halt is Halt.OUT_OF_GAS
            reasons[pursuit.reason] += 1
        recorder.clear()
    assert reasons[None] > 200


def recorded(code: bytes, other: bytes = b"") -> tuple[Scenario, CallRecording, dict[int, bytes]]:
    """Return the recording of the outermost call of some code."""
    case = scenario(0, "prague")
    accounts = {SENDER: Given(balance=1 << 90), MINE: Given(code=code, balance=5), OTHER: Given(code=other)}
    transaction = replace(
        case.transaction, to=MINE, value=0, gas=900_000, data=b"", authorizations=(), access_list=()
    )
    case = replace(case, accounts=accounts, transaction=transaction)
    recorder = EventRecorder([MINE], questions=True)
    by_engine(case, recorder)
    return case, recordings(recorder.events, frozenset({MINE}), with_questions=True)[-1], recorder.codes


COUNTING = push(0) + bytes([Op.SLOAD]) + push(1) + bytes([Op.ADD]) + push(0) + bytes([Op.SSTORE])
CALLING = (
    push(32) + push(0) * 4 + push(OTHER) + push(90_000) + bytes([Op.CALL]) + push(1) + bytes([Op.SSTORE])
)
RETURNING = (
    push(0) + bytes([Op.MLOAD]) + push(2) + bytes([Op.SSTORE]) + push(32) + push(0) + bytes([Op.RETURN])
)


def test_answers_come_from_the_recording() -> None:
    answering = push(77) + push(0) + bytes([Op.MSTORE]) + push(32) + push(0) + bytes([Op.RETURN])
    case, recording, codes = recorded(COUNTING + CALLING + RETURNING, answering)
    del codes[OTHER]  # the other contract is not needed any more
    pursuit = follow(case, recording, codes)
    assert pursuit == Pursuit(reason=None, output=(77).to_bytes(32, "big"))


def test_what_differs_is_said() -> None:
    case, recording, codes = recorded(COUNTING + CALLING + RETURNING)
    read, write, *others = recording.accesses
    assert isinstance(read, SlotRead)
    assert isinstance(write, SlotWrite)
    assert recording.answers is not None
    for change, reason in (
        ({"accesses": (read._replace(value=5), write, *others)}, "it writes another value to slot 0x0"),
        ({"accesses": (read._replace(slot=9), write, *others)}, "it reads slot 0x0 where the recording accesses"),
        ({"accesses": (read,)}, "it writes slot 0x0 where nothing more is recorded"),
        ({"accesses": (*recording.accesses, read)}, "it ends before a recorded access of slot 0x0"),
        ({"answers": ()}, "it makes a CALL of which no answer is recorded"),
        ({"answers": (recording.answers[0]._replace(to=3),)}, "it makes a CALL where the recording has another"),
        ({"output": b"else"}, "its output differs"),
        ({"halt": Halt.REVERT}, "it ends with success where the recording ends with execution reverted"),
        ({"halt": Halt.OUT_OF_GAS}, "it, or a call inside it, ran out of gas"),
    ):  # fmt: skip
        pursuit = follow(case, replace(recording, **change), codes)
        assert not pursuit.proved
        assert (pursuit.reason or "").startswith(reason)
    assert follow(case, recording, {}).reason == "its code is not known"
    assert follow(case, recording, codes).proved


def test_what_the_recording_lacks_is_said() -> None:
    asking = bytes([Op.ADDRESS, Op.BALANCE]) + push(0) + bytes([Op.SSTORE])
    case, recording, codes = recorded(asking)
    assert follow(case, recording, codes).proved
    blind = replace(recording, questions=None)
    assert follow(case, blind, codes).reason == "it asks for BALANCE, which was not recorded"
    delegating = push(0) * 4 + push(OTHER) + push(90_000) + bytes([Op.DELEGATECALL])
    case, recording, codes = recorded(delegating, COUNTING)
    assert follow(case, recording, codes).proved
    del codes[OTHER]
    assert follow(case, recording, codes).reason == f"it runs the code of 0x{OTHER:040x}, which is not known"


def test_a_call_alone_is_bounded() -> None:
    case, recording, codes = recorded(bytes([Op.JUMPDEST]) + push(0) + bytes([Op.JUMP]))
    assert recording.halt is Halt.OUT_OF_GAS
    pursuit = pursue(recording, RULES["prague"], case.block, codes, max_steps=1_000)
    assert pursuit.reason == "it takes too long"


def test_the_shadow_of_a_call_alone_knows_what_slots_held_before() -> None:
    case, recording, codes = recorded(
        push(3) + push(8) + bytes([Op.SSTORE]) + push(4) + push(8) + bytes([Op.SSTORE])
    )
    shadow = Shadow([MINE], foundation=taped_instructions)
    assert follow(case, recording, codes, shadow).proved
    assert [(item.before, item.value) for item in shadow.records[0].writes] == [(0, 3), (3, 4)]
