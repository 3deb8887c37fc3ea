"""Relations between totals and their parts: ``total = sum of accounts[].balance``.

A total changes, in each transaction, by exactly what its parts together change by. Parts are all entries of a
mapping, or those behind one key; what is summed up is their value, or 1 for each that is not zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.parts import spans_of_groups
from specminer._support.scratch import ColumnWriter, columns_in_files
from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.inference.field_changes import Cells
from specminer.inference.invariant_claim import MIN_CASES, Invariant
from specminer.inference.limb_arithmetic import differences, is_zero, pack_sums, sum_groups
from specminer.predicate.syntax import apply, symbol
from specminer.specification import CONTRACT_SCOPE, Template, function_scope

GLANCE: Final = 256
"""So many changes of a pair are compared before all are."""
LIKELY: Final = 0.8
"""A pair that differs in more of them is dropped."""
MAX_TOTALS: Final = 64
"""Totals, and kinds of parts, that are compared at most: those that change most often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a quantity changes, transaction by transaction, where it does."""

    name: str
    """What it is called on either side of an equation."""
    smt: str
    variable_name: str
    """The name of the variable itself."""
    similarity_key: tuple[object, ...]
    """Parts that have this in common and are as good tell the same: fields that are set together."""
    group: IntColumn
    """Transaction, contract and, for parts behind one key, that key, as one number; ascending."""
    change: npt.NDArray[np.uint32]
    """As :func:`pack_sums` returns it: only whether changes are equal counts."""
    invocation: IntColumn
    """The first invocation that touched it there."""
    doubtful: IntColumn
    """The groups in which it may have changed by nobody knows how much; ascending, and none of ``group``."""
    unseen_count: int
    """How often somebody unseen changed it."""


def totals(context: HistoryContext, cells: Iterable[Cells]) -> Iterator[Invariant]:
    """Find the variables that are sums or counts of others; ``cells`` are those of transactions.

    Those with fewer keys come first, so that of parts only those are held that a total seems to follow.
    """
    deep = any(len(variable.ports) > 1 for variable in context.locations.variables)
    scalars: list[Course] = []
    parts: list[Course] = []
    entries: list[Course] = []
    inner: list[Course] = []
    for item in cells:
        depth = len(item.variable.ports)
        if not depth and item.numeric:
            scalars.append(_course(context, item, counted=False, keyed=False))
        for counted in (False, True) if depth else ():
            if (counted or item.numeric) and scalars:
                parts += _follow(scalars, _course(context, item, counted=counted, keyed=False))
            if (counted or item.numeric) and depth > 1 and entries:
                inner += _follow(entries, _course(context, item, counted=counted, keyed=True))
        if depth == 1 and item.numeric and deep:
            entries.append(_course(context, item, counted=False, keyed=True))
    for total in _largest(scalars):
        yield from _equal(total, _largest(parts), context)
    for total in _largest(entries) if inner else ():
        yield from _equal(total, _largest(inner), context)


def _follow(totals_: list[Course], part: Course) -> list[Course]:
    """Return a part if one of the totals seems to follow it."""
    return [part] if any(_are_related(total, part) for total in totals_) else []


def _largest(courses: list[Course]) -> list[Course]:
    changing = [item for item in courses if len(item.group) >= MIN_CASES]
    ranked = sorted(range(len(changing)), key=lambda row: (-len(changing[row].group), row))[:MAX_TOTALS]
    return [changing[row] for row in sorted(ranked)]


def _course(context: HistoryContext, cells: Cells, *, counted: bool, keyed: bool) -> Course:
    """Sum up what a field's entries change by, transaction by transaction."""
    moved = cells.changed
    if counted:
        moved = moved & (is_zero(cells.value_after) != is_zero(cells.value_before))
    rows = np.flatnonzero(moved)
    entry = _entry_numbers(context, cells.invocation[rows], cells.slot[rows], keyed=keyed)
    if np.any(entry[1:] < entry[:-1]):
        order = np.argsort(entry, kind="stable")
        rows, entry = rows[order], entry[order]
    doubts = cells.doubts.by_calls
    doubtful = np.unique(_entry_numbers(context, doubts.invocation, doubts.slot, keyed=keyed))
    group, change, first = _sums(cells, rows, entry, doubtful, counted=counted)
    key = ("k",) if keyed else None
    texts = cells.variable.text(key, cells.field_index)
    name, smt = texts, symbol(texts)
    if cells.variable.ports and (not keyed or len(cells.variable.ports) > 1):
        name = f"the number of {texts} that are not zero" if counted else f"the sum of {texts}"
        smt = symbol(f"{'count' if counted else 'sum'} {texts}")
    course = Course(
        name=name,
        smt=smt,
        variable_name=cells.name,
        similarity_key=(cells.variable.ports, counted),
        group=group,
        change=change,
        invocation=first,
        doubtful=doubtful,
        unseen_count=int(cells.doubts.unseen.sum()),
    )
    return columns_in_files(course)


