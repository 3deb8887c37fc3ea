"""Guards: when a function is accepted, as its code decides, or learned where the code could not be followed."""

from specminer.guard.decided import FollowedFunction
from specminer.guard.describing import JudgedFunction
from specminer.guard.guard import LearnedGuard
from specminer.guard.guards import LearnedGuards, guards, learn

__all__ = ["FollowedFunction", "JudgedFunction", "LearnedGuard", "LearnedGuards", "guards", "learn"]
