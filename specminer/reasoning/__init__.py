"""What follows from what: between guards of transitions, invariants and the predicates of states."""

from specminer.reasoning.asking import Asked
from specminer.reasoning.claims import Claims
from specminer.reasoning.reasons import Known
from specminer.reasoning.siblings import Siblings, siblings
from specminer.reasoning.space import Frame, Frames, StateSpace
from specminer.reasoning.transitions import Dropped, Passable, passable

__all__ = [
    "Asked",
    "Claims",
    "Dropped",
    "Frame",
    "Frames",
    "Known",
    "Passable",
    "Siblings",
    "StateSpace",
    "passable",
    "siblings",
]
