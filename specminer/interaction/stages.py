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

from specminer.decision.bare_variables import LARGEST, BareVariables
from specminer.decision.deployment_constants import deployment_constants, with_constants
from specminer.decision.state_conditions import StateCondition, ZeroComparison
from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn

MOST_STAGES: Final = 12
"""What has more values is no stage."""


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
    entropy = _entropy(table.sum(axis=0))
    saved = entropy + _entropy(table.sum(axis=1)) - _entropy(table.ravel())
    saved -= (table.shape[0] - 1) * (table.shape[1] - 1) / 2 * np.log2(len(calls)) / len(calls)
    return float(max(saved, 0.0) / entropy) if entropy else 0.0


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
    bare = BareVariables(context, calls)
    for condition in conditions:
        values = [bare.column(field) for field, _ in condition.stored_fields]
        if any(value is None or np.any(value == MISSING) for value in values):
            continue
        factors = [factor for _, factor in condition.stored_fields]
        total = sum(
            (factor * value for factor, value in zip(factors, values, strict=True) if value is not None),
            start=np.full(len(calls), min(max(condition.constant, -LARGEST), LARGEST), dtype=np.int64),
        )
        if condition.clock:
            total += condition.factor * bare.clock(condition.clock)
        if len(values) == 1 and not condition.clock and condition.comparison is ZeroComparison.ZERO:
            yield np.unique(total, return_inverse=True)[1].ravel()  # an enum: all its values are told apart
        else:
            truth: BoolColumn = total == 0 if condition.comparison is ZeroComparison.ZERO else total < 0
            yield truth.astype(np.int64)
