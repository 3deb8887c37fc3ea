"""What one source says of transactions, and how the strongest of what it saw in each is chosen and bounded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from specminer._support.scratch import in_file
from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn, RowColumn
from specminer.history.words import LimbArray
from specminer.inference.leave_one_out import EventUnits, FloatColumn, probability
from specminer.specification import EvidenceSource

RARE: Final = 0.01
"""What more of the other cases have is no evidence."""
ENOUGH: Final = 10
"""What is usual is told from at least so many other cases."""

_UNIT: Final = 2.0**64

Sentence = Callable[[int], str]
"""From the position of a case to the sentence about it, without its full stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """What a source saw, ``c`` cases in any transactions."""

    invocation: IntColumn
    """A row of the history's invocations (of the events, for paths); shape (c,), as all columns."""
    transaction: IntColumn
    bits: FloatColumn
    """How improbable each is; 0 where nothing speaks against it."""
    comparisons: IntColumn
    """With how many other cases it was compared."""
    kind: IntColumn
    """Cases of one kind in one transaction count once: somebody who does something ten times does one strange thing."""

    def __len__(self) -> int:
        return len(self.invocation)

    @classmethod
    def of(
        cls, history: History, invocation: IntColumn, bits: FloatColumn, others: IntColumn, kind: IntColumn
    ) -> Self:
        """Return cases that are calls."""
        return cls(
            invocation=invocation,
            transaction=history.invocation_transaction[invocation],
            bits=bits,
            comparisons=others,
            kind=kind,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEvidence:
    """What one source says of each of ``t`` transactions."""

    source: EvidenceSource
    bits: FloatColumn
    """Shape (t,), as all columns; 0 where nothing speaks against a transaction."""
    case: RowColumn
    """What says most: a row of the history's invocations (of the events, for paths), or ``MISSING``."""
    comparisons: RowColumn
    """How many cases of other transactions it was compared with; 0 where there is nothing to compare."""
    position: RowColumn
    """Position of that case among those that the source looked at, or ``MISSING``."""
    sentence: Sentence | None = None
    """Tells a case by its position; ``None`` if the source's kind alone tells what to say."""


def bound_bits(bits: FloatColumn, judged: BoolColumn, author: IntColumn) -> FloatColumn:
    """Return the bits, but no more than the share of the others' judged transactions that have as many allows.

    Others are transactions of other authors, since an attack may take several; of all, where one author made most.
    Source: the rank of a case among its like is uniform if it is one of them (conformal prediction, Vovk 2005); the
    half a case that everything has is that of Krichevsky and Trofimov 1981.
    """
    rows = np.flatnonzero(judged)
    capped_bits = np.zeros(len(bits))
    if not len(rows):
        return capped_bits
    total = np.bincount(author[rows])
    rows = rows[bits[rows] > 0]  # what has none counts for none
    positive_bits, who = bits[rows], author[rows]
    own = total[who]
    judged_count = int(total.sum())
    alone = own * 2 > judged_count
    as_many = _as_many(positive_bits, np.zeros(len(rows), dtype=np.int64)) - np.where(
        alone, 1, _as_many(positive_bits, who)
    )
    others = judged_count - np.where(alone, 1, own)
    capped_bits[rows] = np.clip(
        np.minimum(positive_bits, -np.log2((as_many + 0.5) / (others + 1.0))), 0.0, None
    )
    return capped_bits


def _as_many(bits: FloatColumn, group: IntColumn) -> IntColumn:
    """Return for each case how many of its group have as many bits or more, itself included."""
    if not len(bits):
        return np.zeros(0, dtype=np.int64)
    order = np.lexsort((-bits, group))
    of, sorted_bits = group[order], bits[order]
    begins = np.searchsorted(of, of, side="left")
    # of equal bits the last place counts for all
    last = np.r_[np.flatnonzero((np.diff(of) != 0) | (np.diff(sorted_bits) != 0)), len(order) - 1]
    position = last[np.searchsorted(last, np.arange(len(order)))]
    counts = np.empty(len(order), dtype=np.int64)
    counts[order] = position - begins + 1
    return counts


def strongest(
    source: EvidenceSource, transactions: int, cases: Cases, sentence: Sentence | None = None, looks: int = 1
) -> SourceEvidence:
    """Return what says most in each transaction, less the logarithm of how many different cases there were.

    ``looks`` is at how many things about each case the source looked.
    """
    most, which = np.zeros(transactions), np.full(transactions, MISSING, dtype=np.int32)
    compared, position = np.zeros(transactions, dtype=np.int32), which.copy()
    if len(cases):
        width = int(cases.kind.max()) + 1
        kinds = np.ones(transactions, dtype=np.int64)
        if width > 1:
            codes = np.unique(cases.transaction * width + cases.kind)
            kinds = np.bincount(codes // width, minlength=transactions)
        # the last assignment stays: the most bits, of equal ones the first
        speaking = np.flatnonzero(cases.bits > 0)
        order = speaking[np.lexsort((-cases.invocation[speaking], cases.bits[speaking]))]
        at = cases.transaction[order]
        most[at], which[at] = cases.bits[order], cases.invocation[order]
        compared[at], position[at] = cases.comparisons[order], order
        most = np.maximum(most - np.log2(np.maximum(kinds, 1) * looks), 0.0)
    return SourceEvidence(
        source=source,
        bits=in_file(most),
        case=in_file(np.where(most > 0, which, np.int32(MISSING))),
        comparisons=in_file(compared),
        position=in_file(position),
        sentence=sentence,
    )


def rare_codes(history: History, rows: IntColumn, code: IntColumn, group: IntColumn) -> Cases:
    """Return how improbable each call's code is in its group, by other transactions; a code is of one group only."""
    units = EventUnits(interaction=None, transaction=history.invocation_transaction[rows])
    same_code, total = units.others(code), units.others(group)
    chance = probability(same_code, total, units.once(code, group))
    bits = np.where((same_code <= RARE * total) & (total > 0), -np.log2(chance), 0.0)
    return Cases.of(history, rows, bits, total, code)


def pair_codes(one: IntColumn, other: IntColumn) -> IntColumn:
    """Return a number for each pair of two numbers that are not negative."""
    pair: IntColumn = one.astype(np.int64) * (int(other.max(initial=0)) + 1) + other
    return pair


def number_codes(codes: IntColumn) -> IntColumn:
    """Return codes renumbered from 0, in their order."""
    number: IntColumn = np.unique(codes, return_inverse=True)[1].ravel().astype(np.int64)
    return number


def first_times(of: IntColumn, who: IntColumn) -> tuple[BoolColumn, IntColumn, IntColumn]:
    """Return which cases are the first of ``who`` in ``of``, how many cases of ``of`` came before, by how many.

    All shapes are (c,); the cases stand in their order.
    """
    count = len(of)
    new = np.zeros(count, dtype=np.bool_)
    new[np.unique(pair_codes(of, who), return_index=True)[1]] = True
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], of[order], side="left")
    arrived = np.r_[0, np.cumsum(new[order])]
    before, different = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    before[order] = np.arange(count) - starts
    different[order] = arrived[:-1] - arrived[starts]
    return new, before, different


