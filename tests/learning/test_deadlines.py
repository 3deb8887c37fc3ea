"""Deadlines that the code makes of an entity's storage and of something of the whole contract, or of its own."""

from __future__ import annotations

import numpy as np
import pytest

from specminer.decision.state_conditions import StateCondition, StoredField, ZeroComparison
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.interaction import Interactions, Mode
from specminer.learning.deadline_events import deadlines, with_deadlines
from specminer.learning.event_table import ContractParameter, EntityVariable, EventTable

BEGUN, PERIOD = StoredField(0, 0), StoredField(1, 0)
TIMES = (1_000, 5_000, 9_000, 2_000, 3_000, 4_000)
"""Of the blocks of six calls: ``put``, ``look``, ``look`` of each of two entities."""


def table_of(*conditions: StateCondition, parameters: tuple[ContractParameter, ...] = ()) -> EventTable:
    """Return the events of two entities, each of which is put at the time of its first call."""
    words = tuple(dict.fromkeys((0, *TIMES)))
    row = {word: place for place, word in enumerate(words)}
    return EventTable(
        symbols=("put", "look"),
        symbol=np.array([0, 1, 1, 0, 1, 1]),
        interaction=np.array([0, 0, 0, 1, 1, 1]),
        rejected=np.zeros(6, dtype=np.bool_),
        variables=(
            EntityVariable(name="begun[·]", kind=ValueKind.UINT, storage_field=(BEGUN.variable, BEGUN.field)),
        ),
        values=np.array([[row[1_000]] * 3 + [row[2_000]] * 3]),
        words=words,
        calls=(EntityVariable(name="now", kind=ValueKind.UINT),),
        call_values=np.array([[row[time] for time in TIMES]]),
        conditions=conditions,
        parameters=parameters,
    )


def interactions() -> Interactions:
    return Interactions(
        mode=Mode.PARTITION,
        sort=None,
        names=("one", "two"),
        entities=(1, 2),
        keys=("1", "2"),
        slice=np.array([0, 0, 0, 1, 1, 1]),
        invocation=np.arange(6),
        passive=np.zeros(6, dtype=np.bool_),
        role=np.full(6, MISSING),
        track=np.zeros(0, dtype=np.int64),
        owner=np.zeros(0, dtype=np.int64),
        holders=(),
        explanation="",
    )


def reached(*stored: StoredField, plus: int = 0) -> StateCondition:
    """Return the code's ``now >= sum of stored + plus``."""
    return StateCondition(
        stored_fields=tuple((place, -1) for place in stored),
        clock="now",
        factor=1,
        constant=-plus,
        comparison=ZeroComparison.NEGATIVE,
    )


def period(*values: int) -> ContractParameter:
    return ContractParameter(
        name="period", storage_field=(PERIOD.variable, PERIOD.field), values=np.array(values)
    )


def events(table: EventTable) -> list[str]:
    extended, _ = with_deadlines(table, interactions(), deadlines(table))
    return [extended.symbols[row] for row in extended.symbol.tolist()]


def test_a_period_that_the_owner_may_change_is_added_as_it_is_then() -> None:
    table = table_of(reached(BEGUN, PERIOD), parameters=(period(5_000, 5_000, 5_000, 5_000, 5_000, 1_500),))
    (found,) = deadlines(table)
    assert found.name == "begun + period reached"
    # 1,000 + 5,000 passes before the call at 9,000; the shorter period lets the other's 2,000 + 1,500 pass
    assert events(table) == 2 * ["put", "look", f"time: {found.name}", "look"]


def test_a_period_made_shorter_ends_nothing_before_the_last_call() -> None:
    table = table_of(reached(BEGUN, PERIOD), parameters=(period(5_000, 5_000, 5_000, 5_000, 5_000, 500),))
    extended, _ = with_deadlines(table, interactions(), deadlines(table))
    now = extended.call("now")
    assert now is not None
    times = [extended.words[row] for row in now.tolist()]
    assert times == [1_000, 5_000, 6_000, 9_000, 2_000, 3_000, 3_000, 4_000]


def test_where_the_period_is_not_known_nothing_is_said_of_the_deadline() -> None:
    table = table_of(reached(BEGUN, PERIOD), parameters=(period(5_000, 5_000, MISSING, 9_000, 9_000, 9_000),))
    assert deadlines(table) == ()


def test_a_variable_of_the_contract_alone_is_no_deadline_of_the_entity() -> None:
    table = table_of(reached(PERIOD), parameters=(period(*[3_500] * 6),))
    assert deadlines(table) == ()


@pytest.mark.parametrize(
    ("plus", "name"),
    [
        (3_600, "begun + 1 hour reached"),
        (3_601, "begun + 1 hour reached"),
        (1_980, "begun + 33 minutes reached"),
        (77, "begun + 77 seconds reached"),
    ],
)
def test_what_the_code_adds_itself_is_told(plus: int, name: str) -> None:
    assert [item.name for item in deadlines(table_of(reached(BEGUN, plus=plus)))] == [name]


def test_two_deadlines_of_one_variable_are_told_apart_unless_a_second_lies_between() -> None:
    table = table_of(
        reached(BEGUN, plus=1_501),
        reached(BEGUN, plus=1_500),
        reached(BEGUN, plus=4_500),
    )
    assert [(item.name, item.added) for item in deadlines(table)] == [
        ("begun + 25 minutes reached", 1_500),
        ("begun + 75 minutes reached", 4_500),
    ]
