"""What a variable was in a state, where the chosen predicates only say what it was not: ``status = 4 or 5``.

A state that is left over when some values of a variable are told apart has only opposites to be described by. If all
its values are among the few that the variable is compared with, they say more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.abstraction import FALSE, ROOT, TRUE, UNKNOWN, TruthColumn, Vocabulary
from specminer.history import MISSING, BoolColumn, IntColumn
from specminer.predicate import Formula, Language, text
from specminer.tuning.objective import Objective

MOST: Final = 3
"""More values than these are a list, and no description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The values that one variable had in a state."""

    symbol: Formula
    formula: Formula
    """That it has one of them."""
    alone: bool
    """In no other state it had one of them."""


def held(objective: Objective, blocks: IntColumn) -> dict[int, list[Held]]:
    """Return what is known of each state, by variable, those first that were first accessed.

    ``blocks`` gives the state of each finest state. Values of one state at most ``MOST``, all of them known.
    """
    language = objective.vocabulary.language
    found: dict[int, list[Held]] = {}
    for symbol, columns in _columns(objective.vocabulary, objective.quotient.valuations).items():
        values = sorted(columns)
        true = np.array([columns[value] for value in values], dtype=np.bool_)
        code = np.where(true.sum(axis=0) == 1, true.argmax(axis=0), MISSING)
        code[ROOT] = MISSING
        states = int(blocks.max()) + 1
        inside = [frozenset(code[blocks == state].tolist()) for state in range(states)]
        for state in range(states):
            if state == ROOT or MISSING in inside[state] or len(inside[state]) > MOST:
                continue
            atoms = [language.equal(symbol, language.number(values[row])) for row in sorted(inside[state])]
            others = frozenset[int]().union(*(inside[other] for other in range(states) if other != state))
            found.setdefault(state, []).append(
                Held(
                    symbol=symbol,
                    formula=language.disjunction(*atoms) if len(atoms) > 1 else atoms[0],
                    alone=inside[state].isdisjoint(others),
                )
            )
    return found


def _columns(candidates: Vocabulary, valuations: TruthColumn) -> dict[Formula, dict[int, BoolColumn]]:
    """Return for each variable that is compared with values where it has each of them, over finest states."""
    found: dict[Formula, dict[int, BoolColumn]] = {}
    for predicate, column in zip(candidates.predicates, valuations, strict=True):
        for formula, shown in (
            (predicate.formula, predicate.text),
            *zip(predicate.alias_formulas, predicate.aliases, strict=True),
        ):
            if not is_value(candidates.language, formula):
                continue
            # an alias is told as its opposite where it is true when the predicate is not; then nothing is unknown
            same = shown == text(candidates.language, formula)
            if not same and (column[1:] == UNKNOWN).any():
                continue
            value = int(formula.arg(1).constant_value())
            found.setdefault(formula.arg(0), {})[value] = column == (TRUE if same else FALSE)
    return found


def is_value(language: Language, formula: Formula) -> bool:
    """Whether a predicate says that a variable has a value."""
    if not (formula.is_equals() and formula.arg(0).is_symbol() and formula.arg(1).is_int_constant()):
        return False
    return not language.declaration(formula.arg(0)).history
