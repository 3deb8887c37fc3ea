"""CALL and its kin, CREATE and CREATE2: what they cost, and the frames that they open."""

from __future__ import annotations

from typing import Final

from specminer._support.creation_addresses import creation_address
from specminer._support.keccak import keccak
from specminer.evm.calling import enter_call, enter_creation, new_frame
from specminer.evm.forks import CALL_VALUE, COLD_ACCOUNT, NEW_ACCOUNT, STIPEND, WORD_HASH
from specminer.evm.frame import MAX_DEPTH, Frame, FrameKind
from specminer.evm.halts import FrameHalted, GasShort, Halt
from specminer.evm.memory_instructions import growth_cost, slice_of
from specminer.evm.opcodes import Op
from specminer.evm.program import BlockEnd, CodeBlock
from specminer.evm.world import ADDRESS_MASK, Account

_DELEGATION: Final = b"\xef\x01\x00"
_LAST_NONCE: Final = (1 << 64) - 1


def delegate_of(code: bytes) -> int | None:
    """Return the address to which an account delegates with this code, if it does (EIP-7702)."""
    if len(code) == 23 and code.startswith(_DELEGATION):
        return int.from_bytes(code[3:], "big")
    return None


class Operands:
    """What a call takes from the stack, and what it is about to cost."""

    __slots__ = ("cost", "data_offset", "data_size", "end", "gas", "output_offset", "output_size")

    def __init__(self, stack: list[int], frame: Frame, gas: int) -> None:
        self.gas = gas
        self.data_offset, self.data_size = stack.pop(), stack.pop()
        self.output_offset, self.output_size = stack.pop(), stack.pop()
        data_end = self.data_offset + self.data_size if self.data_size else 0
        output_end = self.output_offset + self.output_size if self.output_size else 0
        self.end = max(data_end, output_end)
        """Up to where memory has to reach."""
        size = len(frame.memory)
        self.cost = growth_cost(size, self.end) if self.end > size else 0
        """On top of what every call costs."""


def _warm(frame: Frame, address: int) -> int:
    """Return what a cold address costs on top of a warm one, and make it warm."""
    run = frame.run
    if not run.fork.access_lists or address in run.warm:
        return 0
    run.world.add(run.warm, address)
    return COLD_ACCOUNT


def _code_of(frame: Frame, address: int, operands: Operands) -> tuple[bytes, int, bool]:
    """Return the code that a call of an address runs, where it is from, and whether that is the address itself."""
    run = frame.run
    code = run.world.account(address).code
    if run.fork.delegations:
        other = delegate_of(code)
        if other is not None:
            operands.cost += run.fork.call + _warm(frame, other)
            return run.world.account(other).code, other, False
    return code, address, True


