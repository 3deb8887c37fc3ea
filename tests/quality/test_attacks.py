"""Attacks that were planted in recorded histories stand out first, and little that is benign does."""

from __future__ import annotations

import numpy as np
import pytest

from specminer.inference.alarm import threshold
from specminer.inference.surprise_measures import measure
from specminer.pipeline.datasets import list_datasets
from tests.support.mined import marked, mined

ATTACKED = ("savings", "vaults", "tender")


@pytest.mark.parametrize("name", ATTACKED)
def test_the_attack_is_the_first_event(name: str) -> None:
    found = mined(name).specification.surprise
    first = found.events[0]
    assert first.transaction in marked(name)
    assert first.transaction in str(first.text)


@pytest.mark.parametrize("name", ATTACKED)
def test_the_attacked_is_the_first_interaction_and_alarming(name: str) -> None:
    found = mined(name).specification.surprise
    first = found.interactions[0]
    assert first.flagged
    assert first.events[0].transaction in marked(name)
    assert found.flagged == 1


@pytest.mark.parametrize(
    "name", sorted({item.name for item in list_datasets()} - set(ATTACKED) - {"single_auction"})
)
def test_hardly_anything_benign_is_alarming(name: str) -> None:
    found = mined(name).specification.surprise
    assert found.flagged is not None
    assert found.of is not None
    assert found.flagged < max(1.5, 0.005 * found.of)


def test_over_all_datasets_few_are_alarming() -> None:
    flagged = total = 0
    for name in sorted({item.name for item in list_datasets()} - {"single_auction"}):
        run = mined(name)
        measured = measure(run.history, run.interactions, run.tuning)
        scores = measured.excess if measured.whole else measured.score
        attacked = name in ATTACKED
        flagged += int(np.sum(scores > threshold(scores))) - attacked
        total += len(scores) - attacked
    assert flagged / total < 0.005, f"{flagged} of {total}"
