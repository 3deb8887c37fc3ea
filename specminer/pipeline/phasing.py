"""Which flags of the whole contract become events of the interactions: as the definition says, else as it pays."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from specminer._support.errors import UsageError, plain
from specminer._support.text import suggest
from specminer.decoding import HistoryContext
from specminer.history.contract_history import IntColumn
from specminer.interaction import Interactions
from specminer.learning.abstraction_definition import Definition
from specminer.learning.deadline_events import Deadline, with_deadlines
from specminer.learning.event_table import EventTable
from specminer.learning.history_folds import Folds
from specminer.learning.phases import Flag, with_flags, with_phases
from specminer.learning.quotient import Quotient
from specminer.learning.split_half_agreement import agreements
from specminer.learning.view_observers import Observers
from specminer.predicate import names_in

_ROOT: Final = re.compile(r"[\[.\s]")
"""Where the name of a variable ends and its keys or fields begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltTable:
    """A table of events, and what it was made of."""

    table: EventTable
    interactions: Interactions
    bookkeeping: tuple[str, ...]
    """Variables that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phasing:
    """A split history, to which the changes of flags can be added as events."""

    flags: tuple[Flag, ...]
    all_required: bool
    """The definition asks for them."""
    context: HistoryContext
    interactions: Interactions
    """Without these changes."""
    build: Callable[[Interactions], BuiltTable]
    """Makes the table of some interactions; it may leave out some of their events."""
    deadlines: tuple[Deadline, ...] = ()
    observers: Observers
    """Adds what the contract's read-only functions return."""
    seed: int = 0
    """Draws the halves of the history."""
    tables: dict[tuple[str, ...], BuiltTable] = field(default_factory=dict)
    """What was built already, by the flags that were asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """The flags and deadlines that there are."""
        return (*(flag.name for flag in self.flags), *(item.name for item in self.deadlines))

    def is_shared(self, name: str) -> bool:
        """Return whether this is a flag of the whole contract, and not a deadline of each entity."""
        return any(flag.name == name for flag in self.flags)

    def agreements(self, table: EventTable, graph: Quotient, blocks: IntColumn, cut: Folds) -> list[float]:
        """Return of pairs of random halves what automata with the states ``blocks`` have in common."""
        return agreements(table, graph, blocks, cut, self.seed)

    def table(self, names: tuple[str, ...]) -> EventTable:
        """Return the table with the changes of some of the flags."""
        return self.build_with(names).table

    def build_with(self, names: tuple[str, ...]) -> BuiltTable:
        """Return the table with the changes of some of the flags, and the interactions that it is of."""
        if names not in self.tables:
            flags = [flag for flag in self.flags if flag.name in names]
            built = self.build(with_phases(self.interactions, self.context, flags))
            table = with_flags(built.table, built.interactions, flags)
            reached = [item for item in self.deadlines if item.name in names]
            table, interactions = with_deadlines(table, built.interactions, reached)
            table = self.observers.add_to(table, interactions)
            self.tables[names] = replace(built, table=table, interactions=interactions)
        return self.tables[names]


def chosen_deadlines(
    deadlines: Sequence[Deadline], table: EventTable, definition: Definition
) -> tuple[tuple[Deadline, ...], bool]:
    """Return the deadlines that are to be events, or may be, and whether the definition asks for them."""
    name_by_slot: dict[tuple[int, int] | None, str] = {
        item.storage_field: item.name for item in table.parameters
    }
    name_by_slot |= {variable.storage_field: variable.name for variable in table.variables}
    usable = []
    for item in deadlines:
        names = [item.name, *(name_by_slot[slot] for slot in item.storage_fields)]
        if not any(_is_forbidden(name, definition.forbid) for name in names):
            usable.append(item)
    if definition.phases is not None:
        return tuple(item for item in usable if item.name in definition.phases), True
    requested = tuple(item for item in usable if item.name in _mentioned_names(definition.fix))
    return (requested, True) if definition.only or requested else (tuple(usable), False)


def chosen_flags(
    flags: Sequence[Flag],
    interactions: Interactions,
    functions: Sequence[str],
    definition: Definition,
    deadlines: Sequence[Deadline] = (),
) -> tuple[tuple[Flag, ...], bool]:
    """Return the flags that are to be events, or may be, and whether the definition asks for them.

    ``functions`` gives each invocation's bare name. A flag that a dropped function changes is none: its changes
    would have no event. A definition may ask for ``deadlines`` by the same list.

    Raises:
        UsageError: the definition asks for a flag that is none.

    """
    usable = [
        flag
        for flag in flags
        if not {functions[row] for row in flag.invocation.tolist()} & set(definition.drop)
        and not _is_forbidden(flag.name, definition.forbid)
    ]
    if definition.phases is not None:
        names = {*(flag.name for flag in usable), *(item.name for item in deadlines)}
        for name in definition.phases:
            if not definition.lenient and name not in names:
                raise _unknown(name, [flag.name for flag in usable])
        return tuple(flag for flag in usable if flag.name in definition.phases), True
    fixed = _mentioned_names(definition.fix)
    requested = tuple(flag for flag in usable if flag.name in fixed)
    if definition.only or requested:
        return requested, True
    preferred = {*_mentioned_names(definition.prefer), *definition.prefer}
    events = int((~interactions.passive).sum())
    return tuple(flag for flag in usable if flag.name in preferred or flag.qualifies(events)), False


def _is_forbidden(name: str, forbidden: Collection[str]) -> bool:
    return name in forbidden or _ROOT.split(name)[0] in forbidden


def _mentioned_names(texts: Collection[str]) -> frozenset[str]:
    return frozenset[str]().union(*(names_in(part) for text in texts for part in text.split(" | ")))


def _unknown(name: str, names: Sequence[str]) -> UsageError:
    examples = ", ".join(plain(item, 40) for item in names[:10])
    hint = suggest(name, names, f"there are {examples}" if names else "there are none")
    return UsageError(
        f"the abstraction counts changes of '{plain(name, 80)}' as events (events.phases), but no variable of this "
        f"name belongs to the whole contract and changes now and then; {hint}",
        predicate=name,
    )
