"""From a specification to what is known of it: confidence, and what stands out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from specminer.confidence import agreement
from specminer.history import History
from specminer.interaction import Interactions
from specminer.specification import Edge, Specification
from specminer.support import wilson
from specminer.surprise import Ranking, measure
from specminer.tuning import Tuning


def with_interval(edge: Edge, reached: int) -> Edge:
    """Return a transition with how many interactions could have taken it, and the interval of the share that did."""
    return replace(edge, reached=reached, interval=wilson(edge.interaction_count, reached))


def judged(
    specification: Specification,
    history: History,
    interactions: Interactions,
    tuning: Tuning,
    surprising: int,
) -> Specification:
    """Return the specification with its confidence and with the ``surprising`` first of what stands out."""
    ranking = Ranking(
        history=history,
        interactions=interactions,
        tuning=tuning,
        measured=measure(history, interactions, tuning),
    )
    return replace(
        specification,
        confidence=_confidence(specification, tuning),
        surprise=ranking.to_dict(surprising),
    )


def _confidence(specification: Specification, tuning: Tuning) -> dict[str, Any]:
    """Return what halves of the history say of each other, and what held-out interactions do.

    Acceptance alone proves little, so that of shuffled interactions stands beside it.
    """
    halves = agreement(tuning, tuning.seed)
    names = ("held_out_acceptance", "shuffled_acceptance", "held_out_label_bits")
    held_out = {name: specification.metrics[name] for name in names if name in specification.metrics}
    return {"halves": halves.to_dict() if halves else None, "held_out": held_out}
