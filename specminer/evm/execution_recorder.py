"""An observer that records what happens to some contracts: accesses, frames, hashes, logs, payments, answers.

Frames are recorded of all accounts; the rest only where the recorded contracts' storage is the context. With
``branches`` the conditional jumps are told as well: together they are the path that a call took.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from specminer.evm.execution_events import (
    Branch,
    Destruction,
    Event,
    FailedTransfer,
    FrameEnd,
    FrameStart,
    HashedData,
    LogEntry,
    Question,
    SlotRead,
    SlotWrite,
)
from specminer.evm.forks import Fork
from specminer.evm.frame import Frame, FrameKind
from specminer.evm.halts import LimitReached
from specminer.evm.instruction_sets import Foundation, Instructions, base_instructions, build_instruction_set
from specminer.evm.opcodes import STATE_OPCODES, TAKES, Op, opcode_name
from specminer.evm.program import BlockEnd, CodeBlock, Handler, InstructionSet
from specminer.evm.storage_instructions import current
from specminer.evm.world import ADDRESS_MASK

MAX_HASHED: Final = 1_024
"""Bytes: longer inputs of hashes are not recorded."""
MAX_RECORDED: Final = 256 << 20
"""Bytes of memory that a record may take, about."""
_EVENT: Final = 200
"""Bytes of memory that an event takes, apart from its data; what stands for a frame of its own takes twice that."""
_PRECOMPILED: Final = 0x1FF
"""The highest address that a precompiled contract may have."""
_DELEGATING: Final = (FrameKind.DELEGATECALL, FrameKind.CALLCODE)
_ABOUT_ACCOUNTS: Final = (Op.BALANCE, Op.EXTCODESIZE, Op.EXTCODECOPY, Op.EXTCODEHASH)
_ANSWERING: Final = (*STATE_OPCODES, Op.GAS)
"""Opcodes whose answers are recorded: what a frame that runs alone needs to be told, and gas left."""
_ABOUT_BLOCKS: Final = (
    *(Op.BLOCKHASH, Op.COINBASE, Op.PREVRANDAO, Op.GASLIMIT, Op.BASEFEE, Op.BLOBHASH, Op.BLOBBASEFEE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What a recorder's instructions tell."""

    branches: bool
    questions: bool
    foundation: Foundation


class EventRecorder:
    """Records transactions, one at a time; :attr:`events` has what happened in the last one."""

    def __init__(
        self,
        contracts: Collection[int] | None,
        *,
        branches: bool = False,
        questions: bool = False,
        room: int = MAX_RECORDED,
        foundation: Foundation = base_instructions,
    ) -> None:
        """Prepare.

        Args:
            contracts: what is recorded; ``None`` for all accounts.
            branches: whether conditional jumps are told.
            questions: whether it is told what code heard of other accounts and of the block, and every call that
                never began, so that a frame can run alone later.
            room: bytes that the record may take.
            foundation: what opcodes do before anything is recorded.

        """
        self.contracts = contracts
        self.reports = Reports(branches=branches, questions=questions, foundation=foundation)
        self.room = room
        """Bytes that are left; a run that needs more is stopped."""
        self.clear()

    def clear(self) -> None:
        """Begin a new record."""
        self.events: list[Event] = []
        self.branches: list[Branch] = []
        self.destruction: Destruction | None = None
        self.frames = 0
        """How many frames there were."""
        self.chain_opcodes: dict[int, None] = {}
        """Opcodes that asked for what only the chain knows."""
        self.own_balance = False
        """Whether a recorded contract asked for its own balance, or gave all of it away."""
        self.codeless: dict[int, None] = {}
        """Accounts without code that were called with calldata."""
        self.measured_accounts: dict[int, None] = {}
        """Accounts that were asked for the size or the hash of their code."""
        self.codes: dict[int, bytes] = {}
        """Code that ran, or was copied, by its address; only with ``questions``."""

    def watch(self, fork: Fork) -> InstructionSet:
        """Return instructions that report."""
        return _reporting(fork, self.reports)

    def watches(self, address: int) -> bool:
        """Return whether a contract is recorded."""
        return self.contracts is None or address in self.contracts

    def add(self, event: Event, size: int = 0) -> None:
        """Append an event with so many bytes of data.

        Raises:
            LimitReached: there is no room left.

        """
        self.room -= _EVENT + size
        if self.room < 0:
            raise LimitReached
        self.events.append(event)

    def enter(self, frame: Frame) -> None:
        """Record that a frame begins."""
        kind, to, sender = frame.kind, frame.address, frame.caller
        code_address, data = frame.code_address, frame.data
        if code_address is None:
            data = frame.code
        elif kind in _DELEGATING and frame.parent is not None:
            sender, to = frame.parent.address, code_address
        if data and not frame.code and to > _PRECOMPILED:
            self.codeless[to] = None
        if self.reports.questions and code_address is not None:
            self.codes[code_address] = frame.code
        frame.note = self.note_for(frame)
        self.frames += 1
        self.add(FrameStart(kind, sender, to, frame.limit, frame.value, data), len(data))

    def note_for(self, frame: Frame) -> Note:
        """Return what a frame is to carry."""
        return Note(self, self.frames)

    def leave(self, frame: Frame) -> None:
        """Record that a frame has ended, and before that what it gave away when it destroyed itself."""
        if self.destruction is not None:
            self.own_balance = True
            self.add(self.destruction, _EVENT)
            self.destruction = None
        self.add(FrameEnd(frame.limit - frame.gas, frame.output, frame.halt), len(frame.output))


