"""Which states of two automata are the same: by what holds in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from specminer.predicate.smt import FormulaError, declarations_of, is_satisfiable
from specminer.predicate.syntax import assertion
from specminer.specification import State, SymbolSort


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSet:
    """The states of one automaton."""

    states: Sequence[State]
    """The initial one included."""
    initial: int
    symbols: Mapping[str, SymbolSort]
    """What the states' formulas speak of."""


def match_states(own: StateSet, other: StateSet) -> dict[int, int]:
    """Return the other automaton's state of each of one's own states that it has.

    Equal are states of equal predicates, else states of one name, else two whose formulas can be true together while
    no other pair of theirs can: both automata divide the same values, so that states that overlap are one.
    """
    matches = {own.initial: other.initial}
    used_states = {other.initial}
    rest = [state for state in own.states if state.id != own.initial]
    for key in (_predicates, _name):
        candidates = {key(state): state.id for state in other.states if state.id not in used_states}
        for state in rest:
            target = candidates.get(key(state))
            if state.id not in matches and target is not None and target not in used_states:
                matches[state.id] = target
                used_states.add(target)
    for state in rest:
        if state.id in matches:
            continue
        near = [
            item for item in other.states if item.id != other.initial and _overlap(own, state, other, item)
        ]
        if len(near) == 1:
            matches[state.id] = near[0].id
    return matches


def _predicates(state: State) -> object:
    return frozenset(state.predicates) or state.id


def _name(state: State) -> object:
    return state.name


def _overlap(own: StateSet, one: State, other: StateSet, two: State) -> bool:
    """Return whether a solver finds values that are in both states."""
    if one.smt is None or two.smt is None:
        return False
    symbols = {**own.symbols, **other.symbols}
    lines = [*declarations_of(symbols), assertion(one.smt), assertion(two.smt)]
    try:
        return is_satisfiable("\n".join(lines)) is True
    except FormulaError:
        return False
