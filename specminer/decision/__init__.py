"""What the code decided: each recorded call executed alone, and what follows from the conditions that it met."""

from specminer.decision.runs import CallRun, FunctionRuns

__all__ = ["CallRun", "FunctionRuns"]
