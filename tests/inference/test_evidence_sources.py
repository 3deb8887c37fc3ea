"""Each source of evidence sees what it is for, in histories in which one call is made strange."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from specminer.decoding import HistoryContext
from specminer.inference.argument_sources import repetition_evidence, size_evidence
from specminer.inference.course_sources import newcomer_evidence, race_evidence, refusal_evidence
from specminer.inference.evidence_source import SourceEvidence
from specminer.inference.never_falling import _claim
from specminer.inference.transaction_sources import lasting_calls
from specminer.inference.world_sources import answer_evidence, code_evidence, token_evidence
from tests.support.mined import marked, mined


def calls_of(context: HistoryContext, function: str) -> list[int]:
    """Return the accepted calls of a function, in their order."""
    mine = lasting_calls(context) & (context.calls.function == context.calls.functions.index(function))
    return [int(row) for row in np.flatnonzero(mine)]


def with_data(context: HistoryContext, row: int, data: bytes) -> HistoryContext:
    """Return a history in which one call has other calldata."""
    history = context.history
    changed = (*history.invocation_data[:row], data, *history.invocation_data[row + 1 :])
    return replace(context, history=replace(history, invocation_data=changed))


def sentence(evidence: SourceEvidence, context: HistoryContext, row: int) -> tuple[float, str]:
    """Return what a source says of the transaction of a call."""
    transaction = int(context.history.invocation_transaction[row])
    assert evidence.sentence is not None
    position = int(evidence.position[transaction])
    return float(evidence.bits[transaction]), evidence.sentence(position) if position >= 0 else ""


def test_what_is_given_once_is_strange_when_it_is_given_again() -> None:
    context = mined("tender").context
    *_, earlier, last = calls_of(context, "pay")
    assert sentence(repetition_evidence(context, lasting_calls(context)), context, last)[0] == 0
    repeated = with_data(context, last, context.history.invocation_data[earlier])
    bits, text = sentence(repetition_evidence(repeated, lasting_calls(repeated)), repeated, last)
    assert bits > 4
    first = context.history.transaction_hash[int(context.history.invocation_transaction[earlier])]
    assert f"pay was given jobId as in transaction 0x{first.hex()}" in text


def test_a_number_far_above_all_others_is_strange() -> None:
    context = mined("tender").context
    row = calls_of(context, "publish")[-5]
    data = context.history.invocation_data[row]
    huge = with_data(context, row, data[:4] + (10**30).to_bytes(32, "big") + data[36:])
    bits, text = sentence(size_evidence(huge, lasting_calls(huge)), huge, row)
    assert bits > 8
    assert "publish had seconds_ far above" in text
    assert sentence(size_evidence(context, lasting_calls(context)), context, row)[0] < bits - 4


def test_whoever_comes_improbably_still_is_new_in_the_next_transaction() -> None:
    context = mined("savings").context
    history = context.history
    names = [f"0x{item.hex()}" for item in history.transaction_hash]
    attack = names.index(next(iter(marked("savings"))))
    thief = history.invocation_sender[np.flatnonzero(history.invocation_transaction == attack)[0]]
    mine = np.unique(history.invocation_transaction[history.invocation_sender == thief])
    evidence = newcomer_evidence(context, lasting_calls(context))
    first, second = evidence.bits[mine[:2]]
    assert first > 5
    assert second == pytest.approx(first - 1.0, abs=0.01), "one of two transactions"
    assert evidence.sentence is not None
    assert "never seen before its previous transaction, called" in evidence.sentence(
        int(evidence.position[mine[1]])
    )


def test_a_product_that_falls_once_is_broken_and_one_that_wanders_is_no_claim() -> None:
    rows = np.arange(60)
    rising = np.cumsum(np.r_[1.0, np.tile([0.1, 0.0], 29), 0.1])
    fallen = rising.copy()
    fallen[40:] -= 2.0
    (claim,) = _claim("k never falls", rows, fallen)
    assert [int(row) for row in claim.cases[~claim.holds]] == [40]
    assert not list(_claim("k", rows, np.sin(rows)))
    assert not list(_claim("k", rows, np.ones(60))), "what never moves says nothing"


@pytest.mark.parametrize("name", ["auction_house", "nft_market"])
def test_what_is_usual_is_hardly_any_evidence(name: str) -> None:
    context = mined(name).context
    lasting = lasting_calls(context)
    for evidence in (
        race_evidence(context, lasting),
        answer_evidence(context, lasting),
        code_evidence(context, lasting),
        token_evidence(context.history),
        refusal_evidence(context, lasting),
        repetition_evidence(context, lasting),
    ):
        judged = len(np.unique(context.history.invocation_transaction[lasting]))
        assert (evidence.bits > 6).sum() <= max(3, 0.03 * judged), evidence.source


def test_a_stranger_that_is_called_with_a_function_that_was_never_used_is_new() -> None:
    """A router that forwards any call: neither the address nor the selector is known of its forward."""
    context = mined("governance").context
    answers, lasting = context.history.answers, lasting_calls(context)
    assert answers is not None
    made = np.flatnonzero(
        lasting[answers.call_invocation] & answers.call_succeeded & (answers.call_selector >= 0)
    )
    functions, times = np.unique(context.calls.function[answers.call_invocation[made]], return_counts=True)
    often = made[context.calls.function[answers.call_invocation[made]] == functions[np.argmax(times)]]
    last = int(often[-1])
    selector, to = answers.call_selector.copy(), answers.call_to.copy()
    selector[last] = selector.max() + 1
    to[last] = next(
        row for row in range(len(context.history.addresses)) if row not in set(answers.call_to.tolist())
    )
    changed = replace(answers, call_selector=selector, call_to=to)
    other = replace(context, history=replace(context.history, answers=changed))
    row = int(answers.call_invocation[last])
    before = sentence(code_evidence(context, lasting), context, row)
    bits, text = sentence(code_evidence(other, lasting), other, row)
    assert bits > before[0] + 3
    assert "for the first time" in text


def test_without_answers_nothing_is_said_of_others() -> None:
    context = mined("savings").context
    bare = replace(context, history=replace(context.history, answers=None, transfers=None))
    lasting = lasting_calls(bare)
    for evidence in (
        answer_evidence(bare, lasting),
        code_evidence(bare, lasting),
        refusal_evidence(bare, lasting),
        token_evidence(bare.history),
    ):
        assert not evidence.bits.any()
