"""What opcodes do in a call that runs alone: they ask a tape instead of the world."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple

from specminer.evm.call_instructions import Operands, continue_behind, creation_code, extend, pay
from specminer.evm.calling import leave
from specminer.evm.execution_events import Question, SlotRead, SlotWrite
from specminer.evm.forks import Fork
from specminer.evm.frame import Frame, FrameKind
from specminer.evm.halts import FrameHalted, Halt
from specminer.evm.instruction_sets import Instructions, base_instructions
from specminer.evm.memory_instructions import reach, slice_of
from specminer.evm.opcodes import STATE_OPCODES, TAKES, Op, opcode_name
from specminer.evm.precompiles import precompiles_of
from specminer.evm.program import BlockEnd, CodeBlock, Handler
from specminer.evm.world import ADDRESS_MASK

LAST_PRECOMPILED: Final = 0x1FF
"""Up to this address, contracts are precompiled: their answers are recorded."""


def is_precompiled(address: int) -> bool:
    """Return whether a contract at an address is part of the machine, as far as addresses tell."""
    return 0 < address <= LAST_PRECOMPILED


class CallEnding(NamedTuple):
    """How a call of another contract, or a creation, ended."""

    kind: FrameKind
    to: int
    """Zero for a creation."""
    value: int
    result: int
    """What is pushed: 1 or 0, or the new contract's address."""
    output: bytes
    """The answer's bytes; nothing of a creation that succeeded."""
    refused: bool = False
    """Whether it never began."""
    computed: bool = False
    """Whether its output was not recorded; that of a precompiled contract is computed again."""


UNKNOWN_VALUE: Final = -1
"""In a :class:`SlotWrite`: the value before, or the one written, is not known; the latter is then not compared."""


class TapeEnded(Exception):  # it is no error but a result
    """The call left its recording, or asks for what that does not hold; the text says which."""


class TapeContradicted(TapeEnded):
    """The call does something else than was recorded."""


class AlwaysWarm(set[int]):
    """The warm addresses of a call that must not pay more than it did: all."""

    def __contains__(self, address: object) -> bool:
        return True


