"""Guards: when a function is accepted, learned from accepted and rejected calls, in the words of its source."""

from specminer.guard.guard import LearnedGuard
from specminer.guard.guards import Function, Learned, guards, learn

__all__ = ["Function", "Learned", "LearnedGuard", "guards", "learn"]
