"""What came before and after a transaction in the interactions that it took part in."""

from __future__ import annotations

from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.explanation.transaction_document import LifeAround, LifeStep
from specminer.history.contract_history import MISSING, OUTCOMES
from specminer.interaction import Interactions
from specminer.interaction.interactions import event_text

MAX_LIVES: Final = 10
MAX_AROUND: Final = 6
"""Events before and after that are listed."""
MAX_HERE: Final = 40
"""Events of the transaction itself in one life."""


def lives_around(
    context: HistoryContext, interactions: Interactions, transaction: int
) -> tuple[tuple[LifeAround, ...], int]:
    """Return the lives of the interactions that a transaction (its row) took part in, and how many there are."""
    of_event = context.history.invocation_transaction[interactions.invocation]
    here = np.equal(of_event, transaction) & ~interactions.clocked
    numbers = np.unique(interactions.slice[here])
    own = {int(number) for number in np.unique(interactions.slice[here & ~interactions.passive])}
    ordered = sorted(numbers.tolist(), key=lambda number: number not in own)
    return (
        tuple(_life(context, interactions, transaction, int(number)) for number in ordered[:MAX_LIVES]),
        len(ordered),
    )


def _life(context: HistoryContext, interactions: Interactions, transaction: int, number: int) -> LifeAround:
    events = np.flatnonzero(interactions.slice == number)
    inside = context.history.invocation_transaction[interactions.invocation[events]] == transaction
    positions = np.flatnonzero(inside & ~interactions.clocked[events])
    first, last = int(positions[0]), min(int(positions[-1]), int(positions[0]) + MAX_HERE - 1)
    start, end = max(0, first - MAX_AROUND), min(len(events), last + 1 + MAX_AROUND)
    return LifeAround(
        interaction=interactions.names[number],
        events=len(events),
        earlier=start,
        steps=tuple(_step(context, interactions, transaction, event) for event in events[start:end].tolist()),
        later=len(events) - end,
    )


def _step(context: HistoryContext, interactions: Interactions, transaction: int, event: int) -> LifeStep:
    history = context.history
    row = int(interactions.invocation[event])
    item = int(history.invocation_transaction[row])
    time = int(history.transaction_time[item])
    role = int(interactions.role[event])
    clocked = interactions.deadline_of(event) is not None
    return LifeStep(
        transaction=f"0x{history.transaction_hash[item].hex()}",
        block=int(history.transaction_block[item]),
        timestamp=None if time == MISSING else time,
        event=event_text(
            context.calls.name(row),
            None if role == MISSING else interactions.roles[role],
            passive=bool(interactions.passive[event]),
            phase=interactions.phase_of(event),
        ),
        sender="" if clocked else checksum_address(history.addresses[int(history.invocation_sender[row])]),
        outcome="" if clocked else OUTCOMES[int(history.invocation_outcome[row])].value,
        here=item == transaction and not clocked,
    )
