"""Overloaded functions by short names: ``safeTransferFrom(…, bytes)``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Final

from specminer._support.text import UniqueNames

_CUT: Final = "…"


def short_overloads(names: Iterable[str]) -> Mapping[str, str]:
    """Return a shorter name for each function whose name carries types, unique among all names.

    Of the types that all functions of the name begin with nothing is told.
    """
    every = list(dict.fromkeys(names))
    types: dict[str, dict[str, list[str]]] = {}
    for name in every:
        base, bracket, rest = name.partition("(")
        if bracket and base and rest.endswith(")"):
            types.setdefault(base, {})[name] = _split(rest[:-1])
    unique_names = UniqueNames(name for name in every if "(" not in name)
    short_names: dict[str, str] = {}
    for base, overloads in types.items():
        columns = zip(*overloads.values(), strict=False)
        common = (
            len(list(takewhile(lambda kinds: len(set(kinds)) == 1, columns))) if len(overloads) > 1 else 0
        )
        for name, kinds in sorted(overloads.items(), key=lambda item: (len(item[1]), item[0])):
            begin = [_CUT] if common else []
            short = f"{base}({', '.join([*begin, *kinds[common:]])})"
            short_names[name] = unique_names.add(short if len(short) < len(name) else name)
    return short_names


def _split(types: str) -> list[str]:
    """Return types that stand between commas; those inside of a tuple belong to it."""
    parts, depth = [""], 0
    for sign in types:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part]
