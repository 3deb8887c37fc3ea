"""Writes a definition as the TOML that :func:`specminer.learning.abstraction_definition.parse` reads."""

from __future__ import annotations

import tomli_w

from specminer.learning.abstraction_definition import Definition
from specminer.specification import document_of


def dump(definition: Definition) -> str:
    """Return a definition as TOML text; ``parse(dump(d), "")`` is ``d``. What is empty is left out."""
    content = document_of(definition.document)
    head = {key: content[key] for key in ("name", "summary", "applies_to", "refines") if content.get(key)}
    events = {
        key: value
        for key, value in content["events"].items()
        if value
        or value is False
        or (key == "phases" and value is not None)  # an empty list of flags says: none
    }
    tables = {
        "state": {key: value for key, value in content["state"].items() if value},
        "events": events,
        "names": content["names"],
        "weights": {name: float(weight) for name, weight in content["weights"].items()},
    }
    return tomli_w.dumps(head | {name: table for name, table in tables.items() if table})
