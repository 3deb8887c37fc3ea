"""Reads files of a chain's state: a genesis file's ``alloc``, what geth and anvil dump.

They hold code and storage of contracts that no listed transaction creates: those of the first block, or those of a
chain whose beginning is not listed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer._support.errors import FileFormatError, plain
from specminer._support.nesting import check_nesting
from specminer.history.trace import WORD_LIMIT, Address
from specminer.sources.export_fields import RecordError, describe_value, read_bytes, read_number
from specminer.sources.export_rows import MAX_BYTES, read_content

_SHAPES: Final = re.compile(
    rb'"alloc"\s*:\s*\{|"accounts"\s*:\s*\{|^\{\s*"(0x)?[0-9a-fA-F]{40}"\s*:\s*\{\s*"(balance|code|nonce|storage)"'
)
_PACKED: Final = re.compile(rb'^\s*"?(0x1f8b[0-9a-fA-F]*)"?\s*$')
_ADDRESS: Final = re.compile(r"(0x)?[0-9a-fA-F]{40}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAccount:
    """An account of a state."""

    nonce: int
    balance: int
    """Wei."""
    code: bytes
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """The accounts of a chain that have code, as they were behind a block."""

    block: int
    """0 for a genesis file."""
    accounts: Mapping[Address, StateAccount]


def is_state(head: bytes) -> bool:
    """Whether a text that begins so is a file of a state."""
    return _SHAPES.search(head) is not None or head.lstrip(b' "')[:6].lower() == b"0x1f8b"


def read_state(path: Path) -> ChainState:
    """Read a state.

    Raises:
        FileFormatError: it cannot be read, is no state, or a field is malformed; names file and account.

    """
    name = plain(path)
    document = _decode(read_content(path), name)
    entries = next((document[key] for key in ("alloc", "accounts") if key in document), document)
    if not isinstance(entries, dict):
        raise FileFormatError(f"{name} has no accounts by their addresses")
    accounts: dict[Address, StateAccount] = {}
    for key, fields in entries.items():
        if not _ADDRESS.fullmatch(key) or not isinstance(fields, dict):
            raise FileFormatError(f"{name}: {plain(key, 60)!r} is no address with an account behind it")
        try:
            account = _account(fields)
        except RecordError as error:
            raise FileFormatError(f"{name}, account {plain(key, 60)}: {error}") from None
        if account.code:
            accounts[Address(bytes.fromhex(key[-40:]))] = account
    return ChainState(block=_block(document, name), accounts=accounts)


def _decode(text: bytes, name: str) -> dict[str, Any]:
    packed = _PACKED.match(text)
    if packed:  # the answer of anvil_dumpState
        try:
            unpacking = zlib.decompressobj(wbits=31)
            text = unpacking.decompress(bytes.fromhex(packed[1][2:].decode("ascii")), MAX_BYTES)
            if unpacking.unconsumed_tail or not unpacking.eof:
                raise ValueError("it is too large, or cut off")
        except (ValueError, zlib.error) as error:
            raise FileFormatError(f"{name} is a damaged dump: {plain(error, 120)}") from None
    try:
        check_nesting(text)
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, ValueError) as error:
        raise FileFormatError(f"{name} is no state in JSON: {plain(error, 120)}") from None


def _block(document: dict[str, Any], name: str) -> int:
    number = document.get("best_block_number")
    block = document.get("block")
    if number is None and isinstance(block, dict):
        number = block.get("number")
    if number is None and "alloc" in document:
        number = document.get("number") or 0
    try:
        return 0 if number is None else read_number({"number": number}, "number")
    except RecordError as error:
        raise FileFormatError(f"{name}: {error}") from None


def _account(fields: dict[str, Any]) -> StateAccount:
    storage = fields.get("storage")
    if storage is not None and not isinstance(storage, dict):
        raise RecordError(f"storage should be an object, got {describe_value(storage)}")
    code = fields.get("code") or "0x"
    return StateAccount(
        nonce=_number(fields, "nonce", 1 << 63),
        balance=_number(fields, "balance", WORD_LIMIT),
        code=read_bytes({"code": _add_prefix(code)}, "code"),
        storage={
            _number({"slot": _add_prefix(slot)}, "slot", WORD_LIMIT): value
            for slot, word in (storage or {}).items()
            if (value := _number({"value": _add_prefix(word)}, "value", WORD_LIMIT))
        },
    )


def _add_prefix(value: Any) -> Any:
    """Return hexadecimal digits as they are usually written; geth's dumps leave the beginning out."""
    bare = isinstance(value, str) and value[:2] not in ("0x", "0X")
    return f"0x{value}" if bare else value


def _number(fields: dict[str, Any], name: str, limit: int) -> int:
    return read_number(fields, name, limit) if fields.get(name) not in (None, "", "0x") else 0
