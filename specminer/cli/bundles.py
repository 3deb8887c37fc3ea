"""Options of a command that belong together reach it as one value.

A parameter of a command whose type is a dataclass is filled from the options that are called like its fields; those
of a field that is a dataclass itself likewise. Where two dataclasses have a field of one name, the option is called
after the parameter as well: ``node_url`` is the field ``url`` of ``node``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from types import UnionType
from typing import Any, get_args, get_type_hints


def bundle_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that takes each option by itself and hands them on bundled."""

    @wraps(command)
    def call(**values: Any) -> Any:
        kinds = get_type_hints(command)
        return command(**{name: _value(name, kinds[name], values) for name in parameters(command)})

    return call


def parameters(command: Callable[..., Any]) -> list[str]:
    """Return the names of a command's own parameters."""
    return [name for name in get_type_hints(command) if name != "return"]


def options_read(command: Callable[..., Any], values: Mapping[str, Any]) -> set[str]:
    """Return which of the options that are given a command reads, bundled or not; ``values`` is by name."""
    read: set[str] = set()
    for name, kind in get_type_hints(command).items():
        bundle = _dataclass(kind)
        read |= {name} if bundle is None else set(_keys(name, bundle, values))
    return read & set(values)


def _keys(name: str, bundle: type, values: Mapping[str, Any]) -> Iterator[str]:
    kinds = get_type_hints(bundle)
    for field in fields(bundle):
        inner = _dataclass(kinds[field.name])
        if inner is not None:
            yield from _keys(field.name, inner, values)
        elif (key := _key(name, field, values)) is not None:
            yield key


def _key(name: str, field: Field[Any], values: Mapping[str, Any]) -> str | None:
    """Return what the option of a field is called; ``None`` if the command has none."""
    return next((key for key in (f"{name}_{field.name}", field.name) if key in values), None)


def _value(name: str, kind: Any, values: Mapping[str, Any]) -> Any:
    bundle = _dataclass(kind)
    if bundle is None:
        return values[name]
    kinds = get_type_hints(bundle)
    content: dict[str, Any] = {}
    for field in fields(bundle):
        if _dataclass(kinds[field.name]) is not None:
            content[field.name] = _value(field.name, kinds[field.name], values)
        elif (key := _key(name, field, values)) is not None:
            content[field.name] = values[key]
            if not values[key] and _is_required(field) and isinstance(kind, UnionType):
                return None  # what the bundle cannot do without was not given
    return bundle(**content)


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _dataclass(kind: Any) -> type | None:
    """Return the dataclass that a type is, or that it is if it is not ``None``."""
    choices = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return next((choice for choice in choices if isinstance(choice, type) and is_dataclass(choice)), None)
