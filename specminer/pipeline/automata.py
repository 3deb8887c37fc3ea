"""The stages between events and an automaton: the abstraction that is chosen, and the transitions counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specminer._support.statistics import wilson
from specminer.decoding.occurrences import occurrence_of
from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn
from specminer.interaction import event_text
from specminer.learning.transition_support import count_exits
from specminer.learning.tune import tune
from specminer.learning.tuning_result import FrontAutomaton, Tuning
from specminer.pipeline.state import Mining
from specminer.specification import MAX_WITNESSES, Edge, TransitionKind, front_place


def choose_abstraction(mining: Mining) -> Mining:
    """Find the front of abstractions, and take the point of it that was asked for, else the one that is best.

    Raises:
        UsageError: the front has no such point.

    """
    options, phasing = mining.options, mining.phasing
    tuning = tune(
        phasing.table(()),
        mining.definition,
        options.seed,
        options.preset,
        phasing,
        is_explained=options.is_explained,
    )
    position = front_place([len(point.states) for point in tuning.front], options.states, options.point)
    tuning = tuning if position is None else tuning.at(position)
    built = phasing.build_with(tuning.phases)
    return replace(mining, tuning=tuning, interactions=built.interactions, bookkeeping=built.bookkeeping)


def count_transitions(mining: Mining) -> Mining:
    """Count how often each transition of each automaton on the front was taken, and by whom."""
    window = mining.context.window
    is_counted = None if window is None else window[mining.interactions.invocation]
    return replace(
        mining, transitions=tuple(_edges(mining, point, is_counted) for point in mining.tuning.front)
    )


def transition_groups(tuning: Tuning, point: FrontAutomaton) -> tuple[IntColumn, IntColumn]:
    """Return the transitions as rows of source, target and symbol, ascending, and the one that each event took.

    Shapes (transitions, 3) and (n,), for ``n`` events of the table.
    """
    source, target, symbol = tuning.before(point), tuning.after(point), tuning.table.symbol
    targets, symbols = int(target.max(initial=0)) + 1, int(symbol.max(initial=0)) + 1
    code = (source.astype(np.int64) * targets + target) * symbols + symbol
    codes, group = np.unique(code, return_inverse=True)
    keys = np.stack([codes // symbols // targets, codes // symbols % targets, codes % symbols], axis=1)
    return keys, group.reshape(-1).astype(np.int64, copy=False)


def _edges(mining: Mining, point: FrontAutomaton, is_counted: BoolColumn | None) -> tuple[Edge, ...]:
    """Group the events into transitions with their evidence, ordered by source, target and event.

    ``is_counted`` are the events that count, by row; ``None`` for all.
    """
    keys, group = transition_groups(mining.tuning, point)
    counted = np.ones(len(group), dtype=np.bool_) if is_counted is None else is_counted
    order = np.lexsort((mining.interactions.invocation, group))
    order = order[counted[order]]
    starts = np.searchsorted(group[order], np.arange(len(keys) + 1))
    left = count_exits(mining.tuning, point, counted)
    unknown = np.bincount(group[mining.tuning.uncertain(point) & counted], minlength=len(keys)).tolist()
    return tuple(
        replace(
            _edge(mining, key, order[starts[row] : starts[row + 1]], int(left[key[0]])),
            unknown=unknown[row] or None,
        )
        for row, key in enumerate(keys)
        if starts[row] < starts[row + 1]
    )


def _edge(mining: Mining, key: IntColumn, events: IntColumn, reached: int) -> Edge:
    """Return one transition; ``events`` are its rows in the table, in chain order.

    ``key`` holds source, target and symbol; ``reached`` is the number of interactions that could have taken it.
    """
    history, interactions, table = mining.history, mining.interactions, mining.tuning.table
    rows = interactions.invocation[events]
    passive, rejected = bool(interactions.passive[events[0]]), bool(table.rejected[events[0]])
    function, event = (names[rows[0]] for names in (mining.functions, mining.events))
    number = int(interactions.role[events[0]])
    role = interactions.roles[number] if number != MISSING else None
    phase, deadline = interactions.phase_of(int(events[0])), interactions.deadline_of(int(events[0]))
    kind = TransitionKind.PASSIVE if passive else TransitionKind.CALL
    if deadline is not None:
        kind = TransitionKind.TIME
    elif phase is not None:
        kind = TransitionKind.PHASE
    transactions = history.invocation_transaction[rows]
    witnesses = dict.fromkeys(int(item) for item in transactions[: MAX_WITNESSES * 20])
    interaction_count = len(np.unique(interactions.slice[events]))
    return Edge(
        source=int(key[0]),
        target=int(key[1]),
        event=event_text(event, role, passive=passive, phase=phase) + mining.tuning.condition(int(key[2])),
        function=function if deadline is None else deadline,
        role=role,
        kind=kind,
        outcome="reverted" if rejected else "returned",
        count=len(events),
        interaction_count=interaction_count,
        senders=len(np.unique(history.invocation_sender[rows])) if deadline is None else 0,
        first=occurrence_of(history, int(transactions[0])),
        last=occurrence_of(history, int(transactions[-1])),
        reached=reached,
        interval=wilson(interaction_count, reached),
        witnesses=tuple(_hash(history, item) for item in list(witnesses)[:MAX_WITNESSES]),
    )


def _hash(history: History, transaction: int) -> str:
    return f"0x{history.transaction_hash[transaction].hex()}"
