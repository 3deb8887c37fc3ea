"""Mutates JSON values and bytes, always the same way for the same seed: what a node or a stranger may send."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64 - 7, 2**256, -(2**70), 1.5, 1e400, "", "0x", "0x0", "0xzz",
    "0x1", "0x" + "f" * 64, "0x" + "f" * 65, "0x" + "00" * 20, "0x" + "11" * 32, "\ud800", "\0", "nan", "9" * 5000,
    [], {}, [[]], [None], {"": None}, "a" * 10_000, [0] * 1000, {"error": "boom"},
)  # fmt: skip
"""What stands in place of something else."""


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the parts of a JSON value are."""
    stack = [(value, prefix)]
    while stack:
        part, place = stack.pop()
        yield place
        if isinstance(part, dict):
            stack += [(item, (*place, key)) for key, item in part.items()]
        elif isinstance(part, list):
            stack += [(item, (*place, row)) for row, item in enumerate(part[:200])]


def mutated(value: Any, source: random.Random) -> Any:
    """Return a JSON value with one to three parts changed, removed, repeated, exchanged or nested."""
    changed = json.loads(json.dumps(value))
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        places = list(paths(changed))
        place = source.choice(places)
        if not place:
            if source.random() < 0.5:
                return _value(source)
            continue
        parent = changed
        for step in place[:-1]:
            parent = parent[step]
        _change(parent, place[-1], source)
    return changed


def _value(source: random.Random) -> Any:
    """Return a value of its own: one that is shared would be changed for later mutations, or put into itself."""
    return deepcopy(source.choice(VALUES))


def _change(parent: Any, key: Any, source: random.Random) -> None:
    old = parent[key]
    match source.randrange(8):
        case 0:
            del parent[key]
        case 1:
            parent[key] = [old]
        case 2 if isinstance(parent, list):
            parent.insert(key, old)
        case 3 if isinstance(parent, list) and len(parent) > 1:
            other = source.randrange(len(parent))
            parent[key], parent[other] = parent[other], parent[key]
        case 4 if isinstance(old, str) and old:
            at = source.randrange(len(old))
            parent[key] = old[:at] + source.choice("0123456789abcdefxXg ") + old[at + 1 :]
        case 5 if isinstance(old, int):
            parent[key] = old + source.choice((-1, 1, 2**32, -(2**64)))
        case 6 if isinstance(parent, dict):
            parent[source.choice(("error", "result", "to", "type", key + "x"))] = old
        case _:
            parent[key] = _value(source)


def scrambled(data: bytes, source: random.Random) -> bytes:
    """Return bytes with pieces changed, cut, repeated, inserted, or in another encoding."""
    found = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 4))):
        at = source.randrange(len(found) + 1)
        match source.randrange(9):
            case 0:
                del found[at:]
            case 1:
                del found[at : at + source.randrange(1, 40)]
            case 2:
                found[at:at] = found[at : at + source.randrange(1, 200)]
            case 3:
                found[at:at] = source.choice(
                    (b"[" * 5000, b"{", b'"', b"\0", b"\xff", b"\n", b",", b"9" * 5000, b"-", b"null")
                )
            case 4 if at < len(found):
                found[at] = source.randrange(256)
            case 5:
                found[:0] = source.choice(
                    (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
                )
            case 6:
                lines = bytes(found).split(b"\n")
                source.shuffle(lines)
                found = bytearray(b"\n".join(lines))
            case 7 if source.random() < 0.2:
                found = bytearray(bytes(found).decode("utf-8", "replace").encode("utf-16"))
            case _ if at < len(found):
                found[at] ^= 1 << source.randrange(8)
    return bytes(found)


def exchanged(value: Any, source: random.Random) -> Any:
    """Return a JSON value with one to three leaves changed so that each keeps its form.

    A leaf takes the value of another leaf of the same name, or a digit of it changes: what a mutation of the form
    would have refused at once comes through to those who use the value.
    """
    changed = json.loads(json.dumps(value))
    leaves = [place for place in paths(changed) if place and not isinstance(_at(changed, place), dict | list)]
    for _ in range(source.choice((1, 1, 2, 3)) if leaves else 0):
        place = source.choice(leaves)
        others = [other for other in leaves if _name(other) == _name(place)]
        taken = _at(changed, source.choice(others))
        _at(changed, place[:-1])[place[-1]] = taken if source.random() < 0.5 else _nudged(taken, source)
    return changed


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def _name(place: tuple[Any, ...]) -> Any:
    """Return the last name on the way to a leaf: elements of lists have that of their list."""
    return next((step for step in reversed(place) if isinstance(step, str)), "")


def _nudged(leaf: Any, source: random.Random) -> Any:
    """Return a value of the same form, of which a little is different."""
    if isinstance(leaf, bool):
        return not leaf
    if isinstance(leaf, int):
        return max(0, leaf + source.choice((-1, 1, 7, 2**31, -leaf)))
    if isinstance(leaf, str) and leaf.startswith("0x") and len(leaf) > 3:
        at = source.randrange(2, len(leaf))
        return leaf[:at] + source.choice("0123456789abcdef") + leaf[at + 1 :]
    if isinstance(leaf, str) and leaf.isdecimal():
        return str(source.choice((0, 1, int(leaf) + 1, int(leaf) // 2, 2**64, 2**256 - 1)))
    return leaf
