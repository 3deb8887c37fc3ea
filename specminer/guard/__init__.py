"""Guards: when a function is accepted, learned from accepted and rejected calls, in the words of its source."""

from specminer.guard.guard import Condition, Guard, HeldOut, Kind, Proof, Reason
from specminer.guard.guards import Function, Learned, by_function, guards, learn

__all__ = [
    "Condition",
    "Function",
    "Guard",
    "HeldOut",
    "Kind",
    "Learned",
    "Proof",
    "Reason",
    "by_function",
    "guards",
    "learn",
]
