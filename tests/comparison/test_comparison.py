"""Two specifications compared: what was changed is named first, and chance is no difference."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.changed_contracts import (
    DEEDS_SOURCE,
    DEEDS_VERSIONS,
    MARKET_SOURCE,
    MARKET_VERSIONS,
    play_deeds,
    play_market,
)
from benchmarks.changed_versions import Version
from benchmarks.recorded_chain import USERS
from specminer import UsageError, diff, diff_at, mine, select
from specminer._support.addresses import checksum_address
from specminer.comparison.chance import beyond_chance, fisher
from specminer.comparison.difference import Change, Comparison, Ground, Subject
from specminer.history.trace import Address
from specminer.pipeline.comparing import ComparedHistory, compare_histories, compare_parts
from specminer.pipeline.mining import mine as mine_history
from specminer.pipeline.selecting import SelectionOptions
from specminer.pipeline.state import MineOptions
from specminer.presentation.comparison_page import comparison_html, comparison_markdown
from specminer.presentation.joint_picture import joint_dot
from tests.support.specifications import auction, edge, specification, states

SEED = 11
CALLS = 500


@cache
def market() -> ComparedHistory:
    history, artifact = play_market(MARKET_SOURCE, SEED, CALLS)
    return ComparedHistory(history=history, artifact=artifact)


@pytest.mark.parametrize("version", MARKET_VERSIONS, ids=lambda version: version.name)
def test_a_change_of_the_contract_is_named_first(version: Version) -> None:
    history, artifact = play_market(MARKET_SOURCE.replace(version.old, version.new), SEED, CALLS)
    compared, _ = compare_histories(market(), ComparedHistory(history=history, artifact=artifact))
    first = compared.differences[0]
    assert version.told(first), [item.sentence for item in compared.differences]
    if first.subject is Subject.GUARD and first.change is not Change.ORDER:
        assert first.example


KINDS = ("a wrong comparison", "an approval")
"""What is known from few accepted calls, and what made no difference that anybody saw."""


@cache
def deeds() -> ComparedHistory:
    history, artifact = play_deeds(DEEDS_SOURCE, 0, 600)
    return ComparedHistory(history=history, artifact=artifact)


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(item, id=item.name, marks=() if item.name.startswith(KINDS) else pytest.mark.slow)
        for item in DEEDS_VERSIONS
    ],
)
def test_other_kinds_of_changes_are_named_first(version: Version) -> None:
    source = DEEDS_SOURCE.replace(version.old, version.new)
    history, artifact = play_deeds(source, 0, 600)
    compared, _ = compare_histories(deeds(), ComparedHistory(history=history, artifact=artifact))
    assert version.told(compared.differences[0]), [item.sentence for item in compared.differences]


@cache
def other_owner() -> ComparedHistory:
    given = f'owner = address(bytes20(hex"{USERS[1]:040x}"));'
    source = MARKET_SOURCE.replace("owner = msg.sender;", given)
    history, artifact = play_market(source, SEED, CALLS, USERS[1])
    return ComparedHistory(history=history, artifact=artifact)


def test_other_callers_and_a_role_that_passed_on_are_told() -> None:
    compared, _ = compare_histories(market(), other_owner())
    told = {item.scope: item for item in compared.differences if item.subject is Subject.ACTOR}
    one, two = (checksum_address(Address(user.to_bytes(20, "big"))) for user in USERS[:2])
    assert {"setFee", "setPaused", "owner"} == set(told)
    assert told["owner"].sentence == f"owner is {two}, and was {one} before"
    assert one in told["setFee"].before
    assert two in told["setFee"].after
    assert told["setFee"].ground is Ground.DATA
    picture = joint_dot(compared)
    assert f"by {two[:6]}…{two[-4:]}" in picture
    assert "by: other callers" in picture
    page, markdown = comparison_html(compared), comparison_markdown(compared)
    for item in told.values():
        assert item.sentence in page
        assert item.sentence in markdown


def test_documents_alone_tell_whose_role_passed_on() -> None:
    documents = [
        ComparedHistory(
            specification=mine_history(item.history, MineOptions(), artifact=item.artifact).specification
        )
        for item in (market(), other_owner())
        if item.history is not None
    ]
    compared, _ = compare_histories(*documents)
    told = {item.scope for item in compared.differences if item.subject is Subject.ACTOR}
    assert {"setFee", "owner"} <= told


def test_the_same_contract_called_otherwise_has_the_same_code() -> None:
    history, artifact = play_market(MARKET_SOURCE, SEED + 1, CALLS)
    compared, _ = compare_histories(market(), ComparedHistory(history=history, artifact=artifact))
    assert [item.sentence for item in compared.differences if item.ground is Ground.CODE] == []


def test_a_history_is_the_same_as_itself() -> None:
    compared, _ = compare_histories(market(), market())
    assert compared.differences == ()
    assert all(item.before is not None and item.after is not None for item in compared.transitions)


def test_the_upgraded_contract_is_cut_at_its_upgrade() -> None:
    compared = diff_at("loans")
    first = compared.differences[0]
    assert (first.subject, first.scope, first.ground) == (Subject.GUARD, "repay", Ground.CODE)
    added = {item.scope for item in compared.differences if item.subject is Subject.FUNCTION}
    assert added == {"askExtension", "grantExtension"}


@pytest.mark.parametrize("name", ["auction_house", "names", "token"])
def test_what_is_cut_at_random_does_not_differ(name: str) -> None:
    history = select(None, SelectionOptions(targets=(name,))).history
    blocks = sorted(set(history.transaction_block.tolist()))
    block = random.Random(SEED).choice(blocks[len(blocks) // 4 : 3 * len(blocks) // 4])
    compared, _ = compare_parts(history, block)
    assert [item.sentence for item in compared.differences] == []
    drift = [reason for reason in compared.uncompared if "other cuts" in reason]
    assert bool(drift) is (name != "auction_house")


@pytest.mark.parametrize("block", [0, 10**9])
def test_both_parts_hold_something(block: int) -> None:
    with pytest.raises(UsageError, match="the history goes from block"):
        diff_at("auction_house", block)


def test_without_an_upgrade_the_block_has_to_be_given() -> None:
    with pytest.raises(UsageError, match="--at BLOCK"):
        diff_at("auction_house")


def test_a_document_is_compared_with_a_history() -> None:
    known = mine("escrow").specification
    compared = diff(known, "escrow")
    assert [item.sentence for item in compared.differences] == []


def _compared_counts(before: int, after: int) -> Comparison:
    one, two = (
        specification(
            "made",
            states(3),
            tuple(
                replace(edge(0, event, target, times), interaction_count=times, reached=100)
                for event, target, times in (("f", 1, count), ("g", 2, 100 - count))
                if times
            ),
        )
        for count in (before, after)
    )
    return diff(one, two)


@pytest.mark.parametrize(("before", "after", "told"), [(50, 55, False), (50, 95, True), (0, 100, True)])
def test_counts_differ_by_more_than_chance(before: int, after: int, told: bool) -> None:
    assert bool(_compared_counts(before, after).differences) is told


def test_documents_alone_say_what_could_not_be_compared() -> None:
    compared = diff(auction(), specification("made", states(2), (edge(0, "f", 1, 9),)))
    assert isinstance(compared, Comparison)
    assert compared.states[0].id == 0


def _exact(hits: int, trials: int, other_hits: int, other_trials: int) -> Fraction:
    """Return the share of all ways to draw the same number of hits that are no more likely, in whole numbers."""
    both = hits + other_hits
    ways = {
        count: comb(trials, count) * comb(other_trials, both - count)
        for count in range(max(0, both - other_trials), min(both, trials) + 1)
    }
    return Fraction(sum(way for way in ways.values() if way <= ways[hits]), sum(ways.values()))


@given(trials=st.integers(0, 40), other_trials=st.integers(0, 40), data=st.data())
def test_the_exact_test_of_fisher(trials: int, other_trials: int, data: st.DataObject) -> None:
    table = data.draw(st.integers(0, trials)), trials, data.draw(st.integers(0, other_trials)), other_trials
    assert fisher(*table) == pytest.approx(float(_exact(*table)), rel=1e-6)


def test_tea() -> None:
    """Fisher's lady tasting tea: three of four cups of one kind, one of the other."""
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)


def test_many_tests_together_are_judged_more_strictly() -> None:
    assert beyond_chance([0.009]) == [True]
    assert beyond_chance([0.009, 0.5]) == [False, False]
    assert beyond_chance([0.004, 0.009]) == [True, True]
    assert beyond_chance([]) == []
    with pytest.raises(ValueError, match="expected hits within trials"):
        fisher(3, 2, 0, 1)
