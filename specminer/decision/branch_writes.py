"""What branches of the code leave open that need not be as it was, by the variables that they write to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from specminer.decision.branch_exploring import BranchWay, FunctionBranches
from specminer.decision.context_names import names_of
from specminer.decision.function_writes import FunctionWrites
from specminer.decision.open_ways import CourseReader, FieldChange, OpenWays
from specminer.decision.paths import PathStep, Site
from specminer.decision.sites import facts_of
from specminer.decision.slot_paths import MappingKey, SlotShape, slot_path, slot_shape
from specminer.decision.writes import SlotLeft, field_left
from specminer.decoding import HistoryContext
from specminer.history.contract_history import MISSING
from specminer.shadow.arena import UNKNOWN, Arena

_SENDERS: Final = ("sender", "origin")


@dataclass(slots=True)
class SlotVariables:
    """The variables of a history, by how the code computes their slots."""

    context: HistoryContext
    key_last: bool
    _rows: dict[SlotShape, int]

    @classmethod
    def of(cls, context: HistoryContext, written: Iterable[tuple[Arena, FunctionWrites]]) -> SlotVariables:
        """Learn the shapes of the slots that accepted calls wrote to; expressions of each are in its arena."""
        slot_variables = cls(context, names_of(context).key_last, {})
        for arena, writes in written:
            for slots in writes.slots.values():
                for slot in slots:
                    shape = slot_variables._shape(arena, slot)
                    _, row = writes.terms.variable(slot.slot_place)
                    if shape is not None and row != MISSING:
                        slot_variables._rows.setdefault(shape, row)
        return slot_variables

    def row(self, arena: Arena, slot: SlotLeft) -> int:
        """Return the row of the variable that a slot belongs to, or ``MISSING``."""
        shape = self._shape(arena, slot)
        if shape is None:
            return MISSING
        if shape.mappings or shape in self._rows:
            return self._rows.get(shape, MISSING)
        row = names_of(self.context).row(0, shape.root)
        return MISSING if row == MISSING else int(self.context.locations.variable[row])

    def _shape(self, arena: Arena, slot: SlotLeft) -> SlotShape | None:
        if slot.slot_place.node is None:
            return SlotShape(slot.slot_place.slot, (), 0)
        return slot_shape(arena, slot.slot_place.node, key_last=self.key_last)


Branches = frozenset[tuple[Site, int, bool]]
"""Which way calls left which conditional jumps."""


def branches_of(steps: Iterable[PathStep]) -> Branches:
    """Return the branches of paths."""
    return frozenset((step.site, step.counter, step.way) for step in steps)


def take_in_branches(
    ways: OpenWays, function: FunctionBranches, variables: SlotVariables, branches: Branches = frozenset()
) -> None:
    """Take in what the branches of a function leave open.

    Args:
        ways: what is known of other functions.
        function: what its code can write.
        variables: those of the history.
        branches: those that its accepted calls took. What these found in storage tells more than the code of a
            way on which there are no others.

    """
    reader = CourseReader(function.arena)
    for way in function.ways:
        if branches_of(way.steps) <= branches:
            continue
        facts = facts_of(way.steps)
        for slot in way.slots:
            row = variables.row(function.arena, slot)
            if row == MISSING:
                continue
            ways.foreign_entries |= set(_entries_of_others(function.arena, way, slot, row, variables))
            for change in _changes(function.arena, slot, row, facts, variables):
                constant = function.arena.constants.get(change.new)
                if constant is not None and (change.name, constant) in ways.restored_fields:
                    continue
                entry = function.name, change.name
                if constant is not None and constant not in ways.constants.get(entry, ()):
                    ways.otherwise.add(entry)
                ways.writers.setdefault(change.name, set()).add(function.name)
                if reader.is_told(change) or reader.is_chosen(change, facts):
                    ways.courses |= set(reader.broken(change, facts))


def _changes(
    arena: Arena, slot: SlotLeft, row: int, facts: Mapping[int, bool], variables: SlotVariables
) -> Iterator[FieldChange]:
    """Yield the fields that are written."""
    if slot.before_node and arena.kind(slot.before_node) == "storage":
        word = slot.before_node
    else:  # the code need not have looked
        slot_place = slot.slot_place
        word = arena.node(
            "storage", arena.constant(slot_place.slot) if slot_place.node is None else slot_place.node, 0
        )
    variable = variables.context.locations.variables[row]
    for position, field in enumerate(variable.fields):
        item = field_left(arena, slot, field.shift, field.width)
        old = UNKNOWN if item is None else arena.field(word, item.shift, item.bits) or UNKNOWN
        if item is not None and old != UNKNOWN:
            new = arena.constant(item.value) if item.node is None else item.node
            if new not in (UNKNOWN, old):
                fresh = facts.get(old) is False
                yield FieldChange(variable.text(None, position), old, new, item.bits, fresh)


def _entries_of_others(
    arena: Arena, way: BranchWay, slot: SlotLeft, row: int, variables: SlotVariables
) -> Iterator[str]:
    """Yield how the entry is called in claims that only its own account changes it, where another may."""
    variable = variables.context.locations.variables[row]
    path = None
    if slot.slot_place.node is not None:
        path = slot_path(arena, slot.slot_place.node, key_last=variables.key_last)
    if path is None or len(path.steps) != len(variable.ports):
        return
    for depth, step in enumerate(path.steps):
        if isinstance(step, MappingKey) and len(step.parts) == 1:
            key = step.parts[0][0]
            if arena.kind(key) not in _SENDERS and not _is_senders(arena, key, way):
                keys = tuple("k" if key_depth == depth else "·" for key_depth in range(len(variable.ports)))
                for position in range(len(variable.fields)):
                    yield variable.text(keys, position)


def _is_senders(arena: Arena, key: int, way: BranchWay) -> bool:
    """Return whether a call decided that a key is the sender."""
    return any(
        step.condition.holds
        and arena.kind(step.condition.node) == "eq"
        and key in (operands := arena.key(step.condition.node)[1:3])
        and any(arena.kind(item) in _SENDERS for item in operands)
        for step in way.steps
        if step.condition.node
    )
