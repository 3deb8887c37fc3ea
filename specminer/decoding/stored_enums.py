"""The names of the values of stored enums: what the layout or a getter says of their type, and the artifact of that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from specminer.contracts.artifact import Artifact
from specminer.contracts.usual_enums import enum_members_of
from specminer.decoding.location_columns import Field, Locations, StorageVariable
from specminer.decoding.storage_values import ValueKind

_WIDTH: Final = 8
"""Bits of an enum."""
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_RESERVED_WORDS: Final = frozenset(
    [
        "and",
        "block",
        "changed",
        "false",
        "hash",
        "last",
        "not",
        "now",
        "or",
        "origin",
        "seen",
        "sender",
        "this",
        "true",
        "value",
    ]
)
"""Words of the language of conditions."""


def with_enum_members(locations: Locations, artifact: Artifact) -> Locations:
    """Return locations in which fields that are enums have the names of their values, where these are known."""
    returned_enums = dict(_returned_enums(artifact))
    reserved_names = _reserved_names(locations, artifact)
    variables = []
    for item in locations.variables:
        fields = [_name_enum(item, field, returned_enums, artifact) for field in item.fields]
        clear = [
            field if reserved_names.isdisjoint(field.members) else old
            for old, field in zip(item.fields, fields, strict=True)
        ]
        variables.append(replace(item, fields=tuple(clear)))
    return replace(locations, variables=tuple(variables))


def _reserved_names(locations: Locations, artifact: Artifact) -> frozenset[str]:
    """Return names that conditions have for something else: ``phase = sender`` would be read as a comparison of two."""
    variable_texts = (
        item.text(None, index) for item in locations.variables for index in range(len(item.fields))
    )
    words = {word for text in variable_texts for word in _WORD.findall(text)}
    parameter_names = {
        parameter.name for entry in artifact.abi for parameter in (*entry.inputs, *entry.outputs)
    }
    return frozenset(words | parameter_names | _RESERVED_WORDS)


def _returned_enums(artifact: Artifact) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield for each function and name of one of its results the enum that it is; the name is empty of a single one."""
    for entry in artifact.abi:
        if entry.type != "function":
            continue
        for output in entry.outputs:
            if output.enum:
                yield (entry.name, output.name if len(entry.outputs) > 1 else ""), output.enum


def _name_enum(
    item: StorageVariable, field: Field, returned_enums: dict[tuple[str, str], str], artifact: Artifact
) -> Field:
    if field.width != _WIDTH:
        return field
    enum_names = [field.enum, *(returned_enums.get((name, ""), "") for name in field.getters)]
    root, _, member = f"{item.pieces[0] if item.pieces else ''}{field.text}".partition(".")
    # the getter of a struct, or of the variable alone
    enum_names.append(returned_enums.get((root, member), ""))
    members = next(
        (enum_members for name in enum_names if name and (enum_members := enum_members_of(artifact, name))),
        (),
    )
    return replace(field, kind=ValueKind.ENUM, members=members) if members else field
