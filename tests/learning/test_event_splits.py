"""Events are split by what is known of their calls, where that explains the next state, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from specminer._support.errors import UsageError
from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventArgument, EventTable, ValueKind
from specminer.learning.tune import tune
from specminer.specification.abstraction_entries import HistoryView
from tests.support.event_tables import automaton_of, table_of, words_of

OWNER, GUEST = 1 << 120, 1 << 121


def switch(rounds: int = 60) -> EventTable:
    """Return lamps that are switched on and off by ``set(bool)``, and looked at; the switch tells which."""
    draw = np.random.default_rng(7)
    interactions = []
    arguments: list[int] = []
    senders: list[int] = []
    for _ in range(rounds):
        lit = 0
        events: list[tuple[str, tuple[int]]] = [("make", (0,))]
        arguments.append(-1)
        senders.append(OWNER)
        for _ in range(int(draw.integers(2, 8))):
            on = int(draw.integers(0, 2))
            lit = on
            events.append(("set", (lit,)))
            arguments.append(on)
            senders.append(OWNER if draw.random() < 0.5 else GUEST)
            if lit:
                events.append(("look", (lit,)))
                arguments.append(-1)
                senders.append(GUEST)
        interactions.append(events)
    table = table_of(interactions, [EntityVariable(name="lit", kind=ValueKind.BOOL)])
    words = (*table.words, *(word for word in (0, 1, OWNER, GUEST) if word not in table.words))
    row = {word: place for place, word in enumerate(words)} | {-1: -1}
    return replace(
        table,
        words=words,
        calls=(EntityVariable(name="sender", kind=ValueKind.ADDRESS),),
        call_values=np.array([[row[sender] for sender in senders]], dtype=np.int64),
        arguments=(
            EventArgument(
                symbols=(table.symbols.index("set"),),
                variable=EntityVariable(name="_on", kind=ValueKind.BOOL),
                values=np.array([row[value] for value in arguments], dtype=np.int64),
            ),
        ),
    )


def test_an_argument_that_decides_the_next_state_splits_its_event() -> None:
    table = switch()
    tuning = tune(table, Definition(history=HistoryView.NEVER))
    assert dict(tuning.splits) == {"set": ("_on",)}
    assert {"set [_on]", "set [not _on]"} <= set(tuning.table.symbols)
    assert tuning.metrics["nondeterminism"] == 0
    assert [tuning.condition(tuning.table.symbols.index(f"set [{part}]")) for part in ("_on", "not _on")] == [
        " [_on]",
        " [not _on]",
    ]
    learned = automaton_of(tuning.table, tuning.state_before, tuning.state_after)
    assert all(learned.accepts(word) for word in words_of(tuning.table))


def test_what_explains_nothing_splits_nothing() -> None:
    table = replace(switch(), arguments=())
    tuning = tune(table, Definition(history=HistoryView.NEVER))
    assert dict(tuning.splits) == {}
    assert tuning.table.symbols == table.symbols


def test_a_definition_splits_by_roles_of_the_sender() -> None:
    definition = Definition(split={"set": ("sender = creator",)}, history=HistoryView.NEVER)
    tuning = tune(switch(), definition)
    assert {"set [sender = creator]", "set [sender != creator]"} <= set(tuning.table.symbols)
    again = tune(switch(), tuning.chosen_point.definition)
    assert again.states == tuning.states
    assert again.table.symbols == tuning.table.symbols
    with pytest.raises(UsageError, match="no predicate about its calls"):
        tune(switch(), Definition(split={"set": ("sender = nobody",)}))
