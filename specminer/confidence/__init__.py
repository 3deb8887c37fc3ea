"""How well a specification is known, without any truth to compare it with.

Automata learned from two halves of the history should say the same (:mod:`.agreement`); interactions that were
held out should be accepted, and shuffled ones should not; each transition rests on so many interactions
(:mod:`.transitions`).
"""

from specminer.confidence.agreement import Agreement, agreement
from specminer.confidence.transitions import count_exits

__all__ = ["Agreement", "agreement", "count_exits"]
