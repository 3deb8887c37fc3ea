"""States joined because a variable has one of several values in them: found, said, written, and read again."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from specminer._support.errors import UsageError
from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, ValueKind
from specminer.learning.tune import tune
from tests.support.event_tables import table_of

STATUS = EntityVariable(
    name="status", kind=ValueKind.ENUM, members=("Draft", "Open", "Paused", "Hidden", "Gone")
)
"""Paused and Hidden are left by the same events as Open; Gone by none."""


def lives() -> list[list[tuple[str, tuple[int, ...]]]]:
    """Sixty lives, in which what is possible is the same in three of the five values."""
    made = []
    draw = random.Random(0)
    for number in range(60):
        life: list[tuple[str, tuple[int, ...]]] = [("create", (0,)), ("publish", (1,))]
        for _ in range(draw.randint(1, 8)):
            event = draw.choice(("show", "pause", "hide", "buy"))
            life.append((event, ({"show": 1, "pause": 2, "hide": 3}.get(event, life[-1][1][0]),)))
        made.append([*life, ("close", (4,)), *([("burn", (4,))] * (number % 3))])
    return made


def test_values_that_mean_the_same_are_joined_and_said_as_a_choice() -> None:
    table = table_of(lives(), [STATUS])
    found = tune(table, Definition()).chosen_point
    assert [state.name for state in found.states][1:] == [
        "status draft",
        "status open, paused or hidden",
        "status gone",
    ]
    values = tuple(f"status = {value}" for value in range(4))
    choice = "status = Open or status = Paused or status = Hidden"
    point = tune(table, Definition(name="asked", fix=values, only=True, merge=(choice,))).chosen_point
    assert point.blocks.tolist() == found.blocks.tolist()
    assert point.merged_states == ("(status = Open or status = Paused or status = Hidden)",)
    assert point.states[2].name == "status open, paused or hidden"
    assert point.states[2].predicates == ("status = Open or status = Paused or status = Hidden",)
    again = tune(table, point.definition).chosen_point
    bracketed = replace(point.definition, merge=(f"({choice})",))
    assert tune(table, bracketed).chosen_point.blocks.tolist() == point.blocks.tolist()
    assert (again.blocks.tolist(), again.merged_states, again.states) == (
        point.blocks.tolist(),
        point.merged_states,
        point.states,
    )


@pytest.mark.parametrize(
    "wrong", ["(status = 1 or status = 9)", "(status = 1 or", "status = 1 or not status = 3"]
)
def test_a_choice_of_what_is_not_fixed_is_refused(wrong: str) -> None:
    definition = Definition(name="asked", only=True, fix=("status = 1", "status = 2"), merge=(wrong,))
    with pytest.raises(UsageError, match="joins states where"):
        tune(table_of(lives(), [STATUS]), definition)
