"""From what a run recorded to the decisions that count, as facts in a normal form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from specminer.decision.call_runs import FunctionRuns
from specminer.decision.paths import Joint, Path, PathCondition, PathStep
from specminer.decision.selectors import selects_only
from specminer.evm.frame import FrameKind
from specminer.evm.taped_instructions import is_precompiled
from specminer.shadow.arena import MASK, UNKNOWN, Arena, operands_of
from specminer.shadow.evaluation import evaluate
from specminer.shadow.record import Decision, ShadowRecord

_TOP_BIT: Final = 1 << 255
_DELEGATING: Final = (FrameKind.DELEGATECALL, FrameKind.CALLCODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReader:
    """Reads the steps of runs over one arena."""

    arena: Arena
    _conditions: dict[tuple[int, bool], PathCondition] = field(default_factory=dict)
    _selecting: dict[int, bool] = field(default_factory=dict)

    def visits(self, record: ShadowRecord) -> tuple[PathStep, ...]:
        """Return the decisions of a run that count, with those that repeat an earlier one."""
        inside, hidden = _calls_inside(record), record.dynamic_frames
        return tuple(
            PathStep(
                fact.condition,
                decision.frame,
                decision.counter,
                position,
                fact.joint,
                (decision.site, fact.part),
                fact.way,
            )
            for position, decision in enumerate(record.decisions)
            if decision.frame not in hidden
            for fact in self._facts(record, decision)
            if not self._left_out(fact.condition.node, inside)
        )

    def found_function(self, record: ShadowRecord) -> bool:
        """Return whether a search for the function's selector ended with one that is equal."""
        return any(
            fact.holds and self.arena.kind(fact.node) == "eq" and self.selects(fact.node)
            for decision in record.decisions
            for fact, *_ in self._facts(record, decision)
            if fact.node != UNKNOWN
        )

    def condition(self, node: int, nonzero: bool) -> PathCondition:
        """Return the fact that a decision upon a node stands for."""
        fact = self._conditions.get((node, nonzero))
        if fact is None:
            fact = self._conditions[node, nonzero] = normal_condition(self.arena, node, nonzero)
        return fact

    def selects(self, node: int) -> bool:
        """Return whether a condition is about nothing but the selector that begins the call's own calldata."""
        is_selecting = self._selecting.get(node)
        if is_selecting is None:
            is_selecting = self._selecting[node] = selects_only(self.arena, node)
        return is_selecting

    def _left_out(self, node: int, inside: frozenset[int]) -> bool:
        if node == UNKNOWN:
            return False
        if node in self.arena.constants:
            return True
        key = self.arena.key(node)
        return (key[0] == "success" and key[1] in inside) or self.selects(node)

    def _facts(self, record: ShadowRecord, decision: Decision) -> Iterator[_Fact]:
        """Yield what a decision says; of truths joined by AND or OR, as far as they matter, one after another."""
        left = [_Fact(self.condition(decision.condition, decision.taken), Joint.ALONE, 0, decision.taken)]
        while left:
            item = left.pop()
            fact = item.condition
            operands = _joined_truths(self.arena, fact.node)
            values = None if operands is None else _truths(record, operands)
            if operands is None or values is None:
                yield item
                continue
            any_suffices = (self.arena.kind(fact.node) == "or") == fact.holds
            agrees = fact.holds in values if any_suffices else (not fact.holds) not in values
            if not agrees:  # a forced decision
                yield item
                continue
            if any_suffices:
                first = values.index(fact.holds)
                operands, values = operands[: first + 1], values[: first + 1]
            joint = Joint.ANY if any_suffices else Joint.ALL
            left += [
                _Fact(self.condition(node, value), joint, 2 * item.part + 1 + second, value)
                for second, (node, value) in reversed([*enumerate(zip(operands, values, strict=True))])
            ]


class _Fact(NamedTuple):
    """A fact that a jump was decided upon."""

    condition: PathCondition
    joint: Joint
    part: int
    """Which of the jump's it is: 0 if it is the only one."""
    way: bool
    """What was decided upon, as a truth."""


def each_once(visits: Iterable[PathStep]) -> tuple[PathStep, ...]:
    """Return the decisions without those that repeat an earlier one."""
    nodes: set[int] = set()
    steps: list[PathStep] = []
    for step in visits:
        node = step.condition.node
        if node not in nodes:
            steps.append(step)
        if node != UNKNOWN:
            nodes.add(node)
    return tuple(steps)


def _joined_truths(arena: Arena, node: int) -> tuple[int, ...] | None:
    """Return the operands of OR, or of AND over truths; ``None`` for other expressions."""
    if node == UNKNOWN or arena.kind(node) not in ("and", "or"):
        return None
    operands = operands_of(arena.key(node))
    joins = arena.kind(node) == "or" or all(arena.bits(item) == 1 for item in operands)
    return operands if joins and not any(item in arena.constants for item in operands) else None


