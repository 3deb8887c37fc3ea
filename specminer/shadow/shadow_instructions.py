"""What each opcode does to the shadow: every handler first does what the recorder's does, then moves the nodes."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from specminer.evm.execution_recorder import Reports, reporting_instructions
from specminer.evm.forks import Fork
from specminer.evm.instruction_sets import build_instruction_set
from specminer.evm.opcodes import Op
from specminer.evm.program import Handler, InstructionSet, Site
from specminer.shadow import call_shadows as calls
from specminer.shadow import places
from specminer.shadow.note import ShadowNote

_BINARY: Final = (
    *(
        Op.ADD,
        Op.MUL,
        Op.SUB,
        Op.DIV,
        Op.SDIV,
        Op.MOD,
        Op.SMOD,
        Op.EXP,
        Op.SIGNEXTEND,
        Op.LT,
        Op.GT,
        Op.SLT,
        Op.SGT,
    ),
    *(Op.EQ, Op.AND, Op.OR, Op.XOR, Op.BYTE, Op.SHL, Op.SHR, Op.SAR),
)
_FIXED: Final = {
    Op.ADDRESS: "this",
    Op.ORIGIN: "origin",
    Op.GASPRICE: "gas_price",
    Op.COINBASE: "beneficiary",
    Op.TIMESTAMP: "time",
    Op.NUMBER: "block",
    Op.PREVRANDAO: "randomness",
    Op.GASLIMIT: "gas_limit",
    Op.CHAINID: "chain",
    Op.BASEFEE: "base_fee",
    Op.BLOBBASEFEE: "blob_base_fee",
}
"""Opcodes that ask for what stays the same during a call."""
_OF_THE_CODE: Final = (Op.PC, Op.MSIZE)
"""Opcodes that push what follows from the code."""


def _push(stack: list[int], frame: Any, argument: int) -> None:
    stack.append(argument)
    frame.note.marks.append(None)


def _dup(stack: list[int], frame: Any, argument: int) -> None:
    stack.append(stack[argument])
    marks = frame.note.marks
    marks.append(marks[argument])


def _swap(stack: list[int], frame: Any, argument: int) -> None:
    stack[-1], stack[argument] = stack[argument], stack[-1]
    marks = frame.note.marks
    marks[-1], marks[argument] = marks[argument], marks[-1]


def _pop(stack: list[int], frame: Any, argument: Any) -> None:
    stack.pop()
    frame.note.marks.pop()


def _constant(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        frame.note.marks.append(None)

    return handler


def _binary(kind: str, base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        left, right = stack[-1], stack[-2]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        marks = note.marks
        first, second = marks.pop(), marks[-1]
        if first is not None or second is not None:
            record = note.record
            node = marks[-1] = record.arena.combine(kind, first, second, left, right)
            if node in record.arena.opaque:
                record.inputs[node] = stack[-1]

    return handler


def _unary(kind: str, base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        node = note.marks[-1]
        if node is not None:
            arena = note.record.arena
            if kind == "iszero":
                result_node = arena.iszero(node)
            else:
                result_node = arena.invert(node) if kind == "not" else arena.node(kind, node)
            note.marks[-1] = note.record.note_computed(result_node, stack[-1])

    return handler


def _ternary(kind: str, base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        values = stack[-1], stack[-2], stack[-3]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        marks, record = note.marks, note.record
        nodes = marks.pop(), marks.pop(), marks[-1]
        if any(node is not None for node in nodes):
            operands = map(record.operand, nodes, values)
            result_node = record.arena.node(kind, *operands) if values[2] or nodes[2] is not None else None
            marks[-1] = record.note_computed(result_node, stack[-1])

    return handler


def _source(kind: str, base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        note.marks.append(note.record.source(stack[-1], kind))

    return handler


def _changing(kind: str, base: Handler) -> Handler:
    """Return a handler of an opcode that asks for what may change during a call."""

    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        record = note.record
        note.marks.append(record.answer_node(record.versioned_node(stack[-1], kind)))

    return handler


def _gas(base: Handler) -> Handler:
    """Return a handler of GAS: what is left differs from place to place, and not with how often it was asked before."""

    def handler(stack: list[int], frame: Any, argument: Site) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        site = note.place_of(frame.block.program, argument.counter, stack)
        note.marks.append(note.record.versioned_node(stack[-1], "gas", site))

    return handler


def _about(kind: str, base: Handler) -> Handler:
    """Return a handler of a question about an account or a block that is on the stack."""

    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        operand = stack[-1]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        record = note.record
        node = record.versioned_node(stack[-1], kind, record.operand(note.marks[-1], operand))
        note.marks[-1] = record.answer_node(node)

    return handler


def _caller(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        note.marks.append(note.caller)

    return handler


def _callvalue(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        note.marks.append(note.value)

    return handler


def _calldatasize(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        own = note.data is None
        note.marks.append(note.record.source(stack[-1], "data_size") if own else note.data_size)

    return handler


def _codesize(base: Handler) -> Handler:
    """Return a handler of CODESIZE: of a creation it tells how long the arguments are."""

    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        creates = frame.code_address is None
        note.marks.append(note.record.source(stack[-1], "data_size") if creates else None)

    return handler


def _returndatasize(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        note.marks.append(note.answer_size)

    return handler


def _blobhash(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        index = stack[-1]
        base(stack, frame, argument)
        note: ShadowNote = frame.note
        record = note.record
        note.marks[-1] = record.answer_node(record.source(stack[-1], "blob_hash", index))

    return handler


@cache
def shadowing(fork: Fork, reports: Reports) -> InstructionSet:
    """Return the instructions of a fork that report and keep the shadow."""
    base, ends = reporting_instructions(fork, reports)
    handlers: dict[int, Handler] = {
        Op.POP: _pop,
        **dict.fromkeys(range(Op.PUSH0, Op.PUSH32 + 1), _push),
        **dict.fromkeys(range(Op.DUP1, Op.DUP16 + 1), _dup),
        **dict.fromkeys(range(Op.SWAP1, Op.SWAP16 + 1), _swap),
        **{opcode: _constant(base[opcode]) for opcode in _OF_THE_CODE},
        **{opcode: _binary(opcode.name.lower(), base[opcode]) for opcode in _BINARY},
        **{opcode: _unary(opcode.name.lower(), base[opcode]) for opcode in (Op.ISZERO, Op.NOT, Op.CLZ)},
        **{opcode: _ternary(opcode.name.lower(), base[opcode]) for opcode in (Op.ADDMOD, Op.MULMOD)},
        **{opcode: _source(kind, base[opcode]) for opcode, kind in _FIXED.items()},
        Op.GAS: _gas(base[Op.GAS]),
        Op.SELFBALANCE: _changing("own_balance", base[Op.SELFBALANCE]),
        Op.BALANCE: _about("balance", base[Op.BALANCE]),
        Op.EXTCODESIZE: _about("code_size", base[Op.EXTCODESIZE]),
        Op.EXTCODEHASH: _about("code_hash", base[Op.EXTCODEHASH]),
        Op.BLOCKHASH: _about("block_hash", base[Op.BLOCKHASH]),
        Op.CALLER: _caller(base[Op.CALLER]),
        Op.CALLVALUE: _callvalue(base[Op.CALLVALUE]),
        Op.CALLDATASIZE: _calldatasize(base[Op.CALLDATASIZE]),
        Op.CODESIZE: _codesize(base[Op.CODESIZE]),
        Op.RETURNDATASIZE: _returndatasize(base[Op.RETURNDATASIZE]),
        Op.BLOBHASH: _blobhash(base[Op.BLOBHASH]),
        **places.handlers(base),
    }
    assert set(base) == set(handlers), "an opcode without a shadow"
    return build_instruction_set(fork, handlers, calls.ends(ends))
