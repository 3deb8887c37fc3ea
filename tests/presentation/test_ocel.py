"""Logs of objects: each call once, related to every entity that it is about, in the form that the standard asks for."""

from __future__ import annotations

import json
from typing import Any, Final

import jsonschema
import pytest

from specminer.pipeline.datasets import dataset
from specminer.presentation.eventlog import COLUMNS
from specminer.presentation.ocel import SENDER, to_ocel
from specminer.specification import encode_specification
from tests.support.command import specminer
from tests.support.mined import mined
from tests.support.specifications import HOSTILE_NAMES, auction

_NAMED: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "attributes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "type": {"type": "string"}},
                    "required": ["name", "type"],
                },
            },
        },
        "required": ["name", "attributes"],
    },
}
_RELATED: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"objectId": {"type": "string"}, "qualifier": {"type": "string"}},
        "required": ["objectId", "qualifier"],
    },
}
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "objectTypes": _NAMED,
        "eventTypes": _NAMED,
        "objects": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "type": {"type": "string"},
                    "relationships": _RELATED,
                },
                "required": ["id", "type"],
            },
        },
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "type": {"type": "string"},
                    "time": {"type": "string", "format": "date-time"},
                    "attributes": {
                        "type": "array",
                        "items": {"type": "object", "required": ["name", "value"]},
                    },
                    "relationships": _RELATED,
                },
                "required": ["id", "type", "time"],
            },
        },
    },
    "required": ["eventTypes", "objectTypes", "events", "objects"],
}
"""What the OCEL 2.0 specification asks of a JSON log, as far as this log has it."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the log of a history of transfers between accounts."""
    folder = tmp_path_factory.mktemp("ocel")
    assert specminer("import", str(dataset("token").traces), "--db", "h.db", cwd=folder).code == 0
    (folder / "automaton.json").write_bytes(encode_specification(mined("token").specification))
    done = specminer("report", "automaton.json", "--db", "h.db", "--format", "ocel", cwd=folder)
    assert (done.code, done.out) == (0, "events         events.ocel.json\n"), done.err
    found: dict[str, Any] = json.loads((folder / "events.ocel.json").read_bytes())
    return found


def test_the_log_is_one_of_the_standard(log: dict[str, Any]) -> None:
    jsonschema.validate(log, SCHEMA)
    objects = {item["id"]: item["type"] for item in log["objects"]}
    assert set(objects.values()) <= {item["name"] for item in log["objectTypes"]}
    assert {event["type"] for event in log["events"]} <= {item["name"] for item in log["eventTypes"]}
    assert {item["objectId"] for event in log["events"] for item in event["relationships"]} == set(objects)
    assert len({event["id"] for event in log["events"]}) == len(log["events"])


def test_a_call_is_one_event_however_many_entities_it_is_about(log: dict[str, Any]) -> None:
    run = mined("token")
    own = ~run.interactions.switches
    calls = {int(row) for row in run.interactions.invocation[own].tolist()}
    told = [event for event in log["events"] if not event["type"].startswith(("phase: ", "time: "))]
    assert len(told) == len(calls)
    transfers = [event for event in told if event["type"] == "transfer"]
    qualifiers = {item["qualifier"] for event in transfers for item in event["relationships"]}
    assert SENDER in qualifiers
    assert len(qualifiers) >= 3, "the roles of who gives and who gets"


def test_events_stand_in_the_order_of_the_chain(log: dict[str, Any]) -> None:
    blocks = [
        int(item["value"])
        for event in log["events"]
        for item in event["attributes"]
        if item["name"] == "block"
    ]
    assert blocks == sorted(blocks)
    assert all(event["time"].endswith("Z") for event in log["events"])


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_hostile_names_are_texts(name: str) -> None:
    row = dict.fromkeys(COLUMNS, name) | {"block": "7", "time": "", "kind": "call"}
    log = json.loads(to_ocel(auction(), [row, row]))
    jsonschema.validate(log, SCHEMA)
    assert len(log["events"]) == 1
    for text in (log["events"][0]["type"], *(item["id"] for item in log["objects"])):
        assert text.isprintable()
        assert len(text) < 400
