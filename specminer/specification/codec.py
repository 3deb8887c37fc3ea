"""Writes and reads ``automaton.json``: the one place where the document is JSON.

What is missing, by one rule:

- A field that holds ``None`` is written as ``null``.
- A field declared with :func:`~specminer.specification.absence.absent` is left out while it holds ``None``.
- An object whose fields all default to ``None`` or to nothing, and hold just that, says nothing: it is ``{}``.

When a document is read, a field that is left out has its default, and keys that no type knows are passed over.
So a field that a later version adds needs a default, and documents of every earlier version are read. Where the
meaning of a field has changed, what an earlier version wrote is told in the words of today.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer._support.files import read_bounded
from specminer._support.nesting import NestingError, check_nesting
from specminer.specification.absence import is_absent
from specminer.specification.guards import GuardKind
from specminer.specification.model import FORMAT, VERSION, Specification

MAX_BYTES: Final = 256 << 20
"""Larger files are refused; a million calls give a few MiB."""
_HEAD: Final = 256
"""Bytes in which the format stands."""
_UNSEEN: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Characters that steer a terminal or an editor unseen: in the JSON they are written as escapes."""

_NOT_JSON: Final = (NestingError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Header(msgspec.Struct):
    """What says whether the rest can be read."""

    format: Any = None
    version: Any = None


def encode_specification(specification: Specification) -> bytes:
    """Return the document as UTF-8 JSON, indented, ending in a newline; same value, same bytes."""
    document = {"format": FORMAT, "version": VERSION} | document_of(specification)
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode() + b"\n"


def decode_specification(text: bytes, origin: str = "automaton.json") -> Specification:
    """Read a document; ``origin`` names it in messages.

    Raises:
        FileFormatError: not JSON, not this format, another version, or a part missing or malformed.

    """
    name = plain(origin)
    try:
        check_nesting(text)
        header = msgspec.json.decode(text, type=_Header)
    except msgspec.ValidationError:  # JSON, but no object
        header = _Header()
    except _NOT_JSON as error:
        raise FileFormatError(f"{name} is not JSON: {plain(error)}") from None
    if header.format != FORMAT:
        raise FileFormatError(f"{name} is not an automaton written by specminer (no format '{FORMAT}')")
    if header.version not in range(1, VERSION + 1) or isinstance(header.version, bool):
        raise FileFormatError(
            f"{name} has version {plain(header.version, 20)}; this specminer reads versions 1 to {VERSION}"
        )
    try:
        specification = msgspec.json.decode(text, type=Specification)
    except msgspec.ValidationError as error:
        raise FileFormatError(f"{name} is not a complete automaton document: {plain(error)}") from None
    except _NOT_JSON as error:
        raise FileFormatError(f"{name} is not JSON: {plain(error)}") from None
    return _with_learned_guards(specification) if header.version == 1 else specification


def _with_learned_guards(specification: Specification) -> Specification:
    """Return a document of version 1 in the words of today: what it calls required was learned from calls."""
    guards = tuple(
        replace(guard, kind=GuardKind.LEARNED) if guard.kind is GuardKind.REQUIRED else guard
        for guard in specification.guards
    )
    return replace(specification, guards=guards)


def read_specification(path: str | PathLike[str]) -> Specification:
    """Read an ``automaton.json``.

    Raises:
        FileFormatError: it cannot be read, is too large, or is none.

    """
    return decode_specification(read_bounded(path, MAX_BYTES, "an automaton"), str(path))


def is_specification(path: Path) -> bool:
    """Return whether a file begins like an ``automaton.json``; ``False`` for what cannot be read."""
    try:
        with path.open("rb") as file:
            return FORMAT.encode() in file.read(_HEAD)
    except OSError:
        return False


def document_of(value: Any) -> Any:
    """Return what a dataclass, and all that it holds, is in JSON, by the rule for what is missing."""
    if is_dataclass(value):
        kind: Any = type(value)
        names, may_be_empty = _plan(kind)
        parts = [(name, getattr(value, name), left_out) for name, left_out in names]
        if may_be_empty and all(_is_nothing(part) for _, part, _ in parts):
            return {}
        return {name: document_of(part) for name, part, left_out in parts if part is not None or not left_out}
    if isinstance(value, Mapping):
        return {key: document_of(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [document_of(part) for part in value]
    return value.value if isinstance(value, Enum) else value


@cache
def _plan(kind: Any) -> tuple[tuple[tuple[str, bool], ...], bool]:
    """Return a class's fields, each with whether it may be left out; and whether all may hold nothing at once."""
    declared = fields(kind)
    return tuple((item.name, is_absent(item)) for item in declared), all(map(_is_empty_by_default, declared))


def _is_empty_by_default(item: Field[Any]) -> bool:
    if item.default_factory is not MISSING:
        return _is_nothing(item.default_factory())
    return item.default is not MISSING and _is_nothing(item.default)


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str | tuple | dict) and not value)
