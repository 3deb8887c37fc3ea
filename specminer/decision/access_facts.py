"""What the code shows of single accesses: which reads decide, which writes count, which keys calls compute themselves.

Each is told of the accesses of executed calls, and of all calls that took the same path: what they access is recorded
in order, so the n-th access of one is the n-th access of the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from specminer.decision.algebra import LinearForm, linear_form
from specminer.decision.call_runs import CallRun, FunctionRuns
from specminer.decision.checks import shape_of
from specminer.decision.context_names import names_of
from specminer.decision.paths import Check, PathCondition
from specminer.decision.slot_paths import MappingKey, slot_path
from specminer.decision.steps import StepReader, find_paths
from specminer.decision.writes import SlotLeft, slots_left
from specminer.decoding.history_context import HistoryContext
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.shadow.arena import UNKNOWN, Arena
from specminer.shadow.record import SlotEffect

MAX_SLOTS: Final = 128
"""Slots that one call writes to of which it is told whether it counts in them."""
_CHECKS: Final = (Check.OWN, Check.ARITHMETIC)
"""What conditions are for that may depend on a state; a subtraction that must not wrap asks for a balance."""
_CALL_VALUES: Final = frozenset({"calldata", "sender", "origin", "value"})
"""What a call brings along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedKeys:
    """Keys of storage that calls of one function compute from nothing but what they are given: hashes of arguments."""

    function: int
    """Position in ``Calls.functions``."""
    depth: int
    """Key position."""
    access: IntColumn
    """Rows of the accesses under such keys, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFacts:
    """What the code shows of the ``a`` accesses of a history of ``n`` invocations."""

    is_followed: BoolColumn
    """Which invocations were executed, or took the path of one that was; shape (n,)."""
    is_deciding: BoolColumn
    """Reads upon whose value a condition depends that rejected some calls, and let others pass; shape (a,)."""
    is_computed: BoolColumn
    """Writes that lasted, the last of their call to the slot, of which is known what they compute; shape (a,)."""
    is_counting: BoolColumn
    """Of those the ones that add something to what was there, or take it away: ``x' = x - amount``, where the amount
    does not depend on ``x``, or something else changes by the same, as a total does; shape (a,)."""
    keys: tuple[ComputedKeys, ...]

    def covers(self, invocations: IntColumn) -> float:
        """Return the share of some invocations that were followed; 0 of none."""
        return float(np.mean(self.is_followed[invocations])) if len(invocations) else 0.0


def access_facts(context: HistoryContext, runs: Sequence[FunctionRuns]) -> AccessFacts:
    """Find out what the code shows of accesses.

    Args:
        context: the history.
        runs: its calls, executed alone.

    """
    history = context.history
    followed = np.zeros(len(history), dtype=np.bool_)
    columns = {
        name: np.zeros(len(history.access_slot), np.bool_)
        for name in ("is_deciding", "is_computed", "is_counting")
    }
    keys: dict[tuple[int, int], list[IntColumn]] = defaultdict(list)
    for item in runs:
        contested = _contested_conditions(item)
        invocations = _invocations(item)
        for number, run in enumerate(item.runs):
            rows = invocations[number]
            followed[rows] = True
            reader = _RunReader(context, run)
            first = np.searchsorted(history.access_invocation, rows.astype(history.access_invocation.dtype))
            last_writes, counting = reader.last_writes()
            run_accesses = {
                "is_deciding": reader.deciding(contested[number]),
                "is_computed": last_writes,
                "is_counting": counting,
            }
            for name, accesses in run_accesses.items():
                columns[name][_at(first, accesses)] = True
            for depth, accesses in reader.computed_keys().items():
                keys[item.function, depth].append(_at(first, accesses))
    return AccessFacts(
        is_followed=followed,
        keys=tuple(
            ComputedKeys(function=function, depth=depth, access=np.unique(np.concatenate(rows)))
            for (function, depth), rows in sorted(keys.items())
        ),
        **columns,
    )


def _at(first: IntColumn, accesses: Sequence[int]) -> IntColumn:
    """Return the rows of numbered accesses of calls whose accesses begin at ``first``."""
    rows: IntColumn = (first[:, None] + np.array(accesses, dtype=np.int64)[None, :]).ravel()
    return rows


def _contested_conditions(runs: FunctionRuns) -> Mapping[int, frozenset[int]]:
    """Return for each run the conditions that it met and that rejected some call, but not all.

    A rejected call is rejected by the last condition that an accepted call decided otherwise.
    """
    paths = find_paths(runs, StepReader(arena=runs.arena))
    passed = {step.condition for path in paths if path.returned for step in path.steps}
    contested: set[int] = set()
    for path in paths:
        turned_back = (step.condition for step in reversed(path.steps) if step.condition.negation in passed)
        last = None if path.returned else next(turned_back, None)
        if last is not None and last.node != UNKNOWN and _asks_for_state(runs.arena, last):
            contested.add(last.node)
    contested_of_run: dict[int, frozenset[int]] = {}
    for path in paths:
        conditions = frozenset(step.condition.node for step in path.steps) & contested
        contested_of_run |= dict.fromkeys(path.runs, conditions)
    return contested_of_run


def _asks_for_state(arena: Arena, rejected: PathCondition) -> bool:
    """Return whether a condition that rejected a call may have asked for a state; who is to call is none."""
    if shape_of(arena, rejected.negation) not in _CHECKS:
        return False
    key = arena.key(rejected.node)
    return not (key[0] == "eq" and "sender" in (arena.kind(key[1]), arena.kind(key[2])))


def _invocations(runs: FunctionRuns) -> list[IntColumn]:
    """Return for each run its invocation and those that took its path."""
    order = np.argsort(runs.matched_run, kind="stable")
    run_numbers = runs.matched_run[order]
    invocations = []
    for number, run in enumerate(runs.runs):
        low, high = np.searchsorted(run_numbers, [number, number + 1])
        invocations.append(np.r_[run.invocation, runs.matched_rows[order[low:high]]].astype(np.int64))
    return invocations


class _RunReader:
    """Reads what one run shows of its accesses, by their numbers in it."""

    def __init__(self, context: HistoryContext, run: CallRun) -> None:
        history = context.history
        self._context = context
        self._record = run.record
        self._arena: Arena = run.record.arena
        self._accesses = history.accesses(run.invocation)
        written = np.flatnonzero(history.access_write[self._accesses])
        whole = not run.record.is_truncated and len(written) == len(run.record.writes)
        self._writes: list[tuple[SlotEffect, int]] = (
            list(zip(run.record.writes, written.tolist(), strict=True)) if whole else []
        )
        """The writes with their numbers; none where these cannot be told."""

    def deciding(self, conditions: Iterable[int]) -> list[int]:
        """Return the reads upon whose values some conditions depend; what the call wrote itself is none of them."""
        arena, read_at = self._arena, self._record.read_at
        sources = {item for node in conditions for item in arena.sources(node)}
        return sorted({read_at[item] for item in sources if item in read_at and _is_found(arena, item)})

    def last_writes(self) -> tuple[list[int], list[int]]:
        """Return the last write of each slot, where it lasted, and which of these count."""
        if not self._writes:
            return [], []
        last = {effect.slot: access for effect, access in self._writes if not effect.undone}
        slots, _ = slots_left(self._record, MAX_SLOTS)
        moves = [_moves(self._arena, item) for item in slots]
        amounts = Counter(item.amount for move in moves for item in move if item.amount is not None)
        counting = [
            last[item.slot]
            for item, move in zip(slots, moves, strict=True)
            if move and all(part.counts or amounts[part.amount] > 1 for part in move)
        ]
        return [last[item.slot] for item in slots], counting

    def computed_keys(self) -> dict[int, list[int]]:
        """Return accesses under keys that the call computes from what it is given, by the key's position."""
        accesses: dict[int, list[int]] = defaultdict(list)
        slots = [(self._arena.key(node)[1], access) for node, access in self._record.read_at.items()]
        slots += [(effect.slot_node, access) for effect, access in self._writes]
        for node, access in slots:
            for depth in self._computed_keys(node, access):
                accesses[depth].append(access)
        return accesses

    def _computed_keys(self, slot: int | None, access: int) -> Iterator[int]:
        """Yield the positions of the keys of a slot that are computed from what the call is given."""
        row = self._accesses.start + access
        if not slot or slot in self._arena.constants or row >= self._accesses.stop:
            return
        context = self._context
        ports = context.locations.port[context.accesses.slot[context.accesses.touch[row]]]
        depths = np.flatnonzero(ports != MISSING).tolist()
        path = slot_path(self._arena, slot, key_last=names_of(context).key_last)
        if path is None or len(path.steps) != len(depths):
            return
        for depth, step in zip(depths, path.steps, strict=True):
            if isinstance(step, MappingKey) and _is_computed(self._arena, step):
                yield depth


