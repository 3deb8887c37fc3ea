"""Decoded values as people read them."""

from __future__ import annotations

from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.text import list_some

MAX_VALUE: Final = 80
"""Characters of one value."""
_ELEMENTS: Final = 20
"""Elements of a list that are shown at most."""


def value_text(value: object, limit: int = MAX_VALUE) -> str:
    """Return a decoded value as people read it, raw, cut to a bearable length."""
    if isinstance(value, bytes):
        text = f"0x{value.hex()}"
    elif isinstance(value, list | tuple):
        elements = [value_text(item, limit) for item in value[:_ELEMENTS]]
        text = f"[{list_some(elements, len(value), ', …')}]"
    else:
        text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def typed_text(kind: str, value: object, limit: int = MAX_VALUE) -> str:
    """Return a decoded value of an ABI type, addresses with their checksum; else as :func:`value_text`."""
    if kind == "address" and isinstance(value, str) and len(value) == 42:
        return checksum_address(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value_text(value, limit)
