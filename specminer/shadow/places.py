"""The shadow of memory, calldata, answers, storage, hashes and logs."""

from __future__ import annotations

from typing import Any, Final

from specminer.evm.opcodes import Op
from specminer.evm.program import Handler
from specminer.evm.storage_instructions import current
from specminer.shadow.arena import MASK, UNKNOWN, Arena
from specminer.shadow.evaluation import evaluate
from specminer.shadow.foreign_calls import MAX_DATA
from specminer.shadow.memory_shadows import ShadowMemory
from specminer.shadow.note import ShadowNote
from specminer.shadow.record import LogEffect, ShadowRecord, SlotEffect

MAX_ARGUMENTS: Final = 1 << 13
"""Bytes behind the code of a creation that are taken for its arguments."""
SELECTOR: Final = 4
"""Bytes that stand in front of a call's arguments; those of a constructor are numbered as if they did there, too."""


def _read(
    record: ShadowRecord, memory: ShadowMemory, start: int, data: bytes | bytearray, value: int
) -> int | None:
    """Return the node of a word of some bytes, and note its value if it is a source that is told anew."""
    node = memory.read_word(record.arena, start, data)
    if node and node not in record.inputs and record.arena.depth(node) == 1:
        record.inputs[node] = value
    return node


def _mload(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        offset = stack[-1]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        memory = note.memory
        piece = memory.pieces.get(offset)
        if piece is not None and piece[2] == 32 and not memory.overflowed:
            note.marks[-1] = piece[0]
        else:
            note.marks[-1] = _read(note.record, memory, offset, frame.memory, stack[-1])

    return handler


def _mstore(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        offset = stack[-1]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        marks = note.marks
        marks.pop()
        note.memory.write_word(offset, marks.pop())

    return handler


def _mstore8(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        offset = stack[-1]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        note.marks.pop()
        note.memory.write_byte(offset, note.marks.pop())

    return handler


def _mcopy(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        target, source, size = stack[-1], stack[-2], stack[-3]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        del note.marks[-3:]
        note.memory.copy(target, note.memory, source, size)

    return handler


def _calldataload(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        offset = stack[-1]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        if note.data is None:
            record = note.record
            key = _calldata_key(record.arena, note.marks[-1], offset)
            note.marks[-1] = record.source(stack[-1], *key)
        else:
            note.marks[-1] = _read(note.record, note.data, offset, frame.data, stack[-1])

    return handler


def _calldatacopy(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        target, source, size = stack[-1], stack[-2], stack[-3]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        source_node = note.marks[-2]
        del note.marks[-3:]
        if note.data is None:
            _copy_data(note, target, (source, source_node), size, frame.data)
        else:
            note.memory.copy(target, note.data, source, size)

    return handler


def _calldata_key(arena: Arena, node: int | None, offset: int) -> tuple[object, ...]:
    """Return the key of a word of calldata: its offset, or of what that is computed, and what is added to it.

    Where offsets and lengths differ from call to call, what is computed in the same way is the same word.
    """
    if not node:
        return "calldata", offset
    key = arena.key(node)
    if key[0] == "add" and key[2] in arena.constants:
        return "calldata", key[1], arena.constants[key[2]]
    return "calldata", node, 0


def _copy_data(note: ShadowNote, target: int, begin: tuple[int, int | None], size: int, data: bytes) -> None:
    """Note that calldata was copied to memory; the zeros behind its end come from there as well."""
    memory, record = note.memory, note.record
    source, node = begin
    *key, first = _calldata_key(record.arena, node, source)
    assert isinstance(first, int)
    memory.clear(target, size)
    for offset in range(0, size, 32):
        text = data[source + offset : source + offset + 32].ljust(32, b"\0")
        word = record.source(int.from_bytes(text, "big"), *key, (first + offset) & MASK)
        if not word:
            memory.blur(target, size)
            return
        memory.put(target + offset, (word, 0, min(32, size - offset)))
        if memory.overflowed:
            return


def _copy_of_code(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        target, source, size = stack[-1], stack[-2], stack[-3]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        measured = note.marks[-3] is not None
        del note.marks[-3:]
        if _are_arguments(frame, source, size, measured=measured):
            _copy_arguments(note, target, frame.code[source:])
        else:
            note.memory.clear(target, size)

    return handler


def _are_arguments(frame: Any, source: int, size: int, *, measured: bool) -> bool:
    """Return whether what is copied of a code are a constructor's arguments, which stand behind it.

    Args:
        frame: the frame that copies.
        source: the first byte.
        size: how many there are.
        measured: whether the size follows from that of the code; old compilers, and Vyper, have it as a constant. Then
            the code that is left to the new contract has to be told apart, which no byte 0 begins.

    """
    if frame.code_address is not None or not 0 < size <= MAX_ARGUMENTS or source + size != len(frame.code):
        return False
    return measured or (size % 32 == 0 and not frame.code[source])


def _copy_arguments(note: ShadowNote, target: int, data: bytes) -> None:
    """Note that a constructor copied its arguments, which stand behind its code, to memory."""
    memory, record = note.memory, note.record
    memory.clear(target, len(data))
    for offset in range(0, len(data), 32):
        text = data[offset : offset + 32]
        node = record.source(int.from_bytes(text.ljust(32, b"\0"), "big"), "calldata", SELECTOR + offset)
        if not node:
            memory.blur(target, len(data))
            return
        memory.put(target + offset, (node, 0, len(text)))
        if memory.overflowed:
            return


def _copy_of_other_code(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        target, size = stack[-2], stack[-4]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        del note.marks[-4:]
        note.memory.blur(target, size)

    return handler


def _returndatacopy(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        target, source, size = stack[-1], stack[-2], stack[-3]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        del note.marks[-3:]
        if note.answer is not None:
            note.memory.copy(target, note.answer, source, size)
        else:
            note.memory.clear(target, size)

    return handler


def _keccak(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        offset, size = stack[-1], stack[-2]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        note.marks.pop()
        memory, record = note.memory, note.record
        if not memory.pieces and not memory.overflowed:
            note.marks[-1] = None
            return
        parts = memory.read(record.arena, offset, size, frame.memory)
        node = UNKNOWN if parts is None else record.arena.parts("keccak", parts)
        note.marks[-1] = record.note_computed(node, stack[-1])

    return handler


def _sload(base: Handler, kind: str) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        slot = stack[-1]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        record, value = note.record, stack[-1]
        if kind == "storage":
            slots, number = record.slots, record.accessed
            record.accesses(note.marks[-1], slot)
        else:
            slots, number = record.transients, record.questions
            record.questions += 1
        entry = slots.get(slot)
        slot_node = record.operand(note.marks[-1], slot)
        if (
            entry is not None
            and entry[1] == value
            and not _is_other_place(record, entry[0], kind, slot_node, slot)
        ):
            note.marks[-1] = None if entry[0] in record.arena.constants else entry[0]
            return
        node = record.versioned_node(value, kind, slot_node)
        (record.read_at if kind == "storage" else record.told_at).setdefault(node, number)
        frame.run.world.put(slots, slot, (node, value))
        note.marks[-1] = node

    return handler


def _is_other_place(record: ShadowRecord, node: int, kind: str, slot_node: int, slot: int) -> bool:
    """Return whether a slot's value is one that was read under another expression, which is this slot by chance.

    ``rows[a]`` and ``rows[b]`` are one slot where the arguments are equal, and yet two things to the code. What was
    written there is known as what was written, whatever the slot is called.
    """
    key = record.arena.key(node)
    if key[0] != kind or key[1] == slot_node or key[2]:
        return False
    try:
        return evaluate(record.arena, key[1], record.inputs) == slot
    except KeyError:
        return False


def _sstore(base: Handler, kind: str) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        slot, value = stack[-1], stack[-2]
        before = current(frame, slot) if kind == "storage" else 0
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        record, marks = note.record, note.marks
        slot_node, node = marks.pop(), marks.pop()
        if kind == "storage":
            record.accesses(slot_node, slot)
        slots = record.slots if kind == "storage" else record.transients
        entry = slots.get(slot)
        frame.run.world.put(slots, slot, (record.operand(node, value), value))
        if kind == "storage" and record.has_room(record.writes):
            before_node = entry[0] if entry is not None and entry[1] == before else None
            decided = len(record.decisions)
            record.writes.append(
                SlotEffect(slot, slot_node, before, before_node, value, node, decisions_before=decided)
            )

    return handler


def _log(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        count = argument.count
        topics = tuple(stack[-3 : -3 - count : -1])
        start, size = stack[-1], stack[-2]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        nodes = tuple(note.marks[-3 : -3 - count : -1])
        del note.marks[-2 - count :]
        record = note.record
        if record.has_room(record.logs):
            data = note.memory.read(record.arena, start, min(size, MAX_DATA), frame.memory)
            record.logs.append(LogEffect(topics, nodes, decisions_before=len(record.decisions), data=data))

    return handler


def handlers(base: dict[int, Handler]) -> dict[int, Handler]:
    """Return the handlers of opcodes that read or write somewhere."""
    return {
        Op.MLOAD: _mload(base[Op.MLOAD]),
        Op.MSTORE: _mstore(base[Op.MSTORE]),
        Op.MSTORE8: _mstore8(base[Op.MSTORE8]),
        Op.MCOPY: _mcopy(base[Op.MCOPY]),
        Op.CALLDATALOAD: _calldataload(base[Op.CALLDATALOAD]),
        Op.CALLDATACOPY: _calldatacopy(base[Op.CALLDATACOPY]),
        Op.CODECOPY: _copy_of_code(base[Op.CODECOPY]),
        Op.EXTCODECOPY: _copy_of_other_code(base[Op.EXTCODECOPY]),
        Op.RETURNDATACOPY: _returndatacopy(base[Op.RETURNDATACOPY]),
        Op.KECCAK256: _keccak(base[Op.KECCAK256]),
        Op.SLOAD: _sload(base[Op.SLOAD], "storage"),
        Op.SSTORE: _sstore(base[Op.SSTORE], "storage"),
        Op.TLOAD: _sload(base[Op.TLOAD], "transient"),
        Op.TSTORE: _sstore(base[Op.TSTORE], "transient"),
        **{opcode: _log(base[opcode]) for opcode in range(Op.LOG0, Op.LOG4 + 1)},
    }
