"""What is said of a joined state whose variable has one of several chosen values: ``status = 1 or status = 2``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specminer.learning.objective import Objective
from specminer.learning.state_merging import Merging, choices_of
from specminer.learning.state_names import OPEN
from specminer.learning.vocabulary import FALSE, TRUE, Predicate, TruthColumn
from specminer.predicate import Language, negated_text, text, unknown_text


@dataclass(frozen=True, kw_only=True)
class Union:
    """A choice between values that holds in one state."""

    state: int
    predicate: Predicate
    members: tuple[int, ...]
    """Rows, in the selection, of all chosen values of the variable: the choice stands for what they say."""
    column: TruthColumn
    """The choice's value in each state, or ``OPEN``; shape (states,)."""


def unions(objective: Objective, point: Merging) -> list[Union]:
    """Return the choices by state; a state has one for each variable of which it has several values."""
    selection = point.score.selection
    state_unions = []
    for choice in choices_of(objective, selection, objective.quotient.valuations[list(selection)]):
        values_by_state = [
            frozenset(choice.values[point.blocks == state].tolist()) for state in range(point.score.states)
        ]
        for state in range(1, len(values_by_state)):
            rows = choice.shown_rows(choice.among(np.flatnonzero(point.blocks == state)))
            if len(rows) > 1:
                predicates = [objective.vocabulary.predicates[selection[row]] for row in rows]
                state_unions.append(
                    Union(
                        state=state,
                        predicate=_either(objective.vocabulary.language, predicates),
                        members=choice.rows,
                        column=np.array(
                            [_value(other, values_by_state[state]) for other in values_by_state],
                            dtype=np.int8,
                        ),
                    )
                )
    return sorted(state_unions, key=lambda union: (union.state, union.members))


def _either(language: Language, predicates: Sequence[Predicate]) -> Predicate:
    formula = language.disjunction(*(predicate.formula for predicate in predicates))
    return Predicate(
        formula=formula,
        text=text(language, formula),
        negation=negated_text(language, formula),
        unknown=unknown_text(language, formula),
        price=max(predicate.price for predicate in predicates),
        tier=predicates[0].tier,
    )


def _value(values: frozenset[int], choice_values: frozenset[int]) -> int:
    return TRUE if values <= choice_values else FALSE if values.isdisjoint(choice_values) else OPEN
