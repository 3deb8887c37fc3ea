"""What the code decided: each recorded call executed alone, and what follows from the conditions that it met."""

from specminer.decision.paths import (
    Cause,
    Check,
    Clause,
    ClauseKind,
    Condition,
    FunctionDecisions,
    Maker,
    Path,
    Step,
)
from specminer.decision.runs import CallRun, FunctionRuns

__all__ = [
    "CallRun",
    "Cause",
    "Check",
    "Clause",
    "ClauseKind",
    "Condition",
    "FunctionDecisions",
    "FunctionRuns",
    "Maker",
    "Path",
    "Step",
]
