"""The calls of a history as an object-centric event log: OCEL 2.0, JSON.

Entities are objects, and so are accounts that call; calls are events, each once, related to every entity that it is
about. Roles are the qualifiers of these relations. Source: Berti and others, *OCEL (Object-Centric Event Log) 2.0
Specification*, 2024.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from specminer._support.errors import plain
from specminer.presentation.eventlog import MAX_TEXT, Row
from specminer.specification import Specification

ACCOUNT: Final = "account"
"""The type of the objects that call."""
SENDER: Final = "called by"
"""How a call is related to who sent it."""
CONTAINS: Final = "entity"
"""How a call is related to an entity that it is about, where no role tells."""
_UNKNOWN_TIME: Final = "1970-01-01T00:00:00Z"
"""The log's format wants a time of each event: this one where none is known."""
_ATTRIBUTES: Final = (
    "kind", "outcome", "reason", "state_before", "state_after", "block", "transaction", "position", "value_wei",
    "paid_wei",
)  # fmt: skip
"""What an event tells, by column of the rows; states are those of its first entity."""


def to_ocel(spec: Specification, rows: Iterable[Row]) -> bytes:
    """Return the log as JSON, ending in a newline.

    Args:
        spec: the specification, which names the type of the entities.
        rows: the events of all interactions, as :func:`specminer.presentation.eventlog.events` yields them.

    """
    entity = _text(spec.interactions.sort.name) if spec.interactions.sort is not None else "interaction"
    entity = entity if entity != ACCOUNT else f"{ACCOUNT} (entity)"
    events: dict[tuple[str, str, str], dict[str, Any]] = {}
    objects: dict[str, dict[str, Any]] = {}
    for row in rows:
        event = _event(events, row)
        name = f"{entity}: {_text(row['interaction'])}"
        objects.setdefault(name, {"id": name, "type": entity, "attributes": [], "relationships": []})
        _relate(event, name, _text(row["role"]) or CONTAINS)
        if row["sender"]:
            sender = f"{ACCOUNT}: {_text(row['sender'])}"
            objects.setdefault(sender, {"id": sender, "type": ACCOUNT, "attributes": [], "relationships": []})
            _relate(event, sender, SENDER)
    types = sorted({event["type"] for event in events.values()})
    attributes = [{"name": name, "type": "string"} for name in _ATTRIBUTES]
    log = {
        "objectTypes": [{"name": name, "attributes": []} for name in sorted({entity, ACCOUNT})],
        "eventTypes": [{"name": name, "attributes": attributes} for name in types],
        "objects": list(objects.values()),
        "events": sorted(events.values(), key=_order),
    }
    return msgspec.json.format(msgspec.json.encode(log), indent=1) + b"\n"


def _event(events: dict[tuple[str, str, str], dict[str, Any]], row: Row) -> dict[str, Any]:
    """Return the event of a call, or of what the clock brought about, made when it is met first."""
    timed = row["kind"] == "time"
    key = row["transaction"], row["position"], f"{row['function']} {row['interaction']}" if timed else ""
    if key not in events:
        events[key] = {
            "id": f"e{len(events) + 1}",
            "type": _text(row["function"] if row["kind"] in ("call", "passive") else row["event"])
            or "(no name)",
            "time": _time(row["time"]),
            "attributes": [{"name": name, "value": _text(row[name])} for name in _ATTRIBUTES],
            "relationships": [],
        }
    return events[key]


def _relate(event: dict[str, Any], name: str, qualifier: str) -> None:
    relation = {"objectId": name, "qualifier": qualifier}
    if relation not in event["relationships"]:
        event["relationships"].append(relation)


def _order(event: dict[str, Any]) -> tuple[int, ...]:
    attributes = {item["name"]: item["value"] for item in event["attributes"]}
    return int(attributes["block"]), int(event["id"][1:])


def _time(text: str) -> str:
    return text.replace("+00:00", "Z") if text else _UNKNOWN_TIME


def _text(value: str) -> str:
    return plain(value, MAX_TEXT)
