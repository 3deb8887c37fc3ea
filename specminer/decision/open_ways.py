"""What the code leaves open, so that it need not stay as it was: untried ways, and values that callers choose.

An observation that some way through the code breaks is chance, though no call has gone that way. What is looked for are
the writes of such ways, as far as forced runs met them, and writes of what a caller or another contract says, without a
look at what was there before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from specminer.decision.algebra import Bounds, is_positive, linear_form
from specminer.decision.answer_terms import SIGNER
from specminer.decision.effect_terms import EffectTerms
from specminer.decision.function_writes import FunctionWrites
from specminer.decision.paths import FunctionDecisions
from specminer.decision.sites import facts_of
from specminer.decision.wording import Wording
from specminer.decision.writes import SlotLeft
from specminer.decoding.location_columns import StorageVariable
from specminer.history.contract_history import MISSING
from specminer.shadow.arena import UNKNOWN, Arena

GROWING: Final = "changes only by growing by 1"
RISING: Final = "never decreases"
FALLING: Final = "never increases"
CALLER_VALUES: Final = frozenset({"calldata", "value", "answer"})
"""Sources that a caller or another contract chooses."""


@dataclass(slots=True)
class OpenWays:
    """What the code of all functions leaves open; names are those of fields, with empty brackets."""

    writers: dict[str, set[str]] = field(default_factory=dict)
    """By field: the functions with a way that nobody took and that writes it."""
    settable: set[str] = field(default_factory=set)
    """Fields that accepted calls set to what need not be what was there, though it may have been."""
    restored_fields: set[tuple[str, int]] = field(default_factory=set)
    """Fields and constants that accepted calls left where they had found them, as a lock that is opened again."""
    courses: set[str] = field(default_factory=set)
    """Claims about the course of a field that some way need not keep: ``total never decreases``."""
    resets: set[str] = field(default_factory=set)
    """Claims about the course of a field that accepted calls broke where they left a constant of the code."""
    foreign_entries: set[str] = field(default_factory=set)
    """Entries that a way writes whose key need not be the sender: ``accounts[k].balance``."""
    signed_entries: set[str] = field(default_factory=set)
    """Entries that accepted calls wrote whose key is who signed something, whoever sends it."""
    effects: set[tuple[str, str]] = field(default_factory=set)
    """Functions and targets to which a way writes what no accepted call did."""
    branches: set[tuple[str, str]] = field(default_factory=set)
    """Functions and targets to which accepted calls wrote by several expressions."""
    computed_fields: set[tuple[str, str]] = field(default_factory=set)
    """Functions and fields to which accepted calls wrote nothing that is a constant of the code."""
    constants: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    """By function and field: the constants of the code that its accepted calls left there."""
    otherwise: set[tuple[str, str]] = field(default_factory=set)
    """Functions and fields to which some branch writes another constant."""
    demanded_fields: dict[str, set[str]] = field(default_factory=dict)
    """By function: the fields of which its code demands something before it accepts a call."""

    def other_writers(self, name: str, functions: Iterable[str]) -> bool:
        """Return whether other functions than these can write to a field."""
        return bool(self.writers.get(name, set()).difference(functions))


def take_in(
    ways: OpenWays,
    decisions: FunctionDecisions,
    writes: FunctionWrites,
    name: str,
    variables: Sequence[StorageVariable],
    *,
    creates: bool = False,
) -> None:
    """Take in what the code of one function leaves open.

    Args:
        ways: what is known of other functions.
        decisions: what its calls decided.
        writes: what they left in storage, and what ways leave there that nobody took.
        name: the function's.
        variables: ``Locations.variables``.
        creates: whether it is the constructor.

    """
    reader = _WriteReader(decisions, writes, variables)
    facts = {number: facts_of(path.steps) for path in decisions.paths for number in path.runs}
    expressions: dict[str, set[str]] = {}
    keys: dict[tuple[int, int], set[str]] = {}
    changes: set[tuple[str, int, int]] = set()
    constant: set[str] = set()
    for run, slots in writes.slots.items():
        for slot in slots:
            constant |= set(reader.constant_fields(slot))
            for effect, _ in writes.terms.name_write(slot):
                expressions.setdefault(effect.target, set()).add(effect.expression)
            for row, depth, key in reader.keys(slot):
                keys.setdefault((row, depth), set()).add(key)
                if key.startswith(SIGNER) or reader.is_signed(slot, depth, facts.get(run, {})):
                    ways.signed_entries.add(reader.own_entry(row, depth, slot))
            for change in reader.changes(slot):
                changes.add((change.name, change.old, change.new))
                if change.settable and not creates:
                    ways.settable.add(change.name)
                elif not change.settable:
                    ways.restored_fields.add((change.name, reader.value(change)))
                if change.new in decisions.runs.arena.constants:
                    ways.constants.setdefault((name, change.name), set()).add(reader.value(change))
                    ways.resets |= set(reader.broken(change, facts.get(run, {})))
                if reader.is_chosen(change, facts.get(run, {})):
                    ways.courses |= set(reader.broken(change, facts.get(run, {})))
    ways.computed_fields |= {(name, changed) for changed, _, _ in changes if changed not in constant}
    ways.branches |= {(name, target) for target, texts in expressions.items() if len(texts) > 1}
    for way in decisions.untried_ways:
        decided = facts_of(way.steps)
        for slot in way.slots:
            for effect, _ in writes.terms.name_write(slot):
                if effect.expression not in expressions.get(effect.target, {effect.expression}):
                    ways.effects.add((name, effect.target))
            for row, depth, key in reader.keys(slot):
                if key not in ("sender", "origin") and key not in keys.get((row, depth), ()):
                    ways.foreign_entries.add(reader.own_entry(row, depth, slot))
            for change in reader.changes(slot):
                if (change.name, change.old, change.new) in changes:
                    continue  # accepted calls wrote the same
                ways.writers.setdefault(change.name, set()).add(name)
                change = change._replace(fresh=change.fresh and reader.is_decided(change, decided))
                if reader.is_told(change) or reader.is_chosen(change, decided):
                    ways.courses |= set(reader.broken(change, decided))


class FieldChange(NamedTuple):
    """A write to a field."""

    name: str
    """The field's, with empty brackets."""
    old: int
    """Node of the value before."""
    new: int
    bits: int
    fresh: bool
    """Whether zero was there: what leaves zero is no course."""
    settable: bool = True
    """Whether it need not be what was there; a lock that is opened again always is."""


