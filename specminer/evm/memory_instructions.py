"""Memory: reading, writing and copying, and what it costs to let it grow."""

from __future__ import annotations

from typing import Any, Final

from specminer.evm.forks import WORD_COPY
from specminer.evm.frame import Frame
from specminer.evm.halts import FrameHalted, GasShort, Halt
from specminer.evm.opcodes import Op
from specminer.evm.program import Handler, Site

_OUT_OF_REACH: Final = 1 << 32
"""Bytes: so much memory costs more gas than any transaction may have."""


def growth_cost(size: int, end: int) -> int:
    """Return what it costs that memory of ``size`` bytes grows to hold the bytes up to ``end``.

    Raises:
        GasShort: no gas pays for that.

    """
    if end > _OUT_OF_REACH:
        raise GasShort
    words, before = (end + 31) // 32, size // 32
    return 3 * (words - before) + words * words // 512 - before * before // 512


def grow(frame: Frame, end: int) -> None:
    """Let memory grow, and charge for it; ``end`` must lie beyond it."""
    memory = frame.memory
    gas = frame.gas - growth_cost(len(memory), end)
    if gas < 0:
        raise GasShort
    frame.gas = gas
    memory.extend(bytes((end + 31) // 32 * 32 - len(memory)))


def reach(frame: Frame, offset: int, size: int, extra: int) -> None:
    """Charge ``extra``, and let memory grow to hold ``size`` bytes from ``offset``, or do neither."""
    memory = frame.memory
    end = offset + size
    cost = extra + growth_cost(len(memory), end) if size and end > len(memory) else extra
    gas = frame.gas - cost
    if gas < 0:
        raise GasShort
    frame.gas = gas
    if size and end > len(memory):
        memory.extend(bytes((end + 31) // 32 * 32 - len(memory)))


def slice_of(data: bytes | bytearray, offset: int, size: int) -> bytes:
    """Return bytes of data, with zeros behind its end."""
    part = bytes(data[offset : offset + size]) if offset < len(data) else b""
    return part if len(part) == size else part.ljust(size, b"\0")


def mload(stack: list[int], frame: Frame, argument: Site) -> None:
    """MLOAD."""
    offset = stack[-1]
    memory = frame.memory
    if offset + 32 > len(memory):
        grow(frame, offset + 32)
    stack[-1] = int.from_bytes(memory[offset : offset + 32], "big")


def mstore(stack: list[int], frame: Frame, argument: Site) -> None:
    """MSTORE."""
    offset = stack[-1]
    memory = frame.memory
    if offset + 32 > len(memory):
        grow(frame, offset + 32)
    stack.pop()
    memory[offset : offset + 32] = stack.pop().to_bytes(32, "big")


def mstore8(stack: list[int], frame: Frame, argument: Site) -> None:
    """MSTORE8."""
    offset = stack[-1]
    if offset >= len(frame.memory):
        grow(frame, offset + 1)
    stack.pop()
    frame.memory[offset] = stack.pop() & 0xFF


def msize(stack: list[int], frame: Frame, argument: Any) -> None:
    """MSIZE."""
    stack.append(len(frame.memory))


def mcopy(stack: list[int], frame: Frame, argument: Site) -> None:
    """MCOPY."""
    target, source, size = stack[-1], stack[-2], stack[-3]
    reach(frame, max(target, source), size, WORD_COPY * ((size + 31) // 32))
    del stack[-3:]
    if size:
        frame.memory[target : target + size] = frame.memory[source : source + size]


def _copy(stack: list[int], frame: Frame, data: bytes) -> None:
    target, source, size = stack[-1], stack[-2], stack[-3]
    reach(frame, target, size, WORD_COPY * ((size + 31) // 32))
    del stack[-3:]
    if size:
        frame.memory[target : target + size] = slice_of(data, source, size)


def calldatacopy(stack: list[int], frame: Frame, argument: Site) -> None:
    """CALLDATACOPY."""
    _copy(stack, frame, frame.data)


def codecopy(stack: list[int], frame: Frame, argument: Site) -> None:
    """CODECOPY."""
    _copy(stack, frame, frame.code)


def returndatacopy(stack: list[int], frame: Frame, argument: Site) -> None:
    """RETURNDATACOPY: what lies behind the end does not exist."""
    target, source, size = stack[-1], stack[-2], stack[-3]
    extra = WORD_COPY * ((size + 31) // 32)
    if source + size > len(frame.answer):
        end = target + size if size else 0
        if frame.gas < extra + (growth_cost(len(frame.memory), end) if end > len(frame.memory) else 0):
            raise GasShort
        raise FrameHalted(Halt.OUT_OF_BOUNDS)
    _copy(stack, frame, frame.answer)


HANDLERS: Final[dict[int, Handler]] = {
    Op.MLOAD: mload,
    Op.MSTORE: mstore,
    Op.MSTORE8: mstore8,
    Op.MSIZE: msize,
    Op.MCOPY: mcopy,
    Op.CALLDATACOPY: calldatacopy,
    Op.CODECOPY: codecopy,
    Op.RETURNDATACOPY: returndatacopy,
}
LOCATED: Final = frozenset(HANDLERS)
"""Opcodes that may run out of gas, and so have to know where they are."""
