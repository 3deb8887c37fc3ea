"""What the code decided: each recorded call executed alone, and what follows from the conditions that it met."""

from specminer.decision.call_runs import CallRun, FunctionRuns
from specminer.decision.paths import (
    Cause,
    Check,
    Clause,
    ClauseKind,
    FunctionDecisions,
    Joint,
    Maker,
    Path,
    PathCondition,
    PathStep,
)
from specminer.decision.value_relation import OPPOSITE, TURNED, ConditionRelation, NamedTerm, Sign
from specminer.decision.wording import Wording

__all__ = [
    "OPPOSITE",
    "TURNED",
    "CallRun",
    "Cause",
    "Check",
    "Clause",
    "ClauseKind",
    "ConditionRelation",
    "FunctionDecisions",
    "FunctionRuns",
    "Joint",
    "Maker",
    "NamedTerm",
    "Path",
    "PathCondition",
    "PathStep",
    "Sign",
    "Wording",
]