class Tape:
    """A recording on its way through a call."""

    hears_data: ClassVar[bool] = False
    """Whether it wants to know what other contracts are called with."""
    data = b""
    """What the call whose answer is asked for next is made with, where the tape hears that."""

    def __init__(
        self,
        contract: int,
        accesses: Sequence[SlotRead | SlotWrite],
        answers: Sequence[CallEnding] | None,
        questions: Sequence[Question] | None,
        codes: Mapping[int, bytes],
    ) -> None:
        self.contract = contract
        self.codes = codes
        """Of the contract, and of those that it delegates to."""
        self.unknown: Container[int] = ()
        """Opcodes that ask for what is not known of the block and the transaction."""
        self.gas_left: Iterator[int] = iter(())
        """What GAS pushed, in order; behind that the call's own gas counts."""
        self.assumed: bool | None = None
        """Whether a call of which nothing was recorded is taken to have succeeded, with nothing for an answer."""
        self.assuming = False
        """Whether an answer was assumed."""
        self._accesses, self._answers, self._questions = accesses, answers or (), questions
        self._recorded = answers is not None
        self._access = self._answer = self._question = 0

    def read(self, slot: int) -> int:
        """Return what was read from a slot."""
        return self._next(SlotRead, slot).value

    def before(self, slot: int) -> int:
        """Return what a slot held before the write that comes next."""
        access = self._accesses[self._access] if self._access < len(self._accesses) else None
        return access.before if isinstance(access, SlotWrite) and access.slot == slot else 0

    def write(self, slot: int, value: int) -> None:
        """Compare a write with the recorded one."""
        if self._next(SlotWrite, slot).value not in (value, UNKNOWN_VALUE):
            raise TapeContradicted(f"it writes another value to slot {slot:#x} than recorded")

    def _next(self, kind: type[SlotRead | SlotWrite], slot: int) -> SlotRead | SlotWrite:
        verb = "reads" if kind is SlotRead else "writes"
        if self._access >= len(self._accesses):
            raise TapeContradicted(f"it {verb} slot {slot:#x} where nothing more is recorded")
        access = self._accesses[self._access]
        if type(access) is not kind or access.slot != slot:
            raise TapeContradicted(
                f"it {verb} slot {slot:#x} where the recording accesses slot {access.slot:#x}"
            )
        self._access += 1
        return access

    def ask(self, opcode: int, operand: int) -> int:
        """Return what an opcode pushed."""
        name = opcode_name(opcode)
        if self._questions is None:
            raise TapeEnded(f"it asks for {name}, which was not recorded")
        if self._question >= len(self._questions):
            raise TapeEnded(f"it asks for {name} where nothing more is recorded")
        question = self._questions[self._question]
        if (question.opcode, question.argument) != (opcode, operand):
            raise TapeContradicted(f"it asks for {name} where the recording asks for something else")
        self._question += 1
        return question.value

    def store_transient(self, slot: int, value: int) -> None:
        """Hear of a write to transient storage; what it holds when it is read is recorded."""

    def answer(self, kind: FrameKind, to: int, value: int) -> CallEnding:
        """Return the answer of a call."""
        if not self._recorded:
            return self._assume(kind, to, value)
        if self._answer >= len(self._answers):
            raise TapeEnded(f"it makes a {kind.name} of which no answer is recorded")
        answer = self._answers[self._answer]
        if (answer.kind, answer.to) != (kind, to) or (answer.value != value and kind in _VALUED):
            raise TapeContradicted(f"it makes a {kind.name} where the recording has another call")
        self._answer += 1
        return answer

    def _assume(self, kind: FrameKind, to: int, value: int) -> CallEnding:
        """Return what a call was answered whose answer was not recorded, as far as that can be known."""
        if not kind.creates and is_precompiled(to):
            return CallEnding(kind, to, value, 1, b"", computed=True)
        if kind.creates or self.assumed is None:
            raise TapeEnded(f"it makes a {kind.name} of which no answer is recorded")
        self.assuming = True
        return CallEnding(kind, to, value, int(self.assumed), b"")

    def refuses(self, kind: FrameKind, to: int) -> bool:
        """Return whether the next recorded call is this one and never began."""
        answer = self._answers[self._answer] if self._answer < len(self._answers) else None
        return answer is not None and answer.refused and (answer.kind, answer.to) == (kind, to)

    def describe_rest(self) -> str:
        """Return what of the recording has not happened yet, in words; nothing if all has."""
        if self._access < len(self._accesses):
            return f"a recorded access of slot {self._accesses[self._access].slot:#x}"
        if self._answer < len(self._answers):
            return f"a recorded {self._answers[self._answer].kind.name}"
        if self._questions is not None and self._question < len(self._questions):
            return f"a recorded {opcode_name(self._questions[self._question].opcode)}"
        return ""


_VALUED = (FrameKind.CALL, FrameKind.CALLCODE, FrameKind.CREATE, FrameKind.CREATE2)
_BLOCK_OPCODES = (
    *(Op.GASPRICE, Op.COINBASE, Op.TIMESTAMP, Op.NUMBER, Op.PREVRANDAO, Op.GASLIMIT, Op.CHAINID),
    *(Op.BASEFEE, Op.BLOBBASEFEE),
)
"""Opcodes that ask for values of the block and the transaction."""


def _sload(stack: list[int], frame: Any, argument: Any) -> None:
    stack[-1] = frame.run.tape.read(stack[-1])


def _sstore(stack: list[int], frame: Any, argument: Any) -> None:
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    slot, value = stack.pop(), stack.pop()
    frame.run.tape.write(slot, value)


def _tstore(stack: list[int], frame: Any, argument: Any) -> None:
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    slot, value = stack.pop(), stack.pop()
    frame.run.tape.store_transient(slot, value)


def _ask(opcode: int, stack: list[int], frame: Any, argument: Any) -> None:
    if TAKES[opcode]:
        stack[-1] = frame.run.tape.ask(opcode, stack[-1])
    else:
        stack.append(frame.run.tape.ask(opcode, 0))


def _around(opcode: int, base: Handler, stack: list[int], frame: Any, argument: Any) -> None:
    if opcode in frame.run.tape.unknown:
        raise TapeEnded(f"it asks for {opcode_name(opcode)}, which is not known")
    base(stack, frame, argument)


def _gas(base: Handler, stack: list[int], frame: Any, argument: Any) -> None:
    base(stack, frame, argument)
    stack[-1] = next(frame.run.tape.gas_left, stack[-1])


