"""A state that is left over when values of a variable are told apart is called by the values that it has."""

from __future__ import annotations

import pytest

from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.tune import tune
from specminer.learning.tuning_result import Tuning
from tests.support.event_tables import table_of
from tests.support.mined import mined


def deals(last: int, kind: ValueKind = ValueKind.UINT, members: tuple[str, ...] = ()) -> EventTable:
    """Deals that are made (1), sent (2), and end in one of the values from 3 to ``last``."""
    lives = [
        [("make", (1,)), ("send", (2,)), (f"end{number % (last - 2)}", (3 + number % (last - 2),))]
        for number in range(40)
    ]
    return table_of(lives, [EntityVariable(name="status", kind=kind, members=members)])


def told(table: EventTable, **wishes: object) -> Tuning:
    return tune(table, Definition(fix=("status = 1", "status = 2"), only=True, **wishes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last", "name"),
    [
        (3, "status = 3"),
        (4, "status = 3 or 4"),
        (5, "status = 3, 4 or 5"),
        (6, "status not 1 or 2"),  # a list says no more
        (14, "status not 1 or 2"),  # more values than a state is compared with
    ],
)
def test_what_is_left_over_is_what_it_was(last: int, name: str) -> None:
    state = told(deals(last)).states[-1]
    assert state.name == name
    assert ", ".join(state.phrases) == name
    assert state.predicates == ("status != 1", "status != 2")  # what makes it a state


def test_members_of_an_enum_are_named() -> None:
    members = ("None", "Made", "Sent", "Paid", "PaidBack")
    table = deals(4, ValueKind.ENUM, members)
    tuning = tune(table, Definition(fix=("status = Made", "status = Sent"), only=True))
    assert [state.name for state in tuning.states] == [
        "start",
        "status made",
        "status sent",
        "status paid or paid back",
    ]


def test_a_definition_may_name_the_choice() -> None:
    named = {"status = 3 or status = 4": "closed"}
    assert told(deals(4), names=named).states[-1].name == "closed"


def test_a_value_that_is_told_otherwise_too_is_still_known() -> None:
    lives = [
        [("make", (1, 0)), ("send", (2, 0)), *([("pay", (3, 0))] if number % 2 else [("lose", (4, 1))])]
        for number in range(40)
    ]
    variables = [
        EntityVariable(name="status", kind=ValueKind.UINT),
        EntityVariable(name="lost", kind=ValueKind.BOOL),
    ]
    assert told(table_of(lives, variables)).states[-1].name == "status = 3 or 4"


def test_one_denied_value_stays_denied() -> None:
    tuning = tune(deals(4), Definition(fix=("status = 1",), only=True))
    assert [state.name for state in tuning.states] == ["start", "status = 1", "status ≠ 1"]


def test_what_other_states_have_as_well_does_not_tell_alone() -> None:
    lives = [
        [("make", (1, 0)), ("send", (2, 0)), ("end", (3, number % 2)), ("mark", (3, 1 - number % 2))]
        for number in range(40)
    ]
    variables = [
        EntityVariable(name="status", kind=ValueKind.UINT),
        EntityVariable(name="marked", kind=ValueKind.BOOL),
    ]
    fixed = Definition(fix=("status = 1", "status = 2", "marked"), only=True)
    names = [state.name for state in tune(table_of(lives, variables), fixed).states]
    assert names == ["start", "status = 1", "status = 2", "status = 3, not marked", "marked"]


def test_the_closed_deals_of_the_escrow() -> None:
    front = mined("escrow").tuning.front
    short = next(point for point in front if len(point.states) == 5)
    assert [state.name for state in short.states] == [
        "start",
        "status funded",
        "status shipped",
        "status paid or refunded",
        "status disputed",
    ]
    assert not short.chosen


def test_what_became_of_a_deal_is_told_apart_where_the_code_tells_all_values() -> None:
    names = {state.name for state in mined("escrow").specification.states}
    assert {"status paid", "status refunded"} < names
    assert {name.partition(",")[0] for name in names} == {
        "start",
        *(f"status {member}" for member in ("funded", "shipped", "disputed", "paid", "refunded")),
    }
