"""The table of events that an abstraction is learned from.

One row per event of an interaction, all interactions one after another; for each variable of the
interaction, its value after the event, and for each event what its call was: who sent it, when, with which
arguments. Nothing before this point knows states, nothing after it knows storage slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np

from specminer._support.text import unique_names
from specminer.decision.state_conditions import StateCondition
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import BoolColumn, IntColumn

__all__ = ["ContractParameter", "Dimension", "EntityVariable", "EventArgument", "EventTable", "ValueKind"]


class Dimension(Enum):
    """What a number measures; numbers are compared within one dimension only."""

    MONEY = "money"
    """Amounts of a currency or token."""
    TIME = "time"
    """Unix seconds."""
    BLOCK = "block"
    ACCOUNT = "account"
    COUNT = "count"
    """Small numbers: counters, levels."""
    ENTITY = "entity"
    """Keys of the entities that the interactions are about."""
    NONE = "none"
    """A truth value, a choice, a text: nothing that is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityVariable:
    """A storage variable of the interaction, or a fact about a call, as predicates name it."""

    name: str
    """``highestBid``, ``pendingReturns[sender]``, ``slot7``: raw text from a layout, unique in a table."""
    kind: ValueKind
    members: tuple[str, ...] = ()
    """For an enum, the names of its values, where known."""
    spellings: tuple[str, ...] = ()
    """Other names by which a definition may call it: those of the functions that read it."""
    storage_field: tuple[int, int] | None = None
    """Row in ``Locations.variables`` and position of the field, if it is one of storage."""
    entries: tuple[int, int] | None = None
    """The same of the entries of which it tells whether there are any; see :mod:`specminer.learning.nested_entries`."""
    coded: bool = False
    """Whether the code computes it of the entity's storage: predicates over it are the code's own."""
    function: str | None = None
    """The signature of the read-only function that returns it; ``None`` for what is stored. See
    :mod:`specminer.learning.view_observers`."""
    relies_on: tuple[str, ...] = ()
    """Names of the deadlines whose events change it."""
    made_of: tuple[str, ...] = ()
    """For a deadline, the names of the entity's variables that hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventArgument:
    """An argument of one function: values for some of the symbols."""

    symbols: tuple[int, ...]
    """Positions of the function's symbols, accepted and rejected."""
    variable: EntityVariable
    values: IntColumn
    """Row in ``words``, or -1 where the event is another one; shape (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractParameter:
    """A variable of the whole contract that the code compares with the entity's storage: a period of grace."""

    name: str
    storage_field: tuple[int, int]
    """As :attr:`EntityVariable.storage_field`."""
    values: IntColumn
    """What it held before each event, cut at ``2**60``; -1 where that is not known; shape (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """``n`` events of ``k`` interactions over ``v`` variables, as columns."""

    symbols: tuple[str, ...]
    """Event texts; rejected and passive events have symbols of their own."""
    symbol: IntColumn
    """Position in ``symbols``; shape (n,), as all columns."""
    interaction: IntColumn
    """0 .. k-1, ascending: the events of one interaction stand together, in chain order."""
    rejected: BoolColumn
    """A rejected call keeps the state: its values equal those of the event before."""
    variables: tuple[EntityVariable, ...]
    values: IntColumn
    """Row in ``words`` after the event, or -1 where the value is unknown; shape (v, n)."""
    words: tuple[int, ...]
    """The values, each once, unsigned 256-bit."""
    assumed: IntColumn | None = None
    """``values``, but where one is in doubt what was found there next, or else known last: states go on as if it had
    been so, and nothing is claimed by it. ``None`` where no value is in doubt."""
    calls: tuple[EntityVariable, ...] = ()
    """What is known of each call: ``sender``, ``origin``, ``value`` (wei), ``now``, ``block``, ``this``."""
    call_values: IntColumn | None = None
    """Row in ``words``, or -1 where unknown; shape (len(calls), n)."""
    arguments: tuple[EventArgument, ...] = ()
    entity: str = ""
    """What an interaction is about, as the history calls it: ``tokenId``; empty if it is no entity."""
    keys: frozenset[int] = frozenset()
    """Rows in ``words`` of the interactions' entities."""
    accepted_as: tuple[int, ...] = ()
    """For each symbol the position of the same call accepted: its own, unless it is a rejected one."""
    wholes: tuple[str, ...] = ()
    """For each symbol the event that it is a part of; empty where each is an event of its own."""
    flags: tuple[int, ...] = ()
    """Positions of the variables that are flags of the whole contract, ascending: only their own events change them."""
    switches: tuple[int, ...] = ()
    """Positions of the symbols that are changes of such a flag, ascending: nobody's calls, but what befalls all."""

    accessed_variables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each event before it was split into parts, the names of the variables that calls of its function read or
    write; an event that is not there may look at all of them."""
    decided_variables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each event before it was split into parts, the names of the variables that the code of its function decides
    upon; for an event that is not there, those of ``accessed_variables``."""
    conditions: tuple[StateCondition, ...] = ()
    """What the code asks of storage, and of storage and the clock, in its order."""
    parameters: tuple[ContractParameter, ...] = ()
    """Variables of the whole contract that these conditions add to the entity's; none that is set only once."""

    def __len__(self) -> int:
        return len(self.symbol)

    @property
    def starts(self) -> IntColumn:
        """Rows at which interactions begin."""
        return np.flatnonzero(np.diff(self.interaction, prepend=-1))

    @property
    def switched(self) -> BoolColumn:
        """Which events are changes of a flag of the whole contract; shape (n,)."""
        return np.isin(self.symbol, self.switches)

    def with_variables(
        self, words: tuple[int, ...], additions: Sequence[tuple[EntityVariable, IntColumn]]
    ) -> EventTable:
        """Return the table with further variables behind the others, each with a name of its own.

        Args:
            words: the table's words, and behind them those of the further columns.
            additions: each variable, and its column; shapes (n,).

        """
        if not additions:
            return self
        names = unique_names(
            variable.name for variable in (*self.variables, *(item for item, _ in additions))
        )
        added = (
            replace(variable, name=name)
            for name, (variable, _) in zip(names[len(self.variables) :], additions, strict=True)
        )
        columns = np.array([column for _, column in additions], dtype=np.int64)
        return replace(
            self,
            words=words,
            variables=(*self.variables, *added),
            values=np.vstack([self.values, columns]),
            assumed=None if self.assumed is None else np.vstack([self.assumed, columns]),
        )

    def call(self, name: str) -> IntColumn | None:
        """Return a column of ``call_values`` by its variable's name; ``None`` if it is not there."""
        for row, variable in enumerate(self.calls):
            if variable.name == name and self.call_values is not None:
                column: IntColumn = self.call_values[row]
                return column
        return None
