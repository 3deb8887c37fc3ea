"""What the recorder tells of a transaction is what the specification's machine tells, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from specminer.evm.execution_events import Branch, FrameEnd, FrameStart, SlotRead, SlotWrite
from specminer.evm.execution_recorder import EventRecorder, names_of_questions
from specminer.evm.forks import FORKS as RULES
from specminer.evm.frame import BlockContext, FrameKind
from specminer.evm.halts import Halt
from specminer.evm.opcodes import Op
from specminer.evm.transaction_execution import EvmTransaction, execute
from specminer.evm.world import World
from specminer.history.trace import Address
from specminer.history.tracer_steps import Enter, Exit, HashStep, LogStep, Step, outcome_of
from specminer.replay.machine_calls import FORKS
from specminer.replay.reference_fork import fork
from specminer.replay.reference_recorder import ReferenceRecorder as ReferenceRecorder
from specminer.replay.reference_recorder import error_text
from specminer.replay.step_reporting import steps_of
from tests.support.programs import CONTRACTS, SENDER, push, scenario
from tests.support.reference import Given, Scenario, by_engine, by_reference

WATCHED = CONTRACTS[:3]


def told_by_reference(case: Scenario) -> ReferenceRecorder:
    rules = fork(case.fork)
    recorder = ReferenceRecorder(
        lambda evm, slot: rules.get_storage(
            evm.message.block_env.state, bytes(evm.message.current_target), slot
        ),
        lambda evm: int(
            rules.get_account(evm.message.block_env.state, bytes(evm.message.current_target)).balance
        ),
        frozenset(Address(number.to_bytes(20, "big")) for number in WATCHED),
        1 << 30,
        1 << 30,
    )

    def listen(evm: Any, event: Any) -> None:
        recorder(evm, event)

    by_reference(case, listen)
    return recorder


def comparable(steps: list[Step]) -> list[Step]:
    """Return steps without what the reference does not see.

    It looks at memory before an opcode lets it grow, so that it misses hashes of memory that was never written, and
    takes the data of such logs for empty; and it leaves code that was not deposited in the output.
    """
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Exit):
            outcome = outcome_of(step.error, step.output)
            found.append(Exit(step.gas_used, outcome.data, outcome.kind.value))
        elif isinstance(step, Enter):
            found.append(replace(step, code=None))
        elif not isinstance(step, HashStep):
            found.append(step)
    return found


def delegates_to_precompiled(case: Scenario) -> bool:
    """Return whether an account may run a precompiled contract's code, which is none: the reference hears nothing."""
    marker = b"\xef\x01\x00" + bytes(19)
    given = any(account.code.startswith(marker) for account in case.accounts.values())
    return given or any(item.address < 256 for item in case.transaction.authorizations)


@pytest.mark.parametrize("name", FORKS)
def test_steps_are_those_of_the_specification(name: str) -> None:
    seen = 0
    for seed in range(100, 140):
        case = scenario(seed, name)
        if delegates_to_precompiled(case):
            continue
        recorder = EventRecorder(WATCHED, branches=seed % 2 == 0)
        by_engine(case, recorder)
        reference = told_by_reference(case)
        steps = list(steps_of(recorder.events))
        mine, others = comparable(steps), comparable(reference.steps)
        for place, (one, other) in enumerate(zip(mine, others, strict=False)):
            if isinstance(one, LogStep) and isinstance(other, LogStep) and not other.data:
                mine[place] = replace(one, data=b"")
        assert mine == others, f"seed {seed}"
        hashed = [step for step in steps if isinstance(step, HashStep)]
        assert {step for step in reference.steps if isinstance(step, HashStep)} <= set(hashed)
        assert list(recorder.codeless) == [int.from_bytes(item, "big") for item in reference.strangers]
        assert set(names_of_questions(recorder.chain_opcodes)) <= set(reference.unrecorded_opcodes)
        assert recorder.own_balance <= reference.own_balance
        seen += len(steps)
    assert seen > 60


def test_halts_have_the_words_that_outcomes_are_told_by() -> None:
    kinds = {halt: outcome_of(halt.value, b"").kind.value for halt in Halt}
    assert kinds.pop(Halt.REVERT) == "reverted"
    assert kinds.pop(Halt.OUT_OF_GAS) == "out of gas"
    assert kinds.pop(Halt.INVALID_OPCODE) == "invalid opcode"
    assert set(kinds.values()) == {"halted"}
    assert error_text(None) is None


def run(code: bytes, contracts: tuple[int, ...] | None, *, branches: bool = False) -> EventRecorder:
    recorder = EventRecorder(contracts, branches=branches)
    accounts = {SENDER: Given(balance=1 << 90), CONTRACTS[0]: Given(code=code, balance=5)}
    case = scenario(0, "prague")
    case = Scenario(fork="prague", accounts=accounts, transaction=case.transaction, block=case.block)
    transaction = replace(
        case.transaction, to=CONTRACTS[0], value=0, gas=500_000, data=b"", authorizations=(), access_list=()
    )
    by_engine(replace(case, transaction=transaction), recorder)
    return recorder


def test_a_path_tells_each_conditional_jump() -> None:
    loop = bytes([Op.JUMPDEST]) + push(0) + bytes([Op.SLOAD]) + push(1) + bytes([Op.ADD, Op.DUP1])
    loop += push(0) + bytes([Op.SSTORE]) + push(3) + bytes([Op.GT]) + push(0) + bytes([Op.JUMPI, Op.STOP])
    recorder = run(loop, None, branches=True)
    jump = loop.index(Op.JUMPI)
    assert recorder.branches == [
        Branch(3, 0, jump, True),
        Branch(5, 0, jump, True),
        Branch(7, 0, jump, False),
    ]
    owner = CONTRACTS[0]
    assert recorder.events[1:5] == [
        SlotRead(owner, 0, 0),
        SlotWrite(owner, 0, 0, 1),
        SlotRead(owner, 0, 1),
        SlotWrite(owner, 0, 1, 2),
    ]


def test_only_frames_are_recorded_of_other_accounts() -> None:
    recorder = run(push(1) + push(1) + bytes([Op.SSTORE]), (CONTRACTS[1],))
    assert [type(event) for event in recorder.events] == [FrameStart, FrameEnd]
    start = recorder.events[0]
    assert isinstance(start, FrameStart)
    assert (start.kind, start.sender, start.to) == (FrameKind.CALL, SENDER, CONTRACTS[0])


def test_a_record_that_grows_too_large_stops_the_run() -> None:
    world = World()
    code = bytes([Op.JUMPDEST]) + push(1) + bytes([Op.SLOAD]) + push(0) + bytes([Op.JUMP])
    world.set_code(world.account(CONTRACTS[0]), code)
    recorder = EventRecorder(None, room=100_000)
    transaction = EvmTransaction(sender=SENDER, to=CONTRACTS[0], gas=10_000_000)
    assert execute(world, RULES["prague"], BlockContext(), transaction, observer=recorder).limited
    assert len(recorder.events) <= 500
