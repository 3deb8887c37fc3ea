"""How a call frame can end other than by returning, and what stops a run for good."""

from __future__ import annotations

from enum import Enum


class Halt(Enum):
    """Why a frame ended without success, in the words that nodes use."""

    REVERT = "execution reverted"
    """The only one that leaves the rest of the gas."""
    OUT_OF_GAS = "out of gas"
    INVALID_OPCODE = "invalid opcode"
    STACK_UNDERFLOW = "stack underflow"
    STACK_OVERFLOW = "stack overflow"
    INVALID_JUMP = "invalid jump destination"
    STATIC_WRITE = "write in a static call"
    OUT_OF_BOUNDS = "return data out of bounds"
    INVALID_CODE = "new code begins with 0xEF"
    INVALID_INPUT = "invalid input of a precompiled contract"
    COLLISION = "address collision"
    TOO_DEEP = "call depth"


class FrameHalted(Exception):  # it is no error but a result
    """Ends the running frame; caught by the interpreter."""

    def __init__(self, halt: Halt) -> None:
        super().__init__(halt.value)
        self.halt = halt


class GasShort(FrameHalted):
    """The frame cannot pay for an opcode."""

    def __init__(self) -> None:
        super().__init__(Halt.OUT_OF_GAS)


class LimitReached(Exception):  # it is no error but a result
    """The run took more opcodes, memory or room for its record than it was allowed to."""
