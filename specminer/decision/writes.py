"""What a call left in storage: of each slot the last write, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from specminer.evm.shadow.arena import OPERANDS, UNKNOWN, Arena, operands_of
from specminer.evm.shadow.fields import FieldWrite, fields_of_word, written_fields
from specminer.evm.shadow.record import ShadowRecord, SlotEffect

WORD: Final = 256
MAX_SEEN: Final = 256
"""Nodes of an expression that is looked through."""
MAX_JOINED: Final = 8
"""How deeply words are looked into that are joined from others."""


class Place(NamedTuple):
    """A slot, by how the code computed it."""

    node: int | None
    """``None`` if it follows from the code alone."""
    slot: int
    """Its number, where that follows from the code alone; else 0."""


class FieldLeft(NamedTuple):
    """What a call left in some bits of a slot."""

    shift: int
    bits: int
    node: int | None
    """Where the value came from; ``None`` if it follows from the code alone."""
    value: int
    before: int
    """What was there before the call."""


class SlotLeft(NamedTuple):
    """What a call left in a slot that it wrote to."""

    place: Place
    slot: int
    fields: tuple[FieldLeft, ...]
    """The lowest first; unchanged neighbours of a packed field are not among them."""
    node: int | None
    """Where the whole word came from."""
    value: int
    before: int
    found: int | None
    """Where what was there before came from; ``None`` if the call did not look."""
    decided: int
    """How many decisions the call had taken before the last write."""


def slots_left(record: ShadowRecord, most: int) -> tuple[list[SlotLeft], bool]:
    """Return what a call left in the slots that it wrote to, in the order of the first writes.

    Args:
        record: what the shadow tells of the call.
        most: how many slots are looked at.

    Returns:
        The slots, and whether there were more.

    """
    writes: dict[int, list[SlotEffect]] = {}
    for effect in record.writes:
        if effect.undone:
            continue
        if effect.slot not in writes and len(writes) == most:
            return [_left(record.arena, items) for items in writes.values()], True
        writes.setdefault(effect.slot, []).append(effect)
    return [_left(record.arena, items) for items in writes.values()], False


def _left(arena: Arena, writes: Sequence[SlotEffect]) -> SlotLeft:
    first, last = writes[0], writes[-1]
    fields: list[FieldWrite] = []
    for effect in writes:
        new = written_fields(arena, effect)
        if len(new) == 1 and new[0].bits == WORD:
            new = fields_of_word(arena, effect.node, effect.value)
        fields = [item for item in fields if not any(_overlap(item, other) for other in new)] + list(new)
    return SlotLeft(
        place=Place(first.slot_node, 0 if first.slot_node else first.slot),
        slot=first.slot,
        fields=tuple(
            FieldLeft(
                item.shift, item.bits, item.node, item.value, _part(first.before, item.shift, item.bits)
            )
            for item in sorted(fields, key=lambda item: item.shift)
        ),
        node=last.node,
        value=last.value,
        before=first.before,
        found=first.before_node,
        decided=last.decided,
    )


def _overlap(first: FieldWrite, second: FieldWrite) -> bool:
    return first.shift < second.shift + second.bits and second.shift < first.shift + first.bits


def _part(word: int, shift: int, bits: int) -> int:
    return word >> shift & ((1 << bits) - 1)


def field_left(arena: Arena, slot: SlotLeft, shift: int, width: int) -> FieldLeft | None:
    """Return what a call left in a declared field; ``None`` if it did not write there.

    The value has the node 0, which is unknown, where the field was put together from several expressions.
    """
    end = shift + width
    inside = [item for item in slot.fields if item.shift < end and shift < item.shift + item.bits]
    if not inside:
        return None
    value, before = _part(slot.value, shift, width), _part(slot.before, shift, width)
    computed = [item for item in inside if item.node is not None]
    node: int | None = None
    if len(computed) > 1:
        node = UNKNOWN
    elif computed:
        item = computed[0]
        if item.shift <= shift and item.shift + item.bits >= end:
            node = arena.field(item.node or UNKNOWN, shift - item.shift, width)
        else:
            node = item.node if item.shift == shift and not value >> item.bits else UNKNOWN
    return FieldLeft(shift, width, node, value, before)


def seen_through(arena: Arena, node: int) -> int:
    """Return an expression with fields of words that the call put together itself as what it put there."""
    items = list(islice(arena.below(node), MAX_SEEN + 1))
    if len(items) > MAX_SEEN or not any(_is_packed(arena, item) for item in items):
        return node
    seen: dict[int, int] = {}
    for item in items:
        key = arena.key(item)
        changed = any(seen[operand] != operand for operand in operands_of(key))
        made: int | None = item
        if key[0] == "field":
            made = _field_of(arena, arena.field(seen[key[1]], key[2], key[3]) or UNKNOWN)
        elif changed and OPERANDS.get(key[0]) == 2:
            made = arena.make(key[0], seen[key[1]], seen[key[2]])
        elif changed:
            return node
        if not made:
            return node
        seen[item] = made
    return seen[node]


def _is_packed(arena: Arena, node: int) -> bool:
    key = arena.key(node)
    return key[0] == "field" and arena.kind(key[1]) in ("or", "and")


def _field_of(arena: Arena, node: int) -> int:
    """Return a field of a word that is put together as the expression that stands in it."""
    while node and arena.kind(node) == "field":
        inner, shift, bits = arena.key(node)[1:4]
        part = _part_of(arena, inner, shift, bits)
        if not part or part == node:
            break
        node = part
    return node


def _part_of(arena: Arena, word: int, shift: int, bits: int) -> int | None:
    """Return what stands in some bits of a word that is joined or masked; ``None`` if not one expression does."""
    kind, *rest = arena.key(word)
    if kind == "and" and rest[1] in arena.constants:
        mask = _part(arena.constants[rest[1]], shift, bits)
        return arena.field(rest[0], shift, bits) if mask == (1 << bits) - 1 else None
    if kind != "or":
        return None
    filled = [item for item in rest if not _is_empty(arena, item, shift, bits)]
    return arena.field(filled[0], shift, bits) if len(filled) == 1 else None


def _is_empty(arena: Arena, word: int, shift: int, bits: int, deep: int = 0) -> bool:
    """Return whether some bits of a word are always zero."""
    if word in arena.constants:
        return not _part(arena.constants[word], shift, bits)
    kind, *rest = arena.key(word)
    shifted: int
    if kind == "and" and rest[1] in arena.constants:
        return not _part(arena.constants[rest[1]], shift, bits)
    if kind == "or" and deep < MAX_JOINED:
        return all(_is_empty(arena, item, shift, bits, deep + 1) for item in rest)
    if kind == "shifted":
        shifted = rest[1]
        return shift + bits <= shifted or shift >= shifted + arena.bits(rest[0])
    return shift >= arena.bits(word)
