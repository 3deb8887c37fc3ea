"""What any slot of a contract held at any moment of a history, as far as the history's accesses tell."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from specminer.decoding import HistoryContext
from specminer.history.contract_history import CONSTRUCTOR, MISSING, BoolColumn, IntColumn, RowColumn, slots
from specminer.learning.access_order import access_times, begin_times, doubtful_accesses, tainted_accesses


@dataclass(frozen=True, slots=True)
class _SlotCourse:
    """The accesses of a slot that tell its value for good, by time."""

    times: Sequence[int]
    before: Sequence[int]
    after: Sequence[int]
    """Rows in ``History.words``, or ``MISSING``."""
    doubtful: Sequence[bool]


_UNTOUCHED = _SlotCourse((), (), (), ())


class KnownStorage:
    """The storage of the contracts of a history.

    A moment is a number of accesses, in the order in which they happened: what is asked for is what held behind them.
    The rules are those of :func:`specminer.learning.table_building.build`.
    """

    def __init__(self, context: HistoryContext) -> None:
        """Take the history; nothing is computed before it is asked for."""
        self._context = context
        self._courses: dict[int, _SlotCourse] = {}
        history = context.history
        created = history.accepted & (history.invocation_kind == CONSTRUCTOR)
        self._created = frozenset(history.invocation_contract[created].tolist())

    @cached_property
    def times(self) -> RowColumn:
        """When each access was made, 1 .. a."""
        return access_times(self._context.history)

    @cached_property
    def begins(self) -> IntColumn:
        """The time of the first access of each invocation, or of what began behind it; shape (n,)."""
        return begin_times(self._context.history, self.times, apart=True)

    @cached_property
    def numbers(self) -> dict[tuple[int, int], int]:
        """The number of each contract's slot, by the contract's position and the slot."""
        history, numbered = self._context.history, slots(self._context.history)
        pairs = zip(numbered.contract.tolist(), numbered.word.tolist(), strict=True)
        return {(contract, history.words[word]): number for number, (contract, word) in enumerate(pairs)}

    def value(self, contract: int, slot: int, moment: int) -> int | None:
        """Return what a slot of a contract held at a moment; ``None`` if that is not known."""
        number = self.numbers.get((contract, slot))
        course = _UNTOUCHED if number is None else self._course(number)
        index = bisect_right(course.times, moment)
        following = course.before[index] if index < len(course.times) else MISSING
        doubtful = index < len(course.times) and course.doubtful[index]
        if index:
            row = course.after[index - 1]
        elif contract in self._created:
            if doubtful or (following != MISSING and self._context.history.words[following]):
                return None  # somebody unseen wrote
            return 0
        else:
            return None if following == MISSING else self._context.history.words[following]
        if row == MISSING or doubtful or following not in (MISSING, row):
            return None
        return self._context.history.words[row]

    def _course(self, number: int) -> _SlotCourse:
        if number not in self._courses:
            low, high = np.searchsorted(self._sorted_slots, [number, number + 1])
            rows = self._lasting_rows[low:high]
            history = self._context.history
            after = np.where(
                history.access_undone[rows], history.access_before[rows], history.access_after[rows]
            )
            self._courses[number] = _SlotCourse(
                self.times[rows].tolist(),
                history.access_before[rows].tolist(),
                after.tolist(),
                self._doubtful[rows].tolist(),
            )
        return self._courses[number]

    @cached_property
    def _doubtful(self) -> BoolColumn:
        return doubtful_accesses(self._context.history)

    @cached_property
    def _lasting_rows(self) -> IntColumn:
        """Rows of the accesses that tell a value for good, by slot, then by time."""
        history, accesses = self._context.history, self._context.accesses
        slot = accesses.slot[accesses.touch]
        silent = history.access_undone & (history.access_before == MISSING)
        rows = np.flatnonzero(~silent & ~tainted_accesses(history, slot))
        return rows[np.lexsort((self.times[rows], slot[rows]))]

    @cached_property
    def _sorted_slots(self) -> RowColumn:
        accesses = self._context.accesses
        return accesses.slot[accesses.touch[self._lasting_rows]]
