"""Conditions of the code about storage alone, or about storage and the clock: what states are made of.

A condition compares two sums. It is one of these if all that they are made of are variables of storage, as the call
found them, and constants, and perhaps the time or the number of the block on one side. What another contract answers
counts as the clock if it always is that: a governor asks its token what time it is (ERC-6372). Where the code compares
a variable with an amount of the call (``balance < amount``), it matters whether there is anything at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from specminer.decision.algebra import LinearForm, linear_form
from specminer.decision.paths import FunctionDecisions, Maker
from specminer.decision.wording import Wording
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.shadow.arena import MASK, UNKNOWN, Arena, Key

MAX_CONDITIONS: Final = 256
"""Conditions of a history that are looked at, those of the first functions."""
MAX_STORED: Final = 3
"""Variables that one condition may add up."""
FIRST_TIME: Final = 1_000_000_000
"""Unix seconds of 2001: a constant that is compared with the time alone is a date from here on."""
ENOUGH_ANSWERS: Final = 3
"""Answers have to equal the clock so often, and not always the same, to be taken for it."""
NARROWEST: Final = 32
"""Bits of the narrowest type that holds dates."""
_HALF: Final = 1 << 255
_CLOCKS: Final = {"time": "now", "block": "block"}


class ZeroComparison(Enum):
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

    stored_fields: tuple[tuple[StoredField, int], ...]
    """Each with its factor, 1 or -1, in order."""
    clock: str
    """``now`` or ``block``, or nothing."""
    factor: int
    """The clock's: 1 or -1, 0 without one."""
    constant: int
    comparison: ZeroComparison
    constants: tuple[str, ...] = ()
    """Names of what :attr:`constant` is made of, where it has any."""


def state_conditions(followed: Iterable[tuple[FunctionDecisions, Wording]]) -> tuple[StateCondition, ...]:
    """Return the conditions about storage that decided something, or are asked by the code, each once."""
    conditions: dict[StateCondition, None] = {}
    for decisions, wording in followed:
        for node in _decided_conditions(decisions):
            if len(conditions) >= MAX_CONDITIONS:
                return tuple(conditions)
            condition = _read(decisions, wording, node)
            if condition is not None:
                conditions.setdefault(condition)
    return tuple(conditions)


def _decided_conditions(decisions: FunctionDecisions) -> Iterator[int]:
    """Yield the nodes of conditions that the source asks for, and of those that went both ways, each once."""
    ways: dict[int, set[bool]] = {}
    for path in decisions.paths:
        for step in path.steps:
            ways.setdefault(step.condition.node, set()).add(step.condition.holds)
    nodes: dict[int, None] = {}
    for clause in decisions.clauses:
        if clause.maker is Maker.CONTRACT:
            nodes |= dict.fromkeys(item.node for item in clause.conditions)
    nodes |= dict.fromkeys(node for node, outcomes in ways.items() if len(outcomes) > 1)
    yield from (node for node in nodes if node != UNKNOWN)


def _read(decisions: FunctionDecisions, wording: Wording, node: int) -> StateCondition | None:
    arena = decisions.runs.arena
    key = arena.key(node)
    if key[0] in ("lt", "eq"):
        left, right = linear_form(arena, key[1], 256), linear_form(arena, key[2], 256)
        comparison = ZeroComparison.NEGATIVE if key[0] == "lt" else ZeroComparison.ZERO
    else:
        left, right = linear_form(arena, node, 256), LinearForm(256)
        comparison = ZeroComparison.ZERO
    if left is None or right is None:
        return None
    left.add(right, -1)
    condition = _name_condition(decisions, wording, _unpack_sums(arena, left), comparison)
    return _measure_condition(arena, wording, left) if condition is None and key[0] == "lt" else condition


