"""Opcodes: their numbers, and how many words each takes from the stack and puts on it.

Source: the Ethereum yellow paper, appendix H, and the proposals that added opcodes later.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Op(IntEnum):
    """An opcode by its name; PUSH, DUP, SWAP and LOG by the first of their kind."""

    STOP = 0x00
    ADD = 0x01
    MUL = 0x02
    SUB = 0x03
    DIV = 0x04
    SDIV = 0x05
    MOD = 0x06
    SMOD = 0x07
    ADDMOD = 0x08
    MULMOD = 0x09
    EXP = 0x0A
    SIGNEXTEND = 0x0B
    LT = 0x10
    GT = 0x11
    SLT = 0x12
    SGT = 0x13
    EQ = 0x14
    ISZERO = 0x15
    AND = 0x16
    OR = 0x17
    XOR = 0x18
    NOT = 0x19
    BYTE = 0x1A
    SHL = 0x1B
    SHR = 0x1C
    SAR = 0x1D
    CLZ = 0x1E
    KECCAK256 = 0x20
    ADDRESS = 0x30
    BALANCE = 0x31
    ORIGIN = 0x32
    CALLER = 0x33
    CALLVALUE = 0x34
    CALLDATALOAD = 0x35
    CALLDATASIZE = 0x36
    CALLDATACOPY = 0x37
    CODESIZE = 0x38
    CODECOPY = 0x39
    GASPRICE = 0x3A
    EXTCODESIZE = 0x3B
    EXTCODECOPY = 0x3C
    RETURNDATASIZE = 0x3D
    RETURNDATACOPY = 0x3E
    EXTCODEHASH = 0x3F
    BLOCKHASH = 0x40
    COINBASE = 0x41
    TIMESTAMP = 0x42
    NUMBER = 0x43
    PREVRANDAO = 0x44
    """DIFFICULTY before the merge."""
    GASLIMIT = 0x45
    CHAINID = 0x46
    SELFBALANCE = 0x47
    BASEFEE = 0x48
    BLOBHASH = 0x49
    BLOBBASEFEE = 0x4A
    POP = 0x50
    MLOAD = 0x51
    MSTORE = 0x52
    MSTORE8 = 0x53
    SLOAD = 0x54
    SSTORE = 0x55
    JUMP = 0x56
    JUMPI = 0x57
    PC = 0x58
    MSIZE = 0x59
    GAS = 0x5A
    JUMPDEST = 0x5B
    TLOAD = 0x5C
    TSTORE = 0x5D
    MCOPY = 0x5E
    PUSH0 = 0x5F
    PUSH1 = 0x60
    PUSH32 = 0x7F
    DUP1 = 0x80
    DUP16 = 0x8F
    SWAP1 = 0x90
    SWAP16 = 0x9F
    LOG0 = 0xA0
    LOG1 = 0xA1
    LOG2 = 0xA2
    LOG3 = 0xA3
    LOG4 = 0xA4
    CREATE = 0xF0
    CALL = 0xF1
    CALLCODE = 0xF2
    RETURN = 0xF3
    DELEGATECALL = 0xF4
    CREATE2 = 0xF5
    STATICCALL = 0xFA
    REVERT = 0xFD
    INVALID = 0xFE
    SELFDESTRUCT = 0xFF


ENDS_BLOCK: Final = frozenset(
    {
        Op.STOP,
        Op.JUMP,
        Op.JUMPI,
        Op.CREATE,
        Op.CALL,
        Op.CALLCODE,
        Op.RETURN,
        Op.DELEGATECALL,
        Op.CREATE2,
        Op.STATICCALL,
        Op.REVERT,
        Op.SELFDESTRUCT,
    }
)
"""Opcodes behind which something else than the next opcode may run: they end a basic block."""

_TAKES: Final = {
    0: "STOP ADDRESS ORIGIN CALLER CALLVALUE CALLDATASIZE CODESIZE GASPRICE RETURNDATASIZE COINBASE TIMESTAMP NUMBER "
    "PREVRANDAO GASLIMIT CHAINID SELFBALANCE BASEFEE BLOBBASEFEE PC MSIZE GAS JUMPDEST PUSH0 INVALID",
    1: "ISZERO NOT CLZ BALANCE CALLDATALOAD EXTCODESIZE EXTCODEHASH BLOCKHASH BLOBHASH POP MLOAD SLOAD JUMP TLOAD "
    "SELFDESTRUCT",
    2: "ADD MUL SUB DIV SDIV MOD SMOD EXP SIGNEXTEND LT GT SLT SGT EQ AND OR XOR BYTE SHL SHR SAR KECCAK256 MSTORE "
    "MSTORE8 SSTORE JUMPI TSTORE LOG0 RETURN REVERT",
    3: "ADDMOD MULMOD CALLDATACOPY CODECOPY RETURNDATACOPY MCOPY LOG1 CREATE",
    4: "EXTCODECOPY LOG2 CREATE2",
    5: "LOG3",
    6: "LOG4 DELEGATECALL STATICCALL",
    7: "CALL CALLCODE",
}
_GIVES_NONE: Final = frozenset(
    {
        *(
            Op.STOP,
            Op.CALLDATACOPY,
            Op.CODECOPY,
            Op.EXTCODECOPY,
            Op.RETURNDATACOPY,
            Op.POP,
            Op.MSTORE,
            Op.MSTORE8,
        ),
        *(
            Op.SSTORE,
            Op.JUMP,
            Op.JUMPI,
            Op.JUMPDEST,
            Op.TSTORE,
            Op.MCOPY,
            Op.RETURN,
            Op.REVERT,
            Op.SELFDESTRUCT,
        ),
        *(Op.LOG0, Op.LOG1, Op.LOG2, Op.LOG3, Op.LOG4, Op.INVALID),
    }
)


def _stack_use() -> tuple[tuple[int, ...], tuple[int, ...]]:
    takes, gives = [0] * 256, [0] * 256
    for count, names in _TAKES.items():
        for name in names.split():
            takes[Op[name]] = count
            gives[Op[name]] = Op[name] not in _GIVES_NONE
    for number in range(32):
        gives[Op.PUSH1 + number] = 1
    for number in range(16):
        takes[Op.DUP1 + number], gives[Op.DUP1 + number] = number + 1, number + 2
        takes[Op.SWAP1 + number], gives[Op.SWAP1 + number] = number + 2, number + 2
    return tuple(takes), tuple(map(int, gives))


STATE_OPCODES: Final = (
    *(Op.BALANCE, Op.EXTCODESIZE, Op.EXTCODEHASH, Op.SELFBALANCE, Op.BLOCKHASH, Op.BLOBHASH, Op.TLOAD),
)
"""Opcodes that ask for one word of the chain's state, outside the contract's own storage."""
TAKES, GIVES = _stack_use()
"""For each opcode, how many words it needs on the stack and how many stand in their place afterwards."""


def immediate_size(opcode: int) -> int:
    """Return how many bytes behind an opcode belong to it."""
    return opcode - Op.PUSH0 if Op.PUSH1 <= opcode <= Op.PUSH32 else 0


def opcode_name(opcode: int) -> str:
    """Return an opcode's name, as ``PUSH4``, ``DUP1`` or ``0xEE`` for one that does not exist."""
    for first, last, name, start in (
        (Op.PUSH1, Op.PUSH32, "PUSH", 1),
        (Op.DUP1, Op.DUP16, "DUP", 1),
        (Op.SWAP1, Op.SWAP16, "SWAP", 1),
    ):
        if first <= opcode <= last:
            return f"{name}{opcode - first + start}"
    try:
        return Op(opcode).name
    except ValueError:
        return f"0x{opcode:02X}"
