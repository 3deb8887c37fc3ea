"""Conditions of the code about storage alone, or about storage and the clock: what states are made of.

A condition compares two sums. It is one of these if all that they are made of are variables of storage, as the call
found them, and constants, and perhaps the time or the number of the block on one side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from specminer.decision.algebra import LinearForm, linear_form
from specminer.decision.paths import FunctionDecisions, Maker
from specminer.decision.wording import Wording
from specminer.evm.shadow.arena import MASK, UNKNOWN, Arena
from specminer.history import MISSING

MAX_CONDITIONS: Final = 256
"""Conditions of a history that are looked at, those of the first functions."""
MAX_STORED: Final = 3
"""Variables that one condition may add up."""
_HALF: Final = 1 << 255
_CLOCKS: Final = {"time": "now", "block": "block"}


class Comparison(Enum):
    """How what a condition adds up compares with zero."""

    ZERO = "="
    NEGATIVE = "<"


class StoredField(NamedTuple):
    """A field of a variable."""

    variable: int
    """Row in ``Locations.variables``."""
    field: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCondition:
    """A sum of variables, the clock and a constant, compared with zero; equal conditions are equal.

    Which way it goes is left open: the opposite is the same condition.
    """

    stored: tuple[tuple[StoredField, int], ...]
    """Each with its factor, 1 or -1, in order."""
    clock: str
    """``now`` or ``block``, or nothing."""
    factor: int
    """The clock's: 1 or -1, 0 without one."""
    constant: int
    comparison: Comparison


def state_conditions(followed: Iterable[tuple[FunctionDecisions, Wording]]) -> tuple[StateCondition, ...]:
    """Return the conditions about storage that decided something, or are asked by the code, each once."""
    found: dict[StateCondition, None] = {}
    for decisions, wording in followed:
        for node in _decided(decisions):
            if len(found) >= MAX_CONDITIONS:
                return tuple(found)
            condition = _read(decisions.runs.arena, wording, node)
            if condition is not None:
                found.setdefault(condition)
    return tuple(found)


def _decided(decisions: FunctionDecisions) -> Iterator[int]:
    """Yield the nodes of conditions that the source asks for, and of those that went both ways, each once."""
    ways: dict[int, set[bool]] = {}
    for path in decisions.paths:
        for step in path.steps:
            ways.setdefault(step.condition.node, set()).add(step.condition.holds)
    asked: dict[int, None] = {}
    for clause in decisions.clauses:
        if clause.maker is Maker.CONTRACT:
            asked |= dict.fromkeys(item.node for item in clause.conditions)
    asked |= dict.fromkeys(node for node, held in ways.items() if len(held) > 1)
    yield from (node for node in asked if node != UNKNOWN)


def _read(arena: Arena, wording: Wording, node: int) -> StateCondition | None:
    key = arena.key(node)
    if key[0] in ("lt", "eq"):
        left, right = linear_form(arena, key[1], 256), linear_form(arena, key[2], 256)
        comparison = Comparison.NEGATIVE if key[0] == "lt" else Comparison.ZERO
    else:
        left, right = linear_form(arena, node, 256), LinearForm(256)
        comparison = Comparison.ZERO
    if left is None or right is None:
        return None
    left.add(right, -1)
    return _named(arena, wording, left, comparison)


def _named(arena: Arena, wording: Wording, form: LinearForm, comparison: Comparison) -> StateCondition | None:
    clock, clocked = "", 0
    stored: dict[StoredField, int] = {}
    if len(form.factors) > MAX_STORED + 1:
        return None
    for node, factor in form.factors.items():
        times = factor if factor < _HALF else factor - MASK - 1
        if times not in (1, -1):
            return None
        kind = arena.kind(node)
        if kind in _CLOCKS and not clock:
            clock, clocked = _CLOCKS[kind], times
            continue
        place = _stored(arena, wording, node)
        if place is None or place in stored:
            return None
        stored[place] = times
    constant = form.constant if form.constant < _HALF else form.constant - MASK - 1
    if not stored:
        return None
    items = tuple(sorted(stored.items()))
    if comparison is Comparison.ZERO and (clocked or items[0][1]) < 0:  # one of both forms
        items = tuple((place, -times) for place, times in items)
        clocked, constant = -clocked, -constant
    return StateCondition(stored=items, clock=clock, factor=clocked, constant=constant, comparison=comparison)


def _stored(arena: Arena, wording: Wording, node: int) -> StoredField | None:
    """Return the field that a node is, as the call found it; ``None`` if it is something else."""
    inner = node
    while arena.kind(inner) in ("field", "shifted"):
        inner = arena.key(inner)[1]
    key = arena.key(inner)
    if key[0] != "storage" or key[2]:
        return None
    term = wording.term(node)
    return None if term.variable == MISSING or term.cut else StoredField(term.variable, term.field)
