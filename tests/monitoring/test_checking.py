"""Transactions judged by a specification of what was before them: benign ones fit, attacks and changed ones do not."""

from __future__ import annotations

import json
import random
from functools import cache

import pytest

from benchmarks.checking import WAYS, Recording, changed, history_of, is_valid, mined, recording_of
from specminer import CheckOptions, CheckResult, StoreError, UsageError, check
from specminer.pipeline.checking import check_history
from specminer.specification.deviation import Basis, Severity
from tests.support.cut_datasets import recording, specification

DATASETS = ("auction_house", "savings", "vaults")


@cache
def checked(name: str) -> CheckResult:
    return check_history(specification(name), history_of(recording(name), recording(name).transactions))


@pytest.mark.parametrize("name", DATASETS)
def test_what_is_benign_breaks_nothing(name: str) -> None:
    planted = recording(name).planted
    broken = [
        item.sentence
        for item in checked(name).at_least(Severity.BROKEN)
        if item.where.transaction not in planted
    ]
    assert checked(name).events > 100
    assert not broken


@pytest.mark.parametrize("name", ["savings", "vaults"])
def test_a_planted_attack_is_found(name: str) -> None:
    found = {item.where.transaction for item in checked(name).at_least(Severity.UNKNOWN)}
    assert recording(name).planted <= found


@pytest.mark.parametrize("way", WAYS)
def test_a_changed_transaction_is_found(way: str) -> None:
    name = "auction_house"
    lines, touched = changed(recording(name), way, random.Random(7))
    history = history_of(recording(name), lines)
    result = check_history(specification(name), history)
    found = {item.where.transaction for item in result.at_least(Severity.UNKNOWN)}
    missed = [hashes for hashes in touched if not hashes & found and not is_valid(history, hashes)]
    assert len(touched) > 10
    assert not missed


def test_a_finding_tells_what_the_specification_says_and_the_values_that_met() -> None:
    name = "auction_house"
    lines, _ = changed(recording(name), "sender", random.Random(7))
    result = check_history(specification(name), history_of(recording(name), lines))
    guards = [item for item in result.findings if item.basis is Basis.GUARD]
    assert guards
    for item in guards:
        assert item.severity is Severity.BROKEN
        assert item.claim in item.sentence
        assert item.values
        assert all(f"{symbol} = {value}" in item.sentence for symbol, value in item.values.items())


def test_without_code_only_what_was_learned_tells() -> None:
    bare = recording_of("auction_house", with_code=False)
    lines, touched = changed(bare, "order", random.Random(7))
    result = check_history(mined(bare), history_of(bare, lines))
    found = {item.where.transaction for item in result.at_least(Severity.UNKNOWN)}
    assert sum(bool(hashes & found) for hashes in touched) >= 0.9 * len(touched)
    assert any("not known" in reason for reason in result.unjudged)


def test_a_history_is_judged_behind_the_specifications_last_block() -> None:
    own = recording("auction_house")
    result = checked("auction_house")
    assert result.first_block is not None
    assert result.first_block > own.cut
    assert {item.where.block for item in result.findings} <= set(
        range(result.first_block, (result.last_block or 0) + 1)
    )


def test_blocks_and_transactions_can_be_chosen() -> None:
    own = recording("auction_house")
    history = history_of(own, own.transactions)
    some = own.transactions[-3]
    alone = check_history(
        specification("auction_house"),
        history,
        CheckOptions(transactions=(some["hash"].upper().replace("0X", "0x"),)),
    )
    assert (alone.transactions, alone.first_block) == (1, some["block"]["number"])
    early = check_history(
        specification("auction_house"), history, CheckOptions(first_block=0, last_block=own.cut)
    )
    assert early.last_block == own.cut
    assert not early.at_least(Severity.UNKNOWN), "what it was mined from fits"


@pytest.mark.parametrize(
    ("given", "told", "error"),
    [
        ("0x12", "64 hexadecimal digits", UsageError),
        ("0x" + "ab" * 32, "does not hold", StoreError),
    ],
)
def test_a_transaction_that_is_none(given: str, told: str, error: type[Exception]) -> None:
    own = recording("auction_house")
    with pytest.raises(error, match=told):
        check_history(
            specification("auction_house"),
            history_of(own, own.transactions),
            CheckOptions(transactions=(given,)),
        )


def test_another_contract_of_the_same_code_is_judged_whole() -> None:
    own = recording("auction_house")
    moved = json.loads(
        json.dumps([own.headers[0], *own.transactions]).replace(
            own.headers[0]["contract"]["address"][2:], "11" * 20
        )
    )
    other = Recording(
        name="moved",
        headers=[moved[0]],
        transactions=[line | {"hash": f"0x{number:064x}"} for number, line in enumerate(moved[1:], 1)],
        cut=own.cut,
        planted=frozenset(),
    )
    result = check_history(specification("auction_house"), history_of(other, other.transactions))
    assert result.transactions == len(own.transactions)
    assert not result.at_least(Severity.BROKEN)


def test_the_library_takes_files_and_datasets() -> None:
    result = check(specification("auction_house"), "auction_house")
    assert result.findings == checked("auction_house").findings
