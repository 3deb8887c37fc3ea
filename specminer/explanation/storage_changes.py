"""What a transaction left different in the storage of the traced contracts, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.decoding.location_columns import Field
from specminer.decoding.storage_values import Key
from specminer.explanation.transaction_document import StorageChange
from specminer.history.contract_history import MISSING


def storage_changes(context: HistoryContext, transaction: int) -> tuple[StorageChange, ...]:
    """Return each value that the transaction of a row left different from what it found, by contract and name.

    A value that is not known before or after is told as such; one that was changed and changed back is left out.
    """
    history = context.history
    own_accesses = np.flatnonzero(
        np.equal(history.invocation_transaction[history.access_invocation], transaction)
    )
    spans: dict[int, _Span] = {}
    for row in own_accesses[np.argsort(history.access_position[own_accesses], kind="stable")].tolist():
        slot = int(context.accesses.slot[int(context.accesses.touch[row])])
        write = bool(history.access_write[row])
        if slot not in spans:
            values = history.access_before if write else history.access_after
            owner = int(history.invocation_contract[int(history.access_invocation[row])])
            spans[slot] = _Span(contract=owner, before=int(values[row]), after=int(values[row]))
        if write and not history.access_undone[row]:
            spans[slot] = replace(spans[slot], after=int(history.access_after[row]), written=True)
    changes = [
        change for slot, span in spans.items() if span.written for change in _fields(context, slot, span)
    ]
    return tuple(sorted(changes, key=lambda item: (item.contract, item.location)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """What a slot held before a transaction and after it, as rows of the history's words."""

    contract: int
    before: int
    after: int
    written: bool = False


def _fields(context: HistoryContext, slot: int, span: _Span) -> Iterator[StorageChange]:
    history, locations = context.history, context.locations
    owner = checksum_address(history.contracts[span.contract].address)
    for number, field in enumerate(locations.variables[int(locations.variable[slot])].fields):
        old = None if span.before == MISSING else field.extract(history.words[span.before])
        new = None if span.after == MISSING else field.extract(history.words[span.after])
        if old != new or new is None:
            yield StorageChange(
                contract=owner,
                location=locations.text(slot, number),
                before=None if old is None else _spell(field, old),
                after=None if new is None else _spell(field, new),
            )


def _spell(field: Field, value: int) -> str:
    """Return a value of a field as people read it, that of an enum by its name where it has one."""
    return (
        field.members[value]
        if value < len(field.members)
        else str(Key(value.to_bytes(32, "big"), field.kind))
    )
