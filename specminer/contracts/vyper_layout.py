"""Vyper's storage layout in the form of solc's.

``vyper -f layout`` gives each variable's slot, its type as text and, from 0.4 on, how many slots it takes. Nothing is
packed; arrays of variable length and texts lie in place behind their length; only mappings are hashed, with
the key behind the base. What a struct holds the layout does not say: the ABI does, where a public variable's
getter returns one. Three encodings are added to solc's: ``inline_array``, ``inline_bytes`` and ``opaque``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from specminer._support.errors import plain
from specminer.history.trace import WORD_LIMIT

Fields = Sequence[tuple[str, str]]
"""Name and type of each field of a struct."""

_HASH_MAP: Final = re.compile(r"HashMap\[(.*)\]", re.ASCII)
_DYN_ARRAY: Final = re.compile(r"DynArray\[(.*), ?([0-9]{1,18})\]", re.ASCII)
_TEXT: Final = re.compile(r"(String|Bytes)\[([0-9]{1,18})\]", re.ASCII)
_ARRAY: Final = re.compile(r"(.*)\[([0-9]{1,18})\]", re.ASCII)
_WORD: Final = re.compile(r"u?int[0-9]{1,3}|bytes[0-9]{1,2}|address|bool|decimal", re.ASCII)
_ENDLESS: Final = 1 << 64
"""Slots of an entry of a mapping whose size is not known."""
_MAX_DEPTH: Final = 16
MAX_VARIABLES: Final = 100_000


class VyperLayoutError(ValueError):
    """The layout is malformed; the text names the variable."""


@dataclass(slots=True)
class _VyperTypes:
    """The types met so far, by their names in the result."""

    structs: Mapping[str, Fields]
    """A struct's fields by the name of a variable that holds such structs."""
    types: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, label: str, slots: int, encoding: str = "inplace", **more: Any) -> str:
        name = f"{label} of {slots} slots"
        self.types[name] = {"encoding": encoding, "label": label, "numberOfBytes": str(32 * slots), **more}
        return name

    def slots(self, name: str) -> int:
        return int(self.types[name]["numberOfBytes"]) // 32

    def of(self, text: str, slots: int | None, variable: str, depth: int = 0) -> str:
        """Return the name of a type, given how many slots it takes where that is known."""
        if depth > _MAX_DEPTH:
            raise VyperLayoutError(f"the type of {plain(variable, 60)} is nested deeper than {_MAX_DEPTH}")
        if (match := _HASH_MAP.fullmatch(text)) is not None:
            key, value = _split_pair(match[1])
            inner = self.of(value, None, variable, depth + 1)
            if _TEXT.fullmatch(key) is not None:
                keyed = self.add("string", 1, "bytes")
            else:
                keyed = self.of(key, 1, variable, depth + 1)
            return self.add(text, 1, "mapping", key=keyed, value=inner)
        if (match := _DYN_ARRAY.fullmatch(text)) is not None:
            count = max(1, int(match[2]))
            each = None if slots is None else max(1, (slots - 1) // count)
            base = self.of(match[1], each, variable, depth + 1)
            return self.add(text, slots or 1 + count * self.slots(base), "inline_array", base=base)
        if (match := _TEXT.fullmatch(text)) is not None:
            return self.add(text, slots or 1 + -(-int(match[2]) // 32), "inline_bytes")
        if (match := _ARRAY.fullmatch(text)) is not None:
            count = max(1, int(match[2]))
            each = None if slots is None else max(1, slots // count)
            base = self.of(match[1], each, variable, depth + 1)
            return self.add(text, slots or count * self.slots(base), base=base)
        if _WORD.fullmatch(text) is not None:
            return self.add("int168" if text == "decimal" else text, 1)
        if variable in self.structs and slots != 1:
            return self._struct(text, slots, variable, depth)
        return self.add(text, 1) if slots == 1 else self.add(text, slots or _ENDLESS, "opaque")

    def _struct(self, text: str, slots: int | None, variable: str, depth: int) -> str:
        """Return a struct as far as the sizes of its fields are known."""
        members: list[dict[str, Any]] = []
        at = 0
        for name, kind in self.structs[variable]:
            if _WORD.fullmatch(kind) is None or (slots is not None and at >= slots):
                break  # an array's or a text's greatest length is not in the ABI
            inner = self.of(kind, 1, variable, depth + 1)
            members.append({"label": name, "slot": str(at), "offset": 0, "type": inner})
            at += self.slots(inner)
        rest = (slots or _ENDLESS) - at
        if len(members) < len(self.structs[variable]) and rest > 0:
            unknown = self.structs[variable][len(members)][0]
            kind = self.add("rest", rest, "opaque")
            members.append({"label": unknown, "slot": str(at), "offset": 0, "type": kind})
            at += rest
        return self.add(text, slots or max(1, at), members=members)


def _split_pair(text: str) -> tuple[str, str]:
    """Divide ``key, value`` at the first comma outside brackets."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "," and depth == 0:
            return text[:at].strip(), text[at + 1 :].strip()
    raise VyperLayoutError(f"the mapping {plain(text, 60)} has no value type")


def is_vyper(layout: object) -> bool:
    """Whether a document is a layout as Vyper prints it."""
    if not isinstance(layout, dict):
        return False
    if isinstance(layout.get("storage_layout"), dict):
        return True
    return bool(layout) and all(
        isinstance(item, dict) and isinstance(item.get("type"), str) and isinstance(item.get("slot"), int)
        for item in layout.values()
    )


def from_vyper(layout: Mapping[str, Any], structs: Mapping[str, Fields]) -> dict[str, Any]:
    """Return the layout as solc would print it, with ``keyLast`` set.

    Raises:
        VyperLayoutError: a part is missing or malformed.

    """
    table = layout.get("storage_layout", layout)
    rows = sorted(_variables(table, ""), key=lambda row: row[1])
    if len(rows) > MAX_VARIABLES:
        raise VyperLayoutError(f"there are more than {MAX_VARIABLES} variables")
    types = _VyperTypes(structs)
    ends = [following[1] - row[1] for row, following in pairwise(rows)] + [0]
    storage = []
    for (name, slot, text, size), gap in zip(rows, ends, strict=False):
        kind = types.of(text, size or gap or None, name.rpartition(".")[2])
        storage.append({"label": name, "slot": str(slot), "offset": 0, "type": kind})
    return {"storage": storage, "types": types.types, "keyLast": True}


def _variables(
    table: Mapping[str, Any], prefix: str, depth: int = 0
) -> list[tuple[str, int, str, int | None]]:
    """Return name, slot, type and size of each variable; those of modules stand in tables of their own."""
    variables: list[tuple[str, int, str, int | None]] = []
    for name, item in table.items():
        label = plain(f"{prefix}{name}", 60)
        if not isinstance(item, dict) or depth > _MAX_DEPTH:
            raise VyperLayoutError(f"{label} should be described by an object with type and slot")
        slot, text, size = item.get("slot"), item.get("type"), item.get("n_slots")
        if slot is None and text is None:
            variables += _variables(item, f"{prefix}{name}.", depth + 1)
            continue
        if not isinstance(slot, int) or isinstance(slot, bool) or not 0 <= slot < WORD_LIMIT:
            raise VyperLayoutError(f"the slot of {label} should be a number from 0 to 2**256 - 1")
        if not isinstance(text, str) or len(text) > 10_000:
            raise VyperLayoutError(f"the type of {label} should be a text")
        if size is not None and (
            not isinstance(size, int) or isinstance(size, bool) or not 0 < size < WORD_LIMIT // 32
        ):
            raise VyperLayoutError(f"n_slots of {label} should be a number above 0")
        variables.append((f"{prefix}{name}", slot, text, size))
    return variables
