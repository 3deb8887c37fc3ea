"""Real histories are benign as far as anybody knows: less than 0.5 % of their interactions are alarming."""

from __future__ import annotations

import pytest

from specminer.pipeline import MineOptions, mine
from specminer.specification import Surprise
from specminer.store import TraceStore
from tests.support.real import AZURE, MAINNET, RealDatabase

SHARE = 0.005


def surprise_of(real_database: RealDatabase, name: str) -> Surprise:
    """Return what stands out in one history; many instances of a contract are mined together."""
    with TraceStore(str(real_database(name))) as store:
        contracts = store.contracts()
        history = store.history(contracts[0].chain_id, [item.address for item in contracts])
    return mine(history, MineOptions()).specification.surprise


@pytest.fixture(scope="module")
def found(real_database: RealDatabase) -> dict[str, Surprise]:
    return {name: surprise_of(real_database, name) for name in (*MAINNET, *AZURE)}


def test_of_all_interactions_few_are_alarming(found: dict[str, Surprise]) -> None:
    counts = {name: (surprise.flagged or 0, surprise.of or 0) for name, surprise in found.items()}
    for name, (flagged, total) in counts.items():
        assert flagged <= max(1, SHARE * total), name
    flagged, total = (sum(column) for column in zip(*counts.values(), strict=True))
    assert total > 1_000
    assert flagged < SHARE * total


def test_of_interactions_that_the_threshold_never_saw_few_are_alarming(
    found: dict[str, Surprise],
) -> None:
    held_out = [surprise.held_out for surprise in found.values() if surprise.held_out]
    flagged, total = sum(item.flagged for item in held_out), sum(item.of for item in held_out)
    assert total > 300
    assert flagged < SHARE * total


def test_of_all_transactions_few_are_alarming(found: dict[str, Surprise]) -> None:
    ranked = [surprise.transactions for surprise in found.values() if surprise.transactions]
    assert len(ranked) == len(found)
    flagged, total = sum(item.flagged or 0 for item in ranked), sum(item.of or 0 for item in ranked)
    assert total > 5_000
    assert flagged < 0.003 * total
