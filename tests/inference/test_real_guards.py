"""The guards of real contracts are those of their sources; the real histories are no part of the project."""

from __future__ import annotations

from functools import cache

import pytest

from specminer.pipeline.mining import MiningResult, mine
from specminer.pipeline.state import MineOptions
from specminer.specification import GuardKind, Proof
from specminer.store import TraceStore
from tests.support.real import RealDatabase

SOURCES = {
    ("CryptoLandmarks", "purchase"): {
        "value >= price",
        "owner != sender",
    },
    ("CryptoLandmarks", "changePrice"): {
        "_price <= maxPrice",
        "owner = sender",
    },
    ("MobSquads", "purchase"): {
        "value >= price",
        "owner != sender",
    },
    ("MobSquads", "hitMobster"): {"mobsterIndexToOwner[_hitter] = sender"},
    ("ArkToken", "buyToken"): {
        "value >= price",
        "arkData[_tokenId].owner != sender",
    },
}
"""What the sources require and the histories exercise, by contract and function.

The key of the interaction's own entity goes without saying; ``buyToken`` of ArkToken looks at the contract's own
``owner``, too.
"""


@cache
def mined(database: RealDatabase, name: str) -> MiningResult:
    with TraceStore(str(database(name))) as store:
        record = store.contracts()[0]
        history = store.history(record.chain_id, [record.address])
    return mine(history, MineOptions())


@pytest.mark.parametrize(("contract", "function"), SOURCES)
def test_a_guard_is_what_the_source_requires(
    real_database: RealDatabase, contract: str, function: str
) -> None:
    guards = mined(real_database, contract).specification.guards
    (guard,) = [item for item in guards if (item.scope, item.kind) == (function, GuardKind.REQUIRED)]

    assert {part.text for part in guard.conditions} >= SOURCES[contract, function]
    assert guard.exceptions == 0
    assert guard.explained >= 0.95 * guard.rejected
    assert guard.proved is Proof.YES


@pytest.mark.parametrize("contract", sorted({contract for contract, _ in SOURCES}))
def test_what_is_learned_first_refuses_nothing_later(real_database: RealDatabase, contract: str) -> None:
    guards = mined(real_database, contract).specification.guards
    tested = [guard.held_out for guard in guards if guard.held_out]

    assert tested
    assert sum(held.refused for held in tested) == 0
