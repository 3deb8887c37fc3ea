"""The shadow of what ends a block: decisions, calls, and what a frame returns."""

from __future__ import annotations

from typing import Any, Final

from specminer.evm.frame import Frame, FrameKind
from specminer.evm.opcodes import Op
from specminer.evm.program import BlockEnd, CodeBlock
from specminer.evm.world import ADDRESS_MASK
from specminer.shadow.answer_shadows import receive, words_from
from specminer.shadow.foreign_calls import MAX_DATA, ForeignCall
from specminer.shadow.memory_shadows import ShadowMemory
from specminer.shadow.note import PendingCall, ShadowNote
from specminer.shadow.record import CallEffect, Decision

_MAX_RANGE: Final = 1 << 32
"""Bytes: no gas pays for more memory."""


def _jump(base: BlockEnd) -> BlockEnd:
    """Return a jump; where its target is computed from sources, that it is this one is a decision."""

    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        note: ShadowNote = frame.note
        computed = note.marks.pop()
        if computed is not None:
            record, target = note.record, stack[-1]
            condition = record.arena.combine("eq", computed, None, target, target)
            if condition is not None and record.has_room(record.decisions):
                record.note_computed(condition, 1)
                site = note.site_of(block, stack)
                record.decisions.append(Decision(note.number, block.last, condition, 1, True, site))
        return base(stack, frame, block)

    return end


def _jumpi(base: BlockEnd) -> BlockEnd:
    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        note: ShadowNote = frame.note
        marks = note.marks
        marks.pop()
        condition = marks.pop()
        if condition is not None:
            record, value = note.record, stack[-2]
            if record.has_room(record.decisions):
                site = note.site_of(block, stack)
                decision = Decision(note.number, block.last, condition, value, bool(value), site)
                record.decisions.append(decision)
        return base(stack, frame, block)

    return end


def _ending(base: BlockEnd) -> BlockEnd:
    """Return RETURN or REVERT, with where the output came from."""

    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        note: ShadowNote = frame.note
        note.output = _range(note, stack[-1], stack[-2])
        if note.number == note.record.frame:
            record, where = note.record, note.marks[-2:]
            record.output = tuple(sorted(note.output.pieces.items()))
            record.output_varies = note.output.overflowed or any(node is not None for node in where)
        return base(stack, frame, block)

    return end


def _range(note: ShadowNote, start: int, size: int) -> ShadowMemory:
    """Return a part of memory as bytes of their own."""
    memory = ShadowMemory()
    if start + size <= _MAX_RANGE:
        memory.copy(0, note.memory, start, size)
    return memory


def _calling(kind: FrameKind, base: BlockEnd) -> BlockEnd:
    """Return a call: where its operands came from waits for the frame that it opens."""
    has_value = kind in (FrameKind.CALL, FrameKind.CALLCODE)
    first = 3 if has_value else 2  # where the range of the calldata stands on the stack

    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        note: ShadowNote = frame.note
        marks, record = note.marks, note.record
        to, to_node = stack[-2] & ADDRESS_MASK, marks[-2]
        value, value_node = (stack[-3], marks[-3]) if has_value else (0, None)
        start, size = stack[-1 - first], stack[-2 - first]
        data = _range(note, start, size)
        call = ForeignCall(
            kind=kind,
            to=record.operand(to_node, to),
            value=record.operand(value_node, value),
            data=note.memory.read(record.arena, start, min(size, MAX_DATA), frame.memory),
            size=size,
        )
        pending = PendingCall(
            number=_number(note, call),
            data=data,
            data_size=marks[-2 - first],
            value=value_node,
            output_offset=stack[-3 - first],
            output_size=stack[-4 - first],
        )
        del marks[-first - 4 :]
        if record.has_room(record.calls):
            effect = CallEffect(pending.number, kind, to, to_node, value, value_node)
            record.calls.append(effect._replace(decisions_before=len(record.decisions)))
        return _run(base, stack, frame, block, pending)

    return end


def _creating(kind: FrameKind, base: BlockEnd) -> BlockEnd:
    takes = 3 if kind is FrameKind.CREATE else 4

    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        note: ShadowNote = frame.note
        marks, record = note.marks, note.record
        value, value_node = stack[-1], marks[-1]
        zero = record.arena.constant(0)
        call = ForeignCall(kind, zero, record.operand(value_node, value), None, 0)
        pending = PendingCall(number=_number(note, call), data=ShadowMemory(), value=value_node, creates=True)
        del marks[-takes:]
        if record.has_room(record.calls):
            effect = CallEffect(pending.number, kind, 0, None, value, value_node)
            record.calls.append(effect._replace(decisions_before=len(record.decisions)))
        return _run(base, stack, frame, block, pending)

    return end


def _number(note: ShadowNote, call: ForeignCall) -> int:
    """Return the number of a call that is about to be made; those that a full record does not hold have one too."""
    record = note.record
    before = record.call_counts.get(call, 0)
    record.call_counts[call] = before + 1
    return record.arena.foreign.number(call._replace(repetition=before))


def _run(
    base: BlockEnd, stack: list[int], frame: Any, block: CodeBlock, pending: PendingCall
) -> Frame | None:
    """Make a call; where it opens no frame its result is there at once."""
    note: ShadowNote = frame.note
    note.pending = pending
    following = base(stack, frame, block)
    if following is not None and following is frame and note.pending is pending:
        output: bytes = following.answer
        pieces = words_from(note.record, output, "answer", pending.number)
        receive(note, pending, stack[-1], output, pieces)
    return following


def _surrendering(base: BlockEnd) -> BlockEnd:
    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        frame.note.marks.pop()
        return base(stack, frame, block)

    return end


def ends(base: dict[int, BlockEnd]) -> dict[int, BlockEnd]:
    """Return what ends blocks, with its shadow."""
    return {
        **base,
        Op.JUMP: _jump(base[Op.JUMP]),
        Op.JUMPI: _jumpi(base[Op.JUMPI]),
        Op.RETURN: _ending(base[Op.RETURN]),
        Op.REVERT: _ending(base[Op.REVERT]),
        Op.SELFDESTRUCT: _surrendering(base[Op.SELFDESTRUCT]),
        **{
            opcode: _calling(FrameKind(opcode), base[opcode])
            for opcode in (Op.CALL, Op.CALLCODE, Op.DELEGATECALL, Op.STATICCALL)
        },
        **{opcode: _creating(FrameKind(opcode), base[opcode]) for opcode in (Op.CREATE, Op.CREATE2)},
    }
