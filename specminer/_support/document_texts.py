"""Rewrites the texts within nested values: dataclasses, lists, tuples and dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields, is_dataclass, replace
from typing import Any


def map_texts(value: Any, change: Callable[[str], str], exact: Collection[str]) -> Any:
    """Return a copy in which all texts are changed; what does not change is not copied.

    Args:
        value: the texts, within dataclasses, lists, tuples and dictionaries; the keys of dictionaries stay.
        change: returns what a text becomes.
        exact: fields of dataclasses that stay as they are.

    """
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        items = [map_texts(item, change, exact) for item in value]
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return type(value)(items) if changed else value
    if isinstance(value, dict):
        return {key: map_texts(item, change, exact) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for item in fields(value):
            before = getattr(value, item.name)
            after = before if item.name in exact else map_texts(before, change, exact)
            if after is not before:
                changes[item.name] = after
        return replace(value, **changes) if changes else value
    return value
