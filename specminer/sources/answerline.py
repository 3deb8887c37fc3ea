"""Answers in the lines of a trace file: external calls, code that ran, what code asked, logs of other contracts."""

from __future__ import annotations

import msgspec

from specminer.history.trace import (
    MAX_CALL_DATA,
    MAX_CALL_OUTPUT,
    MAX_LOG_DATA,
    CallKind,
    EnvironmentAnswer,
    EnvironmentKind,
    ExternalCall,
    ForeignLog,
    FrameCode,
    Hash,
)
from specminer.sources.field_notation import (
    FieldError,
    format_number,
    read_address,
    read_amount,
    read_bytes,
    read_count,
    read_place,
    read_word,
    to_hex,
)

MAX_TOPICS = 4


class CallLine(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """An external call."""

    position: int
    kind: CallKind
    to: str
    value: str
    data: str
    data_size: int | None
    succeeded: bool
    output: str
    output_size: int | None
    undone: bool = False


class CodeLine(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Code that ran."""

    position: int
    address: str
    hash: str | None


class AnswerLine(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What code was told when it asked."""

    position: int
    kind: EnvironmentKind
    subject: str
    value: str


class LogLine(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A log entry of another contract."""

    index: int
    address: str
    topics: list[str]
    data: str
    data_size: int


def call_out(call: ExternalCall) -> CallLine:
    """Return an external call as a file has it."""
    return CallLine(
        call.position,
        call.kind,
        to_hex(call.to),
        str(call.value),
        to_hex(call.data),
        call.data_size,
        call.succeeded,
        to_hex(call.output),
        call.output_size,
        call.undone,
    )


def code_out(code: FrameCode) -> CodeLine:
    """Return code that ran as a file has it."""
    return CodeLine(code.position, to_hex(code.address), None if code.hash is None else to_hex(code.hash))


def answer_out(answer: EnvironmentAnswer) -> AnswerLine:
    """Return an answer as a file has it."""
    return AnswerLine(answer.position, answer.kind, hex(answer.subject), hex(answer.value))


def log_out(log: ForeignLog) -> LogLine:
    """Return a log entry as a file has it."""
    topics = [to_hex(topic) for topic in log.topics]
    return LogLine(log.index, to_hex(log.address), topics, to_hex(log.data), log.data_size)


def call_in(line: CallLine, field: str) -> ExternalCall:
    """Return the external call of a line.

    Raises:
        FieldError: a field is malformed, or contradicts another.

    """
    if line.undone and not line.succeeded:
        raise FieldError(f"{field} failed; expected it not to be undone as well")
    return ExternalCall(
        position=read_place(line.position, f"{field}.position"),
        kind=line.kind,
        to=read_address(line.to, f"{field}.to"),
        value=read_amount(line.value, f"{field}.value"),
        data=_start(line.data, line.data_size, MAX_CALL_DATA, f"{field}.data"),
        data_size=line.data_size,
        succeeded=line.succeeded,
        output=_start(line.output, line.output_size, MAX_CALL_OUTPUT, f"{field}.output"),
        output_size=line.output_size,
        undone=line.undone,
    )


def _start(text: str, size: int | None, most: int, field: str) -> bytes:
    """Return the first bytes of something whose size may be known.

    Raises:
        FieldError: there are more bytes than kept, or other than the size says.

    """
    data = read_bytes(text, field)
    if len(data) > most:
        raise FieldError(f"{field} has {len(data)} bytes; expected at most {most}")
    if size is not None and len(data) != min(read_count(size, f"{field}_size"), most):
        raise FieldError(f"{field} has {len(data)} bytes; expected the first ones of {format_number(size)}")
    return data


def code_in(line: CodeLine, field: str) -> FrameCode:
    """Return the code of a line.

    Raises:
        FieldError: a field is malformed.

    """
    return FrameCode(
        position=read_place(line.position, f"{field}.position"),
        address=read_address(line.address, f"{field}.address"),
        hash=None if line.hash is None else Hash(read_bytes(line.hash, f"{field}.hash", 32)),
    )


def answer_in(line: AnswerLine, field: str) -> EnvironmentAnswer:
    """Return the answer of a line.

    Raises:
        FieldError: a field is malformed.

    """
    return EnvironmentAnswer(
        position=read_place(line.position, f"{field}.position"),
        kind=line.kind,
        subject=read_word(line.subject, f"{field}.subject"),
        value=read_word(line.value, f"{field}.value"),
    )


def log_in(line: LogLine, field: str) -> ForeignLog:
    """Return the log entry of a line.

    Raises:
        FieldError: a field is malformed, or contradicts another.

    """
    if len(line.topics) > MAX_TOPICS:
        raise FieldError(f"{field}.topics has {len(line.topics)} entries; expected at most {MAX_TOPICS}")
    return ForeignLog(
        index=read_place(line.index, f"{field}.index"),
        address=read_address(line.address, f"{field}.address"),
        topics=tuple(Hash(read_bytes(topic, f"{field}.topics", 32)) for topic in line.topics),
        data=_start(line.data, line.data_size, MAX_LOG_DATA, f"{field}.data"),
        data_size=line.data_size,
    )
