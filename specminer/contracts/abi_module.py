"""Reads an ABI out of a module of JavaScript or TypeScript, as packages ship it and TypeChain writes it.

Nothing is executed: the literal list is brought into JSON. The list whose name speaks of an ABI is taken, or the only
one. Keys may be bare, strings may have single quotes, commas may trail; anything that has to be computed is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec

from specminer._support.nesting import check_nesting

MAX_MODULE: Final = 4 << 20
"""Characters of a module at most."""
MAX_LISTS: Final = 200
"""Lists of a module that are looked at, at most."""
_ENDING: Final = re.compile(r"^.*\.|_?abi$", re.IGNORECASE)
_NAMED_LIST: Final = re.compile(
    r"([A-Za-z_$][\w$.]{0,80})\s{0,20}(?::[^=\n]{0,80})?=\s{0,20}(?=\[)", re.ASCII
)
_DEFAULT_LIST: Final = re.compile(r"\bexport\s+default\s*(?=\[)", re.ASCII)
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<double>"(?:[^"\\\n]|\\.)*")|(?P<single>'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<word>[A-Za-z_$][\w$]*)|(?P<number>-?\d[\w.]*)|(?P<mark>[\[\]{},:])""",
    re.ASCII | re.DOTALL,
)
_WORDS: Final = {"true": "true", "false": "false", "null": "null", "undefined": "null"}


class AbiModuleError(ValueError):
    """A module holds no ABI, several, or one that has to be computed."""


def from_module(text: str) -> Any:
    """Return the ABI that a module holds; of several a table of contracts, by the names of the lists.

    Raises:
        AbiModuleError: it holds none, or is too large.

    """
    if len(text) > MAX_MODULE:
        raise AbiModuleError(f"it has more than {MAX_MODULE:,} characters")
    starts = islice(_starts(text), MAX_LISTS)
    lists = [(name, entries) for name, start in starts if (entries := _read_list(text, start))]
    called_abi = [item for item in lists if "abi" in item[0].lower()]
    choice = called_abi or lists
    if not choice:
        raise AbiModuleError("no list of functions stands in it as a literal")
    if len({msgspec.json.encode(entries) for _, entries in choice}) == 1:
        return choice[0][1]
    return {"contracts": {_ENDING.sub("", name): {"abi": entries} for name, entries in choice}}


def _starts(text: str) -> Iterator[tuple[str, int]]:
    for match in _NAMED_LIST.finditer(text):
        yield match[1], match.end()
    for match in _DEFAULT_LIST.finditer(text):
        yield "default", match.end()


def _read_list(text: str, start: int) -> list[Any]:
    """Return the list that begins at a place, if it is one of an ABI; else nothing."""
    try:
        written = _as_json(text, start).encode("utf-8", "surrogatepass")
        check_nesting(written)
        entries = msgspec.json.decode(written)
    except (AbiModuleError, msgspec.DecodeError, ValueError):
        return []
    is_abi = isinstance(entries, list) and all(isinstance(item, dict) and "type" in item for item in entries)
    return entries if is_abi else []


def _as_json(text: str, start: int) -> str:
    """Return the literal that begins at a place, as JSON.

    Raises:
        AbiModuleError: it has to be computed, or does not end.

    """
    parts: list[str] = []
    depth, at = 0, start
    while True:
        token = _TOKEN.match(text, at)
        if token is None:
            raise AbiModuleError("it is no literal")
        at, kind, written = token.end(), token.lastgroup, token[0]
        if kind in ("space", "comment"):
            continue
        if kind == "mark":
            depth += (written in "[{") - (written in "]}")
            if written in "]}" and parts and parts[-1] == ",":
                parts.pop()
            parts.append(written)
            if not depth:
                return "".join(parts)
        elif kind == "word":
            is_key = text[at : at + 200].lstrip()[:1] == ":"
            if not is_key and written not in _WORDS:
                raise AbiModuleError("it is no literal")
            parts.append(f'"{written}"' if is_key else _WORDS[written])
        elif kind == "single":
            inner = written[1:-1].replace("\\'", "'").replace('"', '\\"')
            parts.append(f'"{inner}"')
        else:
            parts.append(written)
