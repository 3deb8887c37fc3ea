"""What a recorder tells of a transaction: a flat list of events, in the order in which they happened.

They are tuples, because a transaction makes many of them and they are made in the innermost loop. Addresses, slots
and values are integers.
"""

from __future__ import annotations

from typing import NamedTuple

from specminer.evm.frame import FrameKind
from specminer.evm.halts import Halt


class FrameStart(NamedTuple):
    """A frame begins. The events up to its :class:`FrameEnd` are its own and those of frames inside it."""

    kind: FrameKind
    sender: int
    to: int
    """Whose code runs; for a creation the new contract."""
    gas: int
    value: int
    """Wei; of a DELEGATECALL its caller's."""
    data: bytes
    """Calldata, or creation code."""


class FrameEnd(NamedTuple):
    """The innermost open frame ends; its output is what the frame around it gets for an answer."""

    gas_used: int
    output: bytes
    halt: Halt | None
    """``None`` if it returned."""


class SlotRead(NamedTuple):
    """SLOAD."""

    owner: int
    slot: int
    value: int


class SlotWrite(NamedTuple):
    """SSTORE."""

    owner: int
    slot: int
    before: int
    value: int


class HashedData(NamedTuple):
    """KECCAK256 of some bytes."""

    owner: int
    data: bytes


class LogEntry(NamedTuple):
    """LOG0 to LOG4."""

    owner: int
    topics: tuple[int, ...]
    data: bytes


class Destruction(NamedTuple):
    """SELFDESTRUCT: the owner gave all its ether away."""

    owner: int
    beneficiary: int
    value: int


class FailedTransfer(NamedTuple):
    """A call or a creation that never began: there was too little ether, or it was too deep."""

    kind: FrameKind
    sender: int
    to: int
    """Zero for a creation."""
    value: int
    data: bytes = b""
    """Calldata or creation code, as far as a record of questions has room for it."""
    size: int = -1
    """Bytes of all of it; -1 where questions are not recorded."""


class Question(NamedTuple):
    """What code heard of another account, of its own balance, of a block, of transient storage, or of gas."""

    owner: int
    opcode: int
    argument: int
    """The word that the opcode took; 0 if it takes none."""
    value: int


class Branch(NamedTuple):
    """A conditional jump of a recorded frame."""

    position: int
    """How many events came before."""
    frame: int
    """Number of the frame, in order of entry."""
    counter: int
    """Program counter of the JUMPI."""
    taken: bool


Event = (
    FrameStart
    | FrameEnd
    | SlotRead
    | SlotWrite
    | HashedData
    | LogEntry
    | Destruction
    | FailedTransfer
    | Question
)
