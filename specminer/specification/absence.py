"""Marks the fields that a document leaves out where nothing is known of them."""

from __future__ import annotations

from dataclasses import Field, field
from typing import Any, Final

_ABSENT: Final = "absent"


def absent() -> Any:
    """Return a field of a dataclass whose default is ``None``, and which is left out of the document while it is."""
    return field(default=None, metadata={_ABSENT: True})


def is_absent(item: Field[Any]) -> bool:
    """Return whether a field was declared with :func:`absent`."""
    return _ABSENT in item.metadata
