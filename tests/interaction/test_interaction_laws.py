"""What holds for the split of any history: nothing lost, nothing doubled, and no dependence on what does not matter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.history.contract_history import History
from specminer.interaction import Mode
from specminer.pipeline import InspectedSplit, inspect
from tests.support.histories import CHAIN, CONTRACTS, Simulated, simulations, stored
from tests.support.markets import NAMES, Act, history_of, lives, played, woven

SEEDS = st.integers(0, 1 << 20)
FEW = settings(max_examples=12)


def groups(found: InspectedSplit) -> set[frozenset[bytes]]:
    """Return the transactions of each interaction; each holds one call here."""
    history = found.context.history
    own = ~found.interactions.passive
    collected: dict[int, set[bytes]] = {}
    for number, row in zip(found.interactions.slice[own], found.interactions.invocation[own], strict=True):
        transaction = history.transaction_hash[int(history.invocation_transaction[row])]
        collected.setdefault(int(number), set()).add(bytes(transaction))
    return {frozenset(group) for group in collected.values()}


def ports(found: InspectedSplit) -> list[str]:
    """Return the key positions of the chosen sort."""
    assert found.interactions.sort is not None, found.interactions.explanation
    return list(found.interactions.sort.ports)


def lived(acts: list[list[Act]]) -> set[frozenset[bytes]]:
    """Return the transactions of each life."""
    return {frozenset(bytes(item.hash) for item in played(life)) for life in acts}


@pytest.mark.slow
@FEW
@given(SEEDS, SEEDS, st.integers(4, 12))
def test_a_market_splits_by_item_however_its_lives_are_woven(seed: int, order: int, count: int) -> None:
    drawn = lives(seed, count)
    one = inspect(history_of(played(woven(drawn, order))))
    other = inspect(history_of(played(woven(drawn, order + 1))))
    assert groups(one) == groups(other) == lived(drawn)
    assert ports(one) == ports(other) == ["mapping2[]"]
    assert one.interactions.mode is Mode.PARTITION


@FEW
@given(SEEDS, SEEDS, st.integers(4, 12))
def test_dropping_the_rejections_does_not_change_the_sort(seed: int, order: int, count: int) -> None:
    acts = woven(lives(seed, count), order)
    assert ports(inspect(history_of(played(acts)))) == ports(
        inspect(history_of(played([act for act in acts if not act.rejected])))
    )


@pytest.mark.slow
@FEW
@given(SEEDS, SEEDS, st.integers(4, 12))
def test_a_counter_that_every_call_increments_merges_nothing(seed: int, order: int, count: int) -> None:
    drawn = lives(seed, count)
    acts = woven(drawn, order)
    counting = inspect(history_of(played(acts, counting=True)))
    assert groups(counting) == groups(inspect(history_of(played(acts)))) == lived(drawn)


@pytest.mark.slow
@FEW
@given(SEEDS, SEEDS, st.permutations(NAMES))
def test_names_of_variables_change_nothing(seed: int, order: int, names: list[str]) -> None:
    transactions = played(woven(lives(seed, 8), order))
    one = inspect(history_of(transactions, NAMES))
    other = inspect(history_of(transactions, names))
    assert groups(one) == groups(other)
    assert [item.score for item in one.analysis.assessments] == [
        item.score for item in other.analysis.assessments
    ]
    assert one.interactions.names == other.interactions.names


@pytest.mark.slow
@FEW
@given(SEEDS, SEEDS, st.lists(SEEDS, max_size=4))
def test_the_order_of_rows_in_the_database_changes_nothing(seed: int, order: int, pieces: list[int]) -> None:
    transactions = played(woven(lives(seed, 8), order))
    one = inspect(history_of(transactions))
    other = inspect(history_of(transactions, pieces=pieces))
    assert one.members() == other.members()
    assert one.interactions.explanation == other.interactions.explanation
    assert one.races() == other.races()


@settings(max_examples=25)
@given(simulations(max_size=20), st.sampled_from(["auto", "account", "whole", "sender"]))
def test_every_event_has_its_place(simulated: Simulated, wish: str) -> None:
    with stored(simulated.transactions) as store:
        history = store.history(CHAIN, CONTRACTS[:1])
    if not len(history):
        return
    found = inspect(history)
    if wish == "account" and "account" not in found.analysis.names:
        return
    found = inspect(history, wish=wish)
    split, context = found.interactions, found.context
    own = Counter(split.invocation[~split.passive].tolist())
    track = split.track.tolist()
    assert set(own) | set(track) == set(np.flatnonzero(context.is_event).tolist())
    assert not set(own) & set(track)
    if split.mode is not Mode.PROJECTION:
        assert set(own.values()) <= {1}
    pairs = list(zip(split.slice.tolist(), split.invocation.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert np.all(np.diff(split.slice) >= 0)
    same = np.diff(split.slice) == 0
    assert np.all(np.diff(split.invocation)[same] > 0)
    assert len(set(split.names)) == len(split.names) == len(split.keys) == len(split.entities)
    assert set(split.slice.tolist()) == set(range(len(split.names)))
    _side_effects_are_effects(history, found)


def _side_effects_are_effects(history: History, found: InspectedSplit) -> None:
    split, touched = found.interactions, found.context.accesses
    for number, row in zip(split.slice[split.passive], split.invocation[split.passive], strict=True):
        own = touched.invocation == row
        changed = touched.slot[own & touched.effective_write]
        assert any(np.any(holder[changed] == number) for holder in split.holders)
    assert len(history) == len(found.context.calls.function)