class CourseReader:
    """Says which claims about the course of a field a change need not keep."""

    def __init__(self, arena: Arena) -> None:
        """Prepare; the arena holds the expressions of all changes."""
        self._arena = arena

    def is_chosen(self, change: FieldChange, facts: Mapping[int, bool]) -> bool:
        """Return whether a new value is what somebody says, whatever was there before."""
        arena = self._arena
        below = set(arena.below(change.new))
        if change.old in below or not any(arena.kind(item) in CALLER_VALUES for item in below):
            return False
        return not any(change.old in (parts := set(arena.below(fact))) and below & parts for fact in facts)

    def is_decided(self, change: FieldChange, facts: Mapping[int, bool]) -> bool:
        """Return whether a call decided upon the old value."""
        return any(change.old in set(self._arena.below(fact)) for fact in facts)

    def is_told(self, change: FieldChange) -> bool:
        """Return whether a new value is a constant, or computed from the old one."""
        return change.new in self._arena.constants or change.old in set(self._arena.below(change.new))

    def broken(self, change: FieldChange, facts: Mapping[int, bool]) -> Iterator[str]:
        """Yield claims about the course of a field that a change need not keep."""
        arena, bounds = self._arena, Bounds(arena=self._arena, facts=facts)
        form = None if change.fresh else linear_form(arena, change.new, change.bits)
        less = linear_form(arena, change.old, change.bits)
        if form is None or less is None:
            return
        constant = arena.constants.get(change.new)
        form.add(less, -1)
        if form.factors or form.constant not in (0, 1):
            yield f"{change.name} {GROWING}"
        most = constant == (1 << change.bits) - 1
        if not most and not is_positive(form) and not bounds.at_least(change.new, change.old):
            yield f"{change.name} {RISING}"
        if constant != 0 and not is_positive(form, -1) and not bounds.at_least(change.old, change.new):
            yield f"{change.name} {FALLING}"


