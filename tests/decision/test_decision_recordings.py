"""What a history's columns hold of a call is enough to execute it alone, or it is said what is missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from eth_utils.crypto import keccak

from specminer.decision.recordings import NEWEST, NotRecorded, Recordings
from specminer.decision.runs import execute_alone
from specminer.evm.alone import pursue, recordings
from specminer.evm.execution_events import SlotRead
from specminer.evm.execution_recorder import EventRecorder
from specminer.evm.opcodes import Op
from specminer.history.contract_history import MISSING, OUTCOMES, TRACERS, History
from specminer.history.trace import Block, ContractRecord, Hash, OutcomeKind, Tracer, Transaction, Word
from specminer.history.tracer_steps import Enter, record_steps
from specminer.replay.step_reporting import address_of, steps_of
from specminer.shadow.arena import Arena
from specminer.store import TraceStore
from tests.support.programs import CONTRACTS, SENDER, push, scenario
from tests.support.reference import Given, Scenario, by_engine

CHAIN = 1337
MINE, OTHER = CONTRACTS[:2]
NEVER_TOLD = (
    "it ran out of gas",
    "it asks for GASPRICE, which is not known",
    "it asks for BLOBBASEFEE, which is not known",
    "it decides upon gas left, which was not recorded",
    "it copies code that is not known",
)
"""What no history tells."""


def run(case: Scenario) -> EventRecorder:
    """Run a scenario."""
    recorder = EventRecorder(None, questions=True)
    by_engine(case, recorder)
    return recorder


def history_of(case: Scenario, recorder: EventRecorder, contract: int) -> History | None:
    """Return what is recorded of one contract when a scenario ran; ``None`` if it never ran."""
    steps = [
        replace(step, code=Hash(keccak(recorder.codes.get(int.from_bytes(step.to, "big"), b""))))
        if isinstance(step, Enter)
        else step
        for step in steps_of(recorder.events)
    ]
    owner = address_of(contract)
    invocations = record_steps(steps, [owner], environment=True).invocations
    if not invocations:
        return None
    block = case.block
    transaction = Transaction(
        hash=Hash(bytes(32)),
        block=Block(
            number=block.number,
            hash=Hash(b"\1" * 32),
            timestamp=block.timestamp,
            base_fee=block.base_fee,
            beneficiary=address_of(block.coinbase),
            gas_limit=block.gas_limit,
            randomness=Word(block.randomness),
        ),
        index=0,
        sender=address_of(case.transaction.sender),
        to=None,
        value=0,
        gas=0,
        gas_used=0,
        nonce=0,
        succeeded=True,
        tracer=Tracer.JAVASCRIPT,
        invocations=invocations,
    )
    codes = tuple(sorted(set(recorder.codes.values())))
    record = ContractRecord(
        address=owner, chain_id=CHAIN, code=recorder.codes.get(contract, b""), codes=codes
    )
    with TraceStore("sqlite://") as store:
        store.add_history(record, [transaction], complete=(1, block.number))
        return store.history(CHAIN, [owner])


def outcome(history: History, row: int) -> str | None:
    """Return why a call is not proved; ``None`` if it is."""
    try:
        return execute_alone(Recordings(history).of(row), Arena()).pursuit.reason
    except NotRecorded as lack:
        return str(lack)


def is_proved_in_its_world(case: Scenario, recorder: EventRecorder, contract: int) -> bool:
    """Return whether all calls of a contract are proved by what the machine itself recorded."""
    return all(
        pursue(item, NEWEST, case.block, recorder.codes, gas_price=case.transaction.gas_price).proved
        for item in recordings(recorder.events, frozenset({contract}), with_questions=True)
    )


def test_calls_of_random_programs_are_proved_by_their_columns() -> None:
    reasons: Counter[str | None] = Counter()
    for seed in range(500, 580):
        case = scenario(seed, "cancun", asks_gas=False)
        case = replace(case, block=replace(case.block, chain_id=CHAIN))
        recorder = run(case)
        for contract in CONTRACTS:
            history = history_of(case, recorder, contract)
            if history is None:
                continue
            proved = is_proved_in_its_world(case, recorder, contract)
            for row in range(len(history)):
                reason = outcome(history, row)
                reasons[reason] += 1
                assert reason is None or reason in NEVER_TOLD or not proved, (seed, contract, reason)
    assert reasons[None] > 20


CALLING = (
    push(0) * 4 + push(0) + push(OTHER) + push(200_000) + bytes([Op.CALL]) + push(5) + bytes([Op.SSTORE])
)
BACK = (
    push(1) + push(0) + bytes([Op.MSTORE]) + push(0) * 2 + push(32) + push(0) * 2 + push(MINE) + push(100_000)
) + bytes([Op.CALL, Op.STOP])
COUNTING = push(0) + bytes([Op.SLOAD]) + push(1) + bytes([Op.ADD]) + push(0) + bytes([Op.SSTORE])
"""Adds one to slot 0."""


def called(code: bytes, other: bytes = b"", **changes: Any) -> History:
    """Return what is recorded of a contract that is called once from outside."""
    case = scenario(0, "cancun")
    accounts = {SENDER: Given(balance=1 << 90), MINE: Given(code=code, balance=5), OTHER: Given(code=other)}
    transaction = replace(
        case.transaction, to=MINE, value=0, gas=2_000_000, data=b"", access_list=(), blob_hashes=(), **changes
    )
    block = replace(case.block, chain_id=CHAIN)
    case = replace(case, accounts=accounts, transaction=transaction, block=block)
    history = history_of(case, run(case), MINE)
    assert history is not None
    return history


def test_a_call_inside_through_another_contract_is_an_answer_and_changes_what_is_read() -> None:
    size = bytes([Op.CALLDATASIZE])
    dispatch = size + push(200) + bytes([Op.JUMPI])
    outer = dispatch + COUNTING + CALLING + COUNTING + bytes([Op.STOP])
    code = outer.ljust(200, b"\0") + bytes([Op.JUMPDEST]) + COUNTING + bytes([Op.STOP])
    history = called(code, BACK)
    assert history.invocation_parent.tolist() == [MISSING, 0]
    calls = [Recordings(history).of(row).recordings[0] for row in range(2)]
    assert [len(call.accesses) for call in calls] == [5, 2]
    read = [access.value for access in calls[0].accesses if isinstance(access, SlotRead)]
    assert read == [0, 2]  # the call inside counted as well
    assert [outcome(history, row) for row in range(2)] == [None, None]


def test_a_call_that_had_to_be_static_is_proved_as_such() -> None:
    static = push(0) * 4 + push(MINE) + push(100_000) + bytes([Op.STATICCALL]) + bytes([Op.STOP])
    size = bytes([Op.CALLER]) + push(OTHER) + bytes([Op.EQ]) + push(200) + bytes([Op.JUMPI])
    code = (size + CALLING).ljust(200, b"\0") + bytes([Op.JUMPDEST]) + COUNTING
    history = called(code, static)
    assert history.invocation_outcome.tolist() == [
        OUTCOMES.index(OutcomeKind.RETURNED),
        OUTCOMES.index(OutcomeKind.HALTED),
    ]
    assert [outcome(history, row) for row in range(2)] == [None, None]


def test_answers_that_are_too_long_are_said() -> None:
    long = push(1_025) + push(0) + bytes([Op.RETURN])
    assert outcome(called(CALLING, long), 0) == "another contract's answer is too long to be recorded"
    assert outcome(called(CALLING, push(1_024) + push(0) + bytes([Op.RETURN])), 0) is None


def test_what_is_not_known_counts_only_if_code_asks() -> None:
    fee = bytes([Op.BASEFEE]) + push(3) + bytes([Op.SSTORE])
    asking, silent = called(fee), called(COUNTING)
    assert (outcome(asking, 0), outcome(silent, 0)) == (None, None)
    assert outcome(replace(asking, blocks=None), 0) == "it asks for BASEFEE, which is not known"
    assert outcome(replace(silent, blocks=None), 0) is None
    unknown = np.full(1, MISSING, dtype=np.int64)
    timed = called(bytes([Op.TIMESTAMP]) + push(3) + bytes([Op.SSTORE]))
    assert outcome(replace(timed, transaction_time=unknown), 0) == "it asks for TIMESTAMP, which is not known"


def test_values_that_are_not_known_are_said_or_not_compared() -> None:
    history = called(COUNTING)
    unread = np.where(history.access_write, history.access_after, MISSING)
    assert outcome(replace(history, access_after=unread), 0) == "it reads a slot whose value is not known"
    unwritten = np.where(history.access_write, MISSING, history.access_after)
    assert outcome(replace(history, access_after=unwritten), 0) is None
    wrong = np.where(history.access_write, history.access_slot, history.access_after)
    reason = outcome(replace(history, access_after=wrong), 0)
    assert reason is None or reason.startswith("it writes another value")


def test_code_that_is_not_known_is_said() -> None:
    delegating = push(0) * 4 + push(OTHER) + push(90_000) + bytes([Op.DELEGATECALL])
    history = called(delegating, COUNTING)
    assert outcome(history, 0) is None
    (record,) = history.contracts
    blind = replace(history, contracts=(replace(record, codes=(delegating,)),))
    assert outcome(blind, 0) == f"it runs the code of 0x{OTHER:040x}, which is not known"
    naked = replace(history, contracts=(replace(record, codes=(), code=b""),))
    assert outcome(naked, 0) == "its code is not known"


def test_tracers_that_tell_no_order_are_no_recording() -> None:
    history = called(COUNTING)
    assert history.answers is not None
    tracer = np.full(1, TRACERS.index(Tracer.PRESTATE), dtype=np.int8)
    blind = replace(history, answers=replace(history.answers, transaction_tracer=tracer))
    assert outcome(blind, 0) == "its tracer does not tell the order of accesses"


def test_gas_left_is_what_was_recorded_or_no_condition() -> None:
    deciding = bytes([Op.GAS]) + push(100) + bytes([Op.LT]) + push(40) + bytes([Op.JUMPI])
    history = called(deciding.ljust(40, b"\0") + bytes([Op.JUMPDEST, Op.STOP]))
    assert outcome(history, 0) is None
    assert history.answers is not None
    none = np.zeros(1, dtype=np.int32)
    empty = replace(
        history.answers,
        invocation_environment=none,
        environment_invocation=none[:0],
        environment_kind=history.answers.environment_kind[:0],
    )
    assert outcome(replace(history, answers=empty), 0) == "it decides upon gas left, which was not recorded"
