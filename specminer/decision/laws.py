"""What holds of all calls by algebra: sums that a function keeps, totals of parts, counters that only grow.

The change of each field is a linear form over what the call found, so it is known whatever that was. That a function
keeps a sum means that its changes add up to nothing on each path that an accepted call took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from specminer.decision.algebra import Bounds, LinearForm, is_positive, linear_form
from specminer.decision.effect_terms import EffectTerms
from specminer.decision.function_writes import FunctionWrites
from specminer.decision.open_ways import FALLING, GROWING, RISING
from specminer.decision.paths import FunctionDecisions
from specminer.decision.sites import facts_of
from specminer.decision.writes import SlotLeft
from specminer.decoding.location_columns import StorageVariable
from specminer.history.contract_history import MISSING
from specminer.shadow.arena import Arena
from specminer.specification import Derivation

MAX_SLOTS: Final = 64
"""Slots of a call whose changes are added up; what a call with more does is not told."""
MAX_PAIRS: Final = 64
"""Totals and parts that are compared."""


class FieldOf(NamedTuple):
    """A field of a variable."""

    variable: int
    """Row in ``Locations.variables``."""
    field: int


@dataclass(slots=True, kw_only=True)
class _Change:
    """What one call changes in all entries of a field."""

    form: LinearForm | None
    """The sum; ``None`` if it cannot be told."""
    exact: bool
    """Whether numbers without bounds would give the same."""
    entries: int = 1


Changes = dict[FieldOf, _Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionChanges:
    """What the accepted calls of one function change, run by run."""

    name: str
    creates: bool
    """Whether it is the constructor."""
    complete: bool
    """Whether all accepted calls were followed."""
    runs: tuple[Changes | None, ...]
    """``None`` for a call that writes too much."""
    equations: Mapping[str, Mapping[str, bool]]
    """By what is written to: the new values, as they read, and whether numbers without bounds would give the same."""


def changes_of(
    decisions: FunctionDecisions, writes: FunctionWrites, name: str, accepted: int, *, creates: bool = False
) -> FunctionChanges:
    """Return what the accepted calls of a function change.

    Args:
        decisions: what its calls decided.
        writes: what they left in storage.
        name: the function's.
        accepted: how many accepted calls there were, followed or not.
        creates: whether it is the constructor.

    """
    runs = decisions.runs
    own = [number for number, run in enumerate(runs.runs) if run.accepted]
    followed = len(own) + int(sum(runs.runs[number].accepted for number in runs.matched_run.tolist()))
    facts = {number: facts_of(path.steps) for path in decisions.paths for number in path.runs}
    terms = writes.terms
    changes_of_runs: list[Changes | None] = []
    equations: dict[str, dict[str, bool]] = {}
    for number, slots in writes.slots.items():
        if number in writes.runs_with_more or len(slots) > MAX_SLOTS or runs.runs[number].record.is_truncated:
            changes_of_runs.append(None)
            continue
        bounds = Bounds(arena=runs.arena, facts=facts[number])
        changes: Changes = {}
        for slot in slots:
            _equate(equations, terms, slot, bounds)
            node, row = terms.variable(slot.slot_place)
            if slot.before_node and runs.arena.kind(slot.before_node) == "storage":
                node = slot.before_node
            for position, item in terms.fields(slot) if row != MISSING else ():
                old = runs.arena.field(node, item.shift, item.bits)
                new = runs.arena.constant(item.value) if item.node is None else item.node
                _take_in(
                    changes, FieldOf(row, position), _difference(runs.arena, bounds, old, new, item.bits)
                )
        changes_of_runs.append(changes)
    return FunctionChanges(
        name=name,
        creates=creates,
        complete=followed == accepted,
        runs=tuple(changes_of_runs),
        equations=equations,
    )


def _equate(
    equations: dict[str, dict[str, bool]], terms: EffectTerms, slot: SlotLeft, bounds: Bounds
) -> None:
    """Take in what a slot was written to be."""
    nodes = [item.node for _, item in terms.fields(slot)]
    exact = slot.element is None and all(node is None or bounds.exact(node) for node in nodes)
    for name, _ in terms.name_write(slot):
        texts = equations.setdefault(name.target, {})
        value = name.member or name.expression
        texts[value] = texts.get(value, True) and exact and name.readable


def _difference(arena: Arena, bounds: Bounds, old: int | None, new: int, bits: int) -> _Change:
    form = linear_form(arena, new, bits)
    less = None if old is None else linear_form(arena, old, bits)
    if form is None or less is None:
        return _Change(form=None, exact=False)
    form.add(less, -1)
    return _Change(form=form, exact=bounds.exact(new), entries=0 if form.is_zero else 1)


def _take_in(changes: Changes, of: FieldOf, change: _Change) -> None:
    total = changes.get(of)
    if total is None:
        changes[of] = change
        return
    total.exact &= change.exact
    total.entries += change.entries
    if total.form is None or change.form is None or total.form.bits != change.form.bits:
        total.form = None
    else:
        total.form.add(change.form)


def laws_of(
    functions: Sequence[FunctionChanges], variables: Sequence[StorageVariable], *, whole: bool = True
) -> dict[str, Derivation]:
    """Return the invariants that follow from what calls change, by their text, with how far that is proved.

    Told is only what follows on the paths of all accepted calls, none of which was left out.

    Args:
        functions: what the calls of each function change.
        variables: ``Locations.variables``.
        whole: whether these are all functions of which calls were accepted.

    """
    laws = {text: derivation for item in functions for text, derivation in _equations(item)}
    for item in functions:
        for of in _fields([item]):
            derivation = _conserves(item, of) if variables[of.variable].ports else None
            if derivation is not None:
                laws[f"{item.name} keeps the sum of {variables[of.variable].text(None, of.field)}"] = (
                    derivation
                )
    if not whole or not all(item.complete and None not in item.runs for item in functions):
        return laws
    for of in _fields(functions):
        name = variables[of.variable].text(None, of.field)
        laws |= {f"{name} {words}": derivation for words, derivation in _courses(functions, of)}
    for total, part in _pairs(functions, variables):
        derivation = _follows(functions, total, part)
        if derivation is not None:
            name = variables[total.variable].text(None, total.field)
            parts = f"the sum of {variables[part.variable].text(None, part.field)}"
            laws[f"{name} = {parts}"] = derivation
            laws[f"{name} changes by exactly what changes in {parts}"] = derivation
    return laws


def _equations(item: FunctionChanges) -> Iterator[tuple[str, Derivation]]:
    """Yield what a function leaves in each entry that it changes, where all its calls compute it in one way."""
    if not item.complete or None in item.runs:
        return
    for target, texts in item.equations.items():
        for expression, exact in texts.items() if len(texts) == 1 else ():
            derivation = Derivation.EXACT if exact else Derivation.MODULAR
            yield f"{item.name}: {target}' = {expression}", derivation


def _fields(functions: Iterable[FunctionChanges]) -> list[FieldOf]:
    return list(dict.fromkeys(of for item in functions for run in item.runs for of in run or ()))


def _conserves(item: FunctionChanges, of: FieldOf) -> Derivation | None:
    """Return how far it is proved that a function keeps the sum of a field's entries, if it moves any."""
    if not item.complete:
        return None
    exact, most = True, 0
    for run in item.runs:
        if run is None:
            return None
        change = run.get(of)
        if change is not None:
            if change.form is None or not change.form.is_zero:
                return None
            exact &= change.exact
            most = max(most, change.entries)
    if most < 2:
        return None
    return Derivation.EXACT if exact else Derivation.MODULAR


