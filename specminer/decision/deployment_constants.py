"""Variables of the whole contract that were set once: a threshold, a shortest delay.

Of an entity's life they are constants, though the code keeps them in storage. A condition that compares the entity's
own storage with one of them is a condition about the entity alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from specminer.decision.state_conditions import StateCondition, StoredField
from specminer.decoding import HistoryContext
from specminer.decoding.location_columns import Field
from specminer.history.contract_history import MISSING, IntColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConstant:
    """A variable without keys that has one value from the first call that set it on."""

    name: str
    value: int


def deployment_constants(context: HistoryContext) -> dict[StoredField, DeploymentConstant]:
    """Return the variables without keys that are set once; of several contracts, those that are equal in all.

    What holds a value that is not known, or a signed one, is none.
    """
    locations, history, accesses = context.locations, context.history, context.accesses
    bare = np.array([not item.ports for item in locations.variables], dtype=np.bool_)
    slot = accesses.slot[accesses.touch]
    variable = locations.variable[slot]
    rows = np.flatnonzero(bare[variable] & ~history.access_undone)
    rows = rows[np.argsort(slot[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(slot[rows], prepend=MISSING))
    values: dict[StoredField, set[int | None]] = {}
    for slot_rows in np.split(rows, starts[1:]):
        if not len(slot_rows):
            continue
        number = int(variable[slot_rows[0]])
        for position, field in enumerate(locations.variables[number].fields):
            held_values = values.setdefault(StoredField(number, position), set())
            held_values.add(_only_value(context, slot_rows, field))
    return {
        stored: DeploymentConstant(
            name=locations.variables[stored.variable].text(None, stored.field),
            value=next(iter(held_values)) or 0,
        )
        for stored, held_values in values.items()
        if len(held_values) == 1 and None not in held_values
    }


def _only_value(context: HistoryContext, rows: IntColumn, field: Field) -> int | None:
    """Return what a field holds from its first value on; ``None`` if it changes, or is not known."""
    history = context.history
    constructs = context.is_constructor[history.access_invocation[rows]]
    before = history.access_before[rows][~constructs]
    word_rows = np.concatenate([before, history.access_after[rows]])
    if len(word_rows) == 0 or (word_rows == MISSING).any():
        return None
    words, inverse = np.unique(history.access_after[rows], return_inverse=True)
    values = [field.extract(history.words[word]) for word in words.tolist()]
    after = [values[item] for item in inverse.ravel().tolist()]
    first = next((number for number, value in enumerate(after) if value), None)
    if first is None or len(set(after[first:])) > 1:
        return None
    values_before = {field.extract(history.words[row]) for row in np.unique(before).tolist()} - {0}
    return after[first] if values_before <= {after[first]} else None


def with_constants(
    conditions: Iterable[StateCondition],
    constants: Mapping[StoredField, DeploymentConstant],
    own: Collection[StoredField],
) -> tuple[StateCondition, ...]:
    """Return conditions in which variables that are set once are numbers, each condition once.

    Args:
        conditions: what the code asks of storage.
        constants: what is set once.
        own: variables of the entity, which are left as they are.

    """
    return tuple(dict.fromkeys(_conditions(conditions, constants, own)))


def _conditions(
    conditions: Iterable[StateCondition],
    constants: Mapping[StoredField, DeploymentConstant],
    own: Collection[StoredField],
) -> Iterator[StateCondition]:
    for condition in conditions:
        fixed_terms = [
            (constants[field], factor)
            for field, factor in condition.stored_fields
            if field in constants and field not in own
        ]
        left = tuple(item for item in condition.stored_fields if item[0] not in constants or item[0] in own)
        if left or condition.clock:
            yield replace(
                condition,
                stored_fields=left,
                constant=condition.constant + sum(factor * item.value for item, factor in fixed_terms),
                constants=(*condition.constants, *(item.name for item, _ in fixed_terms)),
            )
