"""Surprise: probabilities are normalised, nothing excuses itself, no interaction is surprising by its length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.history.contract_history import IntColumn
from specminer.inference.alarm import MIN_BITS, RATE, threshold
from specminer.inference.leave_one_out import EventUnits, probability
from specminer.inference.surprise_measures import Broken, SurpriseKind, _scan, _usual, measure
from specminer.pipeline import MineOptions, mine
from specminer.presentation.confidence_text import surprise_sentences
from specminer.specification import Surprise, SurpriseUnit, SurprisingInteraction
from tests.support.mined import marked, mined

columns = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, top), min_size=n, max_size=n) for top in (4, 6, 2, 3)))
)


def drawn(case: tuple[list[int], ...]) -> tuple[EventUnits, IntColumn, IntColumn]:
    """Return units, groups and codes; a code belongs to one group."""
    interaction, transaction, group, choice = (np.array(column, dtype=np.int64) for column in case)
    return EventUnits(interaction=interaction, transaction=transaction), group, group * 4 + choice


@given(columns, st.booleans())
def test_counts_are_those_of_other_units(case: tuple[list[int], ...], alone: bool) -> None:
    units, _, code = drawn(case)
    if alone:
        units = EventUnits(interaction=None, transaction=units.transaction)
    found = units.others(code)
    for event in range(len(code)):
        foreign = units.transaction != units.transaction[event]
        if units.interaction is not None:
            foreign &= units.interaction != units.interaction[event]
        assert found[event] == np.sum(foreign & (code == code[event]))


@given(columns)
def test_what_only_one_other_unit_has_is_counted(case: tuple[list[int], ...]) -> None:
    units, group, code = drawn(case)
    found = units.once(code, group)
    for event in range(len(code)):
        having = {
            int(value): set(units.unit[code == value].tolist()) for value in code[group == group[event]]
        }
        expected = sum(
            len(owners) == 1 and int(units.unit[event]) not in owners for owners in having.values()
        )
        assert found[event] == expected


@given(columns)
def test_all_outcomes_of_a_state_sum_to_one(case: tuple[list[int], ...]) -> None:
    units, group, code = drawn(case)
    total, once = units.others(group), units.once(code, group)
    for event in range(len(code)):
        foreign = (units.unit != units.unit[event]) & (units.transaction != units.transaction[event])
        seen = np.bincount(code[foreign & (group == group[event])], minlength=12)
        outcomes = np.append(seen[seen > 0], 0)  # the last is what nobody else did
        size = len(outcomes)
        chances = probability(outcomes, np.full(size, total[event]), np.full(size, once[event]))
        assert np.all((chances > 0) & (chances <= 1))
        if total[event]:
            assert chances.sum() == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["savings", "tender", "lottery"])
def test_what_an_interaction_teaches_does_not_excuse_it(name: str) -> None:
    """Doing a strange thing often in one interaction makes it no less strange."""
    bits = np.zeros(8)
    code = np.array([0] * 30 + [1] * 8, dtype=np.int64)
    own = np.array([*range(30), *[30] * 8], dtype=np.int64)
    for times in range(1, 9):
        kept = np.arange(30 + times)
        units = EventUnits(interaction=own[kept], transaction=kept)
        state = np.zeros(len(kept), dtype=np.int64)
        chance = probability(units.others(code[kept]), units.others(state), units.once(code[kept], state))
        bits[times - 1] = -np.log2(chance[-1])
    assert np.allclose(bits, bits[0])
    assert bits[0] > 5
    assert mined(name).specification.surprise.events


@given(st.lists(st.floats(0, 3), min_size=1, max_size=300), st.floats(0, 40))
def test_the_scan_grows_with_one_event_and_not_with_ordinary_ones(usual: list[float], bits: float) -> None:
    def score(events: list[float]) -> float:
        column = np.array(events)
        starts = np.array([0], dtype=np.int64)
        return float(_scan(column, np.zeros(1), np.zeros(len(column), dtype=np.int64), starts)[0])

    assert score([*usual, bits]) <= score([*usual, bits + 1]) + 1e-9
    assert score([1.0] * len(usual)) == 0
    assert score([*usual, 0.0]) <= score(usual) + 1e-9


@given(st.lists(st.tuples(st.integers(1, 200), st.floats(0, 100)), min_size=1, max_size=200))
def test_the_usual_lies_among_what_was_seen(cases: list[tuple[int, float]]) -> None:
    length = np.array([case[0] for case in cases], dtype=np.int64)
    total = np.array([case[1] for case in cases])
    usual = _usual(total, length)
    assert np.all((usual >= total.min()) & (usual <= total.max()))


@given(st.lists(st.floats(0, 200), max_size=400))
def test_at_most_one_or_the_allowed_share_is_alarming(scores: list[float]) -> None:
    column = np.array(scores)
    limit = threshold(column)
    assert limit >= MIN_BITS
    assert np.sum(column > limit) <= max(1, RATE * len(column))


def test_the_least_threshold_may_be_given() -> None:
    quiet = np.zeros(500)
    assert threshold(quiet, rate=0.003) == pytest.approx(np.log2(1 / 0.003))
    assert threshold(quiet, rate=0.003, least=7.0) == 7.0


def test_one_that_stands_out_is_alarming_and_a_heavy_tail_is_not() -> None:
    draw = np.random.default_rng(0)
    light, heavy = draw.exponential(1, 100), draw.exponential(20, 100)
    assert np.sum(np.append(light, 40.0) > threshold(np.append(light, 40.0))) == 1
    assert np.sum(heavy > threshold(heavy)) == 0


def test_benign_histories_of_any_tail_are_seldom_flagged() -> None:
    draw = np.random.default_rng(1)
    samples = [draw.exponential(scale, size) for size in (20, 60, 200, 1000) for scale in (0.5, 3, 20) * 20]
    flagged = sum(int(np.sum(sample > threshold(sample))) for sample in samples)
    assert flagged / sum(map(len, samples)) < RATE


@pytest.mark.parametrize("name", ["savings", "escrow", "single_auction"])
def test_the_ranking_is_bounded_ordered_and_explained(name: str) -> None:
    found = mined(name).specification.surprise
    scores = [item.score or 0.0 for item in found.interactions]
    excesses = [item.excess or 0.0 for item in found.events]
    for values in (scores, excesses):
        assert len(values) <= 20
        assert values == sorted(values, reverse=True)
        assert all(value > 0 for value in values)
    texts = [*(item.text for item in found.interactions), *(item.text for item in found.events)]
    assert all(str(text).endswith(".") for text in texts)
    for item in found.events:
        assert item.transaction in str(item.text)
        assert sum(item.evidence.values()) == pytest.approx(item.bits, abs=0.01)


def test_what_breaks_a_claim_adds_its_bits_once_a_kind() -> None:
    run = mined("escrow")
    rows = run.interactions.invocation
    event = int(np.flatnonzero(~run.table.rejected & ~run.interactions.passive)[0])
    alone = measure(run.history, run.interactions, run.tuning)

    def claim(bits: float, kind: SurpriseKind) -> Broken:
        return Broken(
            invocation=rows[event : event + 1], bits=np.array([bits]), text="x = y", held_count=50, kind=kind
        )

    claims = [
        claim(4.0, SurpriseKind.BROKEN),
        claim(6.0, SurpriseKind.BROKEN),
        claim(5.0, SurpriseKind.BEFORE),
    ]
    broken = measure(run.history, run.interactions, run.tuning, claims)
    assert broken.evidence[SurpriseKind.BROKEN][event] == 6
    assert broken.worst_claims[SurpriseKind.BROKEN][event] == 1
    assert broken.evidence[SurpriseKind.BEFORE][event] == 5
    assert broken.event[event] == pytest.approx(alone.event[event] + 11)
    assert broken.score[run.table.interaction[event]] >= alone.score[run.table.interaction[event]]
    others = rows != rows[event]
    assert np.array_equal(broken.event[others], alone.event[others])


def test_an_attack_of_many_events_does_not_raise_its_own_threshold() -> None:
    """What is left out of the tail are the events of a transaction, not one event."""
    draw = np.random.default_rng(2)
    scores = np.append(draw.exponential(1, 150), np.full(12, 15.0))
    transaction = np.append(np.arange(150), np.full(12, 150)).astype(np.int64)
    assert threshold(scores) >= 15
    limit = threshold(scores, transaction)
    assert limit < 15
    assert np.array_equal(np.unique(transaction[scores > limit]), [150])


def test_in_one_interaction_a_broken_total_is_an_alarm() -> None:
    """Where there is one interaction, what breaks a claim is judged by other transactions."""
    found = mine(mined("savings").history, MineOptions(interactions="whole")).specification.surprise
    assert found.unit is SurpriseUnit.EVENT
    assert found.events[0].transaction in marked("savings")
    assert found.events[0].evidence["broken"] > 7
    assert found.events[0].flagged
    assert {event.transaction for event in found.events if event.flagged} == marked("savings")


def test_that_few_interactions_hardly_make_an_alarm_is_said_where_there_is_none() -> None:
    item = SurprisingInteraction(interaction="a", text="a: strange.")
    few = Surprise(unit=SurpriseUnit.INTERACTION, threshold=7.64, flagged=0, of=60, interactions=(item,))
    assert "fewer than 100 interactions hardly anything" in surprise_sentences(few, 3)[0]
    assert "fewer" not in surprise_sentences(replace(few, of=150), 3)[0]
    assert "fewer" not in surprise_sentences(replace(few, flagged=1), 3)[0]
