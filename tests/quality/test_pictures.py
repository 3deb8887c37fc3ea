"""What a reader of the contract would draw, written down beforehand: the states of the default automaton."""

from __future__ import annotations

import pytest

from specminer.pipeline import MineOptions, mine
from specminer.store import TraceStore
from tests.support.mined import mined
from tests.support.real import RealDatabase

EXPECTED = {
    "auction_house": {
        "phase open, highest bid = 0, end time not reached",
        "phase open, highest bid > 0, end time not reached",
        "phase open, end time reached",
        "phase settled",
        "phase cancelled",
    },
    "channel": {
        "deposit > 0, closing time not set",
        "closing time set, closing at not reached",
        "closing at reached",
        "deposit = 0",
    },
    "escrow": {
        "status funded, deadline not reached",
        "status shipped, deadline not reached",
        "status paid",
        "status refunded",
        "status funded, deadline reached",
        "status disputed",
        "status shipped, deadline reached",
    },
    "governance": {
        "stage = 1, vote end not reached",
        "stage = 1, vote end reached",
        "stage = 2",
        "stage = 3",
        "stage = 4",
    },
    "names": {
        "has holder, not locked, paid until not reached",
        "locked, paid until not reached",
        "not locked, paid until reached, paid until + 30 days not reached",
        "locked, paid until reached, paid until + 30 days not reached",
        "paid until + 30 days reached",
        "no holder",
    },
    "nft_market": {
        "has owner, no seller, nobody approved",
        "has seller, nobody approved",
        "somebody approved",
        "nobody's",
    },
    "savings": {
        "deposits = 0, open",
        "balance > 0, available from not reached",
        "balance > 0, available from reached",
        "balance = 0, available from reached",
        "not open",
    },
    "tender": {
        "stage published, bids = 0, bid until not reached",
        "bids > 0, bid until not reached",
        "stage published, bids > 0, bid until reached",
        "stage awarded",
        "stage delivered",
        "stage accepted",
        "stage paid",
        "stage published, bids = 0, bid until reached",
        "stage withdrawn",
    },
}
"""Of a dataset, the states behind the beginning; deadlines that were reached tell some of them apart."""

MAINNET = {
    "CryptoLandmarks": {"owned by the contract", "owned by a user, price = max price", "price ≠ max price"},
    "GetTheHorse": {  # a horse that gave birth rests until its next action, as the code demands
        "price = 0, not for sale, next action at not reached",
        "price = 0, next action at reached",
        "for sale, next action at not reached",
        "for sale, next action at reached",
        "price > 0, not for sale, next action at not reached",
        "price > 0, not for sale, next action at reached",
    },
    "ArkToken": {"mates = 0, price = last price", "mates > 0, price = last price", "price ≠ last price"},
    "MobSquads": {
        "owned by the contract",
        "dazed exipry time not set, owned by a user",
        "dazed exipry time set",
    },
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_states_of_a_dataset_are_those_that_a_reader_expects(name: str) -> None:
    states = mined(name).specification.states
    assert {state.name for state in states} == {"start", *EXPECTED[name]}


@pytest.mark.parametrize("name", ["loans", "lottery", "single_auction", "token", "vaults"])
def test_the_others_have_few_states_and_no_history(name: str) -> None:
    specification = mined(name).specification
    assert 3 <= len(specification.states) <= 9, "the beginning, and eight that are drawn"
    assert not specification.abstraction.used_history


@pytest.mark.parametrize("name", sorted(MAINNET))
def test_the_states_of_a_mainnet_history(name: str, real_database: RealDatabase) -> None:
    with TraceStore(str(real_database(name))) as store:
        contract = store.contracts()[0]
        history = store.history(contract.chain_id, [contract.address])
    run = mine(history, MineOptions())
    specification = run.specification
    assert {state.name for state in specification.states} == {"start", *MAINNET[name]}
    assert not specification.abstraction.used_history
    assert not run.tuning.splits
