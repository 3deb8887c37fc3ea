"""How guards of transitions, and what follows from what, stand in ``automaton.json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from specminer.guard import HeldOut
from specminer.guard.learning import MIN_CALLS, Clause, truth_of
from specminer.guard.passage import Part
from specminer.guard.proving import Obligation
from specminer.guard.simplifying import formula_of
from specminer.history import History
from specminer.invariant import Invariant
from specminer.predicate import Formula, Language, Sort, text
from specminer.predicate.smtlib import expression, symbol_name
from specminer.reasoning import Dropped, Passable, Redundant, Siblings, StateSpace, Verdict
from specminer.support import wilson
from specminer.tuning import Tuning


def edge_keys(passed: Iterable[Passable], tuning: Tuning) -> dict[tuple[int, int, str], Passable]:
    """Return the transitions with their guards by source, target and symbol, as the document has them."""
    return {
        (item.way.passage.source, item.way.target, tuning.table.symbols[item.way.symbol]): item
        for item in passed
    }


def state_symbols(space: StateSpace, held: Iterable[Invariant]) -> dict[str, str]:
    """Return the sorts of the variables that states, and claims about them, speak of, by quoted name."""
    language = space.language
    formulas = [space.formula(state.id) for state in space.tuning.states]
    formulas += [item.formula for item in held if item.formula is not None]
    symbols = dict.fromkeys(symbol for formula in formulas for symbol in language.symbols(formula))
    return dict(sorted(sorts(language, symbols).items()))


def sorts(language: Language, symbols: Iterable[Formula]) -> dict[str, str]:
    """Return by quoted name what symbols are: ``Bool``, ``Int`` (a word, not negative) or ``Signed Int``."""
    found = {}
    for symbol in symbols:
        signed = language.declaration(symbol).sort is Sort.SIGNED
        found[symbol_name(language, symbol)] = (
            "Bool" if language.is_boolean(symbol) else "Signed Int" if signed else "Int"
        )
    return found


def condition(item: Passable) -> dict[str, Any]:
    """Return the guard of a transition in full."""
    way, language = item.way, item.frame.language
    meaning, counts = way.passage.function.meaning, item.counts()
    followed = {id(dropped.part): dropped for dropped in item.dropped}
    narrowed = {id(kept.part): kept.clause for kept in item.kept if kept.clause != kept.part.clause}
    return {
        "text": item.text,
        "whole": text(language, item.whole),
        "smt": expression(language, item.whole),
        "symbols": sorts(language, language.symbols(item.whole)),
        "state": _state_symbols(item),
        "parts": [_part(item, part, followed.get(id(part)), narrowed.get(id(part))) for part in way.parts],
        "not_kept": [text(language, formula_of(meaning, (clause,))) for clause in way.broken],
        **counts,
        "interval": list(wilson(counts["accepted"] - counts["exceptions"], counts["accepted"])),
        "explained_interval": list(wilson(counts["explained"], counts["rejected"])),
        "held_out": held_out(way.held_out),
    }


def held_out(held: HeldOut | None) -> dict[str, Any] | None:
    """Return how what was learned first does later."""
    if held is None:
        return None
    return {
        "text": held.text,
        "accepted": held.accepted,
        "refused": held.refused,
        "rejected": held.rejected,
        "explained": held.explained,
    }


def _state_symbols(item: Passable) -> dict[str, str]:
    """Return which of a guard's symbols are variables of the states, with their names there."""
    language, space = item.frame.language, item.frame.space
    used = language.symbols(item.whole)
    return {
        symbol_name(language, here): symbol_name(space.language, there)
        for there, here in item.frame.symbols.items()
        if here in used
    }


def _part(item: Passable, part: Part, dropped: Dropped | None, narrowed: Clause | None) -> dict[str, Any]:
    way, meaning = item.way, item.way.passage.function.meaning
    truth = truth_of(meaning, part.clause.literals, way.passage.call)
    return {
        "text": text(meaning.language, formula_of(meaning, (part.clause,))),
        "learned": part.origin.value,
        "explained": int((truth.false & ~way.passage.accepted).sum()),
        "told_apart": int((truth.false & way.siblings).sum()),
        "exceptions": int((truth.false & way.taken).sum()),
        "here": None if narrowed is None else text(meaning.language, formula_of(meaning, (narrowed,))),
        "follows_from": None if dropped is None else dropped.because,
        "proved": None if dropped is None else dropped.proof.value,
    }


def sibling(pair: Siblings, tuning: Tuning, history: History) -> dict[str, Any]:
    """Return what was found of two transitions of one event."""
    one, other = pair.one.way, pair.other.way
    hashes = history.transaction_hash
    return {
        "source": one.passage.source,
        "function": one.passage.function.meaning.situation.function,
        "events": [tuning.table.symbols[way.symbol] for way in (one, other)],
        "targets": [one.target, other.target],
        "verdict": pair.verdict.value,
        "text": _sentence(pair, tuning),
        "both": list(pair.both),
        "witnesses": [f"0x{hashes[history.invocation_transaction[row]].hex()}" for row in pair.witnesses],
        "predicate": pair.predicate,
        "example": dict(pair.example),
        "proved": pair.obligation.proof.value,
    }


def _sentence(pair: Siblings, tuning: Tuning) -> str:
    one, other = pair.one.way, pair.other.way
    names = [f"'{tuning.states[way.target].name}'" for way in (one, other)]
    events = [tuning.table.symbols[way.symbol] for way in (one, other)]
    source = f"from '{tuning.states[one.passage.source].name}'"
    where = f"{events[0]} {source} leads to {names[0]} or {names[1]}"
    if events[0] != events[1]:
        where = f"{events[0]} {source} leads to {names[0]}, {events[1]} to {names[1]}"
    values = ", ".join(f"{name} = {value}" for name, value in pair.example.items())
    example = f"; both guards hold for {values}" if values else ""
    match pair.verdict:
        case Verdict.EXCLUSIVE:
            return f"{where}: no call meets both guards"
        case Verdict.PREDICATE:
            return f"{where}: a predicate is missing, '{pair.predicate}' tells which{example}"
        case Verdict.NONDETERMINISTIC:
            return (
                f"{where}: nondeterministic, {sum(pair.both):,} recorded calls meet both guards and nothing known "
                f"tells which{example}"
            )
        case Verdict.OPEN:
            rare = min(int(way.taken.sum()) for way in (one, other))
            if rare < MIN_CALLS:
                return f"{where}: too few calls ({rare:,}) took one of them to learn what tells{example}"
            return f"{where}: no recorded call meets both guards, but one could{example}"


def redundant(item: Redundant) -> dict[str, Any]:
    """Return a claim that follows from others."""
    return {
        "of": item.of,
        "scope": item.scope,
        "text": item.text,
        "because": item.because,
        "proved": item.proof.value,
    }


def obligation_document(claim: Obligation, about: str) -> dict[str, Any]:
    """Return what a solver was asked."""
    return {
        "about": about,
        "scope": claim.scope,
        "claim": claim.claim,
        "script": claim.script,
        "expected": claim.expected.value,
        "answer": claim.answer.value,
        "proved": claim.proof.value,
        "example": dict(claim.example),
    }
