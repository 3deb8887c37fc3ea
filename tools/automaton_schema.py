"""Writes the JSON Schema of ``automaton.json``, made from the types of the specification and their docstrings.

    python -m tools.automaton_schema [--check]

With ``--check`` nothing is written; exit code 1 says that the schema in ``docs/`` is not that of the types.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer import specification
from specminer.specification import FORMAT, VERSION, Specification
from tools.field_texts import documented_fields

PATH: Final = Path(__file__).resolve().parent.parent / "docs" / "automaton.schema.json"


def schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12; every part has a type of its own under ``$defs``."""
    parts: dict[str, dict[str, Any]] = msgspec.json.schema(Specification)["$defs"]
    for name, part in parts.items():
        kind: type = getattr(specification, name)
        if is_dataclass(kind):
            for field, _, text in documented_fields(kind):
                part["properties"][field] = {"description": text, **part["properties"][field]}
        elif not issubclass(kind, Enum):
            raise TypeError(f"{name} is neither a dataclass nor an enumeration")
    whole = parts[Specification.__name__]
    head = {"format": {"const": FORMAT}, "version": {"enum": list(range(1, VERSION + 1))}}
    whole["properties"] = head | whole["properties"]
    whole["required"] = [*head, *whole["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{FORMAT}, versions 1 to {VERSION}",
        "$ref": f"#/$defs/{Specification.__name__}",
        "$defs": parts,
    }


def text() -> str:
    """Return the content of the schema's file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the schema, or check it; return the exit code."""
    if list(arguments) != ["--check"]:
        PATH.write_text(text(), encoding="utf-8")
        return 0
    if PATH.is_file() and PATH.read_text(encoding="utf-8") == text():
        return 0
    print(f"{PATH.name} is not the schema of the types: run `make schema`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
