"""What came of recorded calls that were executed alone, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from specminer.decision.feeds import Feed
from specminer.evm.halts import Halt
from specminer.history.contract_history import RowColumn
from specminer.shadow.arena import Arena
from specminer.shadow.record import ShadowRecord


class Inference(Enum):
    """How it is known which way a call took that read values which are not known."""

    WAY = "only way"
    """No other way accesses the same slots and ends like it."""
    GAS = "gas"
    """Other ways do, but take other gas than the call did."""


def _nothing() -> RowColumn:
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRun:
    """One recorded call, executed alone and proved to be the recorded execution."""

    invocation: int
    """Row in the history."""
    record: ShadowRecord
    """Its decisions and effects, with what their sources held."""
    halt: Halt | None
    """How it ended without success; ``None`` if it returned. It never ran out of gas."""
    output: bytes
    """What it returned or reverted with."""
    accepted: bool
    """Whether its effects lasted; if not, the contract's own code rejected it."""
    assuming: bool = False
    """Whether answers of other contracts were not recorded, and taken to be empty; the call then ended as recorded."""
    variant: int = 0
    """Which of :attr:`RecordedCall.variants` it was."""
    inferred: bool = False
    """Whether it read values that are not known, and only this way through the code is left: its record was made by
    forcing decisions, and holds nothing for these values."""
    code: int = 0
    """Number of the code that ran, the same for all functions of a history; 0 for creations. Codes that differ in their
    constants only have one number."""
    feeds: Mapping[int, Feed] = field(default_factory=dict)
    """Where calls that took the same path have its sources, by node; empty if no call can be matched to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRuns:
    """The runs of one function."""

    function: int
    """Position in ``context.calls.functions``."""
    arena: Arena
    """Holds the expressions of all runs; equal ones are one node."""
    runs: tuple[CallRun, ...]
    """In chain order."""
    unproved: Mapping[str, int]
    """How many calls could not be executed alone, by the reason."""
    unpursued: int
    """Calls that were neither executed nor matched to the path of one that was, because of the bound."""
    matched_rows: RowColumn = field(default_factory=_nothing)
    """Rows of calls that took the same path as an executed one, ascending; shape (m,)."""
    matched_run: RowColumn = field(default_factory=_nothing)
    """Position in ``runs`` of a call whose path it was; shape (m,)."""
    enums: frozenset[int] = frozenset()
    """Where in the data of the calls arguments stand that are values of enums, as far as the ABI says so."""
    own_nodes: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    """By position in ``runs``: from expressions that stand for those of several runs to the run's own; to 0 where it
    has more than one."""
    inferred: Mapping[int, Inference] = field(default_factory=dict)
    """How the way of calls is known that read values which are not known, by invocation; of others it is shown by what
    they read."""
