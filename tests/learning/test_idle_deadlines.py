"""States that only a deadline tells apart are one where it decides nothing there."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

import numpy as np

from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.idle_deadlines import join_idle_deadlines
from specminer.learning.objective import Objective
from specminer.learning.quotient import quotient
from specminer.learning.state_merging import Merging, without_merging
from specminer.learning.vocabulary import vocabulary
from specminer.specification.abstraction_entries import HistoryView, Weights
from tests.support.event_tables import table_of

OPEN, FULL, FAILED = 0, 1, 2
TIME: Final = "time: end reached"


def sales(*, collected_late: bool) -> EventTable:
    """Return sales that fill up, or fail at their end; what was paid for a full one may be collected, or only late."""
    draw = random.Random(2)
    lives = []
    for _ in range(60):
        late, status = 0, OPEN
        events: list[tuple[str, tuple[int, int]]] = [("open", (OPEN, 0))]
        for step in range(14):
            if step == 6:
                late = 1
                events.append((TIME, (status, late)))
            call = draw.choice(["bid", "fail", "collect", "collect"])
            if call == "bid" and status == OPEN and not late:
                status = FULL if draw.random() < 0.3 else OPEN
                events.append(("bid", (status, late)))
            elif call == "fail" and status == OPEN and late:
                status = FAILED
                events.append(("fail", (status, late)))
            elif call == "collect" and status == FULL and (late or not collected_late):
                events.append(("collect", (status, late)))
            else:
                events.append((f"{call} (rejected)", (status, late)))
        lives.append(events)
    table = table_of(
        lives,
        [
            EntityVariable(name="status", kind=ValueKind.ENUM, members=("Open", "Full", "Failed")),
            EntityVariable(name="end reached", kind=ValueKind.BOOL),
        ],
        ["bid (rejected)", "fail (rejected)", "collect (rejected)"],
    )
    return replace(table, switches=(table.symbols.index(TIME),))


def joined(table: EventTable) -> tuple[Merging, Merging]:
    """Return the automaton of all values of the status and of the deadline, and what is made of it."""
    made = vocabulary(table, Definition(history=HistoryView.NEVER))
    texts = [predicate.text for predicate in made.predicates]
    (reached,) = (position for position, text in enumerate(texts) if "reached" in text)
    selection = (*(texts.index(f"status = {name}") for name in ("Open", "Full", "Failed")), reached)
    objective = Objective(quotient(table, made), made, Weights(), deadlines=frozenset({reached}))
    places = {symbol: place for place, symbol in enumerate(table.symbols)}
    accepted_as = np.array([places.get(symbol.removesuffix(" (rejected)"), 0) for symbol in table.symbols])
    whole = without_merging(objective, tuple(sorted(selection)))
    return whole, join_idle_deadlines(objective, whole, accepted_as)


def test_a_deadline_that_decides_nothing_in_a_state_does_not_split_it() -> None:
    whole, less = joined(sales(collected_late=False))
    assert whole.score.states == 1 + 5  # open, full and failed; open and full also past the end
    assert less.score.states == 1 + 4
    assert less.score.description_length <= whole.score.description_length


def test_a_deadline_that_decides_a_call_splits_the_state() -> None:
    whole, less = joined(sales(collected_late=True))
    assert whole.score.states == less.score.states == 1 + 5


def test_nothing_is_done_without_a_deadline() -> None:
    table = sales(collected_late=False)
    made = vocabulary(table, Definition(history=HistoryView.NEVER))
    objective = Objective(quotient(table, made), made, Weights())
    whole = without_merging(objective, tuple(range(len(made.predicates))))
    assert join_idle_deadlines(objective, whole, np.arange(len(table.symbols))) is whole
