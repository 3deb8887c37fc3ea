"""The search: it finds the life cycle, is reproducible, and its automaton accepts its own history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EventTable
from specminer.learning.tune import tune
from specminer.learning.tuning_result import Tuning
from specminer.specification.abstraction_entries import Tier, Weights
from tests.support.event_tables import automaton_of, life_cycle, table_of, tables, words_of


def shown(tuning: Tuning) -> list[str]:
    return [predicate.text for predicate in tuning.predicates]


def test_a_life_cycle_is_told_by_its_phase_and_not_by_a_counter() -> None:
    table = life_cycle()
    tuning = tune(table, Definition())
    assert shown(tuning)
    assert all(text.startswith("phase") for text in shown(tuning))
    assert [state.name for state in tuning.states] == [
        "start",
        "phase open",
        "phase bidding",
        "phase closed",
    ]
    assert tuning.states[0].predicates == ()
    assert not tuning.used_history
    assert tuning.metrics["nondeterminism"] == 0
    assert all(predicate.gain > 20 and not predicate.weak for predicate in tuning.predicates)


def test_hidden_storage_falls_back_on_history() -> None:
    tuning = tune(life_cycle(), Definition(forbid=("phase", "counter")))
    assert tuning.used_history
    assert {predicate.tier for predicate in tuning.predicates} == {Tier.HISTORY}


def test_what_is_fixed_is_chosen_and_names_are_used() -> None:
    definition = Definition(
        fix=("phase = Closed",), names={"phase = Closed": "sold", "phase != Closed": "on sale"}
    )
    tuning = tune(life_cycle(), replace(definition, weights=Weights(predicates=1000.0, transitions=1000.0)))
    assert shown(tuning) == ["phase = Closed"]
    assert tuning.predicates[0].fixed
    assert [state.name for state in tuning.states] == ["start", "on sale", "sold"]
    assert all("phase = Closed" in point.definition.fix for point in tuning.front)


def test_a_state_is_named_by_a_predicate_that_is_its_own_even_if_it_was_not_chosen() -> None:
    definition = Definition(fix=("phase = Open", "phase = Closed"))
    names = [state.name for state in tune(life_cycle(), definition).states]
    assert names == ["start", "phase open", "phase bidding", "phase closed"]


def test_the_front_grows_and_holds_nothing_dominated() -> None:
    tuning = tune(life_cycle(), Definition())
    check_front(tuning)
    assert len(tuning.front) > 1
    assert [point.knee for point in tuning.front].count(True) == 1


def check_front(tuning: Tuning) -> None:
    sizes = [len(point.states) for point in tuning.front]
    assert sizes == sorted(set(sizes))
    assert [point.chosen for point in tuning.front].count(True) == 1
    measures = [
        (
            point.metrics["states"],
            round(sum(point.metrics[name] for name in DATA), 5),
            round(point.metrics["description_length"] - sum(point.metrics[name] for name in DATA), 5),
        )
        for point in tuning.front
    ]
    for one in measures:
        assert not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in measures
        )


DATA = ("label_bits", "successor_bits", "end_bits")


@pytest.mark.parametrize(
    "interactions", [[], [[("f (rejected)", ())], [("f (rejected)", ())]], [[("f", ())]]]
)
def test_next_to_nothing(interactions: list[list[tuple[str, tuple[int, ...]]]]) -> None:
    table = table_of(interactions, [], rejected=("f (rejected)",))
    tuning = tune(table, Definition())
    assert tuning.predicates == ()
    assert tuning.states[0].name == "start"
    assert tuning.metrics["label_bits"] == tuning.metrics["end_bits"] == 0
    assert len(tuning.front) == 1


@pytest.mark.slow
@given(tables(), st.integers(0, 3))
def test_what_the_automaton_says_of_itself(table: EventTable, seed: int) -> None:
    tuning = tune(table, Definition(weights=Weights(predicates=0.05, transitions=0.05)), seed)
    learned = automaton_of(table, tuning.state_before, tuning.state_after)
    assert all(learned.accepts(word) for word in words_of(table))
    assert (tuning.state_before == tuning.state_after)[table.rejected].all()
    assert learned.states == {state.id for state in tuning.states}
    assert len({state.name for state in tuning.states}) == len(tuning.states)
    assert len({state.predicates for state in tuning.states[1:]}) == len(tuning.states) - 1
    assert sum(state.visits for state in tuning.states) == len(table)
    assert sum(state.ends for state in tuning.states) == len(words_of(table))
    assert tuning.metrics["transitions"] == len(learned.transitions)
    assert tuning.metrics["nondeterminism"] == learned.nondeterministic_choices
    for point in tuning.front:
        one = automaton_of(table, tuning.before(point), tuning.after(point))
        assert all(one.accepts(word) for word in words_of(table))


@pytest.mark.slow
@given(tables(), st.integers(0, 3))
def test_same_input_and_seed_same_result(table: EventTable, seed: int) -> None:
    first, second = (tune(table, Definition(), seed) for _ in range(2))
    assert first.states == second.states
    assert first.front == second.front
    assert first.metrics == second.metrics
    assert [(p.text, p.gain) for p in first.predicates] == [(p.text, p.gain) for p in second.predicates]
    assert (first.state_after == second.state_after).all()


@pytest.mark.slow
@given(tables())
def test_names_of_variables_do_not_matter(table: EventTable) -> None:
    weights = Weights(predicates=0.05, transitions=0.05)
    names = tuple(replace(v, name=f"{9 - row}renamed") for row, v in enumerate(table.variables))
    first = tune(table, Definition(weights=weights))
    second = tune(replace(table, variables=names), Definition(weights=weights))
    assert (first.state_after == second.state_after).all()
