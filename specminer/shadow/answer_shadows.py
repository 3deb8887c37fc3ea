"""What the shadow knows of a call that is over: its result, and the bytes that it answered."""

from __future__ import annotations

from specminer.shadow.memory_shadows import ShadowMemory
from specminer.shadow.note import PendingCall, ShadowNote
from specminer.shadow.record import ShadowRecord


def receive(note: ShadowNote, pending: PendingCall, result: int, output: bytes, pieces: ShadowMemory) -> None:
    """Take in how a call ended.

    Args:
        note: the frame that made it.
        pending: the call.
        result: what is pushed: whether it succeeded, or the new contract.
        output: what it answered.
        pieces: where that came from.

    """
    record, number = note.record, pending.number
    note.pending = None
    note.marks.append(record.source(result, "created" if pending.creates else "success", number))
    note.answer = pieces
    note.answer_size = record.source(len(output), "answer_size", number)
    size = min(pending.output_size, len(output))
    if size:
        note.memory.copy(pending.output_offset, pieces, 0, size)


def words_from(record: ShadowRecord, data: bytes, *key: object) -> ShadowMemory:
    """Return bytes from outside, as words that are sources."""
    memory = ShadowMemory()
    for start in range(0, len(data), 32):
        text = data[start : start + 32]
        node = record.source(int.from_bytes(text.ljust(32, b"\0"), "big"), *key, start)
        if not node:
            memory.blur(0, len(data))
            return memory
        memory.put(start, (node, 0, len(text)))
    return memory
