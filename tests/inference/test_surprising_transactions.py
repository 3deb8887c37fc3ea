"""Transactions are ranked by evidence of independent sources, each learned from other transactions alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.inference.evidence_source import bound_bits, first_times, tail_bits
from specminer.inference.payouts import payouts
from specminer.inference.surprise_measures import measure
from specminer.inference.transaction_sources import _alone, evidence_of
from specminer.inference.unjudged_calls import count_unjudged
from specminer.presentation.summary import summary
from specminer.presentation.surprising_transactions import transaction_sentences, unjudged_sentence
from specminer.specification import (
    EvidenceSource,
    Surprise,
    SurprisingTransactions,
    decode_specification,
    encode_specification,
)
from tests.support.mined import marked, mined

ATTACKED = ("savings", "vaults", "tender")


@pytest.mark.parametrize("name", ATTACKED)
def test_the_attack_is_the_first_transaction_and_an_alarm(name: str) -> None:
    found = mined(name).specification.surprise.transactions
    assert found is not None
    first = found.ranked[0]
    assert first.transaction in marked(name)
    assert first.flagged
    assert mined(name).specification.surprise.interactions[0].flagged
    assert len(first.evidence) >= 2
    assert max(first.evidence.values()) <= max(first.families.values()) + 0.01
    assert first.score is not None
    assert 0 < first.score < sum(first.families.values())
    assert all(reason in first.text for reason in first.reasons)


def test_the_reasons_of_a_re_entrancy_are_named() -> None:
    found = mined("savings").specification.surprise.transactions
    assert found is not None
    first = found.ranked[0]
    assert {"broken", "combination", "nested", "payment"} <= set(first.evidence)
    assert {"calls", "effects", "amounts"} <= set(first.families)
    assert "total = the sum of accounts[].balance" in first.text
    assert "it called close 7 times" in first.text
    assert "while another call of the contract was running" in first.text
    assert "of the ether that was held" in first.text


def test_views_within_a_call_are_seen_though_they_are_no_events() -> None:
    """Read-only re-entrancy: the function is called while another call runs, and changes nothing itself."""
    run = mined("savings")
    calls = run.context.calls
    close = calls.function == calls.functions.index("close")
    context = replace(run.context, calls=replace(calls, read_only=calls.read_only | close))
    assert not context.is_event[close].any()
    measured = measure(run.history, run.interactions, run.tuning)
    nested = next(
        item
        for item in evidence_of(context, run.tuning, measured, ())
        if item.source is EvidenceSource.NESTED
    )
    strange = np.flatnonzero(nested.bits > 5)
    assert {f"0x{run.history.transaction_hash[row].hex()}" for row in strange.tolist()} == marked("savings")
    assert close[nested.case[strange]].all()


def test_what_changed_in_one_transaction_alone_breaks_that_it_never_changes() -> None:
    spec = mined("escrow").specification
    claim = next(item for item in spec.invariants if item.text == "fee never changes after the deployment")
    assert claim.support >= 20
    assert len(claim.broken_by) == 1
    run = mined("escrow")
    hashes = [f"0x{item.hex()}" for item in run.history.transaction_hash]
    found = run.ranked_transactions.describe(hashes.index(claim.broken_by[0]))
    assert found is not None
    assert "never changes after the deployment" in found.text
    assert found.evidence["broken"] < 4, "it held only because nobody called what breaks it"
    assert "combination" not in found.evidence, "one call alone is no combination"
    assert not found.flagged


@given(st.lists(st.floats(0, 40), min_size=1, max_size=200))
def test_no_source_says_more_than_its_history_allows(bits: list[float]) -> None:
    column = np.array(bits)
    found = bound_bits(column, np.ones(len(column), dtype=np.bool_), np.arange(len(column)))
    assert np.all(found <= column)
    assert np.all(found <= np.log2(2 * len(column)) + 1e-9)
    for level in (1, 3, 5, 7):
        assert np.sum(found > level) <= len(column) / 2**level + 1


def test_what_many_transactions_have_is_no_evidence() -> None:
    column = np.array([20.0] * 50 + [0.0] * 50)
    assert bound_bits(column, np.ones(100, dtype=np.bool_), np.arange(100)).max() < 1.1


calls = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=60)


@given(calls)
def test_newcomers_are_those_that_never_called_before(given_calls: list[tuple[int, int]]) -> None:
    of = np.array([item[0] for item in given_calls], dtype=np.int64)
    sender = np.array([item[1] for item in given_calls], dtype=np.int64)
    new, before, callers = first_times(of, sender)
    for row, (function, who) in enumerate(given_calls):
        earlier = [item for item in given_calls[:row] if item[0] == function]
        assert new[row] == ((function, who) not in earlier)
        assert before[row] == len(earlier)
        assert callers[row] == len(set(earlier))
        if callers[row] == 1:
            owner = earlier[0][1]
            others = {item[0] for item in given_calls[:row] if item[1] != owner}
            expected = sum(item[0] not in others for item in given_calls[:row])
            assert _alone(of[:row], sender[:row], function) == expected


def test_a_payment_far_above_all_others_is_improbable_and_equal_ones_are_not() -> None:
    usual = np.random.default_rng(0).lognormal(0, 0.5, 100)
    bits = tail_bits(np.append(usual, 50.0))
    assert bits[-1] == bits.max() > 8
    assert np.median(bits) == 0
    assert tail_bits(np.ones(100)).max() == 0
    assert tail_bits(np.append(np.ones(5), 1e9)).max() == 0, "too few to tell what is usual"


def test_what_is_held_is_what_came_less_what_left() -> None:
    run = mined("savings")
    taken = payouts(run.history)
    assert np.all(taken.amount <= taken.holdings * (1 + 1e-6))
    shares = taken.share[~np.isnan(taken.share)]
    assert np.all((shares >= 0) & (shares <= 1))
    unseen = replace(run.history, invocation_value=np.zeros_like(run.history.invocation_value))
    zero = replace(unseen, words=(0, *run.history.words[1:]))
    assert np.isnan(payouts(zero).holdings).all(), "more left than ever came: what was held is not known"


@pytest.mark.parametrize("name", ["savings", "governance"])
def test_each_call_is_judged_or_said_not_to_be(name: str) -> None:
    run = mined(name)
    found = run.specification.surprise
    assert found.unjudged == count_unjudged(run.context)
    judged = run.history.accepted & ~run.context.is_constructor & ~run.context.is_in_vain
    missed = sum(item.calls for item in found.unjudged or ())
    assert missed + int(judged.sum()) == len(run.history)
    shown = " ".join(summary(run.specification, width=200).split())
    assert f"Never judged: {missed:,} calls, because" in shown
    assert unjudged_sentence(replace(found, unjudged=())) == ""
    assert unjudged_sentence(replace(found, unjudged=None)) == ""


def test_few_transactions_are_said_not_to_calibrate_a_threshold() -> None:
    measured = SurprisingTransactions(threshold=8.4, flagged=0, of=90, rate=0.003, calibrated=False)
    lead, _ = transaction_sentences(Surprise(transactions=measured), 3)
    assert "too few to calibrate" in lead
    assert "takes 334" in lead
    enough = replace(measured, of=400, calibrated=True)
    assert "too few" not in transaction_sentences(Surprise(transactions=enough), 3)[0]
    assert transaction_sentences(Surprise(), 3) == ("", [])


def test_the_ranking_is_kept_in_the_document() -> None:
    spec = mined("savings").specification
    again = decode_specification(encode_specification(spec))
    assert again.surprise.transactions == spec.surprise.transactions
    assert again.surprise.unjudged == spec.surprise.unjudged


def test_hardly_a_benign_transaction_is_an_alarm() -> None:
    alarms = total = 0
    for name in ("auction_house", "escrow", "token", "governance", "loans"):
        found = mined(name).specification.surprise.transactions
        assert found is not None
        assert found.flagged is not None
        assert found.of is not None
        assert found.flagged <= 2
        alarms, total = alarms + found.flagged, total + found.of
    assert alarms <= 0.003 * total
