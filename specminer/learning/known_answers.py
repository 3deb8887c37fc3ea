"""What other contracts answered, as far as that tells what they would answer at other moments.

An answer is known where calls of the same interaction got one answer before and behind a moment, or where only one was
ever given to a question without arguments. A contract that always answers the block's time or number is a clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

import numpy as np

from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, AnswerColumns, IntColumn

Reply: TypeAlias = tuple[bool, bytes]
"""Whether the call succeeded, and what it answered."""
_SELECTOR: Final = 4
_WORD: Final = 32
_MANY: Final = 10_000
"""Answers to one question that are looked at."""


class ForeignClock(Enum):
    """What a contract always answers."""

    TIME = "time"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replies:
    """All answers that a contract gave to calls of one function, in chain order; ``c`` of them."""

    invocation: IntColumn
    """Rows of the invocations that asked, ascending; shape (c,)."""
    replies: tuple[Reply | None, ...]
    """``None`` for an answer that is not known whole; c of them."""
    clock: ForeignClock | None


class KnownAnswers:
    """The answers of other contracts in a history."""

    def __init__(self, context: HistoryContext) -> None:
        """Take the history; answers are read when they are asked for."""
        self._history = context.history
        self._rows = {address: row for row, address in enumerate(context.history.addresses)}
        self._replies: dict[tuple[int, bytes], _Replies | None] = {}

    def clock(self, to: int, data: bytes) -> ForeignClock | None:
        """Return which clock a contract is, if it is one."""
        replies = self._of(to, data[:_SELECTOR])
        return None if replies is None else replies.clock

    def reply(self, to: int, data: bytes, invocations: Collection[int], moment: float) -> Reply | None:
        """Return an answer; ``None`` if it is not known.

        Args:
            to: the address that is called.
            data: the calldata.
            invocations: rows of the invocations of the same interaction.
            moment: row of the invocation behind which it is asked; between two rows just before the later one.

        """
        replies = self._of(to, data[:_SELECTOR])
        if replies is None:
            return None
        if len(data) == _SELECTOR and len(distinct := set(replies.replies)) == 1:
            return next(iter(distinct))
        positions = [
            position for position, row in enumerate(replies.invocation.tolist()) if row in invocations
        ]
        rows = [int(replies.invocation[position]) for position in positions]
        at = bisect_right(rows, moment)
        around = {replies.replies[position] for position in positions[max(0, at - 1) : at + 1]}
        return next(iter(around)) if len(around) == 1 else None

    def _of(self, to: int, selector: bytes) -> _Replies | None:
        key = (to, selector)
        if key not in self._replies:
            self._replies[key] = self._read(to, selector)
        return self._replies[key]

    def _read(self, to: int, selector: bytes) -> _Replies | None:
        columns = self._history.answers
        row = self._rows.get(to.to_bytes(20, "big"))  # type: ignore[call-overload]
        if columns is None or row is None or len(selector) < _SELECTOR:
            return None
        matches = (columns.call_to == row) & (columns.call_selector == int.from_bytes(selector, "big"))
        rows = np.flatnonzero(matches)
        if not 0 < len(rows) <= _MANY:
            return None
        invocation = columns.call_invocation[rows].astype(np.int64)
        answers = tuple(_reply(columns, call) for call in rows.tolist())
        return _Replies(invocation=invocation, replies=answers, clock=self._clock(invocation, answers))

    def _clock(self, invocation: IntColumn, answers: tuple[Reply | None, ...]) -> ForeignClock | None:
        history = self._history
        transaction = history.invocation_transaction[invocation]
        words = [
            int.from_bytes(reply[1], "big")
            if reply is not None and reply[0] and len(reply[1]) == _WORD
            else -1
            for reply in answers
        ]
        if len(set(words)) < 2 or -1 in words:
            return None
        if words == history.transaction_block[transaction].tolist():
            return ForeignClock.BLOCK
        return ForeignClock.TIME if words == history.transaction_time[transaction].tolist() else None


def _reply(columns: AnswerColumns, call: int) -> Reply | None:
    """Return an answer if all of it was recorded."""
    output = columns.outputs[int(columns.call_output[call])]
    size = int(columns.call_output_size[call])
    whole = size == len(output) or (size == MISSING and len(output) == _WORD)
    return (bool(columns.call_succeeded[call]), output) if whole else None
