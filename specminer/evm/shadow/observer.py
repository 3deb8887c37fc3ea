"""The observer that keeps the shadow, beside what the recorder records."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from specminer.evm.forks import Fork
from specminer.evm.frame import Frame, FrameKind
from specminer.evm.halts import Halt
from specminer.evm.program import InstructionSet
from specminer.evm.recorder import MAX_RECORDED, Note, Recorder
from specminer.evm.shadow.arena import Arena
from specminer.evm.shadow.instructions import shadowing
from specminer.evm.shadow.memory import ShadowMemory
from specminer.evm.shadow.note import PendingCall, ShadowNote
from specminer.evm.shadow.record import ShadowRecord

_IDENTITY: Final = 4
_RECORD: Final = 2_000
"""Bytes of memory that an empty record takes, about."""


class Shadow(Recorder):
    """Records, and tells where words came from; :attr:`records` has one record for each call of a contract."""

    def __init__(
        self,
        contracts: Collection[int] | None,
        arena: Arena | None = None,
        *,
        branches: bool = False,
        room: int = MAX_RECORDED,
    ) -> None:
        """Watch these contracts; ``None`` for all accounts. The arena may be shared among runs."""
        self.arena = Arena() if arena is None else arena
        super().__init__(contracts, branches=branches, room=room)

    def clear(self) -> None:
        """Begin a new record."""
        super().clear()
        self.records: list[ShadowRecord] = []

    def watched(self, fork: Fork) -> InstructionSet:
        """Return instructions that report and keep the shadow."""
        return shadowing(fork, self.branches_wanted)

    def note_for(self, frame: Frame) -> Note:
        """Return what a frame carries."""
        if not self.watches(frame.address):
            return super().note_for(frame)
        parent = frame.parent
        outer = parent.note if parent is not None and parent.address == frame.address else None
        if isinstance(outer, ShadowNote) and outer.pending is not None:
            return self._inner(frame, outer, outer.pending)
        record = ShadowRecord(self.arena, frame.address, self.frames)
        self.room -= _RECORD
        self.records.append(record)
        note = ShadowNote(self, self.frames, record)
        note.caller = record.source(frame.caller, "sender")
        note.value = record.source(frame.value, "value")
        return note

    def _inner(self, frame: Frame, outer: ShadowNote, pending: PendingCall) -> ShadowNote:
        """Return the note of a frame that belongs to the same call of the contract."""
        note = ShadowNote(self, self.frames, outer.record)
        note.data, note.data_size = pending.data, pending.data_size
        if frame.kind is FrameKind.DELEGATECALL:
            note.caller, note.value = outer.caller, outer.value
        else:
            note.caller = outer.record.source(frame.caller, "this")
            note.value = pending.value
        return note

    def leave(self, frame: Frame) -> None:
        """Hand a frame's output, and where it came from, to the frame around it."""
        super().leave(frame)
        note, parent = frame.note, frame.parent
        if isinstance(note, ShadowNote) and frame.halt is not None:
            note.record.undo(note.began)
        outer = None if parent is None else parent.note
        if isinstance(outer, ShadowNote):
            self._answer(frame, note, outer)

    def _answer(self, frame: Frame, note: object, outer: ShadowNote) -> None:
        record, pending = outer.record, outer.pending
        assert pending is not None  # whoever calls says so before
        outer.pending = None
        number = pending.number
        if frame.code_address is None:
            created = frame.address if frame.halt is None else 0
            outer.marks.append(record.source(created, "created", number))
            output = frame.output if frame.halt is Halt.REVERT else b""
        else:
            outer.marks.append(record.source(int(frame.halt is None), "success", number))
            output = frame.output
        outer.answer_number = number
        outer.answer = self._pieces(frame, note, outer, pending, output)
        outer.answer_size = record.source(len(output), "answer_size", number)
        size = min(frame.output_size, len(output))
        if size and frame.code_address is not None:
            outer.memory.copy(frame.output_offset, outer.answer, 0, size)

    @staticmethod
    def _pieces(
        frame: Frame, note: object, outer: ShadowNote, pending: PendingCall, output: bytes
    ) -> ShadowMemory:
        """Return where the bytes of an answer came from."""
        if isinstance(note, ShadowNote) and note.record is outer.record and frame.code:
            return note.output if output and note.output is not None else ShadowMemory()
        if frame.code_address == _IDENTITY and not frame.code and frame.halt is None:
            return pending.data
        return _words(outer.record, output, "answer", pending.number)


def _words(record: ShadowRecord, data: bytes, *key: object) -> ShadowMemory:
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
