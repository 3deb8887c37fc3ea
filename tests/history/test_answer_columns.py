"""The columns of answers say what the recorded values say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.history.contract_history import CALLS, ENVIRONMENT, MISSING, TRACERS, AnswerColumns, History
from specminer.history.trace import (
    EnvironmentAnswer,
    ExternalCall,
    FrameCode,
    Invocation,
    Tracer,
    Transaction,
)
from specminer.history.words import word_at
from tests.support.histories import CHAIN, CONTRACTS, Simulated, simulations, stored, without_answers

EVERY_TRACER = tuple(Tracer)


def columns_of(transactions: tuple[Transaction, ...]) -> History:
    with stored(transactions) as store:
        return store.history(CHAIN, CONTRACTS[:1])


def own_calls(transactions: tuple[Transaction, ...]) -> list[Invocation]:
    return [call for item in transactions for call in item.invocations if call.contract == CONTRACTS[0]]


@given(simulations(tracers=EVERY_TRACER))
@settings(max_examples=15)
def test_answers_are_those_of_the_values(simulated: Simulated) -> None:
    transactions = simulated.transactions
    history = columns_of(transactions)
    answers = history.answers
    assert answers is not None
    calls = own_calls(transactions)
    assert len(history) == len(calls)
    for row, call in enumerate(calls):
        check_calls(history, answers, row, call.calls)
        check_codes(history, answers, row, call.codes)
        check_environment(answers, row, call.environment)
    listed = [
        item for item in transactions if any(call.contract == CONTRACTS[0] for call in item.invocations)
    ]
    told = [TRACERS[number] for number in answers.transaction_tracer.tolist()]
    assert told == [item.tracer for item in listed]


def check_calls(
    history: History, answers: AnswerColumns, row: int, calls: tuple[ExternalCall, ...] | None
) -> None:
    assert answers.invocation_calls[row] == (MISSING if calls is None else len(calls))
    rows = answers.calls(row)
    assert rows.stop - rows.start == len(calls or ())
    for number, call in zip(range(rows.start, rows.stop), calls or (), strict=True):
        assert CALLS[answers.call_kind[number]] is call.kind
        assert history.addresses[answers.call_to[number]] == call.to
        assert history.words[answers.call_value[number]] == call.value
        selector = int.from_bytes(call.data[:4], "big") if len(call.data) >= 4 else MISSING
        assert answers.call_selector[number] == selector
        assert (answers.call_succeeded[number], answers.call_undone[number]) == (call.succeeded, call.undone)
        assert answers.outputs[answers.call_output[number]] == call.output
        size = MISSING if call.output_size is None else call.output_size
        assert answers.call_output_size[number] == size


def check_codes(
    history: History, answers: AnswerColumns, row: int, codes: tuple[FrameCode, ...] | None
) -> None:
    if codes is None:
        assert answers.invocation_codes[row] == MISSING
        return
    listed = answers.code_lists[answers.invocation_codes[row]]
    assert [(history.addresses[address], digest) for address, digest in listed] == [
        (code.address, code.hash) for code in codes
    ]


def check_environment(
    answers: AnswerColumns, row: int, environment: tuple[EnvironmentAnswer, ...] | None
) -> None:
    assert answers.invocation_environment[row] == (MISSING if environment is None else len(environment))
    rows = answers.environment(row)
    assert [
        (
            ENVIRONMENT[answers.environment_kind[number]],
            word_at(answers.environment_subject, number),
            word_at(answers.environment_value, number),
        )
        for number in range(rows.start, rows.stop)
    ] == [(answer.kind, answer.subject, answer.value) for answer in environment or ()]


@given(simulations(), st.booleans())
@settings(max_examples=8)
def test_values_of_blocks_are_those_of_the_blocks(simulated: Simulated, known: bool) -> None:
    transactions = simulated.transactions
    if not known:
        transactions = tuple(map(without_answers, transactions))
    blocks = columns_of(transactions).blocks
    told = {item.block.number: item.block for item in transactions if item.block.gas_limit is not None}
    if blocks is None:
        assert not told
        return
    assert blocks.number.tolist() == sorted(told)
    for row, number in enumerate(blocks.number.tolist()):
        block = told[number]
        assert blocks.gas_limit[row] == block.gas_limit
        assert blocks.beneficiaries[blocks.beneficiary[row]] == block.beneficiary
        assert blocks.has_base_fee[row]
        assert word_at(blocks.base_fee, row) == block.base_fee
        assert blocks.has_randomness[row]
        assert word_at(blocks.randomness, row) == block.randomness


@given(simulations())
@settings(max_examples=5)
def test_what_was_not_recorded_is_missing(simulated: Simulated) -> None:
    history = columns_of(tuple(map(without_answers, simulated.transactions)))
    assert history.blocks is None
    assert history.answers is not None
    assert not len(history.answers.call_kind)
    assert not len(history.answers.environment_kind)
    for column in (
        history.answers.invocation_calls,
        history.answers.invocation_codes,
        history.answers.invocation_environment,
    ):
        assert column.tolist() == [MISSING] * len(history)
