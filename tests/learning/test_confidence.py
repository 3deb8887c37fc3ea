"""Confidence without ground truth: what is real agrees with itself, what is shuffled does not."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from specminer._support.statistics import wilson
from specminer.learning.abstraction_definition import default
from specminer.learning.event_table import EventTable
from specminer.learning.split_half_agreement import agreement
from specminer.learning.transition_support import count_exits
from specminer.learning.tune import tune
from specminer.learning.tuning_result import Tuning
from specminer.pipeline import MineOptions, import_traces, mine
from specminer.pipeline.datasets import dataset
from specminer.specification import encode_specification
from specminer.store import TraceStore
from tests.support.mined import mined

NAMES = ("escrow", "tender", "single_auction", "lottery")


def shuffled(table: EventTable) -> EventTable:
    """Return the table with the labels of accepted calls dealt anew."""
    rows = np.flatnonzero(~table.rejected)
    dealt = rows.tolist()
    random.Random(0).shuffle(dealt)
    symbol = table.symbol.copy()
    symbol[rows] = table.symbol[dealt]
    return replace(table, symbol=symbol, arguments=())


def gap(tuning: Tuning) -> float:
    """Return how much better held-out interactions fare than shuffled ones."""
    return tuning.metrics["held_out_acceptance"] - tuning.metrics["shuffled_acceptance"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["escrow", "tender"])
def test_shuffled_labels_destroy_confidence(name: str) -> None:
    real = mined(name).tuning
    noise = tune(shuffled(mined(name).table), default())
    known, nothing = agreement(real, 0), agreement(noise, 0)
    assert known is not None
    assert nothing is not None
    assert known.explained_share > 0.3
    assert nothing.explained_share < known.explained_share / 4
    assert nothing.beyond_chance < known.beyond_chance
    assert gap(noise) < gap(real)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_all_figures_are_in_their_ranges(name: str) -> None:
    found = agreement(mined(name).tuning, 0)
    assert found is not None
    assert 0 <= found.lowest <= found.agreement <= 1
    assert 0 <= found.chance <= 1
    assert 0 <= found.beyond_chance <= 1
    assert 0 <= found.explained_share <= 1
    assert found.bits >= 0
    assert 0 <= found.equal <= found.splits
    assert (found.example is None) <= (found.agreement == 1)


@pytest.mark.parametrize("name", NAMES)
def test_transitions_rest_on_the_interactions_that_could_have_taken_them(name: str) -> None:
    run = mined(name)
    counts = count_exits(run.tuning, run.tuning.chosen_point)
    before = run.tuning.state_before
    for state in range(len(run.tuning.states)):
        assert counts[state] == len(set(run.table.interaction[before == state].tolist()))
    for edge in run.specification.transitions:
        assert edge.reached == counts[edge.source]
        assert edge.interval == wilson(edge.interaction_count, int(counts[edge.source]))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes() -> None:
    def run() -> bytes:
        with TraceStore("sqlite://") as store:
            record = import_traces(store, dataset("savings").traces)
            history = store.history(record.chain_id, [record.address])
        return encode_specification(mine(history, MineOptions(seed=3)).specification)

    assert run() == run()
