"""Which fields of a packed word a write changes: the rest is what was there before.

Compilers pack several values into one slot. To write one of them, code reads the word, masks the old value away and
puts the new one in its place; so the expression of the new word has pieces of the old one, which are no effect.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from specminer.shadow.arena import UNKNOWN, Arena
from specminer.shadow.packing import MAX_DEEP
from specminer.shadow.record import SlotEffect

_WORD = 256


class FieldWrite(NamedTuple):
    """A field that gets a value."""

    shift: int
    """Its lowest bit in the word."""
    bits: int
    node: int | None
    """Where the value came from; ``None`` if it follows from the code alone."""
    value: int


class _Piece(NamedTuple):
    """Bits of a word that are those of a node, from its lowest on."""

    shift: int
    bits: int
    node: int


def written_fields(arena: Arena, effect: SlotEffect) -> tuple[FieldWrite, ...]:
    """Return the fields that a write sets, the lowest first; the whole word if nothing of the old one is kept."""
    whole = (FieldWrite(0, _WORD, effect.node, effect.value),)
    before = effect.before_node
    if not before or effect.node == before:
        return () if before and effect.node == before else whole
    pieces: list[_Piece] = []
    if not effect.node or not _split(arena, effect.node, pieces) or _overlap(pieces):
        return whole
    unchanged = [piece for piece in pieces if arena.field(before, piece.shift, piece.bits) == piece.node]
    return _fields(effect.value, pieces, unchanged) if unchanged else whole


def fields_of_word(arena: Arena, node: int | None, value: int) -> tuple[FieldWrite, ...]:
    """Return the fields that a word is put together from, the lowest first; itself if it is not.

    Args:
        arena: holds its expression.
        node: where it came from.
        value: what it is worth.

    """
    pieces: list[_Piece] = []
    if not node or not _split(arena, node, pieces) or _overlap(pieces):
        return (FieldWrite(0, _WORD, node, value),)
    return _fields(value, pieces, ())


def _fields(value: int, pieces: list[_Piece], unchanged: Collection[_Piece]) -> tuple[FieldWrite, ...]:
    """Return pieces of a word, and the constants between them, without those that are kept."""
    fields = [
        FieldWrite(piece.shift, piece.bits, piece.node, _bits_of(value, piece.shift, piece.bits))
        for piece in pieces
        if piece not in unchanged
    ]
    fields += [FieldWrite(shift, bits, None, _bits_of(value, shift, bits)) for shift, bits in _gaps(pieces)]
    return tuple(sorted(fields, key=lambda item: item.shift))


def _bits_of(value: int, shift: int, bits: int) -> int:
    return value >> shift & ((1 << bits) - 1)


def _split(arena: Arena, node: int, pieces: list[_Piece], deep: int = 0) -> bool:
    """Append the pieces that a word is put together from; return whether it is."""
    left = [node]
    while left:
        node = left.pop()
        if node == UNKNOWN or len(pieces) > _WORD:
            return False
        kind, *rest = arena.key(node)
        if kind == "or":
            left += rest
        elif kind == "and" and rest[1] in arena.constants:
            if not _mask(arena, rest[0], arena.constants[rest[1]], pieces, deep):
                return False
        elif kind == "shifted":
            pieces.append(_Piece(rest[1], min(arena.bits(rest[0]), _WORD - rest[1]), rest[0]))
        elif kind != "constant":
            pieces.append(_Piece(0, arena.bits(node), node))
    return True


def _mask(arena: Arena, node: int, mask: int, pieces: list[_Piece], deep: int) -> bool:
    """Append the pieces of a word of which some bits are left away; return whether that can be told."""
    inner: list[_Piece] = []
    if arena.kind(node) not in ("or", "and", "shifted"):
        inner.append(_Piece(0, arena.bits(node), node))
    elif deep == MAX_DEEP or not _split(arena, node, inner, deep + 1):
        return False
    for shift, bits in _runs(mask):
        for piece in inner:
            low = max(shift, piece.shift)
            high = min(shift + bits, piece.shift + piece.bits)
            part = arena.field(piece.node, low - piece.shift, high - low) if low < high else None
            if part is not None:
                pieces.append(_Piece(low, min(high - low, arena.bits(part)), part))
    return True


def _runs(mask: int) -> Iterable[tuple[int, int]]:
    """Yield the runs of ones in a mask, as their lowest bit and their length."""
    position = 0
    while mask >> position:
        low = (mask >> position & -(mask >> position)).bit_length() - 1
        position += low
        ones = ~(mask >> position)
        length = (ones & -ones).bit_length() - 1
        yield position, length
        position += length


def _overlap(pieces: list[_Piece]) -> bool:
    end = 0
    for shift, bits, _ in sorted(pieces):
        if shift < end:
            return True
        end = shift + bits
    return False


def _gaps(pieces: list[_Piece]) -> Iterable[tuple[int, int]]:
    """Yield the ranges of bits between pieces: they hold constants."""
    end = 0
    for shift, bits, _ in [*sorted(pieces), _Piece(_WORD, 0, 0)]:
        if shift > end:
            yield end, shift - end
        end = shift + bits
