"""Real histories, no layout, only the ABI: every access is resolved, and what has a getter carries its name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specminer.contracts.artifact import parse
from specminer.decoding import HistoryContext, decode
from specminer.decoding.slot_resolution import locate
from specminer.history.contract_history import History
from specminer.store import TraceStore
from tests.support.real import AZURE, MAINNET, RealDatabase

RESOLVED = 0.999
NAMES = {
    "ArkToken": {"arkData[].price", "arkData[].owner", "ownerOf[]", "babies[]", "mates[]", "babyMommas[][]"},
    "CryptoLandmarks": {
        "landmarks[].price",
        "landmarks[].name",
        "landmarkToOwner[]",
        "landmarks.length",
        "owner",
    },
    "GetTheHorse": {"horseIndexPrice[]", "horseOwnerIndex[]", "horse[].generation", "sterile[]", "dna1[]"},
    "MobSquads": {"priceOf[]", "mobsterIndexToOwner[]", "mobster[].state", "gangHits[]", "hitPrice"},
    "BasicProvenance": {"State", "Counterparty", "SupplyChainOwner"},
    "DigitalLocker": {"State", "LockerStatus", "Owner", "CurrentAuthorizedUser"},
    "HelloBlockchain": {"State", "Requestor", "RequestMessage", "ResponseMessage"},
    "RoomThermostat": {"State", "TargetTemperature", "Mode"},
    "SimpleMarketplace": {"State", "AskingPrice", "OfferPrice", "InstanceOwner"},
}


def history_of(real_database: RealDatabase, name: str) -> History:
    with TraceStore(str(real_database(name))) as store:
        contracts = store.contracts()
        return store.history(contracts[0].chain_id, [item.address for item in contracts])


def names_of(found: HistoryContext) -> set[str]:
    variables = found.locations.variables
    return {item.text(field=at) for item in variables for at in range(len(item.fields))}


@pytest.mark.parametrize("name", [*MAINNET, *AZURE])
def test_variables_carry_their_getters_names(real_database: RealDatabase, name: str) -> None:
    history = history_of(real_database, name)
    artifact = history.contracts[0].artifact
    assert artifact is not None
    found = decode(history, parse(artifact, name))
    assert not found.layout_used
    assert found.coverage.resolved_share >= RESOLVED
    assert found.coverage.named_share >= 0.9
    assert NAMES[name] <= names_of(found)


@pytest.mark.parametrize("name", MAINNET)
def test_trying_finds_what_the_hashes_say(real_database: RealDatabase, name: str) -> None:
    history = history_of(real_database, name)
    told, tried = locate(history), locate(replace(history, preimages={}))
    rows = range(len(told.variable))
    assert [told.text(row) for row in rows] == [tried.text(row) for row in rows]
