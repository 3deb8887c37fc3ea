"""The observer that keeps the shadow, beside what the recorder records."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from specminer.evm.execution_recorder import MAX_RECORDED, EventRecorder, Note
from specminer.evm.forks import Fork
from specminer.evm.frame import Frame, FrameKind
from specminer.evm.halts import Halt
from specminer.evm.instruction_sets import Foundation, base_instructions
from specminer.evm.program import InstructionSet
from specminer.shadow.answer_shadows import receive, words_from
from specminer.shadow.arena import Arena
from specminer.shadow.memory_shadows import ShadowMemory
from specminer.shadow.note import PendingCall, ShadowNote
from specminer.shadow.places import SELECTOR
from specminer.shadow.record import ShadowRecord
from specminer.shadow.shadow_instructions import shadowing

_IDENTITY: Final = 4
_WORD: Final = 32
_RECORD: Final = 2_000
"""Bytes of memory that an empty record takes, about."""


class Shadow(EventRecorder):
    """Records, and tells where words came from; :attr:`records` has one record for each call of a contract."""

    def __init__(
        self,
        contracts: Collection[int] | None,
        arena: Arena | None = None,
        *,
        branches: bool = False,
        questions: bool = False,
        room: int = MAX_RECORDED,
        foundation: Foundation = base_instructions,
    ) -> None:
        """Watch these contracts; the arena may be shared among runs. The rest is the recorder's."""
        self.arena = Arena() if arena is None else arena
        super().__init__(contracts, branches=branches, questions=questions, room=room, foundation=foundation)

    def clear(self) -> None:
        """Begin a new record."""
        super().clear()
        self.records: list[ShadowRecord] = []

    def watch(self, fork: Fork) -> InstructionSet:
        """Return instructions that report and keep the shadow."""
        return shadowing(fork, self.reports)

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
        record = outer.record
        note = ShadowNote(self, self.frames, record)
        if _is_handed_on(frame, outer, pending.data):
            if frame.code_address is not None and frame.code_address not in record.handed_on:
                record.handed_on.append(frame.code_address)
        else:
            note.data, note.data_size = pending.data, pending.data_size
            if not outer.dynamic and _is_dynamic(record.arena, frame.data, pending):
                record.dynamic_calls.add(pending.number)
                note.dynamic = True
        if outer.dynamic or note.dynamic:
            note.dynamic = True
            record.dynamic_frames.add(note.number)
        if frame.parent is not None:
            note.site = outer.site_of(frame.parent.block, frame.parent.stack)
        if frame.kind is FrameKind.DELEGATECALL:
            note.caller, note.value = outer.caller, outer.value
        else:
            note.caller = record.source(frame.caller, "this")
            note.value = pending.value
        return note

    def leave(self, frame: Frame) -> None:
        """Hand a frame's output, and where it came from, to the frame around it."""
        super().leave(frame)
        note, parent = frame.note, frame.parent
        if isinstance(note, ShadowNote) and frame.halt is not None:
            note.record.undo(note.start_marks)
        outer = None if parent is None else parent.note
        if isinstance(outer, ShadowNote):
            self._answer(frame, note, outer)

    def _answer(self, frame: Frame, note: object, outer: ShadowNote) -> None:
        pending = outer.pending
        assert pending is not None  # whoever calls says so before
        succeeded = frame.halt is None
        if frame.code_address is None:
            result = frame.address if succeeded else 0
            output = frame.output if frame.halt is Halt.REVERT else b""
        else:
            result, output = int(succeeded), frame.output
        receive(outer, pending, result, output, self._pieces(frame, note, outer, pending, output))

    @staticmethod
    def _pieces(
        frame: Frame, note: object, outer: ShadowNote, pending: PendingCall, output: bytes
    ) -> ShadowMemory:
        """Return where the bytes of an answer came from."""
        if isinstance(note, ShadowNote) and note.record is outer.record and frame.code:
            return note.output if output and note.output is not None else ShadowMemory()
        if frame.code_address == _IDENTITY and not frame.code and frame.halt is None:
            return pending.data
        return words_from(outer.record, output, "answer", pending.number)


def _is_handed_on(frame: Frame, outer: ShadowNote, data: ShadowMemory) -> bool:
    """Return whether a frame was given the whole calldata of the call, as proxies do: it then reads the call's own."""
    parent = frame.parent
    if outer.data is not None or parent is None or parent.code_address is None or data.overflowed:
        return False
    arena = outer.record.arena
    return (
        frame.data == parent.data
        and len(data.pieces) == -(-len(frame.data) // _WORD)
        and all(
            arena.key(node) == ("calldata", start) and not first
            for start, (node, first, _) in data.pieces.items()
        )
    )


def _is_dynamic(arena: Arena, data: bytes, pending: PendingCall) -> bool:
    """Return whether neither the code nor the selector of the call itself chooses the function that a call is of."""
    if len(data) < SELECTOR:
        return pending.data_size is not None
    parts = pending.data.read(arena, 0, SELECTOR, data)
    if parts is None:
        return True
    position = 0
    for node, first, count in parts:
        own = arena.key(node) == ("calldata", 0) and first == position
        if node not in arena.constants and not own:
            return True
        position += count
    return False