def pay(frame: Frame, operands: Operands) -> int:
    """Charge for a call, let memory grow, and return the gas that the inner frame gets."""
    available = frame.gas - operands.cost
    if available < 0:
        raise GasShort
    gas = operands.gas
    if frame.run.fork.gas_share:
        gas = min(gas, available - available // 64)
    elif gas > available:
        raise GasShort
    frame.gas = available - gas
    return gas


def extend(frame: Frame, end: int) -> None:
    """Let memory grow to an end; it has been paid for."""
    if end > len(frame.memory):
        frame.memory.extend(bytes((end + 31) // 32 * 32 - len(frame.memory)))


def _open(
    parent: Frame,
    kind: FrameKind,
    account: Account,
    operands: Operands,
    code: tuple[bytes, int, bool],
    gas: int,
    value: int,
) -> Frame | None:
    """Begin the inner frame of a call."""
    parent.answer = b""
    if parent.depth >= MAX_DEPTH:
        return _refuse(parent, gas)
    delegated = kind is FrameKind.DELEGATECALL
    frame = new_frame(
        parent,
        kind,
        account,
        gas=gas,
        value=parent.value if delegated else value,
        data=slice_of(parent.memory, operands.data_offset, operands.data_size),
        caller=parent.caller if delegated else parent.address,
    )
    frame.static = parent.static or kind is FrameKind.STATICCALL
    frame.output_offset, frame.output_size = operands.output_offset, operands.output_size
    return enter_call(frame, code[0], code[1], transfer=not delegated, precompiled=code[2])


def _refuse(frame: Frame, gas: int) -> Frame:
    """Give the gas back: the inner frame never began."""
    frame.gas += gas
    frame.answer = b""
    frame.stack.append(0)
    return frame


def call(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """CALL."""
    continue_behind(frame, block)
    gas, address, value = stack.pop(), stack.pop() & ADDRESS_MASK, stack.pop()
    operands = Operands(stack, frame, gas)
    operands.cost += _warm(frame, address)
    code = _code_of(frame, address, operands)
    fork, account = frame.run.fork, frame.run.world.account(address)
    if fork.new_account_by_value:
        operands.cost += NEW_ACCOUNT if value and account.empty else 0
    elif not account.exists:
        operands.cost += NEW_ACCOUNT
    if value:
        operands.cost += CALL_VALUE
    gas = pay(frame, operands) + (STIPEND if value else 0)
    if frame.static and value:
        raise FrameHalted(Halt.STATIC_WRITE)
    extend(frame, operands.end)
    if frame.account.balance < value:
        return _refuse(frame, gas)
    return _open(frame, FrameKind.CALL, account, operands, code, gas, value)


def callcode(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """CALLCODE: another account's code in the own context."""
    continue_behind(frame, block)
    gas, address, value = stack.pop(), stack.pop() & ADDRESS_MASK, stack.pop()
    operands = Operands(stack, frame, gas)
    operands.cost += _warm(frame, address)
    code = _code_of(frame, address, operands)
    if value:
        operands.cost += CALL_VALUE
    gas = pay(frame, operands) + (STIPEND if value else 0)
    extend(frame, operands.end)
    if frame.account.balance < value:
        return _refuse(frame, gas)
    return _open(frame, FrameKind.CALLCODE, frame.account, operands, code, gas, value)


def delegatecall(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """DELEGATECALL: another account's code in the own context, with the own caller and value."""
    continue_behind(frame, block)
    gas, address = stack.pop(), stack.pop() & ADDRESS_MASK
    operands = Operands(stack, frame, gas)
    operands.cost += _warm(frame, address)
    code = _code_of(frame, address, operands)
    gas = pay(frame, operands)
    extend(frame, operands.end)
    return _open(frame, FrameKind.DELEGATECALL, frame.account, operands, code, gas, 0)


def staticcall(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """STATICCALL: nothing may change inside."""
    continue_behind(frame, block)
    gas, address = stack.pop(), stack.pop() & ADDRESS_MASK
    operands = Operands(stack, frame, gas)
    operands.cost += _warm(frame, address)
    code = _code_of(frame, address, operands)
    account = frame.run.world.account(address)
    gas = pay(frame, operands)
    extend(frame, operands.end)
    return _open(frame, FrameKind.STATICCALL, account, operands, code, gas, 0)


def continue_behind(frame: Frame, block: CodeBlock) -> None:
    """Go on behind the call once it is over."""
    following = block.following
    if following is None:
        following = block.following = block.program.block(block.next)
    frame.block = following


def create(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """CREATE: at an address that follows from the creator and its nonce."""
    continue_behind(frame, block)
    value = stack.pop()
    code = creation_code(stack, frame, 0)
    address = creation_address(frame.address, frame.account.nonce)
    return _create(frame, FrameKind.CREATE, value, code, address)


def create2(stack: list[int], frame: Frame, block: CodeBlock) -> Frame | None:
    """CREATE2: at an address that follows from the creator, a salt and the creation code."""
    continue_behind(frame, block)
    value = stack.pop()
    code = creation_code(stack, frame, WORD_HASH)
    text = b"\xff" + frame.address.to_bytes(20, "big") + stack.pop().to_bytes(32, "big") + keccak(code)
    return _create(frame, FrameKind.CREATE2, value, code, int.from_bytes(keccak(text), "big") & ADDRESS_MASK)


def creation_code(stack: list[int], frame: Frame, word: int) -> bytes:
    """Take the range of the creation code from the stack, charge for it, and return it."""
    offset, size = stack.pop(), stack.pop()
    end = offset + size if size else 0
    cost = (word + frame.run.fork.init_code_word) * ((size + 31) // 32)
    if end > len(frame.memory):
        cost += growth_cost(len(frame.memory), end)
    frame.gas -= cost
    if frame.gas < 0:
        raise GasShort
    extend(frame, end)
    return slice_of(frame.memory, offset, size)


def _create(frame: Frame, kind: FrameKind, value: int, code: bytes, address: int) -> Frame | None:
    run, sender = frame.run, frame.account
    fork, world = run.fork, run.world
    if fork.max_init_code is not None and len(code) > fork.max_init_code:
        raise GasShort
    gas = frame.gas - frame.gas // 64 if fork.gas_share else frame.gas
    frame.gas -= gas
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    frame.answer = b""
    if sender.balance < value or sender.nonce >= _LAST_NONCE or frame.depth >= MAX_DEPTH:
        return _refuse(frame, gas)
    world.add(run.warm, address)
    account = world.account(address)
    world.raise_nonce(sender)
    if account.occupied:
        frame.stack.append(0)
        return frame
    inner = new_frame(frame, kind, account, gas=gas, value=value, data=b"", caller=frame.address)
    inner.static = False
    return enter_creation(inner, code)


ENDS: Final[dict[int, BlockEnd]] = {
    Op.CALL: call,
    Op.CALLCODE: callcode,
    Op.DELEGATECALL: delegatecall,
    Op.STATICCALL: staticcall,
    Op.CREATE: create,
    Op.CREATE2: create2,
}
