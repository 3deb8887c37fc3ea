"""Stages of a whole contract: one auction takes bids, then they are revealed, then it is settled.

Each account's bid decides whether the account may reveal it, so by what single writes decide such a contract would be
split by account. But which functions are accepted at all depends on the stage, and accounts only hold bookkeeping of
the one life that there is. A *stage* is what the code's conditions about variables without keys, dates of the code and
the clock say together, as long as it never comes back. (What comes back is a switch, such as a pause.) Stages speak for
the whole contract if they tell which function is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.decision.deployment_constants import deployment_constants, with_constants
from specminer.decision.state_conditions import Comparison, StateCondition, StoredField
from specminer.decoding import HistoryContext
from specminer.history import MISSING, BoolColumn, IntColumn

MOST_STAGES: Final = 12
"""What has more values is no stage."""
_LARGEST: Final = 1 << 60
"""Larger values are no dates; sums of three stay in 64 bits."""


def stage_share(context: HistoryContext, conditions: Iterable[StateCondition]) -> float:
    """Return how much of the choice of functions the stages of a contract tell, as a share from 0 to 1.

    Of the accepted calls of one contract: the mutual information of stage and function, less half a logarithm for each
    frequency more that has to be known, as a share of the entropy of the functions. 0 without stages, and of several
    contracts. Source: Schwarz 1978, for the half.
    """
    if len(context.history.contracts) > 1:
        return 0.0
    calls = np.flatnonzero(context.is_accepted & ~context.is_constructor)
    if len(calls) < 2:
        return 0.0
    stage = np.zeros(len(calls), dtype=np.int64)
    for column in _columns(context, calls, with_constants(conditions, deployment_constants(context), ())):
        joint = np.unique(stage * (int(column.max()) + 1) + column, return_inverse=True)[1].ravel()
        if joint.max() < MOST_STAGES and _never_comes_back(joint):
            stage = joint
    function = np.unique(context.calls.function[calls], return_inverse=True)[1].ravel()
    table = np.zeros((int(stage.max()) + 1, int(function.max()) + 1))
    np.add.at(table, (stage, function), 1)
    told = _entropy(table.sum(axis=0))
    saved = told + _entropy(table.sum(axis=1)) - _entropy(table.ravel())
    saved -= (table.shape[0] - 1) * (table.shape[1] - 1) / 2 * np.log2(len(calls)) / len(calls)
    return float(max(saved, 0.0) / told) if told else 0.0


def _never_comes_back(stage: IntColumn) -> bool:
    """Return whether each stage is one run of calls."""
    return int(np.count_nonzero(np.diff(stage))) == len(np.unique(stage)) - 1


def _entropy(counts: npt.NDArray[np.float64]) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _columns(
    context: HistoryContext, calls: IntColumn, conditions: Sequence[StateCondition]
) -> Iterator[IntColumn]:
    """Yield what conditions about the whole contract say before each call, as small numbers; shape (calls,)."""
    bare = _BareVariables(context, calls)
    for condition in conditions:
        values = [bare.column(place) for place, _ in condition.stored]
        if any(value is None for value in values):
            continue
        factors = [factor for _, factor in condition.stored]
        total = sum(
            (factor * value for factor, value in zip(factors, values, strict=True) if value is not None),
            start=np.full(len(calls), min(max(condition.constant, -_LARGEST), _LARGEST), dtype=np.int64),
        )
        if condition.clock:
            total += condition.factor * bare.clock(condition.clock)
        if len(values) == 1 and not condition.clock and condition.comparison is Comparison.ZERO:
            yield np.unique(total, return_inverse=True)[1].ravel()  # an enum: all its values are told apart
        else:
            truth: BoolColumn = total == 0 if condition.comparison is Comparison.ZERO else total < 0
            yield truth.astype(np.int64)


class _BareVariables:
    """What variables without keys held before each of some calls."""

    def __init__(self, context: HistoryContext, calls: IntColumn) -> None:
        self._context, self._calls = context, calls
        self._known: dict[StoredField, IntColumn | None] = {}

    def clock(self, name: str) -> IntColumn:
        """Return the time or the number of each call's block."""
        history = self._context.history
        column = history.transaction_time if name == "now" else history.transaction_block
        return column[history.invocation_transaction[self._calls]].astype(np.int64)

    def column(self, place: StoredField) -> IntColumn | None:
        """Return a field's values; ``None`` if it has a key, or if one of its values is not known."""
        if place not in self._known:
            self._known[place] = self._column(place)
        return self._known[place]

    def _column(self, place: StoredField) -> IntColumn | None:
        context = self._context
        accesses, locations = context.accesses, context.locations
        variable = locations.variables[place.variable]
        touches = np.flatnonzero(locations.variable[accesses.slot] == place.variable)
        if variable.ports or not len(touches) or len(np.unique(accesses.slot[touches])) > 1:
            return None
        order = np.searchsorted(accesses.invocation[touches], self._calls)
        here = touches[np.minimum(order, len(touches) - 1)]
        before = accesses.invocation[here] == self._calls
        word = np.where(
            before | (order == 0), accesses.value_before[here], accesses.value_after[touches[order - 1]]
        )
        if np.any(word == MISSING):
            return None
        rows, position = np.unique(word, return_inverse=True)
        field = variable.fields[place.field]
        values = [min(field.extract(context.history.words[row]), _LARGEST) for row in rows.tolist()]
        return np.array(values, dtype=np.int64)[position.ravel()]
