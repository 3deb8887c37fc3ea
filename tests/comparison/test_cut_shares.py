"""Whether a difference belongs to the block at which a history is cut, on made courses of events."""

from __future__ import annotations

import random

import numpy as np
import pytest

from specminer.comparison.chance import beyond_chance, fisher
from specminer.comparison.cut_shares import CutShares, ShareKey, TimedShare
from specminer.comparison.difference import Subject
from specminer.history.contract_history import IntColumn

BLOCKS = 500


def key(name: str) -> ShareKey:
    return Subject.EFFECT, (name,)


def share(chances: list[float], seed: int = 0) -> TimedShare:
    """Return a share of one call a block, which is a hit with the chance of its block."""
    drawn = random.Random(seed)
    hit = np.array([drawn.random() < chance for chance in chances])
    return TimedShare.of(np.arange(len(chances), dtype=np.int64), hit)


def cut(block: int, **shares: TimedShare) -> CutShares:
    blocks = np.arange(1, BLOCKS, dtype=np.int64)
    return CutShares({key(name): item for name, item in shares.items()}, blocks, block, 0.01)


def test_what_changes_at_the_cut_belongs_to_it_and_to_no_other_cut() -> None:
    changed = share([0.05] * 200 + [0.95] * 300)
    assert cut(200, changed=changed).belongs(key("changed"))
    assert not cut(150, changed=changed).belongs(key("changed"))
    assert not cut(300, changed=changed).belongs(key("changed"))


def test_many_shares_that_change_together_do_not_hide_each_other() -> None:
    shares = {f"s{number}": share([0.0] * 200 + [1.0] * 300) for number in range(30)}
    steady = {f"t{number}": share([0.5] * BLOCKS, number) for number in range(30)}
    held = cut(200, **shares, **steady)
    assert all(held.belongs(key(name)) for name in shares)


def test_a_course_that_grows_belongs_to_no_cut_although_its_parts_differ() -> None:
    growing = share([block / BLOCKS for block in range(BLOCKS)])
    hits = [int((growing.first_hit < 250).sum()), int((growing.first_hit >= 250).sum())]
    assert beyond_chance([fisher(hits[0], 250, hits[1], 250)]) == [True]
    told = [block for block in range(100, 400) if cut(block, growing=growing).belongs(key("growing"))]
    assert len(told) <= 0.01 * BLOCKS


@pytest.mark.parametrize("seed", range(3))
def test_of_courses_in_phases_hardly_any_cut_tells_anything(seed: int) -> None:
    drawn = random.Random(seed)
    shares = {}
    for number in range(20):
        chances: list[float] = []
        while len(chances) < BLOCKS:
            chances += [drawn.random()] * drawn.randint(20, 120)
        shares[f"s{number}"] = share(chances[:BLOCKS], number)
    telling = [
        block
        for block in range(1, BLOCKS)
        if any((cuts := cut(block, **shares)).belongs(key(name)) and _differs(cuts, name) for name in shares)
    ]
    assert len(telling) <= 0.01 * BLOCKS


def _differs(cuts: CutShares, name: str) -> bool:
    found = cuts.shares[key(name)]
    before, after = int((found.first_hit < cuts.block).sum()), int((found.last_hit >= cuts.block).sum())
    return beyond_chance([fisher(before, cuts.block, after, BLOCKS - cuts.block)], 0.0001) == [True]


def test_a_unit_counts_once_on_each_side() -> None:
    def column(*values: int) -> IntColumn:
        return np.array(values, dtype=np.int64)

    found = TimedShare.of(
        column(1, 2, 3, 4, 5), np.array([False, True, True, False, True]), column(7, 7, 8, 8, 7)
    )
    assert found.first_trial.tolist() == [1, 3]
    assert found.last_trial.tolist() == [4, 5]
    assert found.first_hit.tolist() == [2, 3]
    assert found.last_hit.tolist() == [3, 5]


def test_what_is_not_known_along_the_history_is_left_to_the_exact_test() -> None:
    assert cut(200).belongs(key("unknown"))


def test_a_short_history_cannot_say_that_a_cut_is_rare() -> None:
    blocks = np.arange(1, 60, dtype=np.int64)
    sharp = share([0.0] * 30 + [1.0] * 30)
    assert not CutShares({key("sharp"): sharp}, blocks, 30, 0.01).belongs(key("sharp"))
