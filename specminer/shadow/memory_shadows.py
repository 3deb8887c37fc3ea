"""Which bytes of memory, of calldata or of an answer came from where.

Bytes are held in *pieces* of at most 32: ``count`` bytes from ``start`` on are those of a node from its byte ``first``
on. Pieces do not overlap; bytes in no piece follow from the code alone. A write cuts the pieces that it touches.
"""

from __future__ import annotations

from typing import Final

from specminer.shadow.arena import UNKNOWN, Arena, Part

MAX_PIECES: Final = 1 << 12
"""Pieces of one memory; with more of them nothing is known of it any more."""


class ShadowMemory:
    """The pieces of some bytes."""

    __slots__ = ("overflowed", "pieces", "residues")

    def __init__(self) -> None:
        self.pieces: dict[int, Part] = {}
        """By their start."""
        self.residues: set[int] = set()
        """All starts modulo 32."""
        self.overflowed = False
        """Whether there were too many pieces."""

    def write_word(self, start: int, node: int | None) -> None:
        """Note that 32 bytes were written."""
        pieces = self.pieces
        piece = pieces.get(start)
        if piece is None or piece[2] != 32:
            self.clear(start, 32)
        if node is None:
            pieces.pop(start, None)
        else:
            self.put(start, (node, 0, 32))

    def write_byte(self, start: int, node: int | None) -> None:
        """Note that the lowest byte of a word was written."""
        self.clear(start, 1)
        if node is not None:
            self.put(start, (node, 31, 1))

    def put(self, start: int, part: Part) -> None:
        """Add a piece where there is none."""
        self.pieces[start] = part
        self.residues.add(start & 31)
        if len(self.pieces) > MAX_PIECES:
            self.overflowed = True
            self.pieces.clear()

    def _touching(self, start: int, size: int) -> list[int]:
        """Return the starts of the pieces that have bytes in a range, in order."""
        pieces, end = self.pieces, start + size
        if not pieces or not size:
            return []
        if len(pieces) * 32 < size:
            return sorted(at for at, part in pieces.items() if at < end and at + part[2] > start)
        starts = []
        low = start - 31
        for residue in self.residues:
            at = low + (residue - low) % 32
            while at < end:
                part = pieces.get(at)
                if part is not None and at + part[2] > start:
                    starts.append(at)
                at += 32
        if len(starts) > 1:
            starts.sort()
        return starts

    def blur(self, start: int, size: int) -> None:
        """Note that a range was written with what nothing is known of."""
        self.clear(start, size)
        for offset in range(0, size, 32):
            self.put(start + offset, (UNKNOWN, 0, min(32, size - offset)))
            if self.overflowed:
                return

    def clear(self, start: int, size: int) -> None:
        """Note that a range was written with what follows from the code."""
        end = start + size
        for at in self._touching(start, size):
            node, first, count = self.pieces.pop(at)
            if at < start:
                self.put(at, (node, first, start - at))
            if at + count > end:
                self.put(end, (node, first + end - at, at + count - end))

    def copy(self, start: int, other: ShadowMemory, source: int, size: int) -> None:
        """Note that a range was copied from elsewhere; ``other`` may be this memory."""
        if other.overflowed:
            self.overflowed = True
        pieces = other.cut(source, size)
        self.clear(start, size)
        for offset, part in pieces:
            self.put(start + offset, part)

    def cut(self, start: int, size: int) -> list[tuple[int, Part]]:
        """Return the pieces in a range, cut to it, with their distance from its beginning."""
        pieces = []
        end = start + size
        for at in self._touching(start, size):
            node, first, count = self.pieces[at]
            begin, stop = max(at, start), min(at + count, end)
            pieces.append((begin - start, (node, first + begin - at, stop - begin)))
        return pieces

    def read_word(self, arena: Arena, start: int, data: bytes | bytearray) -> int | None:
        """Return the node of the 32 bytes from ``start`` on; ``data`` is what the bytes are."""
        if self.overflowed:
            return UNKNOWN
        piece = self.pieces.get(start)
        if piece is not None and piece[2] == 32:
            return piece[0]
        if not self.pieces:
            return None
        parts = self.read(arena, start, 32, data)
        if parts is None:
            return UNKNOWN
        return _word(arena, parts)

    def read(self, arena: Arena, start: int, size: int, data: bytes | bytearray) -> tuple[Part, ...] | None:
        """Return what stands in a range as parts, constants among them; ``None`` if that is not known, or too much."""
        if self.overflowed:
            return None
        pieces = self.cut(start, size)
        if len(pieces) > arena.max_parts:
            return None
        parts: list[Part] = []
        position = 0
        for offset, part in pieces:
            self._fill(arena, parts, data, start + position, offset - position)
            if not _joins(parts, part):
                parts.append(part)
            else:
                parts[-1] = (part[0], parts[-1][1], parts[-1][2] + part[2])
            position = offset + part[2]
        self._fill(arena, parts, data, start + position, size - position)
        return tuple(parts) if len(parts) <= arena.max_parts else None

    @staticmethod
    def _fill(arena: Arena, parts: list[Part], data: bytes | bytearray, start: int, size: int) -> None:
        """Append bytes that follow from the code as constants of at most 32 bytes."""
        if size > 32 * arena.max_parts:
            parts.extend([(UNKNOWN, 0, 0)] * (arena.max_parts + 1))
            return
        while size > 0:
            count = min(32, size)
            text = bytes(data[start : start + count]) if start < len(data) else b""
            value = int.from_bytes(text.ljust(count, b"\0"), "big")
            parts.append((arena.constant(value), 32 - count, count))
            start, size = start + count, size - count


def _joins(parts: list[Part], part: Part) -> bool:
    """Return whether a part goes on where the last one ends."""
    if not parts:
        return False
    node, first, count = parts[-1]
    return node == part[0] and first + count == part[1]


def _word(arena: Arena, parts: tuple[Part, ...]) -> int | None:
    """Return the node of 32 bytes that are made of parts; neighbouring bytes of calldata or an answer are one word."""
    if all(node in arena.constants for node, _, _ in parts):
        return None
    base: tuple[object, ...] | None = None
    position = 0
    for node, first, count in parts:
        key = arena.key(node)
        if key[0] not in ("calldata", "answer"):
            break
        begins = (*key[:-1], key[-1] + first - position)
        if base is not None and begins != base:
            break
        base, position = begins, position + count
    else:
        if base is not None:
            return arena.node(*base)
    high = parts[:-1]
    last = parts[-1]
    if len(high) == 1 and arena.constants.get(high[0][0]) == 0 and last[1] + last[2] <= 32:
        # zeros before some bytes: a number
        return arena.field(last[0], 8 * (32 - last[1] - last[2]), 8 * last[2])
    return arena.parts("join", parts)
