"""Names for states: the fewest predicates that tell each one from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from specminer.abstraction import FALSE, TRUE, Predicate, TruthColumn

START = "start"
"""The root, where no value is known."""
ONLY = "started"
"""The other state where there are but two and nothing needs telling apart."""


def literal(predicate: Predicate, value: int) -> str:
    """Return what holds of a predicate in a state: its text, the opposite, or that it is unknown."""
    return predicate.text if value == TRUE else predicate.negation if value == FALSE else predicate.unknown


def state_names(
    predicates: Sequence[Predicate],
    valuations: TruthColumn,
    names: Mapping[str, str],
    whole: Mapping[int, str],
) -> tuple[str, ...]:
    """Return a unique name for each state, the root first.

    For each state literals are added greedily: the one that excludes most of the states not yet excluded;
    among equals one that is true, then one of an earlier predicate.

    Args:
        predicates: the chosen ones.
        valuations: their value in each state; shape (len(predicates), states); the root's are ignored.
        names: a literal's text to what a person calls it.
        whole: for some states the text of a predicate, chosen or not, that is true there and nowhere
            else; used where a name would need several of the chosen ones.

    """
    taken = {START}
    result = [START]
    for state in range(1, valuations.shape[1]):
        telling = [
            literal(predicates[row], int(valuations[row, state])) for row in _telling(valuations, state)
        ]
        if len(telling) > 1 and state in whole:
            telling = [whole[state]]
        parts = [names.get(shown, shown) for shown in dict.fromkeys(telling)]
        base = ", ".join(parts) or ONLY
        name, number = base, 2
        while name in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name)
        result.append(name)
    return tuple(result)


def _telling(valuations: TruthColumn, state: int) -> list[int]:
    """Return the predicates that tell a state from all others but the root, ascending."""
    others = np.delete(valuations, (0, state), axis=1)
    differs = others != valuations[:, [state]]
    left = np.ones(others.shape[1], dtype=np.bool_)
    chosen: list[int] = []
    while left.any():
        gains = [
            (int((differs[row] & left).sum()), valuations[row, state] == TRUE, -row)
            for row in range(len(valuations))
        ]
        excluded, _, row = max(gains)
        if not excluded:
            break
        chosen.append(-row)
        left &= ~differs[-row]
    return sorted(chosen)
