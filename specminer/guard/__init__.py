"""Guards: when a function is accepted, learned from accepted and rejected calls, in the words of its source."""

from specminer.guard.guard import Condition, Guard, HeldOut, Kind, Proof, Reason
from specminer.guard.guards import by_function, guards

__all__ = ["Condition", "Guard", "HeldOut", "Kind", "Proof", "Reason", "by_function", "guards"]