def _extcodecopy(stack: list[int], frame: Any, argument: Any) -> None:
    address, target, source, size = stack[-1] & ADDRESS_MASK, stack[-2], stack[-3], stack[-4]
    code = frame.run.tape.codes.get(address)
    if code is None:
        raise TapeEnded("it copies code that is not known")
    reach(frame, target, size, 0)
    del stack[-4:]
    if size:
        frame.memory[target : target + size] = slice_of(code, source, size)


def _answer_call(kind: FrameKind, stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
    """Make a call of another contract by looking up its answer."""
    tape: Tape = frame.run.tape
    continue_behind(frame, block)
    _, address = stack.pop(), stack.pop() & ADDRESS_MASK
    value = stack.pop() if kind in (FrameKind.CALL, FrameKind.CALLCODE) else 0
    operands = Operands(stack, frame, 0)
    pay(frame, operands)
    if frame.static and value and kind is FrameKind.CALL:
        raise FrameHalted(Halt.STATIC_WRITE)
    extend(frame, operands.end)
    if tape.hears_data:
        tape.data = bytes(frame.memory[operands.data_offset : operands.data_offset + operands.data_size])
    answer = tape.answer(kind, address, value)
    output = _compute_precompile(frame, address, operands) if answer.computed else answer.output
    stack.append(answer.result)
    frame.answer = output
    size = min(operands.output_size, len(output))
    if size:
        frame.memory[operands.output_offset : operands.output_offset + size] = output[:size]
    running: Frame = frame
    return running


def _compute_precompile(frame: Any, address: int, operands: Operands) -> bytes:
    """Return what a precompiled contract answers."""
    run = frame.run
    contract = precompiles_of(run.fork).get(address)
    if contract is None:
        raise TapeEnded(f"what 0x{address:040x} answered was not recorded")
    data = bytes(frame.memory[operands.data_offset : operands.data_offset + operands.data_size])
    try:
        _, output, effort = contract(run.fork, data, frame.gas, run.steps)
    except FrameHalted:
        raise TapeEnded(f"what 0x{address:040x} answered was not recorded") from None
    run.steps -= effort
    answer: bytes = output
    return answer


def _calling(kind: FrameKind, base: BlockEnd) -> BlockEnd:
    """Return a call that runs if it stays in the same call of the contract, and else is answered."""
    delegates = kind in (FrameKind.DELEGATECALL, FrameKind.CALLCODE)

    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        tape: Tape = frame.run.tape
        address = stack[-2] & ADDRESS_MASK
        inside = delegates or address == frame.address
        if not inside or is_precompiled(address) or tape.refuses(kind, address):
            return _answer_call(kind, stack, frame, block)
        if address not in tape.codes:
            raise TapeEnded(f"it runs the code of 0x{address:040x}, which is not known")
        return base(stack, frame, block)

    return end


def _creating(kind: FrameKind, stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
    continue_behind(frame, block)
    value = stack.pop()
    creation_code(stack, frame, 0)
    if kind is FrameKind.CREATE2:
        stack.pop()
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    answer = frame.run.tape.answer(kind, 0, value)
    stack.append(answer.result)
    frame.answer = answer.output
    running: Frame = frame
    return running


def _selfdestruct(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    stack.pop()
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    return leave(frame, None, b"")


def taped_instructions(fork: Fork) -> Instructions:
    """Return what the opcodes do in a call that runs alone."""
    handlers, ends = base_instructions(fork)
    kinds = (FrameKind.CALL, FrameKind.CALLCODE, FrameKind.DELEGATECALL, FrameKind.STATICCALL)
    return (
        {
            **handlers,
            **{opcode: partial(_ask, int(opcode)) for opcode in STATE_OPCODES},
            **{opcode: partial(_around, int(opcode), handlers[opcode]) for opcode in _BLOCK_OPCODES},
            Op.GAS: partial(_gas, handlers[Op.GAS]),
            Op.SLOAD: _sload,
            Op.SSTORE: _sstore,
            Op.TSTORE: _tstore,
            Op.EXTCODECOPY: _extcodecopy,
        },
        {
            **ends,
            **{int(kind): _calling(kind, ends[int(kind)]) for kind in kinds},
            **{int(kind): partial(_creating, kind) for kind in (FrameKind.CREATE, FrameKind.CREATE2)},
            Op.SELFDESTRUCT: _selfdestruct,
        },
    )
