"""Arithmetic, comparison and bits: opcodes that touch nothing but the stack.

A handler is given the stack, the frame and the opcode's immediate; here only the stack matters. Gas and the height
of the stack were checked for the whole block.
"""

from __future__ import annotations

from typing import Any, Final

from specminer.evm.opcodes import Op
from specminer.evm.program import Handler

MASK: Final = (1 << 256) - 1
SIGN: Final = 1 << 255
MODULUS: Final = 1 << 256


def to_signed(word: int) -> int:
    """Return a word as a number in two's complement."""
    return word - MODULUS if word & SIGN else word


def add(stack: list[int], frame: Any, argument: Any) -> None:
    """ADD."""
    first = stack.pop()
    stack[-1] = (first + stack[-1]) & MASK


def mul(stack: list[int], frame: Any, argument: Any) -> None:
    """MUL."""
    first = stack.pop()
    stack[-1] = (first * stack[-1]) & MASK


def sub(stack: list[int], frame: Any, argument: Any) -> None:
    """SUB."""
    first = stack.pop()
    stack[-1] = (first - stack[-1]) & MASK


def div(stack: list[int], frame: Any, argument: Any) -> None:
    """DIV; by zero it is zero."""
    first = stack.pop()
    second = stack[-1]
    stack[-1] = first // second if second else 0


def sdiv(stack: list[int], frame: Any, argument: Any) -> None:
    """SDIV: towards zero."""
    first, second = to_signed(stack.pop()), to_signed(stack[-1])
    if not second:
        stack[-1] = 0
        return
    quotient = abs(first) // abs(second)
    stack[-1] = (quotient if (first < 0) == (second < 0) else -quotient) & MASK


def mod(stack: list[int], frame: Any, argument: Any) -> None:
    """MOD; by zero it is zero."""
    first = stack.pop()
    second = stack[-1]
    stack[-1] = first % second if second else 0


def smod(stack: list[int], frame: Any, argument: Any) -> None:
    """SMOD: with the sign of the first operand."""
    first, second = to_signed(stack.pop()), to_signed(stack[-1])
    if not second:
        stack[-1] = 0
        return
    rest = abs(first) % abs(second)
    stack[-1] = (-rest if first < 0 else rest) & MASK


def addmod(stack: list[int], frame: Any, argument: Any) -> None:
    """ADDMOD."""
    first, second = stack.pop(), stack.pop()
    modulus = stack[-1]
    stack[-1] = (first + second) % modulus if modulus else 0


def mulmod(stack: list[int], frame: Any, argument: Any) -> None:
    """MULMOD."""
    first, second = stack.pop(), stack.pop()
    modulus = stack[-1]
    stack[-1] = (first * second) % modulus if modulus else 0


def signextend(stack: list[int], frame: Any, argument: Any) -> None:
    """SIGNEXTEND from the byte with this number, the lowest being 0."""
    size = stack.pop()
    if size < 31:
        value, bits = stack[-1], 8 * size + 8
        low = value & ((1 << bits) - 1)
        stack[-1] = low | (MASK - ((1 << bits) - 1)) if value >> (bits - 1) & 1 else low


def lt(stack: list[int], frame: Any, argument: Any) -> None:
    """LT."""
    first = stack.pop()
    stack[-1] = 1 if first < stack[-1] else 0


def gt(stack: list[int], frame: Any, argument: Any) -> None:
    """GT."""
    first = stack.pop()
    stack[-1] = 1 if first > stack[-1] else 0


def slt(stack: list[int], frame: Any, argument: Any) -> None:
    """SLT: in two's complement, that is with the sign bit turned."""
    first = stack.pop() ^ SIGN
    stack[-1] = 1 if first < stack[-1] ^ SIGN else 0


def sgt(stack: list[int], frame: Any, argument: Any) -> None:
    """SGT."""
    first = stack.pop() ^ SIGN
    stack[-1] = 1 if first > stack[-1] ^ SIGN else 0


def eq(stack: list[int], frame: Any, argument: Any) -> None:
    """EQ."""
    first = stack.pop()
    stack[-1] = 1 if first == stack[-1] else 0


def iszero(stack: list[int], frame: Any, argument: Any) -> None:
    """ISZERO."""
    stack[-1] = 0 if stack[-1] else 1


def and_(stack: list[int], frame: Any, argument: Any) -> None:
    """AND."""
    first = stack.pop()
    stack[-1] &= first


def or_(stack: list[int], frame: Any, argument: Any) -> None:
    """OR."""
    first = stack.pop()
    stack[-1] |= first


def xor(stack: list[int], frame: Any, argument: Any) -> None:
    """XOR."""
    first = stack.pop()
    stack[-1] ^= first


def not_(stack: list[int], frame: Any, argument: Any) -> None:
    """NOT."""
    stack[-1] ^= MASK


def byte(stack: list[int], frame: Any, argument: Any) -> None:
    """BYTE: the one with this number, the highest being 0."""
    number = stack.pop()
    stack[-1] = stack[-1] >> 8 * (31 - number) & 0xFF if number < 32 else 0


def shl(stack: list[int], frame: Any, argument: Any) -> None:
    """SHL."""
    shift = stack.pop()
    stack[-1] = stack[-1] << shift & MASK if shift < 256 else 0


def shr(stack: list[int], frame: Any, argument: Any) -> None:
    """SHR."""
    shift = stack.pop()
    stack[-1] = stack[-1] >> shift if shift < 256 else 0


def sar(stack: list[int], frame: Any, argument: Any) -> None:
    """SAR: the sign is shifted in."""
    shift, value = stack.pop(), to_signed(stack[-1])
    stack[-1] = value >> min(shift, 256) & MASK


def clz(stack: list[int], frame: Any, argument: Any) -> None:
    """CLZ: how many leading bits are zero."""
    stack[-1] = 256 - stack[-1].bit_length()


def pop(stack: list[int], frame: Any, argument: Any) -> None:
    """POP."""
    stack.pop()


def push(stack: list[int], frame: Any, argument: int) -> None:
    """PUSH and PC."""
    stack.append(argument)


def dup(stack: list[int], frame: Any, argument: int) -> None:
    """DUP; the argument counts from the end of the stack."""
    stack.append(stack[argument])


def swap(stack: list[int], frame: Any, argument: int) -> None:
    """SWAP; the argument counts from the end of the stack."""
    stack[-1], stack[argument] = stack[argument], stack[-1]


HANDLERS: Final[dict[int, Handler]] = {
    Op.ADD: add,
    Op.MUL: mul,
    Op.SUB: sub,
    Op.DIV: div,
    Op.SDIV: sdiv,
    Op.MOD: mod,
    Op.SMOD: smod,
    Op.ADDMOD: addmod,
    Op.MULMOD: mulmod,
    Op.SIGNEXTEND: signextend,
    Op.LT: lt,
    Op.GT: gt,
    Op.SLT: slt,
    Op.SGT: sgt,
    Op.EQ: eq,
    Op.ISZERO: iszero,
    Op.AND: and_,
    Op.OR: or_,
    Op.XOR: xor,
    Op.NOT: not_,
    Op.BYTE: byte,
    Op.SHL: shl,
    Op.SHR: shr,
    Op.SAR: sar,
    Op.CLZ: clz,
    Op.POP: pop,
    Op.PC: push,
    **dict.fromkeys(range(Op.PUSH0, Op.PUSH32 + 1), push),
    **dict.fromkeys(range(Op.DUP1, Op.DUP16 + 1), dup),
    **dict.fromkeys(range(Op.SWAP1, Op.SWAP16 + 1), swap),
}
