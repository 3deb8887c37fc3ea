"""What one variable does over the history: it never changes, is set once, only grows; who changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from specminer.decision.open_ways import FALLING, GROWING, RISING
from specminer.decoding import HistoryContext
from specminer.decoding.calldata import senders
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.history.words import LimbArray, integer_limbs
from specminer.inference.field_changes import Cells, DoubtfulChanges
from specminer.inference.invariant_claim import MIN_CASES, ONCE, Invariant
from specminer.inference.limb_arithmetic import is_zero, less, minus, same
from specminer.predicate.syntax import apply, symbol
from specminer.specification import CONTRACT_SCOPE, Template

GLANCE: Final = 1_000
"""In so many changes a variable shows whether it has more than two values."""
UNCHANGED: Final = "never changes after the deployment"
_FEW_WRITERS: Final = 4
"""A variable that more functions change is not told of."""


def courses(context: HistoryContext, cells: Cells) -> Iterator[Invariant]:
    """Find what holds of one variable's changes."""
    lasting = cells.changed & ~context.is_constructor[cells.invocation]
    rows = np.flatnonzero(lasting)
    yield from _constant(context, cells, rows)
    if not len(rows):
        return
    before, left, calls = cells.value_before[rows], cells.value_after[rows], cells.invocation[rows]
    doubts = cells.doubts.of(~context.is_constructor[cells.doubts.invocation])
    name = cells.name
    old, new = symbol(name), symbol(name, after=True)
    fresh = is_zero(before)
    several = len(rows) >= MIN_CASES
    once = several and bool(np.mean(fresh) > 0.9)
    challenged = once and _touched_later(cells, rows)
    if once:
        text = f"{name} is set once and never changed after"
        smt = apply("=>", apply("distinct", old, "0"), apply("=", new, old))
        unknown = int((~doubts.from_zero).sum())
        claim = _claim(Template.ONCE, text, smt, calls, fresh)
        yield replace(claim, unknown=unknown, untested=not challenged)
    if cells.numeric and several and not challenged:
        for claim in _monotone(cells, calls[~fresh], before[~fresh], left[~fresh]):
            # leaving zero is no growth
            yield replace(claim, unknown=int((~doubts.from_zero).sum()))
    yield from _writers(context, cells, rows, doubts)
    yield from _own_entry(context, cells, rows, doubts)


def _claim(template: Template, text: str, smt: str | None, cases: IntColumn, holds: BoolColumn) -> Invariant:
    return Invariant(scope=CONTRACT_SCOPE, template=template, text=text, smt=smt, cases=cases, holds=holds)


def _constant(context: HistoryContext, cells: Cells, rows: IntColumn) -> Iterator[Invariant]:
    """Yield that a variable without keys keeps the value it was deployed with, if that matters to anyone.

    It may have changed (``rows``) in one transaction: that may be the attack that is looked for.
    """
    changed = cells.invocation[rows]
    if len(np.unique(context.history.invocation_transaction[changed])) > 1:
        return
    touching_calls = np.unique(cells.invocation[~context.is_constructor[cells.invocation]])
    first = cells.value_before[rows[:1]] if len(rows) else cells.value_after[:1]
    if cells.variable.ports or len(touching_calls) < (ONCE if len(rows) else MIN_CASES) or is_zero(first)[0]:
        return
    order = np.argsort(cells.slot, kind="stable")
    slot, left = cells.slot[order], cells.value_after[order]
    is_visible = np.isin(cells.invocation[order][1:], changed)
    if np.any(
        (slot[1:] == slot[:-1]) & ~same(left[1:], left[:-1]) & ~is_visible
    ):  # nobody saw it change, but it did
        return
    doubts = cells.doubts.of(~context.is_constructor[cells.doubts.invocation])
    name = cells.name
    text = f"{name} {UNCHANGED}"
    smt = apply("=", symbol(name, after=True), symbol(name))
    claim = _claim(Template.CONSTANT, text, smt, touching_calls, ~np.isin(touching_calls, changed))
    yield replace(claim, unknown=len(doubts))


