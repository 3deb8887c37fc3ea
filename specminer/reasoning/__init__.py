"""What follows from what: between guards of transitions, invariants and the predicates of states."""

from specminer.reasoning.asking import ObligationLog
from specminer.reasoning.claims import Claims
from specminer.reasoning.reasons import StateFacts
from specminer.reasoning.siblings import Siblings, siblings
from specminer.reasoning.space import Frames, FunctionSpace, StateSpace
from specminer.reasoning.transitions import DroppedCondition, Passable, passable

__all__ = [
    "Claims",
    "DroppedCondition",
    "Frames",
    "FunctionSpace",
    "ObligationLog",
    "Passable",
    "Siblings",
    "StateFacts",
    "StateSpace",
    "passable",
    "siblings",
]