def _courses(functions: Sequence[FunctionChanges], of: FieldOf) -> Iterator[tuple[str, Derivation]]:
    """Yield in which direction a field's entries change only, as far as the constructor is left aside."""
    changes = [
        run[of]
        for item in functions
        if not item.creates
        for run in item.runs
        if run is not None and of in run
    ]
    if not changes or any(change.form is None or change.entries > 1 for change in changes):
        return
    forms = [change.form for change in changes if change.form is not None]
    exact = all(change.exact for change in changes)
    if all(not form.factors and form.constant in (0, 1) for form in forms):
        yield GROWING, Derivation.EXACT if exact else Derivation.MODULAR
    if exact and all(is_positive(form) for form in forms):
        yield RISING, Derivation.EXACT
    if exact and all(is_positive(form, -1) for form in forms):
        yield FALLING, Derivation.EXACT


def _pairs(
    functions: Sequence[FunctionChanges], variables: Sequence[StorageVariable]
) -> list[tuple[FieldOf, FieldOf]]:
    """Return variables without keys and with keys that change in one call."""
    pairs: dict[tuple[FieldOf, FieldOf], None] = {}
    for item in functions:
        for run in item.runs:
            scalars = [of for of in run or () if not variables[of.variable].ports]
            entries = [of for of in run or () if variables[of.variable].ports]
            for total in scalars:
                for part in entries:
                    if len(pairs) < MAX_PAIRS:
                        pairs[total, part] = None
    return list(pairs)


def _follows(functions: Sequence[FunctionChanges], total: FieldOf, part: FieldOf) -> Derivation | None:
    """Return how far it is proved that a total changes by what its parts together change by."""
    exact = True
    for item in functions:
        for run in item.runs:
            whole, parts = (run or {}).get(total), (run or {}).get(part)
            forms = [None if change is None else change.form for change in (whole, parts)]
            if any(change is not None and change.form is None for change in (whole, parts)):
                return None
            first, second = forms
            if first is None or second is None:
                if any(form is not None and not form.is_zero for form in forms):
                    return None
            elif not first.same(second):
                return None
            exact &= all(change is None or change.exact for change in (whole, parts))
    return Derivation.EXACT if exact else Derivation.MODULAR