def _truths(record: ShadowRecord, nodes: Sequence[int]) -> list[bool] | None:
    try:
        return [evaluate(record.arena, node, record.inputs) != 0 for node in nodes]
    except KeyError:
        return None


def _calls_inside(record: ShadowRecord) -> frozenset[int]:
    """Return the numbers of the calls that ran as parts of this one, and whose function the code chose."""
    return frozenset(
        call.number
        for call in record.calls
        if not is_precompiled(call.to) and (call.kind in _DELEGATING or call.to == record.contract)
    ).difference(record.dynamic_calls)


def normal_condition(arena: Arena, node: int, nonzero: bool) -> PathCondition:
    """Return a fact in the form that equal facts share.

    Negations around it become part of the fact, differences become equations, and the checks that compilers put around
    a difference become the comparison that they stand for.

    Args:
        arena: holds the nodes.
        node: what a jump was decided upon.
        nonzero: whether it was not zero.

    """
    holds = nonzero
    while node != UNKNOWN:
        kind, *rest = arena.key(node)
        if kind == "iszero":
            node, holds = rest[0], not holds
        elif kind in ("sub", "xor") or (kind == "add" and rest[1] in arena.constants):
            equation = arena.iszero(node)
            if equation is None:  # no value of what is added to makes it zero
                return PathCondition(arena.constant(1), holds)
            if equation == UNKNOWN:
                break
            node, holds = equation, not holds
        elif kind == "eq" and rest[1] in arena.constants and arena.key(rest[0])[0] == "add":
            equation = _move_constant(arena, rest[0], arena.constants[rest[1]])
            if equation is None:
                break
            node = equation
        elif kind == "lt":
            comparison = _restate(arena, rest[0], rest[1])
            if comparison is None:
                break
            node, holds = comparison.node, holds == comparison.holds
        else:
            break
    return PathCondition(node, holds)


def _move_constant(arena: Arena, total: int, value: int) -> int | None:
    """Return that a sum has a value, with its constant on the other side; ``None`` if it has none."""
    key = arena.key(total)
    if key[2] not in arena.constants:
        return None
    node = arena.make("eq", key[1], arena.constant(value - arena.constants[key[2]] & MASK))
    return node or None


def _restate(arena: Arena, left: int, right: int) -> PathCondition | None:
    """Return what ``left < right`` says more simply; ``None`` if nothing."""
    constants = arena.constants
    if constants.get(right) == 1:  # x < 1: x is zero
        return PathCondition(left, False)
    second = arena.key(right)
    if second[0] == "sub" and second[1] == left:  # x < x - y: y is greater than x
        return _compare(arena, left, second[2], True)
    if second[0] == "sub" and left in constants and _fit(arena, constants[left], second[1], second[2]):
        return _compare(arena, second[1], second[2], True)
    if second[0] == "add" and second[1] == left and second[2] in constants:  # x < x - c
        return _compare(arena, left, arena.constant(-constants[second[2]] & MASK), True)
    first = arena.key(left)
    if first[0] == "add" and first[1] == right and constants.get(first[2], 0) & _TOP_BIT:  # x - c < x
        return _compare(arena, right, arena.constant(-constants[first[2]] & MASK), False)
    if first[0] == "sub" and constants.get(first[1]) == MASK:  # max - y < x: the sum overflows
        total = arena.make("add", first[2], right)
        if total and total not in constants:
            return _compare(arena, total, min(first[2], right), True)
    if first[0] == "add" and first[2] not in constants and first[1] < first[2] == right:
        return _compare(arena, left, first[1], True)  # one operand stands for both
    return None


def _fit(arena: Arena, bound: int, *nodes: int) -> bool:
    """Return whether a bound is a mask into which values of these nodes always fit."""
    return bound & (bound + 1) == 0 and all(arena.bits(node) <= bound.bit_length() for node in nodes)


def _compare(arena: Arena, left: int, right: int, holds: bool) -> PathCondition | None:
    node = arena.make("lt", left, right)
    return None if node is None or node == UNKNOWN else PathCondition(node, holds)


def find_paths(runs: FunctionRuns, reader: StepReader) -> tuple[Path, ...]:
    """Return the distinct paths of a function's runs, in the order of their first run."""
    groups: dict[object, list[int]] = {}
    visits_of: list[tuple[PathStep, ...]] = []
    for number, run in enumerate(runs.runs):
        visits = reader.visits(run.record)
        visits_of.append(visits)
        key = (run.halt is None, tuple((step.condition, step.counter) for step in each_once(visits)))
        groups.setdefault(key, []).append(number)
    return tuple(
        Path(
            steps=each_once(visits_of[members[0]]),
            returned=runs.runs[members[0]].halt is None,
            runs=tuple(members),
            visits=visits_of[members[0]],
            found_function=reader.found_function(runs.runs[members[0]].record),
        )
        for members in groups.values()
    )
