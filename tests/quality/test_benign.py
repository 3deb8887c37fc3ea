"""Real histories are benign as far as anybody knows: less than 0.5 % of their interactions are alarming."""

from __future__ import annotations

from typing import Any

import pytest

from specminer.pipeline import MineOptions, mine
from specminer.store import TraceStore
from tests.support.real import AZURE, MAINNET, RealDatabase

SHARE = 0.005


def surprise_of(real_database: RealDatabase, name: str) -> dict[str, Any]:
    """Return what stands out in one history; many instances of a contract are mined together."""
    with TraceStore(str(real_database(name))) as store:
        contracts = store.contracts()
        history = store.history(contracts[0].chain_id, [item.address for item in contracts])
    return mine(history, MineOptions()).specification.surprise


@pytest.fixture(scope="module")
def found(real_database: RealDatabase) -> dict[str, dict[str, Any]]:
    return {name: surprise_of(real_database, name) for name in (*MAINNET, *AZURE)}


def test_of_all_interactions_few_are_alarming(found: dict[str, dict[str, Any]]) -> None:
    for name, told in found.items():
        assert told["flagged"] <= max(1, SHARE * told["of"]), name
    flagged, total = (sum(told[key] for told in found.values()) for key in ("flagged", "of"))
    assert total > 1_000
    assert flagged < SHARE * total


def test_of_interactions_that_the_threshold_never_saw_few_are_alarming(
    found: dict[str, dict[str, Any]],
) -> None:
    held_out = [told["held_out"] for told in found.values()]
    flagged, total = (sum(told[key] for told in held_out) for key in ("flagged", "of"))
    assert total > 300
    assert flagged < SHARE * total
