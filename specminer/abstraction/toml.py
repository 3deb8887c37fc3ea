"""Writes a definition as the TOML that :func:`specminer.abstraction.definition.parse` reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from specminer.abstraction.definition import Definition
from specminer.specification import document_of

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_WIDTH: Final = 100
"""A list is broken into lines where it is longer."""


def dump(definition: Definition) -> str:
    """Return a definition as TOML text; ``parse(dump(d), "")`` is ``d``. What is empty is left out."""
    content = document_of(definition.document)
    lines = _lines(content, ("name", "summary", "applies_to", "refines"))
    state, events = content["state"], content["events"]
    lines += _table("state", {key: value for key, value in state.items() if value})
    plain = {key: value for key, value in events.items() if not isinstance(value, dict)}
    lines += _table("events", plain, kept=("phases",))  # an empty list of flags says: none
    lines += _table("events.called", events["called"])
    lines += _table("events.split", events["split"])
    lines += _table("names", content["names"])
    lines += _table("weights", content["weights"])
    return "\n".join(lines) + "\n"


def _lines(content: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [f"{key} = {_value(content[key])}" for key in keys if content.get(key)]


def _table(name: str, content: Mapping[str, Any], kept: tuple[str, ...] = ()) -> list[str]:
    rows = [
        f"{_key(key)} = {_value(value)}"
        for key, value in content.items()
        if value is not None and (value != [] or key in kept)
    ]
    return ["", f"[{name}]", *rows] if rows else []


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _text(text)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(float(value))
    if isinstance(value, list):
        parts = [_value(item) for item in value]
        short = f"[{', '.join(parts)}]"
        return short if len(short) <= _WIDTH else "[\n" + "".join(f"    {part},\n" for part in parts) + "]"
    return _text(str(value))


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'
