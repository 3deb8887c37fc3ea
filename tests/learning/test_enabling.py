"""States are told apart where the code decides what can be called, even if a short history would not pay for it."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from specminer.decision.state_conditions import StateCondition, StoredField, ZeroComparison
from specminer.learning.abstraction_definition import Definition
from specminer.learning.enabling_states import LONGER, SHORT, Tolerance, allowance, split_by_enabledness
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.preset import PRESETS
from specminer.learning.state_merging import Merging, without_merging
from specminer.learning.tune import tune
from specminer.learning.tuning_result import Tuning
from specminer.learning.vocabulary import vocabulary
from specminer.specification.abstraction_entries import Weights
from tests.support.event_tables import objective_of, table_of

CONFIRMED = StateCondition(
    stored_fields=((StoredField(0, 0), 1),),
    clock="",
    factor=0,
    constant=-3,
    comparison=ZeroComparison.NEGATIVE,
)
"""``confirmations < 3``"""
REFUSED = "execute (rejected)"
Life = list[tuple[str, tuple[int, ...]]]


def life(draw: random.Random, *, refused: bool) -> Life:
    """Return the life of a transaction that whoever likes confirms, and somebody executes if three did."""
    count = 0
    events: Life = [("submit", (0,))]
    for _ in range(12):
        event = draw.choice(["confirm", "confirm", "revoke", "execute", "comment"])
        if event == "execute" and count >= 3 and draw.random() < 0.3:
            return [*events, (event, (count,))]
        if event == "execute" and refused:
            events.append((REFUSED, (count,)))
        elif event == "confirm" or (event == "revoke" and count):
            count += 1 if event == "confirm" else -1
            events.append((event, (count,)))
        elif event == "comment":
            events.append((event, (count,)))
    return events


def wallet(*conditions: StateCondition, lives: int = 20, refused: bool = True) -> EventTable:
    """Return a table of transactions that were confirmed; of which the code states some conditions."""
    draw = random.Random(7)
    counted = [EntityVariable(name="confirmations", kind=ValueKind.UINT, storage_field=(0, 0))]
    table = table_of([life(draw, refused=refused) for _ in range(lives)], counted, [REFUSED])
    places = {symbol: place for place, symbol in enumerate(table.symbols)}
    accepted = tuple(places[symbol.removesuffix(" (rejected)")] for symbol in table.symbols)
    return replace(table, conditions=conditions, accepted_as=accepted)


def chosen(tuning: Tuning) -> list[str]:
    return [predicate.text for predicate in tuning.predicates]


def test_what_the_code_asks_for_is_told_apart_though_it_does_not_pay() -> None:
    short = tune(wallet(CONFIRMED), Definition(), preset=replace(PRESETS["balanced"], enabling=False))
    assert "confirmations < 3" not in chosen(short)
    assert "confirmations < 3" in chosen(tune(wallet(CONFIRMED), Definition()))


@pytest.mark.parametrize(
    ("events", "share"),
    [(1, LONGER), (1_000, LONGER), (1_500, LONGER / 2), (1_990, LONGER / 100), (2_000, 0), (1_000_000, 0)],
)
def test_of_a_longer_history_less_is_told_beside_the_shortest_description(events: int, share: float) -> None:
    assert allowance(events) == pytest.approx(share)


def test_nothing_ends_at_a_thousand_events() -> None:
    table = wallet(CONFIRMED, lives=100)
    assert len(table) > SHORT
    assert "confirmations < 3" in chosen(tune(table, Definition()))


def test_what_the_code_does_not_state_stays_untold() -> None:
    assert "confirmations < 3" not in chosen(tune(wallet(), Definition()))


def test_a_single_state_is_told_apart_by_what_the_code_states() -> None:
    table = wallet(CONFIRMED, lives=3, refused=False)
    assert len(tune(table, Definition()).states) == 3
    assert len(tune(wallet(lives=3, refused=False), Definition()).states) == 2


@pytest.mark.parametrize("preset", ["readable", "precise"])
def test_other_presets_tell_what_they_are_for(preset: str) -> None:
    assert not PRESETS[preset].enabling


def test_the_definition_makes_the_same_states_again() -> None:
    table = wallet(CONFIRMED)
    found = tune(table, Definition())
    again = tune(table, found.chosen_point.definition)
    assert [state.name for state in again.states] == [state.name for state in found.states]
    assert again.chosen_point.blocks.tolist() == found.chosen_point.blocks.tolist()


STAGES = EntityVariable(name="outcome", kind=ValueKind.ENUM, storage_field=(0, 0))


def outcome_is(value: int) -> StateCondition:
    """Return that the code compares the outcome with a value."""
    return StateCondition(
        stored_fields=((StoredField(0, 0), 1),),
        clock="",
        factor=0,
        constant=-value,
        comparison=ZeroComparison.ZERO,
    )


def questions(variable: EntityVariable, *conditions: StateCondition) -> EventTable:
    """Return questions that are bet on, and answered with 1 or 2: whatever it is, the winners are paid."""
    draw = random.Random(3)
    lives: list[Life] = []
    for number in range(40):
        bets: Life = [("bet", (0,)) for _ in range(draw.randint(2, 5))]
        answer = 1 + number % 2
        paid: Life = [("claim", (answer,)) for _ in range(draw.randint(1, 4))]
        lives.append([("open", (0,)), *bets, ("bet (rejected)", (0,)), ("resolve", (answer,)), *paid])
    table = table_of(lives, [variable], ["bet (rejected)"])
    places = {symbol: place for place, symbol in enumerate(table.symbols)}
    accepted = tuple(places[symbol.removesuffix(" (rejected)")] for symbol in table.symbols)
    return replace(table, conditions=conditions, accepted_as=accepted)


def test_values_of_a_choice_are_all_told_apart_where_one_is() -> None:
    asked = [outcome_is(value) for value in (0, 1, 2)]
    assert [state.name for state in tune(questions(STAGES, *asked), Definition()).states[1:]] == [
        "outcome = 0",
        "outcome = 1",
        "outcome = 2",
    ]


def test_a_split_that_makes_the_description_shorter_need_not_lose_nothing() -> None:
    table = questions(STAGES, outcome_is(0))
    objective = objective_of(table, vocabulary(table, Definition()), Weights())
    lengths: list[float] = [without_merging(objective, ()).score.description_length]
    asked: list[tuple[bool, Tolerance]] = []

    def bears_out(merging: Merging, tolerance: Tolerance) -> bool:
        asked.append((merging.score.description_length < lengths[-1], tolerance))
        lengths.append(merging.score.description_length)
        return True

    accepted_as = np.array(table.accepted_as, dtype=np.int64)
    split_by_enabledness(objective, without_merging(objective, ()), accepted_as, lengths[0], bears_out)
    assert (True, Tolerance.ONE) in asked
    assert all(is_shorter == (tolerance is Tolerance.ONE) for is_shorter, tolerance in asked)


def test_values_of_a_number_are_not() -> None:
    asked = [outcome_is(value) for value in (0, 1, 2)]
    number = replace(STAGES, kind=ValueKind.UINT)
    assert len(tune(questions(number, *asked), Definition()).states) == 3
