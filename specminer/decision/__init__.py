"""What the code decided: each recorded call executed alone, and what follows from the conditions that it met."""

from specminer.decision.call_runs import CallRun, FunctionRuns
from specminer.decision.paths import (
    Cause,
    Check,
    Clause,
    ClauseKind,
    Condition,
    FunctionDecisions,
    Joint,
    Maker,
    Path,
    Step,
)
from specminer.decision.relation import OPPOSITE, TURNED, NamedTerm, Relation, Sign
from specminer.decision.wording import Wording

__all__ = [
    "OPPOSITE",
    "TURNED",
    "CallRun",
    "Cause",
    "Check",
    "Clause",
    "ClauseKind",
    "Condition",
    "FunctionDecisions",
    "FunctionRuns",
    "Joint",
    "Maker",
    "NamedTerm",
    "Path",
    "Relation",
    "Sign",
    "Step",
    "Wording",
]
