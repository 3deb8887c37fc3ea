"""How guards of transitions, and what follows from what, stand in ``automaton.json``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from specminer._support.statistics import wilson
from specminer.history.contract_history import History
from specminer.inference.competing_transitions import TransitionPair
from specminer.inference.conjunctions import formula_of
from specminer.inference.guard_learning import MIN_CALLS, LearnedClause, truth_of
from specminer.inference.invariant_claim import Invariant
from specminer.inference.state_formulas import StateSpace
from specminer.inference.transition_guards import PassageCondition
from specminer.inference.transition_implications import DroppedCondition, GuardFormulas
from specminer.learning.tuning_result import Tuning
from specminer.predicate import text
from specminer.predicate.smtlib import expression, symbol_name, symbol_sorts
from specminer.specification import (
    CompetingTransitions,
    SymbolSort,
    TransitionCondition,
    TransitionGuard,
    TransitionVerdict,
)


def edge_keys(passed: Iterable[GuardFormulas], tuning: Tuning) -> dict[tuple[int, int, str], GuardFormulas]:
    """Return the transitions with their guards by source, target and symbol, as the document has them."""
    return {
        (item.way.passage.source, item.way.target, tuning.table.symbols[item.way.symbol]): item
        for item in passed
    }


def state_symbols(space: StateSpace, invariants: Iterable[Invariant]) -> dict[str, SymbolSort]:
    """Return the sorts of the variables that states, and claims about them, speak of, by quoted name."""
    language = space.language
    formulas = [space.formula(state.id) for state in space.tuning.states]
    formulas += [item.formula for item in invariants if item.formula is not None]
    symbols = dict.fromkeys(symbol for formula in formulas for symbol in language.symbols(formula))
    return dict(sorted(symbol_sorts(language, symbols).items()))


def condition(item: GuardFormulas) -> TransitionGuard:
    """Return the guard of a transition in full."""
    way, passage, language = item.way, item.way.passage, item.frame.language
    meaning = passage.function.meaning
    refused = np.zeros(len(passage.call), dtype=np.bool_)
    unknown = refused.copy()
    for part in way.parts:
        truth = truth_of(meaning, part.clause.literals, passage.call)
        refused |= truth.false
        unknown |= truth.is_doubtful
    elsewhere, rejected = way.siblings, ~passage.accepted
    accepted, exceptions = int(np.sum(way.is_taken)), int(np.sum(way.is_taken & refused))
    explained = int(np.sum(rejected & refused))
    followed = {id(dropped.part): dropped for dropped in item.dropped_conditions}
    narrowed = {
        id(retained_part.part): retained_part.clause
        for retained_part in item.kept_conditions
        if retained_part.clause != retained_part.part.clause
    }
    return TransitionGuard(
        text=item.text,
        whole=text(language, item.conjunction),
        smt=expression(language, item.conjunction),
        symbols=symbol_sorts(language, language.symbols(item.conjunction)),
        state=_state_symbols(item),
        parts=tuple(_part(item, part, followed.get(id(part)), narrowed.get(id(part))) for part in way.parts),
        not_kept=tuple(text(language, formula_of(meaning, (clause,))) for clause in way.broken),
        accepted=accepted,
        exceptions=exceptions,
        rejected=int(np.sum(rejected)),
        explained=explained,
        elsewhere=int(np.sum(elsewhere)),
        told_apart=int(np.sum(elsewhere & refused)),
        interval=wilson(accepted - exceptions, accepted),
        explained_interval=wilson(explained, int(np.sum(rejected))),
        held_out=way.held_out,
        unknown=int(np.sum(way.is_taken & unknown & ~refused)) or None,
    )


def _state_symbols(item: GuardFormulas) -> dict[str, str]:
    """Return which of a guard's symbols are variables of the states, with their names there."""
    language, space = item.frame.language, item.frame.space
    used = language.symbols(item.conjunction)
    return {
        symbol_name(language, here): symbol_name(space.language, there)
        for there, here in item.frame.symbols.items()
        if here in used
    }


def _part(
    item: GuardFormulas,
    part: PassageCondition,
    dropped: DroppedCondition | None,
    narrowed: LearnedClause | None,
) -> TransitionCondition:
    way, meaning = item.way, item.way.passage.function.meaning
    truth = truth_of(meaning, part.clause.literals, way.passage.call)
    return TransitionCondition(
        text=text(meaning.language, formula_of(meaning, (part.clause,))),
        learned=part.origin,
        kind=part.kind,
        explained=int((truth.false & ~way.passage.accepted).sum()),
        told_apart=int((truth.false & way.siblings).sum()),
        exceptions=int((truth.false & way.is_taken).sum()),
        here=None if narrowed is None else text(meaning.language, formula_of(meaning, (narrowed,))),
        follows_from=None if dropped is None else dropped.reason,
        proved=None if dropped is None else dropped.proof,
    )


def sibling(pair: TransitionPair, tuning: Tuning, history: History) -> CompetingTransitions:
    """Return what was found of two transitions of one event."""
    one, other = pair.first.way, pair.second.way
    hashes = history.transaction_hash
    return CompetingTransitions(
        source=one.passage.source,
        function=one.passage.function.meaning.situation.function,
        events=(tuning.table.symbols[one.symbol], tuning.table.symbols[other.symbol]),
        targets=(one.target, other.target),
        verdict=pair.verdict,
        text=_sentence(pair, tuning),
        both=pair.overlaps,
        witnesses=tuple(f"0x{hashes[history.invocation_transaction[row]].hex()}" for row in pair.witnesses),
        predicate=pair.predicate,
        example=pair.example,
        proved=pair.obligation.proved,
    )


def _sentence(pair: TransitionPair, tuning: Tuning) -> str:
    one, other = pair.first.way, pair.second.way
    names = [f"'{tuning.states[way.target].name}'" for way in (one, other)]
    events = [tuning.table.symbols[way.symbol] for way in (one, other)]
    source = f"from '{tuning.states[one.passage.source].name}'"
    where = f"{events[0]} {source} leads to {names[0]} or {names[1]}"
    if events[0] != events[1]:
        where = f"{events[0]} {source} leads to {names[0]}, {events[1]} to {names[1]}"
    values = ", ".join(f"{name} = {value}" for name, value in pair.example.items())
    example = f"; both guards hold for {values}" if values else ""
    match pair.verdict:
        case TransitionVerdict.EXCLUSIVE:
            return f"{where}: no call meets both guards"
        case TransitionVerdict.PREDICATE:
            return f"{where}: a predicate is missing, '{pair.predicate}' tells which{example}"
        case TransitionVerdict.NONDETERMINISTIC:
            return (
                f"{where}: nondeterministic, {sum(pair.overlaps):,} recorded calls meet both guards and nothing known "
                f"tells which{example}"
            )
        case TransitionVerdict.OPEN:
            rare = min(int(way.is_taken.sum()) for way in (one, other))
            if rare < MIN_CALLS:
                return f"{where}: too few calls ({rare:,}) took one of them to learn what tells{example}"
            return f"{where}: no recorded call meets both guards, but one could{example}"
