"""Groups of calls that are alike from outside: they may have gone one way, and the same columns say what they met."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.parts import spans_of_groups
from specminer.history.contract_history import CONSTRUCTOR, MISSING, RETURNED, BoolColumn, History, RowColumn

_ERROR_WITH_TEXT: Final = bytes.fromhex("08c379a0")
_LONGEST_REASON: Final = 132
"""Bytes of an answer with a text that is compared as a whole."""


class Likeness:
    """Sorts calls by how they ended, and by the shape of their accesses and answers."""

    def __init__(self, history: History) -> None:
        """Prepare; linear in the accesses."""
        self._history = history
        self._is_write = history.access_write.tobytes()
        self._is_repeated = _first_of_slot(history).tobytes()
        answers = history.answers
        self._code = _code_numbers(history)
        unknown = ~history.access_write & np.equal(history.access_after, MISSING)
        self._reads_unknown = np.zeros(len(history), dtype=np.bool_)
        self._reads_unknown[history.access_invocation[unknown]] = True
        self._has_succeeded = b"" if answers is None else answers.call_succeeded.tobytes()

    def groups(self, rows: RowColumn) -> list[RowColumn]:
        """Return the rows of calls in groups, the largest last; those of a group are ascending.

        Calls of a group ran the same code, begin with one selector, and ended in one way with one reason. They read and
        wrote in the same order, equally often at slots that they had accessed before, and made as many calls of others,
        of which the same succeeded.
        """
        history, answers = self._history, self._history.answers
        first, last = _spans(history.access_invocation, rows)
        start, end = _spans(None if answers is None else answers.call_invocation, rows)
        is_recorded = None if answers is None else answers.invocation_calls[rows] != MISSING
        recorded = np.zeros(len(rows), dtype=np.bool_) if is_recorded is None else is_recorded
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for row, outcome, kind, code, low, high, begin, stop, has_answers in zip(
            rows.tolist(),
            history.invocation_outcome[rows].tolist(),
            history.invocation_kind[rows].tolist(),
            self._code[rows].tolist(),
            first.tolist(),
            last.tolist(),
            start.tolist(),
            end.tolist(),
            recorded.tolist(),
            strict=True,
        ):
            key = (
                outcome,
                code,
                b"" if outcome == RETURNED else self._reason(row),
                b"" if kind == CONSTRUCTOR else history.invocation_data[row][:4],
                self._is_write[low:high],
                self._is_repeated[2 * low : 2 * high],
                self._has_succeeded[begin:stop],
                has_answers,
            )
            groups[key].append(row)
        return sorted((np.array(group, dtype=np.int32) for group in groups.values()), key=_size)

    def reads_unknown(self, rows: RowColumn) -> BoolColumn:
        """Return which calls read a value that is not known; shape (r,)."""
        return self._reads_unknown[rows]

    def run_one_code(self, rows: Sequence[int]) -> bool:
        """Return whether all calls ran the same code."""
        return len(np.unique(self._code[list(rows)])) <= 1

    def _reason(self, row: int) -> bytes:
        output = self._history.invocation_output[row]
        has_text = output[:4] == _ERROR_WITH_TEXT and len(output) <= _LONGEST_REASON
        return output if has_text else output[:4]


def _code_numbers(history: History) -> npt.NDArray[np.int64]:
    """Return a number for the code that ran in each invocation: equal for equal code; shape (n,)."""
    numbers: dict[object, int] = {}
    answers = history.answers
    codes = [record.code for record in history.contracts]
    own = np.array([numbers.setdefault(code, len(numbers)) for code in codes], dtype=np.int64)
    # where nobody recorded it: the contract's own, and whose ran in its place
    handed_on = history.invocation_code * len(codes)
    addresses = {address: row for row, address in enumerate(history.addresses)}
    home = np.array([addresses.get(record.address, MISSING) for record in history.contracts], dtype=np.int64)
    is_own = history.invocation_code == home[history.invocation_contract]
    assumed = own[history.invocation_contract] + np.where(is_own, 0, handed_on + len(codes))
    if answers is None:
        return assumed
    list_numbers = np.array(
        [
            numbers.setdefault(
                tuple(address if digest is None else digest for address, digest in ran), len(numbers)
            )
            for ran in answers.code_lists
        ],
        dtype=np.int64,
    )
    is_recorded = answers.invocation_codes != MISSING
    return np.where(
        is_recorded, -1 - list_numbers[np.where(is_recorded, answers.invocation_codes, 0)], assumed
    )


def _size(rows: RowColumn) -> tuple[int, int]:
    return len(rows), int(rows[0])


def _spans(
    ascending: RowColumn | None, rows: RowColumn
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where the entries of invocations begin and end."""
    if ascending is None:
        nothing = np.zeros(len(rows), dtype=np.int64)
        return nothing, nothing
    invocations = rows.astype(ascending.dtype)
    return np.searchsorted(ascending, invocations), np.searchsorted(ascending, invocations, side="right")


def _first_of_slot(history: History) -> npt.NDArray[np.uint16]:
    """Return for each access which access of its invocation was the first of the same slot; shape (a,).

    Behind the 65,535th access of an invocation the numbers begin anew.
    """
    first_accesses = np.zeros(len(history.access_slot), dtype=np.uint16)
    for span in spans_of_groups(history.access_invocation):
        call, slot = history.access_invocation[span], history.access_slot[span]
        positions = np.arange(len(call), dtype=np.int32)
        begins = np.maximum.accumulate(np.where(np.diff(call, prepend=-1) != 0, positions, 0))
        order = np.lexsort((slot, call))  # stable: accesses of a slot stay in their order
        same = (np.diff(call[order], prepend=-1) == 0) & (np.diff(slot[order], prepend=-1) == 0)
        lead = np.maximum.accumulate(np.where(same, 0, positions))
        first = np.empty(len(call), dtype=np.int32)
        first[order] = order[lead]
        first_accesses[span] = ((first - begins) & 0xFFFF).astype(np.uint16)
    return first_accesses


def spread(groups: Iterable[RowColumn], bound: int, most: int) -> list[RowColumn]:
    """Return rows out of each group, spread evenly over it, ascending, and at most so many in all."""
    samples = []
    for rows in groups:
        count = min(bound, len(rows))
        samples.append(rows[np.arange(count) * (len(rows) - 1) // max(1, count - 1)])
    while sum(map(len, samples)) > most and any(len(rows) > 1 for rows in samples):
        samples = [rows[::2] for rows in samples]  # groups that are large stay the larger ones
    left = most
    for number, rows in enumerate(samples):
        samples[number] = rows[: max(left, 0)]
        left -= len(rows)
    return samples