def _is_found(arena: Arena, node: int) -> bool:
    """Return whether a node is what storage held before the call wrote there."""
    key = arena.key(node)
    return bool(key[0] == "storage" and not key[2])


class _Move(NamedTuple):
    """How a call changes a field by an amount."""

    counts: bool
    """Whether it adds something that does not depend on what was there."""
    amount: object | None
    """What it adds or takes away: the same for whatever changes by as much; ``None`` for what sets a value, and for
    constants, by which many things change."""


_SETS: Final = _Move(counts=False, amount=None)


def _moves(arena: Arena, slot: SlotLeft) -> list[_Move]:
    """Return how a call changes the fields of a slot that it writes."""
    word_before = slot.before_node or UNKNOWN
    return [
        _move(arena, arena.field(word_before, item.shift, item.bits), item.node, item.bits)
        for item in slot.fields
    ]


def _move(arena: Arena, before: int | None, after: int | None, bits: int) -> _Move:
    if not before or not after:
        return _SETS
    form_before, left = linear_form(arena, before, bits), linear_form(arena, after, bits)
    if form_before is None or left is None or len(form_before.factors) != 1:
        return _SETS
    ((old, _),) = form_before.factors.items()
    if left.factors.get(old) != 1:
        return _SETS
    left.add(form_before, -1)
    stored = arena.sources(before)
    counts = all(stored.isdisjoint(arena.sources(node)) for node in left.factors)
    opposite = LinearForm(bits)
    opposite.add(left, -1)
    amount = frozenset((frozenset(form.factors.items()), form.constant) for form in (left, opposite))
    return _Move(counts=counts, amount=(amount, bits) if left.factors else None)


def _is_computed(arena: Arena, step: MappingKey) -> bool:
    """Return whether a key is a hash of what the call is given; what is given as it is names it anyway."""
    nodes = {node for node, _, _ in step.parts}
    if not any(arena.kind(item) == "keccak" for node in nodes for item in arena.below(node)):
        return False
    kinds = {arena.kind(item) for node in nodes for item in arena.sources(node)}
    return bool(kinds) and kinds <= _CALL_VALUES
