"""Reads human-readable ABIs, as ethers takes them: ``function transfer(address to, uint256 amount) returns (bool)``."""

from __future__ import annotations

import re
from typing import Any, Final

_ENTRY: Final = re.compile(
    r"\s*(function|event|error|constructor|fallback|receive|struct)\b\s*([\w$]*)\s*", re.ASCII
)
_WORD: Final = re.compile(r"[\w$]+", re.ASCII)
_MODIFIERS: Final = frozenset({"memory", "calldata", "storage", "payable"})
_MUTABILITY: Final = ("pure", "view", "payable")
MAX_DEPTH: Final = 32
"""Tuples inside each other at most."""


class ReadableAbiError(ValueError):
    """A text is no entry of a human-readable ABI."""


def is_readable_abi(document: Any) -> bool:
    """Whether a JSON value is a list of entries as people write them."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(item, str) and _ENTRY.match(item) for item in document)
    )


def from_readable_abi(entries: list[str]) -> list[dict[str, Any]]:
    """Return an ABI as compilers write it.

    Raises:
        ReadableAbiError: an entry is malformed, or needs a struct's declaration.

    """
    return [_entry(text, row) for row, text in enumerate(entries)]


def _entry(text: str, row: int) -> dict[str, Any]:
    head = _ENTRY.match(text)
    if head is None or head[1] == "struct":
        raise ReadableAbiError(
            f"entry {row} is no function, event, error or constructor; write structs as tuple(...)"
        )
    kind, name = head[1], head[2]
    inputs, at = _arguments(text, head.end(), row)
    rest = text[at:]
    outputs: list[dict[str, Any]] = []
    returns = re.search(r"\breturns\s*", rest)
    if returns is not None:
        outputs, end = _arguments(rest, returns.end(), row)
        rest = rest[: returns.start()] + rest[end:]
    words = set(_WORD.findall(rest))
    entry: dict[str, Any] = {"type": kind, "inputs": inputs}
    if kind in ("function", "event", "error"):
        entry["name"] = name
    if kind == "event":
        entry["anonymous"] = "anonymous" in words
    elif kind != "error":
        is_view = "constant" in words
        mutability = next(
            (item for item in _MUTABILITY if item in words), "view" if is_view else "nonpayable"
        )
        entry["stateMutability"] = mutability
        if kind == "function":
            entry["outputs"] = outputs
    return entry


def _arguments(text: str, at: int, row: int, depth: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Return the arguments in parentheses that open at a place, and where they end."""
    if text[at : at + 1] != "(" or depth > MAX_DEPTH:
        raise ReadableAbiError(f"entry {row} lacks its arguments in parentheses, or nests them too deep")
    arguments: list[dict[str, Any]] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != ")":
        argument, at = _argument(text, at, row, depth)
        arguments.append(argument)
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != ")":
            raise ReadableAbiError(f"entry {row} is cut off, or an argument of it is malformed")
    return arguments, at + 1


def _argument(text: str, at: int, row: int, depth: int) -> tuple[dict[str, Any], int]:
    argument: dict[str, Any] = {}
    tuple_at = re.compile(r"(?:tuple\s*)?(?=\()", re.ASCII).match(text, at)
    if tuple_at is not None:
        argument["components"], at = _arguments(text, tuple_at.end(), row, depth + 1)
        kind = "tuple"
    else:
        word = _WORD.match(text, at)
        if word is None:
            raise ReadableAbiError(f"entry {row} has an argument without a type")
        kind, at = word[0], word.end()
    arrays = re.compile(r"(?:\[\d*\])*", re.ASCII).match(text, at)
    argument["type"], at = kind + (arrays[0] if arrays else ""), arrays.end() if arrays else at
    while (word := _WORD.match(text, at := _skip(text, at))) is not None:
        at = word.end()
        if word[0] == "indexed":
            argument["indexed"] = True
        elif word[0] not in _MODIFIERS:
            argument["name"] = word[0]
    return argument, at


def _skip(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at
