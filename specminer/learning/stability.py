"""Whether a predicate that was chosen pays in random halves of the history, too."""

from __future__ import annotations

from specminer.learning.history_folds import Folds, halves, restrict
from specminer.learning.objective import Objective
from specminer.learning.state_merging import Merging, without


def stability(objective: Objective, cut: Folds, point: Merging, seed: int) -> dict[int, float | None]:
    """Return for each chosen predicate the share of halves in which the objective rises without it.

    ``None`` where the history cannot be halved.
    """
    selection = point.score.selection
    if not cut.enough:
        return dict.fromkeys(selection)
    paid = dict.fromkeys(selection, 0)
    parts = halves(seed)
    for half in parts:
        part = Objective(
            restrict(objective.quotient, cut, half),
            objective.vocabulary,
            objective.weights,
            surcharge=objective.surcharge,
        )
        whole = part.score_merging(selection, point.blocks).description_length
        for position in selection:
            paid[position] += without(part, point, position).description_length > whole + 1e-6
    return {position: count / len(parts) for position, count in paid.items()}