class _WriteReader(CourseReader):
    """Reads the writes of one function as changes of fields."""

    def __init__(
        self,
        decisions: FunctionDecisions,
        writes: FunctionWrites,
        variables: Sequence[StorageVariable],
    ) -> None:
        super().__init__(decisions.runs.arena)
        self._terms: EffectTerms = writes.terms
        self._variables = variables

    def changes(self, slot: SlotLeft) -> Iterator[FieldChange]:
        """Yield the fields that are written, as far as expressions say how."""
        node, row = self._terms.variable(slot.slot_place)
        if row == MISSING or slot.element is not None:
            return
        if slot.before_node and self._arena.kind(slot.before_node) == "storage":
            node = slot.before_node
        for position, item in self._terms.fields(slot):
            old = self._arena.field(node, item.shift, item.bits)
            new = self._arena.constant(item.value) if item.node is None else item.node
            if old and new != UNKNOWN and new != old:
                is_constant = new in self._arena.constants
                yield FieldChange(
                    self._variables[row].text(None, position),
                    old,
                    new,
                    item.bits,
                    not item.before,
                    not (is_constant and item.value == item.before),
                )

    def keys(self, slot: SlotLeft) -> Iterator[tuple[int, int, str]]:
        """Yield the keys of an entry that is written: row of the variable, depth, and how the key is computed."""
        _, row = self._terms.variable(slot.slot_place)
        if row != MISSING:
            for depth, key in enumerate(self._terms.keys(slot.slot_place)):
                yield row, depth, key

    def value(self, change: FieldChange) -> int:
        """Return the constant that a change leaves."""
        return self._arena.constants[change.new]

    def constant_fields(self, slot: SlotLeft) -> Iterator[str]:
        """Yield the fields in which a constant of the code is left, or the contract's own address."""
        _, row = self._terms.variable(slot.slot_place)
        for position, item in self._terms.fields(slot) if row != MISSING else ():
            if (
                item.node is None
                or item.node in self._arena.constants
                or self._arena.kind(item.node) == "this"
            ):
                yield self._variables[row].text(None, position)

    def is_signed(self, slot: SlotLeft, depth: int, facts: Mapping[int, bool]) -> bool:
        """Return whether a call decided that the key of an entry is who signed something."""
        return self._terms.is_signed(slot.slot_place, depth, facts)

    def own_entry(self, row: int, depth: int, slot: SlotLeft) -> str:
        """Return how an entry is called of which one key is somebody's, as in the claim that they alone change it."""
        variable = self._variables[row]
        keys = tuple("k" if key_depth == depth else "·" for key_depth in range(len(variable.ports)))
        position = next((position for position, _ in self._terms.fields(slot)), 0)
        return variable.text(keys, position)


def demanded_fields(
    decisions: FunctionDecisions, wording: Wording, variables: Sequence[StorageVariable]
) -> set[str]:
    """Return the fields, with empty brackets, of which the code of a function demands something.

    What is one of several that suffice is not demanded. Of what is packed in one slot all are meant: the code may have
    looked at any of them.
    """
    nodes = {clause.conditions[0].node for clause in decisions.clauses if len(clause.conditions) == 1}
    rows = {term.variable for node in nodes if node != UNKNOWN for term in wording.sources(node)}
    return {
        variables[row].text(None, position)
        for row in rows
        if row != MISSING
        for position in range(len(variables[row].fields))
    }
