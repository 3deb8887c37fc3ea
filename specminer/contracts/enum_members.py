"""The members of enums, in what a compiler or an explorer says of a contract: its syntax tree, or its source.

An ABI names an enum's type (``enum Shop.Phase``) and numbers its values; their names stand in the source alone.
Foundry, Hardhat, Truffle and the compiler's own output may hold the syntax tree, Sourcify and Etherscan the source,
which is read only where there is no tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from specminer._support.nesting import NestingError, check_nesting

MAX_ENUMS: Final = 2_000
MAX_MEMBERS: Final = 256
"""Solidity allows no more."""
MAX_SOURCE: Final = 1 << 20
"""Characters of a source; longer ones are not read."""
MAX_SOURCES: Final = 4 << 20
"""Characters of all sources together that are read."""
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,99}", re.ASCII)
_SKIPPED: Final = re.compile(
    r"//[^\n]*|/\*.*?(?:\*/|\Z)"
    r"|\"(?:[^\"\\\n]|\\.)*(?:\"|(?=\n)|\Z)|'(?:[^'\\\n]|\\.)*(?:'|(?=\n)|\Z)",
    re.DOTALL,
)
"""Comments and texts; one that is never closed goes on to the end, so that no source takes long."""
_OPENING: Final = re.compile(
    r"\b(?:contract|library|interface)\s+(?P<owner>[A-Za-z_$][\w$]*)[^{};]{0,500}\{"
    r"|\benum\s+(?P<enum>[A-Za-z_$][\w$]*)\s*\{(?P<members>[^{}]*)\}|(?P<open>\{)|(?P<close>\})",
    re.ASCII,
)


def enum_members(document: Any) -> dict[str, tuple[str, ...]]:
    """Return the members of the enums that a document describes, by the enum's name as the compiler spells it.

    An enum that is told in two ways is left out. Whatever is malformed is passed over: names are all that is lost.
    """
    enums: dict[str, tuple[str, ...] | None] = {}
    for name, members in _find_declared(document):
        if len(enums) >= MAX_ENUMS:
            break
        if _is_sound(name, members):
            enums[name] = members if enums.get(name, members) == members else None
    return {name: members for name, members in enums.items() if members is not None}


def _is_sound(name: str, members: tuple[str, ...]) -> bool:
    names = [*name.split(".", 1), *members]
    return 0 < len(members) <= MAX_MEMBERS and all(_NAME.fullmatch(item) for item in names)


def _find_declared(document: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not isinstance(document, dict):
        return
    stored = document.get("enums")
    if isinstance(stored, dict):
        for name, members in stored.items():
            if isinstance(members, list) and all(isinstance(item, str) for item in members):
                yield name, tuple(members)
    in_trees = [enum for tree in _trees(document) for enum in _of_tree(tree)]
    yield from in_trees
    left = 0 if in_trees else MAX_SOURCES
    for source in _sources(document):
        left -= len(source)
        if left < 0:
            return
        yield from _of_source(source)


def _files(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is said of each source file."""
    holders = [document, document.get("input"), document.get("output")]
    for holder in holders:
        files = holder.get("sources") if isinstance(holder, dict) else None
        if isinstance(files, dict):
            yield from (file for file in files.values() if isinstance(file, dict))


def _trees(document: Mapping[str, Any]) -> Iterator[Any]:
    yield document.get("ast")
    for file in _files(document):
        yield from (file.get("ast"), file.get("AST"))


def _sources(document: Mapping[str, Any]) -> Iterator[str]:
    texts = [document.get("source"), *(file.get("content") for file in _files(document))]
    text = document.get("SourceCode")
    if isinstance(text, str) and text.lstrip()[:1] == "{" and len(text) <= MAX_SOURCE:
        try:  # Etherscan puts standard JSON into braces of its own
            bare = text.strip()
            bare = bare[1:-1] if bare.startswith("{{") else bare
            check_nesting(bare.encode())
            inner = msgspec.json.decode(bare)
        except (NestingError, msgspec.DecodeError, UnicodeError, RecursionError):
            inner = None
        texts += [file.get("content") for file in _files(inner)] if isinstance(inner, dict) else []
    else:
        texts.append(text)
    yield from (item for item in texts if isinstance(item, str) and len(item) <= MAX_SOURCE)


def _of_tree(tree: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the enums of a file's syntax tree: those beside contracts, and those in them."""
    for node in _nodes(tree):
        inner = _nodes(node) if node.get("nodeType") == "ContractDefinition" else ()
        for item in (node, *inner):
            members = item.get("members")
            if item.get("nodeType") != "EnumDefinition" or not isinstance(members, list):
                continue
            name = item.get("canonicalName") or item.get("name")
            names = [member.get("name") if isinstance(member, dict) else None for member in members]
            if isinstance(name, str) and all(isinstance(each, str) for each in names):
                yield name, tuple(str(each) for each in names)


def _nodes(tree: Any) -> Iterable[dict[str, Any]]:
    nodes = tree.get("nodes") if isinstance(tree, dict) else None
    return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []


def _of_source(source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the enums of a Solidity source, whose comments and texts are passed over."""
    depth, owner = 0, ""
    for part in _OPENING.finditer(_SKIPPED.sub(" ", source)):
        if part["enum"]:
            members = tuple(item.strip() for item in part["members"].split(","))
            if depth == (1 if owner else 0):
                yield f"{owner}.{part['enum']}" if owner else part["enum"], members
        elif part["close"]:
            depth = max(0, depth - 1)
            owner = owner if depth else ""
        else:
            owner = part["owner"] if part["owner"] and not depth else owner
            depth += 1
