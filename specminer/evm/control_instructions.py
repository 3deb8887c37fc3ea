"""What ends a block: jumps, and the ways in which a frame ends."""

from __future__ import annotations

from typing import Final

from specminer.evm.calling import leave
from specminer.evm.forks import COLD_ACCOUNT, NEW_ACCOUNT, Fork
from specminer.evm.frame import Frame
from specminer.evm.halts import FrameHalted, GasShort, Halt
from specminer.evm.memory_instructions import reach
from specminer.evm.opcodes import Op
from specminer.evm.program import BlockEnd, CodeBlock
from specminer.evm.world import ADDRESS_MASK, Account


def fall(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """Go on with the next block."""
    following = block.following
    if following is None:
        following = block.following = block.program.block(block.next)
    frame.block = following
    return frame


def jump(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """JUMP."""
    counter, program = stack.pop(), block.program
    target = program.jumps.get(counter) or program.target(counter)
    if target is None:
        raise FrameHalted(Halt.INVALID_JUMP)
    frame.block = target
    return frame


def jumpi(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """JUMPI."""
    counter = stack.pop()
    if stack.pop():
        program = block.program
        target = program.jumps.get(counter) or program.target(counter)
        if target is None:
            raise FrameHalted(Halt.INVALID_JUMP)
        frame.block = target
        return frame
    following = block.following
    if following is None:
        following = block.following = block.program.block(block.next)
    frame.block = following
    return frame


def stop(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """STOP, and the end of the code."""
    return leave(frame, None, b"")


def invalid(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """Meet an opcode that does not exist."""
    raise FrameHalted(Halt.INVALID_OPCODE)


def _output(stack: list[int], frame: Frame) -> bytes:
    offset, size = stack.pop(), stack.pop()
    reach(frame, offset, size, 0)
    return bytes(frame.memory[offset : offset + size])


def return_(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """RETURN."""
    return leave(frame, None, _output(stack, frame))


def revert(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """REVERT."""
    return leave(frame, Halt.REVERT, _output(stack, frame))


def selfdestruct_cost(fork: Fork, receiver: Account, amount: int) -> int:
    """Return what giving ``amount`` to ``receiver`` costs on top, if that makes a new account."""
    if not fork.selfdestruct_new_account:
        return 0
    if fork.new_account_by_value:
        return NEW_ACCOUNT if amount and receiver.empty else 0
    return 0 if receiver.exists else NEW_ACCOUNT


def surrender(stack: list[int], frame: Frame) -> None:
    """Give all ether away, as SELFDESTRUCT does; whether the account is removed depends on the fork."""
    run, account = frame.run, frame.account
    world, fork, address = run.world, run.fork, frame.address
    beneficiary = stack.pop() & ADDRESS_MASK
    receiver = world.account(beneficiary)
    cost = selfdestruct_cost(fork, receiver, account.balance)
    if fork.access_lists and beneficiary not in run.warm:
        cost += COLD_ACCOUNT + fork.call
        world.add(run.warm, beneficiary)
    frame.gas -= cost
    if frame.gas < 0:
        raise GasShort
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    if address not in run.deleted:
        run.refund += fork.selfdestruct_refund
    world.move(account, receiver, account.balance)
    if not fork.selfdestruct_once or address in run.created:
        world.set_balance(account, 0)
        world.add(run.deleted, address)
    if receiver.empty:
        if fork.clears_empty:
            world.add(run.touched_accounts, beneficiary)
        elif not fork.empty_accounts:
            world.destroy(receiver)


def selfdestruct(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """SELFDESTRUCT."""
    surrender(stack, frame)
    return leave(frame, None, b"")


ENDS: Final[dict[int, BlockEnd]] = {
    Op.STOP: stop,
    Op.JUMP: jump,
    Op.JUMPI: jumpi,
    Op.RETURN: return_,
    Op.REVERT: revert,
    Op.SELFDESTRUCT: selfdestruct,
}
