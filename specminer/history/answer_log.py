"""Collects what an invocation heard from others, within bounds: answers of calls, code that ran, its environment."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from specminer.history.trace import (
    LAST_PRECOMPILED,
    MAX_CALL_DATA,
    MAX_CALL_OUTPUT,
    MAX_LOG_DATA,
    MAX_RECORD,
    NO_ADDRESS,
    Address,
    CallKind,
    EnvironmentAnswer,
    ExternalCall,
    ForeignLog,
    FrameCode,
    Hash,
    Outcome,
)

UNKNOWN_SIZE: Final = -1
"""The size of data that was not told."""
_ROW: Final = 64
"""Bytes that an entry takes, about, apart from its data."""
_KINDS: Final = {kind.name: kind for kind in CallKind}
_VALUED: Final = (CallKind.CALL, CallKind.CALLCODE, CallKind.CREATE, CallKind.CREATE2)


def is_precompiled(address: Address) -> bool:
    """Return whether a contract at this address is part of the machine, as far as addresses tell."""
    return 0 < int.from_bytes(address, "big") <= LAST_PRECOMPILED


@dataclass(slots=True)
class Room:
    """Bytes that the answers in one transaction may still take."""

    remaining: int = MAX_RECORD

    def take(self, size: int) -> bool:
        """Take some bytes; return whether there were as many."""
        self.remaining -= _ROW + size
        return self.remaining >= 0


@dataclass(slots=True, eq=False)
class AnswerLog:
    """The answers of one invocation; what there is no room for makes its whole list unknown."""

    room: Room
    calls: list[ExternalCall] | None = field(default_factory=list)
    codes: list[FrameCode] | None = field(default_factory=list)
    environment: list[EnvironmentAnswer] | None = field(default_factory=list)

    @property
    def call_count(self) -> int:
        """How many calls there are."""
        return len(self.calls or ())

    def add_call(self, call: ExternalCall) -> None:
        """Append a call that has ended."""
        if self.calls is not None:
            self.calls.append(call)
            if not self.room.take(len(call.data) + len(call.output)):
                self.calls = None

    def add_code(self, position: int, address: Address, code: Hash | None) -> None:
        """Append code that begins to run."""
        if self.codes is not None:
            self.codes.append(FrameCode(position=position, address=address, hash=code))
            if not self.room.take(0):
                self.codes = None

    def add_answer(self, answer: EnvironmentAnswer) -> None:
        """Append what code was told."""
        if self.environment is not None:
            self.environment.append(answer)
            if not self.room.take(0):
                self.environment = None

    def undo_calls(self, count: int) -> None:
        """Mark the calls that returned, from ``count`` on, as undone."""
        if self.calls is not None:
            self.calls[count:] = [
                replace(call, undone=True) if call.succeeded and not call.undone else call
                for call in self.calls[count:]
            ]


def external_call(
    position: int,
    kind: str,
    to: Address,
    value: int | None,
    sent: tuple[bytes, int | None],
    answer: tuple[bytes, int | None],
    outcome: Outcome,
) -> ExternalCall:
    """Return a call of another contract.

    Args:
        position: how many accesses and events came before.
        kind: the opcode's name.
        to: who was called, or what was created.
        value: wei, as the opcode has it.
        sent: the calldata, and its size if that is not all of it.
        answer: what was returned, and its size likewise.
        outcome: how it ended.

    """
    call_kind = _KINDS[kind]
    data, data_size = _start(*sent, MAX_CALL_DATA)
    output, output_size = _start(*answer, MAX_CALL_OUTPUT)
    if call_kind.creates and outcome.accepted:
        output, output_size = b"", 0
    return ExternalCall(
        position=position,
        kind=call_kind,
        to=NO_ADDRESS if call_kind.creates and not outcome.accepted else to,
        value=(value or 0) if call_kind in _VALUED else 0,
        data=data,
        data_size=data_size,
        succeeded=outcome.accepted,
        output=output,
        output_size=output_size,
    )


def _start(data: bytes, size: int | None, most: int) -> tuple[bytes, int | None]:
    if size == UNKNOWN_SIZE:
        return b"", None
    return data[:most], len(data) if size is None else size


def foreign_logs(
    logs: Iterable[tuple[Address, tuple[bytes, ...], bytes]], contracts: Collection[Address]
) -> tuple[ForeignLog, ...] | None:
    """Return the log entries of others than some contracts; ``None`` if they take too much room."""
    room = Room()
    entries: list[ForeignLog] = []
    for index, (address, topics, data) in enumerate(logs):
        if address in contracts:
            continue
        start = data[:MAX_LOG_DATA]
        if not room.take(len(start) + 32 * len(topics)):
            return None
        entries.append(
            ForeignLog(index=index, address=address, topics=topics, data=start, data_size=len(data))
        )
    return tuple(entries)
