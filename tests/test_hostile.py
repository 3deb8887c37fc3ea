"""Mutated answers and files end a run well or with an error of ours, and leave nothing stored by half.

``python -m benchmarks.hostile 20000`` does the same for longer.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.hostile import Recording, recorded, run
from tests.support.mutations import mutated, scrambled

COUNT = 150
"""Attacks by each of a few seeds."""


@pytest.fixture(scope="module")
def recordings(tools: Path) -> list[Recording]:
    return recorded()


@pytest.mark.parametrize("seed", range(3))
def test_what_is_hostile_is_refused_or_read(recordings: list[Recording], seed: int) -> None:
    ended, failures = run(COUNT, 1_000 + seed, recordings)
    assert failures == []
    assert sum(ended.values()) == COUNT
    kinds = {name.partition(":")[0] for name in ended}
    assert kinds == {"node", "traces", "abi", "toml", "txlist", "internal"}


def test_mutations_are_the_same_for_a_seed_and_change_something() -> None:
    value = {"a": [1, "0x12", None], "b": {"c": True}}
    found = [mutated(value, random.Random(seed)) for seed in range(50)]
    assert repr(found) == repr([mutated(value, random.Random(seed)) for seed in range(50)])
    assert sum(repr(item) != repr(value) for item in found) > 40
    texts = [scrambled(b'[{"a": 1}]\n' * 5, random.Random(seed)) for seed in range(50)]
    assert len(set(texts)) > 40
