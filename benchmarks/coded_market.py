"""The market of the large benchmarks with bytecode: every call is what its code does, so that it can be executed alone.

It has the same functions, rejections and storage. Counters are looked at only where the code needs them: a call makes
three to ten accesses.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from benchmarks.market import (
    CREDIT,
    IDLE,
    ITEMS,
    NEXT,
    NOT_OFFERED,
    NOT_OWNER,
    OFFERED,
    OWNER,
    PRICE,
    STATE,
    TOO_LITTLE,
    TOTAL,
    Access,
    Call,
    Market,
    make,
    reverted_with,
    selector,
)
from specminer.evm.opcodes import Op

_ITEM, _SLOT = 0x80, 0xA0
"""Where in memory the item's number and its base slot stand."""


class _Code:
    """Bytecode that is being written; jumps are to labels."""

    def __init__(self) -> None:
        self.parts: list[bytes | str] = []

    def op(self, *names: str) -> _Code:
        """Append opcodes."""
        self.parts.append(bytes(Op[name] for name in names))
        return self

    def push(self, *values: int) -> _Code:
        """Append pushes, one after another."""
        for value in values:
            data = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
            self.parts.append(bytes([Op.PUSH0 + len(data)]) + data)
        return self

    def jump(self, label: str, name: str = "JUMPI") -> _Code:
        """Append a jump to a label."""
        self.parts += [bytes([Op.PUSH1 + 1]), label, bytes([Op[name]])]
        return self

    def label(self, name: str) -> _Code:
        """Mark a place that is jumped to."""
        self.parts += [f":{name}", bytes([Op.JUMPDEST])]
        return self

    def keccak_of(self, base: int) -> _Code:
        """Replace the key on the stack by the slot of its entry in a mapping."""
        return self.push(0).op("MSTORE").push(base, 0x20).op("MSTORE").push(0x40, 0).op("KECCAK256")

    def field(self, offset: int) -> _Code:
        """Push the slot of a word of the item."""
        return self.push(offset, _SLOT).op("MLOAD", "ADD")

    def require(self, reason: str, number: int) -> _Code:
        """Revert with a reason where the truth on the stack is none."""
        text = reverted_with(reason)
        self.jump(f"passed{number}")
        for start in range(0, len(text), 32):
            self.push(int.from_bytes(text[start : start + 32].ljust(32, b"\0"), "big"), start).op("MSTORE")
        return self.push(len(text), 0).op("REVERT").label(f"passed{number}")

    def bytes(self) -> bytes:
        """Return the code."""
        places: dict[str, int] = {}
        counter = 0
        for part in self.parts:
            if isinstance(part, bytes):
                counter += len(part)
            elif part.startswith(":"):
                places[part[1:]] = counter
            else:
                counter += 2
        return b"".join(
            part if isinstance(part, bytes) else places[part].to_bytes(2, "big")
            for part in self.parts
            if isinstance(part, bytes) or not part.startswith(":")
        )


def runtime() -> bytes:
    """Return the market's runtime code."""
    code = _Code().push(0).op("CALLDATALOAD").push(224).op("SHR")
    for name in ("create", "offer", "retract", "buy"):
        code.op("DUP1").push(int.from_bytes(selector(name), "big")).op("EQ").jump(name)
    code.push(0, 0).op("REVERT")
    _create(code.label("create"))
    _offer(code.label("offer"))
    _retract(code.label("retract"))
    _buy(code.label("buy"))
    return code.bytes()


def _find_item(code: _Code) -> _Code:
    """Take the item from the calldata, and note its base slot."""
    return code.push(4).op("CALLDATALOAD").keccak_of(ITEMS).push(_SLOT).op("MSTORE")


def _create(code: _Code) -> None:
    code.push(NEXT).op("SLOAD", "DUP1").push(_ITEM).op("MSTORE").push(1).op("ADD").push(NEXT).op("SSTORE")
    code.push(_ITEM).op("MLOAD").keccak_of(ITEMS).push(_SLOT).op("MSTORE")
    code.field(STATE).op("SLOAD", "ISZERO").require("exists", 0)
    code.op("CALLER").field(OWNER).op("SSTORE").push(4).op("CALLDATALOAD").field(PRICE).op("SSTORE")
    code.push(IDLE).field(STATE).op("SSTORE").op("CALLER").keccak_of(CREDIT).op("SLOAD", "STOP")


def _owned(code: _Code, number: int) -> _Code:
    _find_item(code).field(OWNER).op("SLOAD", "CALLER", "EQ").require(NOT_OWNER, number)
    return code.field(STATE).op("SLOAD", "POP")


def _offer(code: _Code) -> None:
    _owned(code, 1).push(0x24).op("CALLDATALOAD").field(PRICE).op("SSTORE")
    code.push(OFFERED).field(STATE).op("SSTORE", "STOP")


def _retract(code: _Code) -> None:
    _owned(code, 2).push(0).field(PRICE).op("SSTORE").push(IDLE).field(STATE).op("SSTORE", "STOP")


def _buy(code: _Code) -> None:
    _find_item(code).field(STATE).op("SLOAD").push(OFFERED).op("EQ").require(NOT_OFFERED, 3)
    code.field(PRICE).op("SLOAD", "CALLVALUE", "LT", "ISZERO").require(TOO_LITTLE, 4)
    code.field(OWNER).op("SLOAD").keccak_of(CREDIT).op("DUP1", "SLOAD", "CALLVALUE", "ADD", "SWAP1", "SSTORE")
    code.op("CALLER").field(OWNER).op("SSTORE").push(IDLE).field(STATE).op("SSTORE")
    code.push(TOTAL).op("SLOAD").push(1).op("ADD").push(TOTAL).op("SSTORE", "STOP")


class CodedMarket(Market):
    """The market as its code plays it."""

    def buy(self, sender: int, value: int, data: bytes, place: tuple[int, int, int]) -> Call:
        """Buy an item; ``place`` is where its owner, price and state are."""
        call = super().buy(sender, value, data, place)
        if call.rejection is not None:
            return call
        state, asked, owner, credited, *others, total = call.accesses
        slot, before = credited[1], credited[2]
        read = (0, slot, before, before)
        counted = (0, total[1], total[2], total[2])
        return replace(call, accesses=(state, asked, owner, read, credited, *others, counted, total))

    def done(
        self, sender: int, value: int, data: bytes, accesses: list[Access], rejection: str | None = None
    ) -> Call:
        """Return a call that makes these accesses and no others."""
        return Call(sender=sender, value=value, data=data, rejection=rejection, accesses=tuple(accesses))


def make_coded(path: Path, size: int) -> int:
    """Fill a database with a history of ``size`` calls; return how many items it has."""
    return make(path, size, runtime(), lambda accounts: CodedMarket(random.Random(0), accounts))
