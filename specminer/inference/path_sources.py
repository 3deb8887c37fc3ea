"""Ways through the code that accepted calls hardly ever take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decision import FunctionRuns
from specminer.decoding import HistoryContext
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.inference.evidence_source import (
    RARE,
    Cases,
    Part,
    SourceEvidence,
    join_parts,
    number_codes,
    pair_codes,
    strongest,
)
from specminer.inference.leave_one_out import FloatColumn
from specminer.specification import EvidenceSource

_Turn = tuple[int, int, bool]
"""Where it was decided (the number of the place, or the program counter), and which way the call went."""
NEVER: Final = np.iinfo(np.int64).max
"""As often as everything is taken by others that no call takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """Calls of one function whose way through one code is known; ``c`` calls, ``r`` executed runs."""

    calls: IntColumn
    """Rows of the invocations, ascending; shape (c,)."""
    run: IntColumn
    """Whose way each call took; shape (c,)."""
    turns: tuple[tuple[int, ...], ...]
    """The numbers of the turns of each run."""
    counters: tuple[int, ...]
    """The program counter at which each turn was decided."""


def branch_evidence(
    context: HistoryContext, lasting: BoolColumn, runs: Sequence[FunctionRuns]
) -> SourceEvidence:
    """Return how improbable the rarest turn is that a call takes in its function, by calls of other transactions.

    A turn is a conditional jump, and whether it is taken. Calls are compared by how many calls of other transactions
    take their rarest turn: where functions have many seldom turns, one more says little. Calls that could neither be
    executed alone nor be matched to one that was are not looked at, and those that ran another code are compared among
    themselves.
    """
    history = context.history
    usable = lasting & context.is_event
    parts: list[Part] = []
    for function in runs:
        for ways in _ways_of(function, usable):
            transaction = history.invocation_transaction[ways.calls]
            count, counter = _rarest(ways, transaction)
            bits, total = _rarity_bits(count, transaction)
            strange = np.flatnonzero(bits > 0)
            parts.append(
                (ways.calls[strange], bits[strange], total[strange], count[strange], counter[strange])
            )
    rows, bits, (others, turn_counts, counters) = join_parts(parts, 3)
    cases = Cases.of(history, rows, bits, others, np.zeros_like(rows))

    def sentence(position: int) -> str:
        name = context.calls.name(int(rows[position]))
        seldom = f"{int(turn_counts[position]):,}" if turn_counts[position] else "none"
        return (
            f"{name} took a way through its code, at byte {int(counters[position]):,}, that {seldom} of "
            f"{int(others[position]):,} other calls took"
        )

    return strongest(EvidenceSource.BRANCH, len(history.transaction_hash), cases, sentence)


def _ways_of(function: FunctionRuns, usable: BoolColumn) -> list[_Ways]:
    """Return the ways of a function's calls, apart for each code that ran."""
    codes = np.array([run.code for run in function.runs], dtype=np.int64)
    calls = np.r_[
        np.array([run.invocation for run in function.runs], dtype=np.int64),
        function.matched_rows.astype(np.int64),
    ]
    run = np.r_[np.arange(len(function.runs)), function.matched_run.astype(np.int64)]
    ways = []
    for code in np.unique(codes).tolist():
        members = np.flatnonzero((codes[run] == code) & usable[calls])
        members = members[np.argsort(calls[members], kind="stable")]
        numbers: dict[_Turn, int] = {}
        turns = {
            row: tuple(
                {
                    numbers.setdefault(
                        (item.site, 0 if item.site else item.counter, item.taken), len(numbers)
                    ): 0
                    for item in function.runs[row].record.decisions
                }
            )
            for row in np.unique(run[members]).tolist()
        }
        counters = {
            numbers[item.site, 0 if item.site else item.counter, item.taken]: item.counter
            for row in turns
            for item in function.runs[row].record.decisions
        }
        ways.append(
            _Ways(
                calls=calls[members],
                run=number_codes(run[members]),
                turns=tuple(turns.values()),
                counters=tuple(counters[number] for number in range(len(numbers))),
            )
        )
    return ways


def _rarest(ways: _Ways, transaction: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Return by how many calls of other transactions each call's rarest turn is taken, and where it is decided."""
    least = np.full(len(ways.calls), NEVER)
    counter = np.zeros(len(ways.calls), dtype=np.int64)
    runs_of = np.bincount(ways.run, minlength=len(ways.turns))
    taken_by: list[list[int]] = [[] for _ in ways.counters]
    for run, turns in enumerate(ways.turns):
        for turn in turns:
            taken_by[turn].append(run)
    order = np.argsort(ways.run, kind="stable")
    begins = np.searchsorted(ways.run[order], np.arange(len(ways.turns) + 1))
    for turn, runs in enumerate(taken_by):
        if int(runs_of[runs].sum()) > RARE * len(ways.calls) + len(runs_of):
            continue
        takers = np.concatenate([order[begins[run] : begins[run + 1]] for run in runs])
        others = len(takers) - _own(transaction[takers])
        rarer = others < least[takers]
        least[takers[rarer]], counter[takers[rarer]] = others[rarer], ways.counters[turn]
    return least, counter


def _rarity_bits(count: IntColumn, transaction: IntColumn) -> tuple[FloatColumn, IntColumn]:
    """Return how improbable it is to take a turn as rare as each call's, and with how many others it is compared."""
    own = _own(transaction)
    total = len(count) - own
    ranks = number_codes(count)
    as_rare = np.cumsum(np.bincount(ranks))[ranks] if len(ranks) else ranks
    # of its own transaction those that are as rare are left out, too
    order = np.lexsort((count, transaction))
    pairs = pair_codes(transaction, ranks)[order]
    first = np.searchsorted(transaction[order], transaction)
    own_rare = np.searchsorted(pairs, pair_codes(transaction, ranks), side="right") - first
    others = as_rare - own_rare
    most = np.maximum(others, count)
    strange = (most <= RARE * total) & (total > 0)
    bits = np.where(strange, np.log2((total + 1.0) / (np.where(strange, most, 0) + 0.5)), 0.0)
    return bits, total


def _own(transaction: IntColumn) -> IntColumn:
    """Return for each call how many are of its transaction."""
    if not len(transaction):
        return transaction
    _, which, count = np.unique(transaction, return_inverse=True, return_counts=True)
    own: IntColumn = count[which.ravel()]
    return own
