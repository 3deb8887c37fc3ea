"""Races: calls of different senders in one block, about one entity, whose order matters.

The later one read what the earlier had written, or overwrote it unread: of two ``approve``s the last one stays.

Only pairs that belong to the same interaction count, and only storage that hangs under it: that two calls meet
in a total or a next id is no race for anything. Where it is not known whether the earlier call changed what the later
one read or overwrote, there is none, either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specminer.decoding import HistoryContext
from specminer.decoding.accesses import unsure_writers
from specminer.history.contract_history import MISSING, IntColumn
from specminer.interaction.interactions import Interactions


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Two calls of which the later read or overwrote what the earlier had written in the same block."""

    interaction: int
    block: int
    first: int
    """Row of the invocation that wrote."""
    second: int
    """Row of the one that read or overwrote it, of another sender."""
    slots: tuple[int, ...]
    """Numbers of the slots in which they met, ascending."""
    lost: bool
    """Whether the contract rejected the later call."""


def races(context: HistoryContext, interactions: Interactions) -> list[Race]:
    """Return the races by block and order of the calls."""
    history, accesses = context.history, context.accesses
    rows = np.flatnonzero((accesses.writer != MISSING) & ~unsure_writers(history, accesses))
    unread, overwritten = _overwritten(context)
    reader = np.concatenate([accesses.invocation[rows], accesses.invocation[unread]])
    writer = np.concatenate([accesses.writer[rows], accesses.invocation[overwritten]])
    rows = np.concatenate([rows, unread])
    block = history.transaction_block[history.invocation_transaction]
    meet = (
        (block[reader] == block[writer])
        & (history.invocation_sender[reader] != history.invocation_sender[writer])
        & (writer < reader)
    )
    rows, reader, writer = rows[meet], reader[meet], writer[meet]
    members = interactions.members
    slots_of_race: dict[tuple[int, int, int], set[int]] = {}
    for holder in interactions.holders:
        own = holder[accesses.slot[rows]]
        is_within = members.holds(reader, own) & members.holds(writer, own)
        for key in _keys(
            own[is_within], writer[is_within], reader[is_within], accesses.slot[rows][is_within]
        ):
            slots_of_race.setdefault(key[:3], set()).add(key[3])
    all_races = [
        Race(
            interaction=interaction,
            block=int(block[second]),
            first=first,
            second=second,
            slots=tuple(sorted(slots)),
            lost=bool(context.is_rejected[second]),
        )
        for (interaction, first, second), slots in slots_of_race.items()
    ]
    return sorted(all_races, key=lambda race: (race.second, race.first, race.interaction))


def _overwritten(context: HistoryContext) -> tuple[IntColumn, IntColumn]:
    """Return the touches that overwrote unread what a call of another transaction had written, and that one's touch."""
    history, accesses = context.history, context.accesses
    is_known = (accesses.value_before != MISSING) & (accesses.value_after != MISSING)
    written = np.flatnonzero(accesses.effective_write)
    # rows stand in the order of the chain
    order = written[np.lexsort((accesses.invocation[written], accesses.slot[written]))]
    earlier, later = order[:-1], order[1:]
    transaction = history.invocation_transaction[accesses.invocation]
    meet = accesses.slot[earlier] == accesses.slot[later]
    meet &= transaction[earlier] != transaction[later]
    meet &= ~accesses.external_read[later] & is_known[earlier] & is_known[later]
    return later[meet].astype(np.int64), earlier[meet].astype(np.int64)


def _keys(*columns: IntColumn) -> list[tuple[int, int, int, int]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))
