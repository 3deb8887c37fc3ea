"""What a call left in storage: of each slot the last write, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from specminer.decision.packed_elements import PackedElement, packed_element
from specminer.shadow.arena import UNKNOWN, Arena
from specminer.shadow.packed_fields import FieldWrite, fields_of_word, written_fields
from specminer.shadow.record import ShadowRecord, SlotEffect

WORD: Final = 256


class SlotPlace(NamedTuple):
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

    slot_place: SlotPlace
    slot: int
    fields: tuple[FieldLeft, ...]
    """The lowest first; unchanged neighbours of a packed field are not among them."""
    node: int | None
    """Where the whole word came from."""
    value: int
    before: int
    before_node: int | None
    """Where what was there before came from; ``None`` if the call did not look."""
    decisions_before: int
    """How many decisions the call had taken before the last write."""
    element: PackedElement | None = None
    """Which of several elements in the slot was written, where the code computed that."""
    aliases: tuple[SlotPlace, ...] = ()
    """Other ways in which the call computed the same slot before it wrote there."""


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
            return [_slot_left(record.arena, items) for items in writes.values()], True
        writes.setdefault(effect.slot, []).append(effect)
    return [_slot_left(record.arena, items) for items in writes.values()], False


def _slot_left(arena: Arena, writes: Sequence[SlotEffect]) -> SlotLeft:
    first, last = writes[0], writes[-1]
    fields: list[FieldWrite] = []
    for effect in writes:
        new = written_fields(arena, effect)
        if len(new) == 1 and new[0].bits == WORD:
            new = fields_of_word(arena, effect.node, effect.value)
        fields = [item for item in fields if not any(_overlap(item, other) for other in new)] + list(new)
    return SlotLeft(
        slot_place=_place_of(first),
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
        before_node=first.before_node,
        decisions_before=last.decisions_before,
        element=packed_element(arena, last.node, first.before_node) if len(writes) == 1 else None,
        aliases=tuple(
            slot_place
            for slot_place in dict.fromkeys(map(_place_of, writes))
            if slot_place != _place_of(first)
        ),
    )


def _place_of(effect: SlotEffect) -> SlotPlace:
    return SlotPlace(effect.slot_node, 0 if effect.slot_node else effect.slot)


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
