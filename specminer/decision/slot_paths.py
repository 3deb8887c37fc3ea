"""How a slot was computed: from a constant outwards through hashes, with what was hashed as expressions.

``keccak(key . base)`` is where Solidity keeps an entry of a mapping, ``keccak(base . key)`` where Vyper does,
``keccak(base)`` where a dynamic array begins; behind any of them lie members of structs and elements of arrays.
Constants are folded: what is hashed of constants alone is a constant of the code, so a path may begin behind it.
Source: Solidity's documentation, layout of state variables in storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from specminer.decoding.storage_values import NAMED_BASES
from specminer.shadow.arena import Arena, Part

MAX_HASHES: Final = 8
"""Hashes followed at most."""
_MAX_TERMS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingKey:
    """What was hashed with a base."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayIndex:
    """What was added to a place, as far as it is no constant: an index, times the size of an element."""

    terms: tuple[int, ...]
    offset: int = 0
    """How many elements behind that it is: -1 for ``list[length - 1]``."""


SlotStep = MappingKey | ArrayIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPath:
    """The steps that lead to a slot, the outermost first."""

    root: int
    """The constant where it begins: a variable's slot, or a hash of constants."""
    steps: tuple[SlotStep, ...]


def slot_path(arena: Arena, node: int, *, key_last: bool) -> SlotPath | None:
    """Return how a slot was computed; ``None`` if it is computed otherwise.

    Args:
        arena: the expressions.
        node: the slot.
        key_last: whether mappings are rather Vyper's.

    """
    steps: list[SlotStep] = []
    for _ in range(MAX_HASHES):
        terms, constant = _terms(arena, node)
        hashes = [term for term in terms if arena.kind(term) == "keccak"]
        others = tuple(term for term in terms if term not in hashes)
        if others:
            beyond = _elements_beyond(arena, hashes, others, constant)
            steps.append(ArrayIndex(terms=others, offset=beyond))
        if not hashes:
            return SlotPath(root=constant, steps=tuple(reversed(steps)))
        if len(hashes) > 1:
            return None
        parts: tuple[Part, ...] = arena.key(hashes[0])[1]
        split = _split(arena, parts, key_last=key_last)
        if split is None:
            return None
        base, key = split
        if key:
            steps.append(MappingKey(parts=key))
        node = base
    return None


class SlotShape(NamedTuple):
    """How a slot is computed, whatever its keys are: entries of one variable have one shape."""

    root: int
    """The constant where it begins."""
    mappings: tuple[bool, ...]
    """Of each step whether it is the key of a mapping; the others are indices of arrays."""
    offset: int
    """The constant behind the last hash: the place of a member."""


def slot_shape(arena: Arena, node: int, *, key_last: bool) -> SlotShape | None:
    """Return how a slot was computed, without its keys; ``None`` if it is computed otherwise."""
    path = slot_path(arena, node, key_last=key_last)
    if path is None:
        return None
    offset = _terms(arena, node)[1] if path.steps else 0
    return SlotShape(path.root, tuple(isinstance(step, MappingKey) for step in path.steps), offset)


def _elements_beyond(arena: Arena, hashes: Sequence[int], terms: tuple[int, ...], constant: int) -> int:
    """Return how many elements of a dynamic array the constant part of a slot is worth.

    What remains is the place of a member.
    """
    if len(hashes) != 1 or len(terms) != 1:
        return 0
    parts = arena.key(hashes[0])[1]
    if len(parts) != 1 or parts[0][1:] != (0, 32):
        return 0  # behind a mapping's entry stand its members
    size = 1
    key = arena.key(terms[0])
    if key[0] == "shifted":
        size = 1 << key[2]
    elif key[0] == "mul" and key[2] in arena.constants:
        size = arena.constants[key[2]]
    elif key[0] in ("field", "div"):
        return 0  # several elements share a slot
    return (constant - (constant >> 255 << 256)) // size


def _terms(arena: Arena, node: int) -> tuple[list[int], int]:
    """Return what a sum adds, and its constant part."""
    terms: list[int] = []
    constant = 0
    pending = [node]
    while pending:
        item = pending.pop()
        key = arena.key(item)
        if key[0] == "add" and len(terms) + len(pending) < _MAX_TERMS:
            pending += key[1:3]
        elif key[0] == "constant":
            constant += int(key[1])
        else:
            terms.append(item)
    return sorted(terms), constant % (1 << 256)


def _split(arena: Arena, parts: tuple[Part, ...], *, key_last: bool) -> tuple[int, tuple[Part, ...]] | None:
    """Return the base that was hashed, and the key; an array's base is hashed alone."""
    if len(parts) == 1 and parts[0][1:] == (0, 32):
        return parts[0][0], ()
    if sum(count for _, _, count in parts) < 32:
        return None
    first, last = parts[0], parts[-1]
    choices = []
    if last[1:] == (0, 32) and _is_base(arena, last[0]):
        choices.append((last[0], parts[:-1]))
    if first[1:] == (0, 32) and len(parts) > 1 and _is_base(arena, first[0]):
        choices.append((first[0], parts[1:]))
    if not choices:
        return None
    return choices[-1 if key_last else 0]


def _is_base(arena: Arena, node: int) -> bool:
    """Whether entries may lie behind a word: it is a small constant, or a hash, or lies behind one."""
    terms, constant = _terms(arena, node)
    if any(arena.kind(term) == "keccak" for term in terms):
        return True
    return not terms or constant >= NAMED_BASES


def index_of(arena: Arena, terms: tuple[int, ...]) -> int | None:
    """Return the index in what was added to a place: ``i`` of ``i * 3``, of ``i / 8`` and of ``i``."""
    if len(terms) != 1:
        return None
    node = terms[0]
    key = arena.key(node)
    if key[0] == "shifted" or (key[0] == "mul" and key[2] in arena.constants):
        node = key[1]
        key = arena.key(node)
    if (key[0] == "field" and 0 < key[2] < 8) or (key[0] == "div" and key[2] in arena.constants):
        return int(key[1])
    return node
