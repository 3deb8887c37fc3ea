"""Candidate predicates that the code itself states: conditions about the entity's own storage that decide something.

They need no template: a deadline that is compared with 1 because that means *done* has too many values for one, and
two variables that the code compares are worth comparing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from specminer.decision.state_conditions import StateCondition, ZeroComparison
from specminer.decoding.storage_values import ValueKind
from specminer.learning.event_table import EventTable
from specminer.learning.predicate_candidates import PredicateDraft, TableLanguage, storage
from specminer.predicate import Formula, evaluate
from specminer.specification import Tier


def with_coded(table: EventTable, base: TableLanguage) -> Iterator[PredicateDraft]:
    """Propose predicates by templates, those marked that the code states, and behind them what else the code states.

    Where the code compares a variable with one of its values other than zero, it tells all of them apart. What
    templates make of a variable that the code compares with something is left out: the code tells its values apart.
    Only the single values of one that the code compares with zero stay: a status that is no longer the first one has
    others that mean something to a reader.
    """
    stated = {draft.formula: draft for draft in _propose_coded(table, base)}
    valued = {formula.arg(0) for formula in stated if _is_value(formula) and formula.arg(1).constant_value()}
    compared = {formula.arg(0) for formula in stated if _is_value(formula)}
    own = {symbol for symbol, variable in zip(base.symbols, table.variables, strict=True) if variable.coded}
    telling = {draft.formula for draft in stated.values() if _tells(draft.formula, base)}
    telling_symbols = {symbol for formula in telling for symbol in base.language.symbols(formula)}
    for draft in storage(table, base):
        symbols = set(base.language.symbols(draft.formula))
        is_coded = stated.pop(draft.formula, None) is not None
        is_coded |= _is_value(draft.formula) and draft.formula.arg(0) in valued
        is_coded |= symbols <= own
        status = _is_value(draft.formula) and draft.formula.arg(0) in compared
        if is_coded or status or draft.tier is not Tier.STORAGE or not symbols <= telling_symbols:
            yield replace(draft, coded=is_coded)
    yield from stated.values()


def _tells(formula: Formula, base: TableLanguage) -> bool:
    """Return whether a predicate is true after some events, and not true after others."""
    true, is_known = evaluate(formula, base.assumed or base.columns)
    return bool((true & is_known).any() and (~true & is_known).any())


def _is_value(formula: Formula) -> bool:
    return bool(formula.is_equals() and formula.arg(1).is_int_constant())


def _propose_coded(table: EventTable, base: TableLanguage) -> Iterator[PredicateDraft]:
    """Propose the conditions of the code that speak of the table's variables alone, in the order of the code."""
    for condition in table.conditions:
        if condition.clock:
            continue
        for positions in places_of(table, condition):
            formula = _formula(table, base, condition, positions)
            if formula is not None:
                names = tuple(
                    name for position in positions for name in base.spellings[table.variables[position].name]
                )
                yield PredicateDraft(formula=formula, variables=names, tier=Tier.STORAGE, coded=True)


def places_of(table: EventTable, condition: StateCondition) -> Iterator[tuple[int, ...]]:
    """Yield the positions of the variables that a condition speaks of, in its order; of each contract's apart."""
    rows_by_location = [
        [row for row, variable in enumerate(table.variables) if variable.storage_field == tuple(location)]
        for location, _ in condition.stored_fields
    ]
    if not rows_by_location:
        yield ()
    elif all(len(rows) == len(rows_by_location[0]) for rows in rows_by_location):
        yield from zip(*rows_by_location, strict=True)


def _formula(
    table: EventTable, base: TableLanguage, condition: StateCondition, positions: tuple[int, ...]
) -> Formula | None:
    language = base.language
    symbols = [base.symbols[position] for position in positions]
    factors = [factor for _, factor in condition.stored_fields]
    kinds = {table.variables[position].kind for position in positions}
    if len(symbols) == 1:
        (symbol,) = symbols
        bound = -condition.constant * factors[0]
        if kinds == {ValueKind.BOOL}:
            return symbol if bound in (0, 1) else None
        if bound < 0:
            return None
        if condition.comparison is ZeroComparison.ZERO:
            return language.equal(symbol, language.number(bound))
        # x - c < 0, or c - x < 0
        limit = language.number(bound)
        return language.less(symbol, limit) if factors[0] > 0 else language.less(limit, symbol)
    if len(symbols) > 2 or condition.constant or factors[0] == factors[1] or ValueKind.BOOL in kinds:
        return None
    less, more = symbols if factors[0] > 0 else symbols[::-1]
    if condition.comparison is ZeroComparison.ZERO:
        return language.equal(*symbols)
    return language.less(less, more)
