"""Reads what a compiler says of a contract: ABI and storage layout, from the files people have.

Understood are a plain ABI (a JSON list), Foundry and Hardhat artifacts, Truffle artifacts, and a contract
of solc's standard JSON output. All of it may come from a stranger: names are kept as they are and are
escaped wherever they are shown; what is malformed is refused with the place named.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer.errors import FileFormatError, plain
from specminer.nesting import check_nesting

MAX_BYTES: Final = 64 << 20
"""A larger file is no artifact."""
MAX_NAME: Final = 200
"""Characters of a function's or variable's name; longer ones are cut."""
MAX_DEPTH: Final = 32
"""Tuples inside each other at most."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One argument or result, as in the ABI's JSON."""

    type: str
    name: str = ""
    components: tuple[Parameter, ...] = ()
    indexed: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One entry of an ABI: a function, a constructor, an event or an error."""

    type: str = "function"
    name: str = ""
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()
    state_mutability: str | None = None
    anonymous: bool = False
    constant: bool = False
    """How compilers before 0.4.16 said ``view``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An ABI, with the storage layout where the file has one."""

    name: str | None
    """The contract's name where the file gives it."""
    abi: tuple[Entry, ...]
    storage_layout: dict[str, Any] | None
    """As solc prints it: ``{"storage": [...], "types": {...}}``."""

    def to_json(self) -> bytes:
        """Return the artifact as canonical JSON, for the database; :func:`parse` reads it."""
        return msgspec.json.encode(
            {"contractName": self.name, "abi": self.abi, "storageLayout": self.storage_layout}, order="sorted"
        )


def load(path: Path) -> Artifact:
    """Read an artifact from a file.

    Raises:
        FileFormatError: unreadable, too large, not JSON, or without a usable ABI.

    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FileFormatError(f"{plain(path)} is larger than {MAX_BYTES >> 20} MiB; that is no ABI")
        text = path.read_bytes()
    except OSError as error:
        raise FileFormatError(f"{plain(path)} cannot be read: {error.strerror}") from None
    return parse(text, str(path))


def parse(text: bytes, origin: str) -> Artifact:
    """Read an artifact from JSON; ``origin`` names it in messages.

    Raises:
        FileFormatError: not JSON, or without a usable ABI.

    """
    shown = plain(origin)
    try:
        check_nesting(text)
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        raise FileFormatError(f"{shown} is not JSON: {plain(error)}") from None
    if isinstance(document, list):
        document = {"abi": document}
    if not isinstance(document, dict) or "abi" not in document:
        raise FileFormatError(
            f"{shown} holds no ABI; expected a JSON list, or an object with a key 'abi' as Foundry, Hardhat, "
            "Truffle and solc write it"
        )
    try:
        abi = msgspec.convert(document["abi"], tuple[Entry, ...])
    except msgspec.ValidationError as error:
        raise FileFormatError(f"{shown}: the ABI is malformed: {plain(error)}") from None
    for row, entry in enumerate(abi):
        if max(map(_depth, (*entry.inputs, *entry.outputs)), default=0) > MAX_DEPTH:
            raise FileFormatError(f"{shown}: the ABI's entry {row} nests tuples deeper than {MAX_DEPTH}")
        if entry.type in ("function", "event", "error") and not entry.name:
            raise FileFormatError(f"{shown}: the ABI's entry {row} ({plain(entry.type, 20)}) has no name")
    layout = document.get("storageLayout")
    name = document.get("contractName")
    return Artifact(
        name=name[:MAX_NAME] if isinstance(name, str) and name else None,
        abi=abi,
        storage_layout=layout if isinstance(layout, dict) and layout.get("storage") else None,
    )


def _depth(parameter: Parameter) -> int:
    """Return how many tuples lie inside each other, counted up to one more than allowed."""
    level, depth = [parameter], 0
    while level and depth <= MAX_DEPTH:
        level, depth = [inner for outer in level for inner in outer.components], depth + 1
    return depth
