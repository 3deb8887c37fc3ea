"""The names of the EVM's opcodes, in the many ways in which nodes write them."""

from __future__ import annotations

import re
from typing import Any, Final

from specminer._support.errors import InvalidNodeResponse
from specminer.history.trace import EnvironmentKind

_RUNS: Final = {
    0x00: "STOP ADD MUL SUB DIV SDIV MOD SMOD ADDMOD MULMOD EXP SIGNEXTEND",
    0x10: "LT GT SLT SGT EQ ISZERO AND OR XOR NOT BYTE SHL SHR SAR CLZ",
    0x20: "KECCAK256",
    0x30: "ADDRESS BALANCE ORIGIN CALLER CALLVALUE CALLDATALOAD CALLDATASIZE CALLDATACOPY CODESIZE CODECOPY GASPRICE "
    "EXTCODESIZE EXTCODECOPY RETURNDATASIZE RETURNDATACOPY EXTCODEHASH",
    0x40: "BLOCKHASH COINBASE TIMESTAMP NUMBER PREVRANDAO GASLIMIT CHAINID SELFBALANCE BASEFEE BLOBHASH BLOBBASEFEE",
    0x50: "POP MLOAD MSTORE MSTORE8 SLOAD SSTORE JUMP JUMPI PC MSIZE GAS JUMPDEST TLOAD TSTORE MCOPY",
    0x5F: " ".join(f"PUSH{size}" for size in range(33)),
    0x80: " ".join(f"DUP{depth}" for depth in range(1, 17)),
    0x90: " ".join(f"SWAP{depth}" for depth in range(1, 17)),
    0xA0: "LOG0 LOG1 LOG2 LOG3 LOG4",
    0xF0: "CREATE CALL CALLCODE RETURN DELEGATECALL CREATE2",
    0xFA: "STATICCALL",
    0xFD: "REVERT INVALID SELFDESTRUCT",
}
NAMES: Final = {start + row: name for start, run in _RUNS.items() for row, name in enumerate(run.split())}
"""Opcode to name, as geth writes it."""
QUESTIONS: Final = {
    0x31: (EnvironmentKind.BALANCE, True),
    0x47: (EnvironmentKind.SELF_BALANCE, False),
    0x3B: (EnvironmentKind.CODE_SIZE, True),
    0x3F: (EnvironmentKind.CODE_HASH, True),
    0x40: (EnvironmentKind.BLOCK_HASH, True),
    0x49: (EnvironmentKind.BLOB_HASH, True),
    0x5C: (EnvironmentKind.TRANSIENT, True),
    0x5A: (EnvironmentKind.GAS, False),
}
"""Opcodes with which code asks of its environment, and whether they take a word."""
_NAME_SET: Final = frozenset(NAMES.values())
_ALIASES: Final = {
    "SHA3": "KECCAK256",
    "SUICIDE": "SELFDESTRUCT",
    "DIFFICULTY": "PREVRANDAO",
    "RANDOM": "PREVRANDAO",
    "ASSERT": "INVALID",
    "DESIGNATEDINVALID": "INVALID",
}
_NUMBER: Final = re.compile(r"(?:0X)?[0-9A-F]{1,2}")
_UNDEFINED: Final = ("NOT DEFINED", "UNKNOWN", "INVALID", "UNDEFINED", "MISSING")


def name_of(op: Any) -> str:
    """Return an opcode's name from what a node calls it: a name in any case, or its number.

    Raises:
        InvalidNodeResponse: it is neither; what such a trace says cannot be told.

    """
    if isinstance(op, int) and not isinstance(op, bool) and 0 <= op <= 0xFF:
        return NAMES.get(op, "INVALID")
    if isinstance(op, str):
        text = op.strip().upper()
        name = _ALIASES.get(text, text)
        if name in _NAME_SET:
            return name
        if any(word in text for word in _UNDEFINED):
            return "INVALID"
        if _NUMBER.fullmatch(text):
            return NAMES.get(int(text.removeprefix("0X"), 16 if text.startswith("0X") else 10), "INVALID")
        if re.fullmatch(r"[A-Z][A-Z0-9_]{1,20}", text):
            return text  # of a fork that is newer than this table
    raise InvalidNodeResponse("an opcode in structLogs has no name that can be read")
