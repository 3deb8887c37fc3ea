"""From the events of the engine's recorder to the steps that every tracer reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from specminer.evm.execution_events import (
    Destruction,
    Event,
    FailedTransfer,
    FrameEnd,
    FrameStart,
    HashedData,
    LogEntry,
    Question,
    SlotRead,
    SlotWrite,
)
from specminer.history.trace import Address
from specminer.history.tracer_steps import (
    SELFDESTRUCT,
    Enter,
    Exit,
    HashStep,
    LogStep,
    QuestionStep,
    Read,
    Step,
    Write,
)
from specminer.sources.opcode_names import QUESTIONS

NEVER_BEGAN = "too little ether or too deep"


@lru_cache(maxsize=1 << 12)
def address_of(number: int) -> Address:
    """Return an address of the engine as bytes."""
    return Address(number.to_bytes(20, "big"))


def _read(event: SlotRead) -> Read:
    return Read(address_of(event[0]), event[1], event[2])


def _write(event: SlotWrite) -> Write:
    owner, slot, before, value = event
    return Write(address_of(owner), slot, before, value)


def _hash_step(event: HashedData) -> HashStep:
    return HashStep(address_of(event[0]), event[1])


def _log_step(event: LogEntry) -> LogStep:
    owner, topics, data = event
    return LogStep(address_of(owner), tuple(topic.to_bytes(32, "big") for topic in topics), data)


def _enter(event: FrameStart) -> Enter:
    kind, sender, to, gas, value, data = event
    return Enter(kind.name, address_of(sender), address_of(to), gas, value, data)


def _question_step(event: Question) -> Step | None:
    owner, opcode, subject, value = event
    question = QUESTIONS.get(opcode)
    return None if question is None else QuestionStep(address_of(owner), question[0], subject, value)


def _exit(event: FrameEnd) -> Exit:
    gas_used, output, halt = event
    return Exit(gas_used, output, None if halt is None else halt.value)


_STEPS: Final[dict[type[Event], Callable[[Any], Step | None]]] = {
    SlotRead: _read,
    SlotWrite: _write,
    HashedData: _hash_step,
    LogEntry: _log_step,
    FrameStart: _enter,
    FrameEnd: _exit,
    Question: _question_step,
}
"""Events that are one step each."""


def steps_of(events: Iterable[Event]) -> Iterator[Step]:
    """Yield the steps that events stand for, in order."""
    for event in events:
        reporting = _STEPS.get(type(event))
        if reporting is not None:
            step = reporting(event)
            if step is not None:
                yield step
        elif isinstance(event, Destruction):
            owner, beneficiary, amount = event
            yield Enter(SELFDESTRUCT, address_of(owner), address_of(beneficiary), 0, amount, b"")
            yield Exit(0, b"", None)
        elif isinstance(event, FailedTransfer):
            kind, sender, to, amount, data, size = event
            yield Enter(kind.name, address_of(sender), address_of(to), 0, amount, data, size)
            yield Exit(0, b"", NEVER_BEGAN)
