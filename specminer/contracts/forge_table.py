"""Foundry's storage layout as the table that ``forge inspect CONTRACT storageLayout`` prints since Foundry 1.0.

The table gives each variable's name, type, slot, offset and size. It does not say what structs hold: a struct
becomes one opaque value, and an array of structs is left out, because its elements cannot be told apart.
``forge inspect CONTRACT storageLayout --json`` has all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from specminer._support.errors import plain

_COLUMNS: Final = ("Name", "Type", "Slot", "Offset", "Bytes")
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
_BAR: Final = re.compile(r"[|│┃║]")
_ARRAY: Final = re.compile(r"(.*)\[([0-9]{0,18})\]", re.ASCII | re.DOTALL)
_VALUE: Final = re.compile(r"(?:u?int|bytes)([0-9]{1,3})", re.ASCII)
_SIZES: Final = {"bool": 1, "address": 20, "address payable": 20}
_ENDLESS: Final = 1 << 64
"""Slots of a struct whose size is not known."""
_MAX_DEPTH: Final = 16


class ForgeTableError(ValueError):
    """The table is malformed; the text names the row."""


class _UnknownSize(Exception):
    """The table does not tell how large a type's elements are."""


def is_forge_table(text: str) -> bool:
    """Whether a text begins with the head of such a table."""
    return _head(_ANSI.sub("", text[:20_000])) is not None


def _head(text: str) -> list[str] | None:
    for line in text.splitlines()[:20]:
        names = _cells(line)
        if names is not None and set(_COLUMNS) <= set(names):
            return names
    return None


def _cells(line: str) -> list[str] | None:
    parts = _BAR.split(line.strip())
    return [part.strip() for part in parts[1:-1]] if len(parts) > len(_COLUMNS) else None


def from_forge_table(text: str) -> dict[str, Any]:
    """Return the layout in the form of solc's JSON.

    Raises:
        ForgeTableError: a row lacks a column or holds no number where one should be.

    """
    clean = _ANSI.sub("", text)
    names = _head(clean)
    if names is None:
        raise ForgeTableError(f"there is no row that names the columns {', '.join(_COLUMNS)}")
    types = _SolidityTypes()
    storage = []
    for row in _rows(clean, names):
        slot, offset, size = (_number(row, column) for column in ("Slot", "Offset", "Bytes"))
        try:
            kind = types.of(row["Type"], size)
        except _UnknownSize:
            continue
        storage.append({"label": row["Name"], "slot": str(slot), "offset": offset, "type": kind})
    return {"storage": storage, "types": types.types}


def _rows(text: str, names: list[str]) -> Iterator[dict[str, str]]:
    for line in text.splitlines():
        cells = _cells(line)
        if cells is None or cells == names or not any(re.search(r"\w", cell) for cell in cells):
            continue
        if len(cells) != len(names):
            raise ForgeTableError(f"a row has {len(cells)} columns, expected {len(names)}: {plain(line, 80)}")
        yield dict(zip(names, cells, strict=True))


def _number(row: dict[str, str], column: str) -> int:
    text = row[column]
    if not (text.isascii() and text.isdigit() and len(text) <= 78):
        raise ForgeTableError(
            f"'{column}' of {plain(row['Name'], 60)} should be a decimal number, got {plain(text, 40)!r}"
        )
    return int(text)


@dataclass(slots=True)
class _SolidityTypes:
    """The types met so far, as solc describes them, by name."""

    types: dict[str, dict[str, Any]] = field(default_factory=dict)

    def _add(self, label: str, size: int, encoding: str = "inplace", **more: Any) -> str:
        name = f"{label} of {size} bytes"
        self.types[name] = {"encoding": encoding, "label": label, "numberOfBytes": str(size), **more}
        return name

    def _size(self, name: str) -> int:
        return int(self.types[name]["numberOfBytes"])

    def of(self, label: str, size: int | None, depth: int = 0) -> str:
        """Return the name of a type; ``size`` is its bytes where the table tells them.

        Raises:
            _UnknownSize: it is an array whose elements have a size that nothing tells.

        """
        if depth > _MAX_DEPTH:
            raise ForgeTableError(f"a type is nested deeper than {_MAX_DEPTH}: {plain(label, 60)}")
        if label.startswith("mapping(") and label.endswith(")"):
            key, value = _split_entry(label[len("mapping(") : -1])
            return self._add(
                label,
                32,
                "mapping",
                key=self.of(key, None, depth + 1),
                value=self.of(value, None, depth + 1),
            )
        if (array := _ARRAY.fullmatch(label)) is not None:
            return self._array(label, array[1], array[2], depth)
        if label in ("string", "bytes"):
            return self._add(label, 32, "bytes")
        if label.startswith("struct "):
            return self._add(label, size or 32 * _ENDLESS, "opaque")
        return self._add(label, size or _value_size(label))

    def _array(self, label: str, element: str, length: str, depth: int) -> str:
        base = self.of(element, None, depth + 1)
        size = self._size(base)
        if size >= 32 * _ENDLESS or (self.types[base]["encoding"] == "inplace" and not _has_size(element)):
            raise _UnknownSize
        if not length:
            return self._add(label, 32, "dynamic_array", base=base)
        slots = -(-int(length) // (32 // size)) if size < 32 else int(length) * (size // 32)
        return self._add(label, 32 * max(1, slots), base=base)


def _has_size(label: str) -> bool:
    has_word_size = label in _SIZES or label.startswith(("contract ", "enum ")) or _VALUE.fullmatch(label)
    return bool(has_word_size) or _ARRAY.fullmatch(label) is not None


def _value_size(label: str) -> int:
    """Return the bytes of a plain value; 32 where its type does not tell."""
    match = _VALUE.fullmatch(label)
    if match is not None:
        number = int(match[1])
        return max(1, min(32, number if label.startswith("bytes") else number // 8))
    if label.startswith(("contract ", "enum ")):
        return 20 if label.startswith("contract ") else 1
    return _SIZES.get(label, 32)


def _split_entry(text: str) -> tuple[str, str]:
    """Divide ``key => value`` at the first arrow."""
    key, arrow, value = text.partition("=>")
    if not arrow:
        raise ForgeTableError(f"a mapping has no value type: {plain(text, 60)}")
    return key.strip(), value.strip()