def _measure_condition(arena: Arena, wording: Wording, form: LinearForm) -> StateCondition | None:
    """Return that a variable is zero where it is compared with an argument or with ether that was sent."""
    if len(form.factors) != 2 or form.constant:
        return None
    fields = [field for node in form.factors if (field := stored_field(arena, wording, node)) is not None]
    arguments = [node for node in form.factors if _is_given(arena, node)]
    if len(fields) != 1 or len(arguments) != 1 or sum(form.factors.values()) % (MASK + 1):
        return None
    return StateCondition(
        stored_fields=((fields[0], 1),), clock="", factor=0, constant=0, comparison=ZeroComparison.ZERO
    )


def _is_given(arena: Arena, node: int) -> bool:
    while arena.kind(node) in ("field", "shifted"):
        node = arena.key(node)[1]
    return arena.kind(node) in ("calldata", "value")


def _unpack_sums(arena: Arena, form: LinearForm) -> LinearForm:
    """Return a form in which sums that were cut to a narrow type are sums: dates have room in any type."""
    result = LinearForm(256, constant=form.constant)
    for node, factor in form.factors.items():
        key = arena.key(node)
        inner = linear_form(arena, key[1], 256) if _is_narrow_sum(arena, key) else None
        result.add(inner or LinearForm(256, {node: 1}), factor)
    return result


def _is_narrow_sum(arena: Arena, key: Key) -> bool:
    return bool(key[0] == "field" and not key[2] and key[3] >= NARROWEST and arena.kind(key[1]) == "add")


def _name_condition(
    decisions: FunctionDecisions, wording: Wording, form: LinearForm, comparison: ZeroComparison
) -> StateCondition | None:
    clock, clock_factor = "", 0
    stored: dict[StoredField, int] = {}
    if len(form.factors) > MAX_STORED + 1:
        return None
    for node, factor in form.factors.items():
        times = factor if factor < _HALF else factor - MASK - 1
        if times not in (1, -1):
            return None
        clock_name = _clock(decisions, wording, node)
        if clock_name and not clock:
            clock, clock_factor = clock_name, times
            continue
        field = stored_field(decisions.runs.arena, wording, node)
        if field is None or field in stored:
            return None
        stored[field] = times
    constant = form.constant if form.constant < _HALF else form.constant - MASK - 1
    if not stored and (clock != "now" or abs(constant) < FIRST_TIME):
        return None
    items = tuple(sorted(stored.items()))
    if comparison is ZeroComparison.ZERO and (clock_factor or items[0][1]) < 0:  # one of both forms
        items = tuple((field, -times) for field, times in items)
        clock_factor, constant = -clock_factor, -constant
    name = wording.names.constants.name(abs(constant), ValueKind.UINT)
    return StateCondition(
        stored_fields=items,
        clock=clock,
        factor=clock_factor,
        constant=constant,
        comparison=comparison,
        constants=() if name is None else (name,),
    )


def _clock(decisions: FunctionDecisions, wording: Wording, node: int) -> str:
    """Return which clock a node is: ``now`` or ``block``; nothing if it is something else."""
    arena = decisions.runs.arena
    inner = node
    while arena.kind(inner) == "field" and not arena.key(inner)[2]:  # a narrower type
        inner = arena.key(inner)[1]
    kind = arena.kind(inner)
    if kind in _CLOCKS:
        return _CLOCKS[kind]
    if kind != "answer":
        return ""
    history = wording.names.history
    answers = [
        (value, int(history.invocation_transaction[run.invocation]))
        for value, run in zip(wording.column(node), decisions.runs.runs, strict=True)
        if value is not None
    ]
    if len(answers) < ENOUGH_ANSWERS or len({value for value, _ in answers}) < 2:
        return ""
    for name, column in (("now", history.transaction_time), ("block", history.transaction_block)):
        if all(value == int(column[row]) for value, row in answers):
            return name
    return ""


def stored_field(arena: Arena, wording: Wording, node: int) -> StoredField | None:
    """Return the field that a node is, as the call found it; ``None`` if it is something else."""
    inner = node
    while arena.kind(inner) in ("field", "shifted"):
        inner = arena.key(inner)[1]
    key = arena.key(inner)
    if key[0] != "storage" or key[2]:
        return None
    term = wording.term(node)
    return None if term.variable == MISSING or term.cut else StoredField(term.variable, term.field)
