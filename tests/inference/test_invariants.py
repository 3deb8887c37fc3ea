"""Invariants: what the sources say is found, counted rightly, and what breaks it is named."""

from __future__ import annotations

import pytest

from specminer._support.statistics import wilson
from specminer.inference.state_invariants import comes_by_chance
from specminer.specification import InvariantEntry, Template
from tests.support.mined import marked, mined

EXPECTED = {
    "savings": {
        "total = the sum of accounts[].balance",
        "accountsOpen = the number of accounts[].isOpen that are not zero",
        "deposit: accounts[sender].balance' = accounts[sender].balance + value",
        "deposit: accounts[sender].availableFrom' = now + 86400",
        "withdraw: total' = total - amount",
        "close: accounts[sender].balance' = 0",
        "owner never changes after the deployment",
        "accounts[k].balance is changed only by calls of k",
    },
    "vaults": {
        "totalBalance = the sum of vaults[].balance",
        "vaults[k].received = the sum of contributions[k][]",
        "vaults[].owner is set once and never changed after",
        "vaults[].received never decreases",
        "vaultCount changes only by growing by 1",
        "initialize: vaults[vaultId].guardian' = guardian",
        "before initialize: vaults[·].stage = Created",
        "vaults[·].received >= vaults[·].balance",
    },
    "tender": {
        "jobs[k].bids = the number of offers[k][] that are not zero",
        "publish: jobs[·].bidUntil' = now + seconds_",
        "publish: jobs[·].customer' = sender",
        "bid: offers[jobId][sender]' = price",
        "before pay: jobs[·].stage = Accepted",
        "jobs[·].budget >= jobs[·].price",
        "jobs[].price is changed only by award",
    },
    "token": {
        "totalSupply = the sum of balanceOf[]",
        "transfer keeps the sum of balanceOf[]",
        "transfer: balanceOf[_to]' = balanceOf[_to] + _value",
        "transfer: balanceOf[sender]' = balanceOf[sender] - _value",
        "approve: allowance[sender][_spender]' = _value",
        "mint: totalSupply' = totalSupply + _amount",
    },
}


def found(name: str) -> dict[str, InvariantEntry]:
    return {item.text: item for item in mined(name).specification.invariants}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_the_source_says_is_found(name: str) -> None:
    assert EXPECTED[name] - found(name).keys() == set()


@pytest.mark.parametrize("name", EXPECTED)
def test_each_carries_its_evidence(name: str) -> None:
    items = mined(name).specification.invariants
    assert len({item.text for item in items}) == len(items) <= 300
    for item in items:
        assert item.support >= 10
        assert 0 <= item.exceptions <= item.support / 5
        assert item.interactions is not None
        assert 1 <= item.interactions <= item.support
        assert item.interval == wilson(item.support - item.exceptions, item.support)
        assert item.test is not None
        assert item.test.exceptions <= item.test.support <= item.support
        assert bool(item.broken_by) == bool(item.exceptions)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("savings", "total = the sum of accounts[].balance"),
        ("savings", "accountsOpen = the number of accounts[].isOpen that are not zero"),
        ("vaults", "vaults[].owner is set once and never changed after"),
        ("vaults", "before initialize: vaults[·].stage = Created"),
        ("tender", "before pay: jobs[·].stage = Accepted"),
    ],
)
def test_the_attack_and_nothing_else_breaks_it(name: str, text: str) -> None:
    item = found(name)[text]
    assert item.exceptions == 1
    assert set(item.broken_by) == marked(name)


def test_a_total_is_what_replaying_every_write_gives() -> None:
    run = mined("token")
    history = run.history
    item = found("token")["totalSupply = the sum of balanceOf[]"]
    storage: dict[int, int] = {}
    for access in range(len(history.access_slot)):
        if history.access_write[access] and not history.access_undone[access]:
            storage[history.words[history.access_slot[access]]] = history.words[history.access_after[access]]
    entries: dict[bytes, list[int]] = {}
    for image, data in history.preimages.items():
        if len(data) == 64 and image in storage:
            entries.setdefault(data[32:], []).append(storage[image])
    sums = {sum(values) for values in entries.values()}
    scalars = {value for slot, value in storage.items() if slot < 20 and value > 1 << 60}
    assert item.exceptions == 0
    assert sums & scalars


@pytest.mark.parametrize("name", ["loans", "names", "savings", "tender", "token", "vaults"])
def test_an_exception_is_tolerated_only_where_it_may_be_an_attack(name: str) -> None:
    for text, item in found(name).items():
        share = item.exceptions / item.support
        if item.kind is Template.WRITERS:
            assert not item.exceptions, text
        elif item.kind is Template.STATE:
            assert share <= 0.003, text


def test_all_functions_that_change_a_variable_are_named_however_rarely_they_do() -> None:
    assert "leases[].lastChanges[] is changed only by register, setRecord, transfer" in found("names")


@pytest.mark.parametrize("name", ["escrow", "savings"])
def test_terms_are_smt_lib(name: str) -> None:
    for item in mined(name).specification.invariants:
        if item.smt is not None:
            assert item.smt.count("(") == item.smt.count(")")
            assert item.smt.count("|") % 2 == 0
            assert "\\" not in item.smt


def test_what_holds_almost_everywhere_needs_more_cases_than_what_holds_here_alone() -> None:
    assert comes_by_chance(20, 20, 1_000, 800)
    assert not comes_by_chance(40, 40, 1_000, 800)
    assert not comes_by_chance(10, 10, 1_000, 100)
    assert comes_by_chance(40, 32, 1_000, 800)


def test_what_holds_of_everything_is_not_told_of_a_state() -> None:
    texts = [item.text for item in mined("savings").specification.invariants if item.kind is Template.STATE]
    assert all("total" not in text for text in texts)
    assert len(texts) == len(set(texts))
