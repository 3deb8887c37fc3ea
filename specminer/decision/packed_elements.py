"""Writes to one of several elements that share a slot, where an index computed by the code chose its bits.

Compilers shift the element's mask and its new value by ``index * width`` bits, older ones by a power of 256:
``word & ~(mask << shift) | value << shift``.
"""

from __future__ import annotations

from typing import NamedTuple

from specminer.shadow.arena import Arena

Scaled = tuple[str, int, int]
"""(kind of the shift, node of its amount, node of what is shifted)."""


class PackedElement(NamedTuple):
    """An element that gets a value."""

    position: int
    """The node of its index."""
    bits: int
    node: int
    """Where the value came from; a constant has a node as well."""


def packed_element(arena: Arena, node: int | None, before: int | None) -> PackedElement | None:
    """Return the element that a new word changes; ``None`` if it is no such write.

    Args:
        arena: holds the expressions.
        node: where the new word came from.
        before: where the word came from that was there before.

    """
    if not node or not before:
        return None
    kind, *rest = arena.key(node)
    if kind == "and":  # nothing is put where the old value was
        mask = _cleared_mask(arena, node, before)
        return None if mask is None else _element(arena, mask, arena.constant(0))
    if kind != "or":
        return None
    for rest_of_word, put in (rest, reversed(rest)):
        mask = _cleared_mask(arena, rest_of_word, before)
        value = None if mask is None else _shifted_alike(arena, put, mask)
        if mask is not None and value:
            return _element(arena, mask, value)
    return None


def _cleared_mask(arena: Arena, node: int, before: int) -> Scaled | None:
    """Return the mask whose bits of the old word are left away."""
    kind, *rest = arena.key(node)
    if kind != "and" or before not in rest:
        return None
    other = rest[1] if rest[0] == before else rest[0]
    mask_key = arena.key(other)
    return _read_scale(arena, mask_key[1]) if mask_key[0] == "not" else None


def _read_scale(arena: Arena, node: int) -> Scaled | None:
    """Return what is shifted by how much."""
    kind, *rest = arena.key(node)
    if kind == "shl":
        return "shl", rest[0], rest[1]
    if kind == "mul":
        for power, inner in (rest, reversed(rest)):
            key = arena.key(power)
            if key[0] == "exp" and arena.constants.get(key[1]) == 256:
                return "exp", key[2], inner
    return None


def _shifted_alike(arena: Arena, node: int, mask: Scaled) -> int | None:
    """Return the value that is shifted as a mask is."""
    kind, amount, _ = mask
    key = arena.key(node)
    if kind == "exp" and key[0] == "exp" and key[2] == amount and arena.constants.get(key[1]) == 256:
        return arena.constant(1)
    scale = _read_scale(arena, node)
    return scale[2] if scale is not None and scale[:2] == (kind, amount) else None


def _element(arena: Arena, mask: Scaled, value: int) -> PackedElement | None:
    kind, amount, ones = mask
    bits = arena.constants.get(ones, 0).bit_length()
    if not bits or bits % 8 or arena.constants[ones] != (1 << bits) - 1:
        return None
    size = bits // 8 if kind == "exp" else bits
    index = amount
    if size > 1:
        key = arena.key(amount)
        factor = (
            1 << key[2] if key[0] == "shifted" else arena.constants.get(key[-1]) if key[0] == "mul" else None
        )
        if factor != size:
            return None
        index = key[1]
    whole = arena.key(value)
    if whole[0] == "field" and whole[2:4] == (0, bits):
        value = whole[1]
    return PackedElement(position=index, bits=bits, node=value)
