"""Reads values of storage where a compiler's layout says that they lie, with nothing of specminer in between."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

Words = Mapping[int, int]
"""The words of a contract by slot; what is not there is 0."""
_WORD: Final = 32
_HASH_MAP: Final = re.compile(r"HashMap\[(.*?), (.*)\]$")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where variables lie: ``storage`` and ``types`` in the form of solc's ``storageLayout``."""

    variables: Mapping[str, tuple[int, int, str]]
    """Slot, offset in bytes and type of each, by name."""
    types: Mapping[str, Mapping[str, Any]]

    def place(self, name: str) -> Place:
        """Return where a variable lies; raises ``KeyError`` if there is none."""
        slot, offset, type_ = self.variables[name]
        return Place(layout=self, slot=slot, offset=offset, type=type_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a value lies, or a whole structure."""

    layout: Layout
    slot: int
    offset: int
    """Bytes from the right end of the word."""
    type: str

    def item(self, key: int) -> Place:
        """Return the place under a key of a mapping, or of an element of a dynamic array."""
        type_ = self.layout.types[self.type]
        slot, word = self.slot.to_bytes(_WORD), key.to_bytes(_WORD)
        if type_["encoding"] == "dynamic_array":
            size = int(self.layout.types[type_["base"]]["numberOfBytes"])
            if size < _WORD:
                raise ValueError(f"elements of {self.type} share words")
            first = int.from_bytes(keccak(slot))
            return Place(layout=self.layout, slot=first + key * (size // _WORD), offset=0, type=type_["base"])
        digest = keccak(slot + word if type_["encoding"] == "vyper" else word + slot)
        return Place(layout=self.layout, slot=int.from_bytes(digest), offset=0, type=type_["value"])

    def field(self, name: str) -> Place:
        """Return the place of a structure's field."""
        for member in self.layout.types[self.type].get("members", ()):
            if member["label"] == name:
                return Place(
                    layout=self.layout,
                    slot=self.slot + int(member["slot"]),
                    offset=int(member["offset"]),
                    type=member["type"],
                )
        raise KeyError(f"{self.type} has no {name}")

    def value(self, words: Words) -> int:
        """Return the number there; of a dynamic array its length."""
        size = int(self.layout.types[self.type].get("numberOfBytes", _WORD))
        return words.get(self.slot, 0) >> 8 * self.offset & (1 << 8 * min(size, _WORD)) - 1


def layout_of(artifact: Mapping[str, Any], more: Mapping[str, Any]) -> Layout:
    """Return the layout of an artifact of solc or Vyper.

    Args:
        artifact: what a recording has in ``artifact.json``.
        more: what it lacks, by variable: ``slot`` of a mapping to numbers, or ``fields`` of a structure in Vyper,
            by name the number of the field, each a word.
    """
    layout = artifact.get("storageLayout") or {"storage": [], "types": {}}
    variables = {
        entry["label"]: (int(entry["slot"]), int(entry["offset"]), entry["type"])
        for entry in layout["storage"]
    }
    types = {"number": _number()} | (layout["types"] or {})
    for name, entry in _vyper(artifact).items():
        variables[name] = (entry["slot"], 0, _vyper_type(entry["type"], more.get(name, {}), types))
    for name, entry in more.items():
        if "slot" in entry:
            types["mapping"] = {"encoding": "mapping", "value": "number", "numberOfBytes": "32"}
            variables[name] = (int(entry["slot"], 16), 0, "mapping")
    return Layout(variables, types)


def _vyper(artifact: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = artifact.get("layout", {}).get("storage_layout", {})
    return found


def _vyper_type(text: str, more: Mapping[str, Any], types: dict[str, Any]) -> str:
    """Return the name of a type of Vyper, which is added to the types."""
    mapping = _HASH_MAP.match(text)
    if mapping is not None:
        value = _vyper_type(mapping[2], more, types)
        types[text] = {"encoding": "vyper", "value": value, "numberOfBytes": "32"}
        return text
    if "fields" not in more:
        return "number"
    members = [
        {"label": field, "slot": place, "offset": 0, "type": "number"}
        for field, place in more["fields"].items()
    ]
    types[text] = {"encoding": "inplace", "members": members, "numberOfBytes": str(_WORD * len(members))}
    return text


def _number() -> dict[str, Any]:
    return {"encoding": "inplace", "numberOfBytes": str(_WORD)}