def first_time_bits(new: BoolColumn, before: IntColumn, different: IntColumn) -> FloatColumn:
    """Return how improbable something new was after ``before`` cases of ``different`` things.

    Of n cases of c things c - 1 were new, the first aside, which has to be: the next is with (c - 1/2) / n.
    """
    strange = new & (before > 0) & (different > 0)
    chance = np.minimum((different - 0.5) / np.maximum(before, 1), 0.5)
    return np.where(strange, -np.log2(np.where(strange, chance, 1.0)), 0.0)


def tail_bits(amounts: FloatColumn, share: int = 10) -> FloatColumn:
    """Return how improbable so much is, by a Pareto tail above the largest tenth of the other positive amounts.

    One more case at twice the beginning of the tail is supposed, so that equal amounts make no tail of no width.
    ``share``: one of so many belongs to the tail, three at least. Source: Hill 1975.
    """
    bits = np.zeros(len(amounts))
    rows = np.flatnonzero(amounts > 0)
    if len(rows) <= ENOUGH:
        return bits
    order = rows[np.argsort(-amounts[rows], kind="stable")]
    logs = np.log(amounts[order])
    size = max(3, (len(rows) - 1) // share)
    # without the one that is judged, the tail begins behind its next
    top_logs, begin = logs[: size + 1], logs[size + 1]
    scale = (top_logs.sum() - top_logs - size * begin + np.log(2)) / (size + 1)
    chance = np.log(size / (len(rows) - 1)) - (top_logs - begin) / scale
    bits[order[: size + 1]] = np.where(top_logs > begin, -chance / np.log(2), 0.0)
    return bits


def tail_bits_by(group: IntColumn, amounts: FloatColumn) -> FloatColumn:
    """Return how improbable so much is among the cases of each group, as :func:`tail_bits`; n log n."""
    bits = np.zeros(len(amounts))
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0][: len(order)])
    for rows in np.split(order, starts[1:]) if len(order) else ():
        if len(rows) > ENOUGH:
            bits[rows] = tail_bits(amounts[rows])
    return bits


def rounded_words(parts: LimbArray) -> FloatColumn:
    """Return words, given as limbs, as rounded numbers."""
    total = parts[:, 0].astype(np.float64)
    for limb in (1, 2, 3):
        total = total * _UNIT + parts[:, limb]
    return total


Part = tuple[IntColumn, FloatColumn, *tuple[IntColumn, ...]]
"""Cases of one kind: their rows, their bits, and what else is known of them."""


def join_parts(parts: Sequence[Part], others: int) -> tuple[IntColumn, FloatColumn, list[IntColumn]]:
    """Return rows, bits and ``others`` more columns that are given in parts, one part behind the other."""
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0), [np.zeros(0, dtype=np.int64) for _ in range(others)]
    rest = [
        in_file(np.concatenate([part[2 + index] for part in parts]).astype(np.int64, copy=False))
        for index in range(others)
    ]
    rows = in_file(np.concatenate([part[0] for part in parts]).astype(np.int64, copy=False))
    return rows, np.concatenate([part[1] for part in parts]), rest
