"""An ABI of another contract names nothing, and is told from one that lacks a few functions."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from specminer.contracts.artifact import Artifact, load
from specminer.contracts.common_functions import common_functions
from specminer.history.contract_history import History
from specminer.pipeline import MineOptions, import_traces, mine
from specminer.pipeline.datasets import dataset
from specminer.store import TraceStore

HOUSE = Path(__file__).parent.parent.parent / "datasets" / "auction_house" / "artifact.json"


@pytest.fixture(scope="module")
def history() -> History:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset("auction_house").traces)
        return store.history(record.chain_id, [record.address])


def without(*functions: str) -> Artifact:
    """Return the house's artifact without some functions."""
    house = load(HOUSE)
    kept = tuple(entry for entry in house.abi if entry.name not in functions)
    return Artifact(name="Other", abi=kept, storage_layout=house.storage_layout)


CALLED = ("bid", "cancel", "create", "pause", "setFee", "settle", "unpause", "withdraw")


def test_an_abi_that_knows_no_call_is_not_used(history: History) -> None:
    spec = mine(history, MineOptions(), artifact=without(*CALLED)).specification
    assert spec.name != "Other"
    assert any("knows none of the selectors" in text for text in spec.history.limits)
    assert "selector" in spec.history.names
    assert "no storage layout" in spec.history.names
    named = {edge.function for edge in spec.transitions if not edge.function.startswith("0x")}
    assert named <= {item.name for item in common_functions().values()} | {"constructor"}
    assert not named & {"bid", "settle", "setFee"}


def test_an_abi_that_knows_few_calls_is_doubted(history: History) -> None:
    spec = mine(history, MineOptions(), artifact=without("bid", "withdraw", "settle")).specification
    assert spec.name == "Other"
    assert any("knows only" in text for text in spec.history.limits)


def test_an_abi_that_lacks_little_is_not_doubted(history: History) -> None:
    spec = mine(history, MineOptions(), artifact=without("setFee")).specification
    assert not spec.history.limits
    assert any(name.startswith("0x") for name in spec.interactions.outside)


def test_the_stored_artifact_is_the_default(history: History) -> None:
    stored = history.contracts[0].artifact
    assert stored is not None
    assert msgspec.json.decode(stored)["contractName"] == "AuctionHouse"
    assert mine(history, MineOptions()).specification.name == "AuctionHouse"
