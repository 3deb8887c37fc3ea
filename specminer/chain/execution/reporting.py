"""From the events of the engine's recorder to the steps that every tracer reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from specminer.chain.steps import SELFDESTRUCT, Enter, Exit, Hashed, Logged, Read, Step, Write
from specminer.evm.events import (
    Destruction,
    Event,
    FailedTransfer,
    FrameEnd,
    FrameStart,
    HashedData,
    LogEntry,
    SlotRead,
    SlotWrite,
)
from specminer.trace import Address

NEVER_BEGAN = "too little ether or too deep"


def address_of(number: int) -> Address:
    """Return an address of the engine as bytes."""
    return Address(number.to_bytes(20, "big"))


def steps_of(events: Iterable[Event]) -> Iterator[Step]:
    """Yield the steps that events stand for, in order."""
    for event in events:
        match event:
            case SlotRead(owner, slot, value):
                yield Read(address_of(owner), slot, value)
            case SlotWrite(owner, slot, before, value):
                yield Write(address_of(owner), slot, before, value)
            case HashedData(owner, data):
                yield Hashed(address_of(owner), data)
            case LogEntry(owner, topics, data):
                words = tuple(topic.to_bytes(32, "big") for topic in topics)
                yield Logged(address_of(owner), words, data)
            case FrameStart(kind, sender, to, gas, amount, data):
                yield Enter(kind.name, address_of(sender), address_of(to), gas, amount, data)
            case FrameEnd(used, output, halt):
                yield Exit(used, output, None if halt is None else halt.value)
            case Destruction(owner, beneficiary, amount):
                yield Enter(SELFDESTRUCT, address_of(owner), address_of(beneficiary), 0, amount, b"")
                yield Exit(0, b"", None)
            case FailedTransfer(kind, sender, to, amount) if amount:
                yield Enter(kind.name, address_of(sender), address_of(to), 0, amount, b"")
                yield Exit(0, b"", NEVER_BEGAN)
