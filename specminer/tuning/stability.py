"""Whether a predicate that was chosen pays in random halves of the history, too."""

from __future__ import annotations

from specminer.abstraction.folds import Folds, halves, restricted
from specminer.tuning.objective import Objective, Selection


def stability(objective: Objective, cut: Folds, selection: Selection, seed: int) -> dict[int, float | None]:
    """Return for each chosen predicate the share of halves in which the objective rises without it.

    ``None`` where the history cannot be halved.
    """
    if not cut.enough:
        return dict.fromkeys(selection)
    paid = dict.fromkeys(selection, 0)
    parts = halves(seed)
    for half in parts:
        part = Objective(
            restricted(objective.quotient, cut, half),
            objective.vocabulary,
            objective.weights,
            surcharge=objective.surcharge,
        )
        whole = part.score(selection).description_length
        for position in selection:
            without = part.score(other for other in selection if other != position)
            paid[position] += without.description_length > whole + 1e-6
    return {position: count / len(parts) for position, count in paid.items()}