class Note:
    """What a recorded frame carries."""

    __slots__ = ("number", "recorder")

    def __init__(self, recorder: EventRecorder, number: int) -> None:
        self.recorder = recorder
        self.number = number


def _sload(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        slot = stack[-1]
        base(stack, frame, argument)
        frame.note.recorder.add(SlotRead(frame.address, slot, stack[-1]))

    return handler


def _sstore(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        slot, value = stack[-1], stack[-2]
        before = current(frame, slot)
        base(stack, frame, argument)
        frame.note.recorder.add(SlotWrite(frame.address, slot, before, value))

    return handler


def _hash(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        offset, size = stack[-1], stack[-2]
        base(stack, frame, argument)
        if 0 < size <= MAX_HASHED:
            data = bytes(frame.memory[offset : offset + size])
            frame.note.recorder.add(HashedData(frame.address, data), size)

    return handler


def _log(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        base(stack, frame, argument)
        log = frame.run.logs[-1]
        frame.note.recorder.add(LogEntry(log.address, log.topics, log.data), len(log.data))

    return handler


def _asking(opcode: int, base: Handler) -> Handler:
    about_account = opcode in _ABOUT_ACCOUNTS

    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        recorder: EventRecorder = frame.note.recorder
        if about_account:
            address = stack[-1] & ADDRESS_MASK
            if address and recorder.watches(address):
                recorder.own_balance |= opcode == Op.BALANCE
                base(stack, frame, argument)
                return
            if opcode in (Op.EXTCODESIZE, Op.EXTCODEHASH):
                recorder.measured_accounts[address] = None
        recorder.chain_opcodes[opcode] = None
        base(stack, frame, argument)

    return handler


def _selfbalance(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        frame.note.recorder.own_balance = True
        base(stack, frame, argument)

    return handler


def _record_answer(opcode: int, base: Handler) -> Handler:
    """Return a handler that records what an opcode pushed for what it took."""
    asks = TAKES[opcode] == 1

    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        operand = stack[-1] if asks else 0
        base(stack, frame, argument)
        frame.note.recorder.add(Question(frame.address, opcode, operand, stack[-1]))

    return handler


def _record_copy(base: Handler) -> Handler:
    def handler(stack: list[int], frame: Any, argument: Any) -> None:
        address = stack[-1] & ADDRESS_MASK
        base(stack, frame, argument)
        frame.note.recorder.codes[address] = frame.run.world.account(address).code

    return handler


def _transferring(kind: FrameKind, base: BlockEnd, *, always: bool) -> BlockEnd:
    """Return a call or a creation that is recorded as failed if it never begins and has ether, or ``always``."""
    creates = kind.creates
    depth = -1 if creates else -3 if kind in (FrameKind.CALL, FrameKind.CALLCODE) else 0

    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        value = stack[depth] if depth else 0
        if (not value and not always) or frame.run.tape is not None:
            return base(stack, frame, block)
        to = 0 if creates else stack[-2] & ADDRESS_MASK
        row = -2 if creates else depth - 1 if depth else -3
        offset, size = stack[row], stack[row - 1]
        recorder: EventRecorder = frame.note.recorder
        frames = recorder.frames
        following = base(stack, frame, block)
        if recorder.frames == frames:
            if not always:
                recorder.add(FailedTransfer(kind, frame.address, to, value), _EVENT)
                return following
            data = bytes(frame.memory[offset : offset + min(size, MAX_HASHED)]) if size else b""
            recorder.add(FailedTransfer(kind, frame.address, to, value, data, size), _EVENT + len(data))
        return following

    return end


def _selfdestruct(base: BlockEnd) -> BlockEnd:
    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        beneficiary, amount = stack[-1] & ADDRESS_MASK, frame.account.balance
        recorder: EventRecorder = frame.note.recorder
        recorder.destruction = Destruction(frame.address, beneficiary, amount)
        try:
            return base(stack, frame, block)
        finally:
            recorder.destruction = None

    return end


def _branch(base: BlockEnd) -> BlockEnd:
    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        jumps = bool(stack[-2])
        following = base(stack, frame, block)
        note = frame.note
        recorder: EventRecorder = note.recorder
        recorder.room -= _EVENT
        if recorder.room < 0:
            raise LimitReached
        recorder.branches.append(Branch(len(recorder.events), note.number, block.last, jumps))
        return following

    return end


@cache
def _reporting(fork: Fork, reports: Reports) -> InstructionSet:
    return build_instruction_set(fork, *reporting_instructions(fork, reports))


def reporting_instructions(fork: Fork, reports: Reports) -> Instructions:
    """Return all handlers and ends of blocks, where those that report replace the others."""
    base_handlers, base_ends = reports.foundation(fork)
    handlers, ends = dict(base_handlers), dict(base_ends)
    always = reports.questions
    if always:
        for opcode in _ANSWERING:
            handlers[opcode] = _record_answer(opcode, handlers[opcode])
        handlers[Op.EXTCODECOPY] = _record_copy(handlers[Op.EXTCODECOPY])
    for opcode in (*_ABOUT_ACCOUNTS, *_ABOUT_BLOCKS):
        handlers[opcode] = _asking(opcode, handlers[opcode])
    handlers[Op.SELFBALANCE] = _selfbalance(handlers[Op.SELFBALANCE])
    handlers[Op.SLOAD] = _sload(handlers[Op.SLOAD])
    handlers[Op.SSTORE] = _sstore(handlers[Op.SSTORE])
    handlers[Op.KECCAK256] = _hash(handlers[Op.KECCAK256])
    for number in range(Op.LOG0, Op.LOG4 + 1):
        handlers[number] = _log(handlers[number])
    for kind in FrameKind if always else (FrameKind.CALL, FrameKind.CREATE, FrameKind.CREATE2):
        ends[int(kind)] = _transferring(kind, ends[int(kind)], always=always)
    ends[Op.SELFDESTRUCT] = _selfdestruct(ends[Op.SELFDESTRUCT])
    if reports.branches:
        ends[Op.JUMPI] = _branch(ends[Op.JUMPI])
    return handlers, ends


def names_of_questions(opcodes: Collection[int]) -> tuple[str, ...]:
    """Return opcodes that asked for what only the chain knows as people call them."""
    return tuple(
        "DIFFICULTY or PREVRANDAO" if opcode == Op.PREVRANDAO else opcode_name(opcode) for opcode in opcodes
    )