def _sums(
    cells: Cells, rows: IntColumn, entry: IntColumn, doubtful: IntColumn, *, counted: bool
) -> tuple[IntColumn, npt.NDArray[np.uint32], IntColumn]:
    """Return the entries that changed, ascending, by how much, and the first call of each; doubtful ones are left out.

    ``entry`` is that of each row, ascending. Worked on in parts: a sum is of one entry.
    """
    groups, changes, calls = ColumnWriter(), ColumnWriter(), ColumnWriter()
    for span in spans_of_groups(entry):
        left, before = cells.value_after[rows[span]], cells.value_before[rows[span]]
        if counted:
            change = np.zeros((len(left), 8), dtype=np.int64)
            change[:, 7] = (~is_zero(left)).astype(np.int64) - (~is_zero(before))
        else:
            change = differences(left, before)
        group, total = sum_groups(change, entry[span])
        first = np.minimum.reduceat(cells.invocation[rows[span]], np.searchsorted(entry[span], group))
        settled = total.any(axis=1) & ~np.isin(group, doubtful)
        groups.append(group[settled].tobytes())
        changes.append(pack_sums(total[settled]).tobytes())
        calls.append(first[settled].tobytes())
    packed = changes.column(np.uint32).reshape(-1, 9)
    return groups.column(entry.dtype), packed, calls.column(cells.invocation.dtype)


def _entry_numbers(context: HistoryContext, calls: IntColumn, slot: IntColumn, *, keyed: bool) -> IntColumn:
    """Return transaction, contract and, if ``keyed``, the first key of some slots that calls touch, as one number."""
    history = context.history
    number = (
        history.invocation_transaction[calls] * len(history.contracts) + history.invocation_contract[calls]
    )
    return number * len(context.locations.key_table) + context.locations.keys[slot, 0] if keyed else number


def _equal(total: Course, parts: list[Course], context: HistoryContext) -> Iterator[Invariant]:
    """Yield the parts that a total follows, of parts that tell the same the best."""
    best: dict[tuple[object, ...], Invariant] = {}
    for part in parts:
        if not _are_related(total, part):
            continue
        claim = _relation(total, part, created=context.has_creations)
        best_claim = best.get(part.similarity_key)
        if best_claim is None or claim.exceptions < best_claim.exceptions:
            best[part.similarity_key] = claim
    yield from best.values()


def _relation(total: Course, part: Course, *, created: bool) -> Invariant:
    at = np.minimum(np.searchsorted(part.group, total.group), len(part.group) - 1)
    equal = (part.group[at] == total.group) & (part.change[at] == total.change).all(axis=1)
    is_known = ~np.isin(total.group, part.doubtful)
    alone = ~np.isin(part.group, total.group) & ~np.isin(part.group, total.doubtful)
    cases = np.concatenate([total.invocation[is_known], part.invocation[alone]])
    holds = np.concatenate([equal[is_known], np.zeros(int(alone.sum()), dtype=np.bool_)])
    unknown = len(np.union1d(total.doubtful, part.doubtful)) + total.unseen_count + part.unseen_count
    order = np.argsort(cases, kind="stable")
    return Invariant(
        scope=CONTRACT_SCOPE,
        template=Template.TOTAL,
        text=f"{total.name} {'=' if created else 'changes by exactly what changes in'} {part.name}",
        smt=apply("=", total.smt, part.smt) if created else None,
        cases=cases[order],
        holds=holds[order],
        unknown=unknown,
    )


def _are_related(total: Course, part: Course) -> bool:
    """Whether a glance shows that two quantities may change alike."""
    enough = min(len(total.group), len(part.group)) >= MIN_CASES
    return (
        enough and part.variable_name != total.variable_name and _likely(total, part) and _likely(part, total)
    )


def _likely(one: Course, other: Course) -> bool:
    """Whether a glance at some of one's changes shows mostly the same in another."""
    rows = np.unique(np.linspace(0, len(one.group) - 1, min(GLANCE, len(one.group))).astype(np.int64))
    rows = rows[~np.isin(one.group[rows], other.doubtful)]
    if not len(rows):
        return False
    at = np.minimum(np.searchsorted(other.group, one.group[rows]), len(other.group) - 1)
    equal = (other.group[at] == one.group[rows]) & (other.change[at] == one.change[rows]).all(axis=1)
    return bool(np.mean(equal) >= LIKELY)


def find_conserved(context: HistoryContext, cells: Cells) -> Iterator[Invariant]:
    """Find the functions whose calls move amounts between the entries of a mapping and keep their sum."""
    if not cells.variable.ports or not cells.numeric:
        return
    rows = np.flatnonzero(cells.changed)
    calls, call_index, entries = np.unique(cells.invocation[rows], return_inverse=True, return_counts=True)
    doubtful = np.unique(cells.doubts.by_calls.invocation)
    doubtful = doubtful[~_with_children(context)[doubtful]]
    nested = _with_children(context)[calls] | np.isin(calls, doubtful)
    function = context.calls.function[calls]
    for number in np.unique(function).tolist():
        of_function = (function == number) & ~nested
        several = of_function & (entries > 1)
        if several.sum() < MIN_CASES or several.sum() < 0.9 * of_function.sum():
            continue
        own = rows[of_function[call_index.ravel()]]
        _, change = sum_groups(
            differences(cells.value_after[own], cells.value_before[own]), cells.invocation[own]
        )
        is_conserved: BoolColumn = np.asarray(~change.any(axis=1))
        name = context.calls.functions[number]
        yield Invariant(
            scope=function_scope(name),
            template=Template.CONSERVED,
            text=f"{name} keeps the sum of {cells.name}",
            smt=apply("=", symbol(f"sum {cells.name}", after=True), symbol(f"sum {cells.name}")),
            cases=calls[of_function],
            holds=is_conserved,
            unknown=int((context.calls.function[doubtful] == number).sum()),
        )


def _with_children(context: HistoryContext) -> BoolColumn:
    """Return which invocations enclose others, whose changes are among theirs."""
    parents = context.history.invocation_parent
    has_children = np.zeros(len(context.history), dtype=np.bool_)
    has_children[parents[parents != MISSING]] = True
    return has_children
