"""On real histories the chosen entity is the one that a reader of the ABI would name."""

from __future__ import annotations

import pytest

from specminer.interaction import Mode
from specminer.interaction.independence_replay import replay_sample
from specminer.interaction.races import races
from specminer.interaction.rejections import RejectionValue, rejections
from specminer.pipeline import InspectedSplit, inspect
from specminer.store import TraceStore
from tests.support.real import AZURE, RealDatabase

ENTITIES = {
    "GetTheHorse": ("_tokenId", Mode.PROJECTION, "stallionWith"),
    "CryptoLandmarks": ("_tokenId", Mode.PARTITION, "purchase"),
    "MobSquads": ("_tokenId", Mode.PROJECTION, "hitMobster"),
    "ArkToken": ("_tokenId", Mode.PROJECTION, "buyToken"),
}


def inspected(database: RealDatabase, name: str) -> InspectedSplit:
    with TraceStore(str(database(name))) as store:
        listed = store.contracts()
        return inspect(store.history(listed[0].chain_id, [item.address for item in listed]))


@pytest.mark.parametrize("name", ENTITIES)
def test_the_entity_is_the_token(real_database: RealDatabase, name: str) -> None:
    found = inspected(real_database, name)
    sort, mode, function = ENTITIES[name]
    assert found.interactions.sort is not None
    assert (found.interactions.sort.name, found.interactions.mode) == (sort, mode)
    best, *others = found.analysis.assessments
    assert all(best.score.value > 1.5 * other.score.value for other in others), "the choice is not close"
    assert best.score.coverage > 0.95
    called = found.context.calls
    own = found.interactions.invocation[~found.interactions.passive]
    assert called.functions.index(function) in called.function[own]
    judged = rejections(found.context, found.interactions)
    assert judged.attached >= 0.95 * (judged.attached + judged.loose)


def test_a_horse_is_in_a_breeding_by_its_role(real_database: RealDatabase) -> None:
    found = inspected(real_database, "GetTheHorse")
    assert {"_mareId", "_stallionId", "new"} <= set(found.interactions.roles)


def test_landmarks_are_raced_for_and_stand_alone(real_database: RealDatabase) -> None:
    found = inspected(real_database, "CryptoLandmarks")
    context = found.context
    assert len(found.interactions.names) == 98
    told = [race for race in races(context, found.interactions) if race.block == 5_053_844]
    assert [(found.interactions.names[race.interaction], race.lost) for race in told] == [
        ("_tokenId=0", True)
    ]
    verdicts = {item.function: item.verdict for item in rejections(context, found.interactions).functions}
    assert verdicts == {"purchase": RejectionValue.GUARD, "changePrice": RejectionValue.GUARD}
    alone = replay_sample(context, found.interactions)
    assert alone is not None
    assert alone.calls > 100
    assert alone.share == 1


@pytest.mark.parametrize("name", AZURE)
def test_instances_are_the_interactions_of_a_family(real_database: RealDatabase, name: str) -> None:
    found = inspected(real_database, name)
    assert found.interactions.mode is Mode.INSTANCE
    assert len(found.interactions.names) == 100
