"""Runs frames, a basic block at a time.

A block's gas and stack are checked once, when it is entered, and then its handlers run without further checks. What
an opcode costs beyond that (memory, cold slots, hashes) its handler charges, before it changes anything. Where the
gas does not suffice, the block is walked *carefully*, opcode by opcode, so that everything that happened before the
frame ran out of gas has happened, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specminer.evm.calling import leave
from specminer.evm.frame import Frame
from specminer.evm.halts import FrameHalted, GasShort, Halt, LimitReached
from specminer.evm.opcodes import ENDS_BLOCK, GIVES, TAKES, Op
from specminer.evm.program import MAX_STACK, CodeBlock, Instruction

_GAS_FIRST: Final = frozenset(range(Op.PUSH0, Op.SWAP16 + 1))
"""PUSH, DUP and SWAP are paid for before the stack is looked at."""


def run_frames(first: Frame | None) -> None:
    """Run a frame, and all that it calls, to the end.

    Raises:
        LimitReached: it took more steps than its run may take.

    """
    if first is None:
        return
    run, frame = first.run, first
    while True:
        block, stack = frame.block, frame.stack
        run.steps -= block.count
        if run.steps < 0:
            raise LimitReached
        gas = frame.gas - block.gas
        argument = None
        try:
            if gas < 0 or not block.needs <= len(stack) <= block.room:
                following = _walk(frame, block, 0)
            else:
                frame.gas = gas
                for handler, argument in block.body:
                    handler(stack, frame, argument)
                argument = None
                following = block.end(stack, frame, block)
        except FrameHalted as halted:
            if argument is None or halted.halt is not Halt.OUT_OF_GAS:
                following = leave(frame, halted.halt, b"")
            else:
                index = argument.index  # whatever may run out of gas knows where it is
                frame.gas += _cost_from(block, index)
                following = _walk(frame, block, index)
        if following is None:
            return
        frame = following


def _instructions(block: CodeBlock) -> Iterator[Instruction]:
    """Yield the instructions of a block, with the one that ends it."""
    for instruction in block.program.decode(block.start):
        if instruction.counter >= block.next:
            return
        yield instruction


def _cost_from(block: CodeBlock, index: int) -> int:
    """Return what the opcodes of a block from one on cost at least."""
    costs = block.program.instructions.costs
    return sum(costs[item.opcode] for number, item in enumerate(_instructions(block)) if number >= index)


def _walk(frame: Frame, block: CodeBlock, index: int) -> Frame | None:
    """Run a block from one of its opcodes on, checking each."""
    try:
        for number, instruction in enumerate(_instructions(block)):
            if number >= index:
                _check(frame, block, instruction)
                if instruction.opcode in ENDS_BLOCK:
                    break
                _run_one(frame, block, instruction, number)
        return block.end(frame.stack, frame, block)
    except FrameHalted as halted:
        return leave(frame, halted.halt, b"")


def _check(frame: Frame, block: CodeBlock, instruction: Instruction) -> None:
    """Charge what an opcode costs at least, and see whether the stack suffices."""
    opcode, height = instruction.opcode, len(frame.stack)
    short = height < TAKES[opcode]
    if short and opcode not in _GAS_FIRST:
        raise FrameHalted(Halt.STACK_UNDERFLOW)
    frame.gas -= block.program.instructions.costs[opcode]
    if frame.gas < 0:
        raise GasShort
    if short:
        raise FrameHalted(Halt.STACK_UNDERFLOW)


def _run_one(frame: Frame, block: CodeBlock, instruction: Instruction, index: int) -> None:
    opcode, stack = instruction.opcode, frame.stack
    rules = block.program.instructions
    if opcode != Op.JUMPDEST:
        if GIVES[opcode] > TAKES[opcode] and len(stack) >= MAX_STACK:
            raise FrameHalted(Halt.STACK_OVERFLOW)
        argument = rules.argument(opcode, instruction.immediate, instruction.counter, index, 0)
        rules.handlers[opcode](stack, frame, argument)
