"""Reads a file of labels: what the user calls addresses. CSV, JSON or TOML, told apart by their content.

CSV has an address and a name in each row, in the columns ``address`` and ``name`` (or ``label``) if there is a title
row, else in the first two. JSON is an object of names by address, or a list of objects with these keys. TOML has names
by address, alone or in the table ``labels``. Whatever stands in it is text, escaped wherever it is shown.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer._support.addresses import is_address
from specminer._support.errors import FileFormatError, UsageError, plain
from specminer._support.files import read_bounded
from specminer._support.nesting import check_nesting
from specminer.pipeline.inputs import parse_address

MAX_BYTES: Final = 64 << 20
"""A larger file holds no labels."""
MAX_NAME: Final = 100
"""Characters of a name; longer ones are cut."""
_FORMS: Final = "CSV with the columns address and name, a JSON object or a TOML table of names by address"
_TOML: Final = re.compile(r"^\s*(\[[A-Za-z]|[\"']?0x[0-9a-fA-F]{40}[\"']?\s*=)", re.MULTILINE)


def read_labels(path: Path) -> dict[str, str]:
    """Return the names in a file of labels by address; a later name of an address counts.

    Raises:
        FileFormatError: it cannot be read, or holds something else; the message names the place.

    """
    text = read_bounded(path, MAX_BYTES, "a file of labels").decode("utf-8", "replace")
    labels: dict[str, str] = {}
    for location, address, name in _entries(text, path):
        if not isinstance(address, str) or not isinstance(name, str) or not name.strip():
            raise FileFormatError(
                f"{plain(path)}, {location}: expected an address and a name, got {plain((address, name), 80)}"
            )
        try:
            parse_address(address.strip())
        except UsageError as error:
            raise FileFormatError(f"{plain(path)}, {location}: {error}") from None
        labels[address.strip()] = name.strip()[:MAX_NAME]
    if not labels:
        raise FileFormatError(f"{plain(path)} holds no labels; expected {_FORMS}")
    return labels


def _entries(text: str, path: Path) -> Iterator[tuple[str, Any, Any]]:
    """Yield for each label where it stands, the address and the name."""
    try:
        if text.lstrip()[:1] == "{" or re.match(r"\s*\[\s*[{\]]", text):
            check_nesting(text.encode())
            return _of_document(msgspec.json.decode(text))
        if _TOML.search(text):
            return _of_document(tomllib.loads(text))
        return iter(list(_of_rows(text)))
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, csv.Error, ValueError, RecursionError) as error:
        raise FileFormatError(
            f"{plain(path)} cannot be read as labels: {plain(error, 160)}; expected {_FORMS}"
        ) from None


def _of_document(document: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(document, dict) and isinstance(document.get("labels"), dict | list):
        document = document["labels"]
    if isinstance(document, dict):
        yield from ((f"key {row}", *item) for row, item in enumerate(document.items(), 1))
        return
    for row, item in enumerate(document, 1):
        entry = item if isinstance(item, dict) else {}
        yield f"entry {row}", entry.get("address"), entry.get("name", entry.get("label"))


def _of_rows(text: str) -> Iterator[tuple[str, Any, Any]]:
    address, name = 0, 1
    dialect = ";" if text.partition("\n")[0].count(";") else "\t" if "\t" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text), delimiter=dialect)
    for row in reader:
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        titles = [cell.lower() for cell in cells]
        if "address" in titles and not any(map(is_address, cells)):
            address = titles.index("address")
            name = next((titles.index(title) for title in ("name", "label") if title in titles), name)
            continue
        padded = [*cells, *[None] * (1 + max(address, name))]
        yield f"line {reader.line_num}", padded[address], padded[name]
