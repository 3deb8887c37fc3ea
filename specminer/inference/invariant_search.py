"""All templates over one history; what is a claim, ranked, the most telling first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from specminer._support.scratch import columns_in_files
from specminer.decision.open_ways import OpenWays
from specminer.decoding import HistoryContext
from specminer.inference.effect_templates import InputsByFunction, effects
from specminer.inference.field_changes import UnknownChanges, changes_of_calls, changes_of_transactions
from specminer.inference.invariant_claim import Invariant
from specminer.inference.state_invariants import Moments, orders, preconditions, states
from specminer.inference.totals import find_conserved, totals
from specminer.inference.variable_courses import UNCHANGED, courses
from specminer.interaction import Interactions
from specminer.learning.tuning_result import Tuning
from specminer.specification import Template

RANKED: Final = tuple(Template)
"""Templates in the order in which they are told."""
MANY: Final = 60
"""So many calls have to be accepted before it is told what always held before them; in fewer that is often chance."""
MAX_TOLD: Final = 300
"""Invariants written down at most."""
_KEY: Final = re.compile(r"\[[^\[\]]*\]")
"""A key of an entry, as a claim shows it."""
_CONSTANT: Final = re.compile(r" \d+\)\Z")
"""The end of a term that says that a call leaves a constant, whatever people call that."""
_NAME: Final = re.compile(r"[^\s()!=<>,]+")
"""What may be the name of a field."""


def search(context: HistoryContext, tuning: Tuning, interactions: Interactions) -> list[Invariant]:
    """Return what held, by template and the number of cases.

    Fields are looked at one after another, so that not more than one is held at a time.
    """
    by_text = {
        item.text: columns_in_files(replace(item, cases=item.cases.astype(np.int32)))
        for item in propose(context, tuning, interactions)
        if item.tolerable(context.history) and not _is_chance(item)
    }
    return sorted(
        by_text.values(), key=lambda item: (RANKED.index(item.template), -len(item.cases), item.text)
    )


def _is_chance(item: Invariant) -> bool:
    """Return whether a claim may hold by chance: what was so before few calls, and no code demands it."""
    return item.template is Template.BEFORE and not item.exceptions and len(item.cases) < MANY


def propose(context: HistoryContext, tuning: Tuning, interactions: Interactions) -> Iterator[Invariant]:
    """Yield what may have held, with its cases, before it is known whether it is a claim at all."""
    unknown = UnknownChanges.of(context)
    yield from totals(context, changes_of_transactions(context, unknown))
    inputs = InputsByFunction(context)
    for cells in changes_of_calls(context, unknown):
        yield from find_conserved(context, cells)
        yield from courses(context, cells)
        yield from effects(inputs, cells)
    moments = Moments(tuning, interactions)
    yield from states(moments)
    yield from preconditions(moments)
    yield from orders(moments)


def is_habit(item: Invariant, ways: OpenWays) -> bool:
    """Return whether a claim is about what callers used to do, and no code demands it.

    What always held before a call may be demanded only if the function demands something of the same field.
    """
    if item.template is not Template.BEFORE:
        return False
    event, _, claim = item.text.removeprefix("before ").partition(": ")
    demanded = ways.demanded_fields.get(event.partition(" as ")[0])
    names = set(_NAME.findall(_KEY.sub("[]", claim)))
    return demanded is not None and not names & demanded


def is_open(item: Invariant, ways: OpenWays) -> bool:
    """Return whether the code leaves open that an invariant fails, though it held; a form without a case is not asked.

    Add a case for a new form, unless only the order of calls can break it.
    """
    name, _, writers = item.text.partition(" is changed only by ")
    if item.template is Template.WRITERS:
        return ways.other_writers(name, writers.split(", "))
    if item.template is Template.OWN:
        name = item.text.removesuffix(" is changed only by calls of k")
        return name in ways.foreign_entries or (bool(item.exceptions) and name in ways.signed_entries)
    if item.template is Template.CONSTANT:
        name = item.text.removesuffix(f" {UNCHANGED}")
        return not item.exceptions and (name in ways.settable or ways.other_writers(name, ()))
    if item.template is Template.MONOTONE:
        return item.text in ways.courses or (bool(item.exceptions) and item.text in ways.resets)
    if item.template is Template.EFFECT:
        function, _, equation = item.text.partition(": ")
        target = equation.partition("' = ")[0]
        changed = function, _KEY.sub("[]", target)
        if _CONSTANT.search(item.smt or "") and (
            changed in ways.computed_fields or changed in ways.otherwise
        ):
            return True
        entry = function, target
        return entry in ways.effects or (bool(item.exceptions) and entry in ways.branches)
    return False
