"""The vocabulary: which predicates the data gives rise to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from specminer._support.errors import UsageError
from specminer.history.contract_history import IntColumn
from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.vocabulary import TruthColumn, vocabulary
from specminer.specification.abstraction_entries import HistoryView, Tier
from tests.support.event_tables import life_cycle, table_of, tables


def texts(table: EventTable, definition: Definition | None = None, tier: Tier = Tier.STORAGE) -> list[str]:
    made = vocabulary(table, definition or Definition())
    return [predicate.text for predicate in made.predicates if predicate.tier is tier]


def one(kind: ValueKind, *values: int, members: tuple[str, ...] = ()) -> EventTable:
    """Return a table of one interaction and one variable ``v`` with these values after its events."""
    events = [("f", (value,)) for value in values]
    return table_of([events], [EntityVariable(name="v", kind=kind, members=members)])


def two(kind: ValueKind, *values: tuple[int, int]) -> EventTable:
    """Return the same with two variables ``v`` and ``w``."""
    names = [EntityVariable(name=name, kind=kind) for name in ("v", "w")]
    return table_of([[("f", pair) for pair in values]], names)


def test_values_of_each_kind() -> None:
    assert texts(one(ValueKind.BOOL, 0, 1)) == ["v"]
    assert texts(one(ValueKind.ENUM, 0, 1, 2, members=("A", "B", "C"))) == ["v = A", "v = B", "v = C"]
    assert texts(one(ValueKind.UINT, 0, 5, 9)) == ["v = 0", "v = 5", "v = 9"]
    assert texts(one(ValueKind.UINT, *range(13))) == ["v = 0"]
    assert texts(one(ValueKind.ADDRESS, *range(1, 6))) == []
    assert texts(one(ValueKind.ADDRESS, *range(6))) == ["v = 0"]
    assert texts(one(ValueKind.INT, 3, (1 << 256) - 1, 4)) == ["v = 3", "v = 4", "v = -1"]


def test_what_never_changes_is_no_predicate() -> None:
    assert texts(one(ValueKind.UINT, 7, 7)) == []
    assert texts(one(ValueKind.BOOL, -1, 1, -1)) == []


def test_variables_are_compared_within_their_dimension() -> None:
    gwei = 10**9
    crossing = tuple((value * gwei, 20 * gwei) for value in range(1, 40))
    assert texts(two(ValueKind.UINT, *crossing)) == ["v = w", "v < w", "w < v"]
    assert texts(two(ValueKind.WORD, *crossing)) == ["v = w", "v < w", "w < v"]
    signs = tuple(((value - 3) * gwei + (value < 3) * (1 << 256), 2 * gwei - 1) for value in range(6))
    assert texts(two(ValueKind.INT, *signs)) == ["v = 0", "v < w"]
    money = tuple((value * 10**18, value) for value in range(40))
    assert texts(two(ValueKind.UINT, *money)) == ["v = 0"]


def test_counts_are_compared_where_one_limits_the_other() -> None:
    players = tuple((value, 39) for value in range(40))
    assert texts(two(ValueKind.UINT, *players)) == ["v = 0", "v = w"]
    crossing = tuple((value, 20) for value in range(1, 40))
    assert texts(two(ValueKind.UINT, *crossing)) == []


def test_no_value_of_a_counter_but_zero_is_a_state() -> None:
    counted = [("f", (value,)) for value in (0, 1, 2, 3, 4)]
    chosen = [("f", (0,)), ("g", (1,)), ("h", (2,)), ("f", (0,))]
    variable = [EntityVariable(name="v", kind=ValueKind.UINT)]
    assert texts(table_of([counted], variable)) == ["v = 0"]
    assert texts(table_of([chosen], variable)) == ["v = 0", "v = 1", "v = 2"]


def test_what_never_changes_in_an_interaction_is_a_facet() -> None:
    breeds = [[("f", (breed, step)) for step in range(3)] for breed in (1, 2)]
    names = [EntityVariable(name=name, kind=ValueKind.ENUM) for name in ("breed", "step")]
    made = vocabulary(table_of(breeds, names), Definition(history=HistoryView.NEVER))
    assert [p.text for p in made.predicates] == ["step = 0", "step = 1", "step = 2"]
    assert [p.text for p in made.facets] == ["breed = 1"]
    asked = vocabulary(table_of(breeds, names), Definition(fix=("breed = 2",)))
    assert [asked.predicates[position].text for position in asked.fixed] == ["breed = 2"]


def test_predicates_that_split_alike_are_one() -> None:
    made = vocabulary(two(ValueKind.BOOL, (0, 1), (1, 0), (1, 0)), Definition())
    assert [predicate.text for predicate in made.only(Tier.STORAGE).predicates] == ["v"]
    assert "not w" in made.predicates[0].aliases


def test_an_unknown_value_is_a_third_one() -> None:
    made = vocabulary(one(ValueKind.BOOL, 0, 1, -1), Definition())
    assert made.columns[0].tolist() == [0, 1, 2]


def test_history_is_a_tier_of_its_own_over_calls_that_were_not_rejected() -> None:
    events = [[("f", ()), ("g (rejected)", ()), ("g", ()), ("h", ())], [("h", ()), ("f", ())]]
    table = table_of(events, [], rejected=("g (rejected)",))
    made = vocabulary(table, Definition())
    found = {
        predicate.text: column.tolist()
        for predicate, column in zip(made.predicates, made.columns, strict=True)
    }
    assert found["last = f"] == [1, 0, 0, 0, 1]
    assert found["seen(f)"] == [1, 1, 1, 0, 1]
    assert found["seen(g)"] == [0, 1, 1, 0, 0]
    assert not any("rejected" in shown for shown in found)
    assert {(predicate.tier, predicate.price) for predicate in made.predicates} == {(Tier.HISTORY, 2.0)}
    assert made.after.tolist() == [0, 0, 1, 2, 3, 4]


def test_a_definition_forbids_and_prefers() -> None:
    table = life_cycle()
    assert texts(table, Definition(forbid=("phase", "counter"))) == []
    assert "phase = Open" not in texts(table, Definition(forbid=("phase = Open",)))
    made = vocabulary(table, Definition(prefer=("phase = Closed", "fase"), forbid=("nothing",)))
    assert [p.text for p in made.predicates if p.price == 0.5] == ["phase = Closed"]
    assert made.unmatched == ("fase", "nothing")


def test_a_definition_fixes_by_text_alias_or_opposite() -> None:
    table = two(ValueKind.BOOL, (0, 1), (1, 0), (1, 0))
    for wish in ("v", "v = true", "not v", "v = false", "not w", "w = true", "w"):
        assert vocabulary(table, Definition(fix=(wish,))).fixed == (0,)
    assert vocabulary(table, Definition(fix=("w = true",))).predicates[0].text == "w"
    with pytest.raises(UsageError, match="near are 'Open'"):
        vocabulary(life_cycle(), Definition(fix=("phase = open",)))


@given(tables())
def test_no_two_predicates_split_the_events_alike(table: EventTable) -> None:
    made = vocabulary(table, Definition())
    partitions = {tuple(np.unique(column, return_index=True)[1][_ranks(column)]) for column in made.columns}
    assert len(partitions) == len(made.predicates)
    for column in made.columns:
        assert {0, 1} <= set(column.tolist()) <= {0, 1, 2}


def _ranks(column: TruthColumn) -> IntColumn:
    return np.asarray(np.unique(column, return_inverse=True)[1])


@given(tables())
def test_renaming_variables_changes_texts_only(table: EventTable) -> None:
    names = tuple(replace(v, name=f"{9 - row}renamed") for row, v in enumerate(table.variables))
    first, second = (vocabulary(t, Definition()) for t in (table, replace(table, variables=names)))
    assert [p.price for p in first.predicates] == [p.price for p in second.predicates]
    assert [_split(column) for column in first.columns] == [_split(column) for column in second.columns]


def _split(column: TruthColumn) -> list[int]:
    order: dict[int, int] = {}
    return [order.setdefault(int(value), len(order)) for value in column]