def _touched_later(cells: Cells, rows: IntColumn) -> bool:
    """Whether entries that were set are mostly touched again: else nothing could have changed them."""
    first = np.full(int(cells.slot.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, cells.slot[rows], cells.invocation[rows])
    later = np.unique(cells.slot[cells.invocation > first[cells.slot]])
    return 2 * len(later) >= len(np.unique(cells.slot[rows]))


def _monotone(cells: Cells, calls: IntColumn, before: LimbArray, left: LimbArray) -> Iterator[Invariant]:
    if len(calls) < MIN_CASES:  # leaving zero is no growth
        return
    signed = cells.field.kind is ValueKind.INT
    down = less(left, before, signed=signed)
    name = cells.name
    old, new = symbol(name), symbol(name, after=True)
    if len(np.unique(left[:GLANCE], axis=0)) < 3:
        return
    if np.mean(down) < 0.1:
        step = minus(left, before)
        by_one = same(step, np.broadcast_to(integer_limbs([1]), step.shape))
        if np.mean(by_one) > 0.9:
            smt = apply("or", apply("=", new, old), apply("=", new, apply("+", old, "1")))
            yield _claim(Template.MONOTONE, f"{name} {GROWING}", smt, calls, by_one)
        else:
            yield _claim(Template.MONOTONE, f"{name} {RISING}", apply(">=", new, old), calls, ~down)
    elif np.mean(down) > 0.9:
        yield _claim(Template.MONOTONE, f"{name} {FALLING}", apply("<=", new, old), calls, down)


def _writers(
    context: HistoryContext, cells: Cells, rows: IntColumn, doubts: DoubtfulChanges
) -> Iterator[Invariant]:
    """Yield which functions change a variable, though others run that could; all others have run."""
    calls = cells.invocation[rows]
    functions = np.unique(context.calls.function[calls])
    if not 0 < len(functions) <= _FEW_WRITERS or len(calls) < MIN_CASES:
        return
    names = [context.calls.functions[row] for row in functions.tolist()]
    text = f"{cells.name} is changed only by {', '.join(names)}"
    claim = _claim(Template.WRITERS, text, None, calls, np.ones(len(calls), dtype=np.bool_))
    others = doubts.unseen | ~np.isin(context.calls.function[doubts.invocation], functions)
    yield replace(
        claim,
        unknown=int(others.sum()),
        untested=bool(_never_accepted(context) - set(names)),  # whether those change it, no call has shown
    )


def _never_accepted(context: HistoryContext) -> set[str]:
    """Return the functions of the interface that may change storage, and of which no call was accepted."""
    function_numbers = np.unique(context.calls.function[context.history.accepted])
    names = {item.name for item in context.interface.functions.values() if not item.read_only}
    return names - {context.calls.functions[row] for row in function_numbers.tolist() if row >= 0}


def _own_entry(
    context: HistoryContext, cells: Cells, rows: IntColumn, doubts: DoubtfulChanges
) -> Iterator[Invariant]:
    """Yield that calls change only what is kept under the sender's own address.

    A function that never changes the sender's own entry but another's is made for that: no claim holds then.
    """
    if not cells.variable.ports or len(rows) < MIN_CASES:
        return
    history, locations = context.history, context.locations
    calls = cells.invocation[rows]
    functions = context.calls.function[calls]
    key_of = locations.key_table.find(senders(history))
    sender = key_of[history.invocation_sender[calls]]
    writer = key_of[history.invocation_sender[doubts.invocation]]
    for depth in range(len(cells.variable.ports)):
        own = locations.keys[cells.slot[rows], depth] == sender
        if np.mean(own) > 0.8 and np.isin(functions[~own], functions[own]).all():
            keys = ["·"] * len(cells.variable.ports)
            keys[depth] = "k"
            text = f"{cells.variable.text(tuple(keys), cells.field_index)} is changed only by calls of k"
            others = doubts.unseen | (locations.keys[doubts.slot, depth] != writer)
            yield replace(_claim(Template.OWN, text, None, calls, own), unknown=int(others.sum()))
