"""The conditions that functions demand, one by one, with what they speak of by whole name.

A condition that another language cannot say stays among them, with the reason, so that no export passes over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from specminer.predicate import Formula, FormulaError
from specminer.predicate.smt import read_formula
from specminer.specification import Guard, GuardCondition, GuardKind, Specification

DEMANDED_KINDS: Final = (GuardKind.REQUIRED, GuardKind.CODED)
"""What the code itself decides upon; what was learned or observed only is no demand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCondition:
    """A condition that the code of a function demands."""

    text: str
    """The condition for people, raw."""
    kind: GuardKind
    formula: Formula | None
    """``None`` if it cannot be exported."""
    names: dict[str, str]
    """The whole name of each symbol of the formula, raw, by the symbol."""
    obstacle: str = ""
    """Why it cannot be exported, a clause; empty if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConditions:
    """The conditions that one function demands, in the order of the document."""

    function: str
    """The function as the document calls it, raw; overloaded ones carry their types."""
    conditions: tuple[ExportCondition, ...]


def function_conditions(specification: Specification) -> Iterator[FunctionConditions]:
    """Yield the functions whose code demands something, ascending, with what it demands."""
    demanded = [guard for guard in specification.guards if guard.kind in DEMANDED_KINDS and guard.text]
    for function, guards in groupby(sorted(demanded, key=_scope), key=_scope):
        conditions = tuple(condition for guard in guards for condition in _conditions(guard))
        yield FunctionConditions(function=function, conditions=conditions)


def _scope(guard: Guard) -> str:
    return guard.scope


def _conditions(guard: Guard) -> Iterator[ExportCondition]:
    try:
        formula = read_formula(guard.smt, guard.symbols)
    except FormulaError:
        yield _condition(guard, None, None, "its formula cannot be read")
        return
    parts: Sequence[Formula] = list(formula.args()) if formula.is_and() else [formula]
    details: Sequence[GuardCondition | None] = guard.conditions
    if len(parts) != len(details):
        parts, details = [formula], [None]
    for part, detail in zip(parts, details, strict=True):
        yield _condition(guard, part, detail, _obstacle(guard, detail))


def _obstacle(guard: Guard, detail: GuardCondition | None) -> str:
    contradictions = 0 if detail is None or detail.decisions is None else detail.decisions.contradictions
    if contradictions + (guard if detail is None else detail).exceptions:
        return "it did not hold in all accepted calls"
    if detail is not None and detail.each:
        return "it is asked of each element of a loop"
    if detail is not None and detail.version is not None and detail.version.until is not None:
        return "an earlier version of the code asked it"
    return ""


def _condition(
    guard: Guard, formula: Formula | None, detail: GuardCondition | None, obstacle: str
) -> ExportCondition:
    symbols = set[str]() if formula is None else set(_symbols(formula))
    return ExportCondition(
        text=guard.text if detail is None else detail.text,
        kind=guard.kind,
        formula=None if obstacle else formula,
        names={name: guard.names.get(name, name) for name in sorted(symbols)},
        obstacle=obstacle,
    )


def _symbols(formula: Formula) -> Iterator[str]:
    if formula.is_symbol():
        yield formula.symbol_name()
    for part in formula.args():
        yield from _symbols(part)
