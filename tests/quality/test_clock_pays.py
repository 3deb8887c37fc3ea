"""Deadlines are told apart only where what was not seen bears them out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from specminer.learning.preset import PRESETS
from specminer.pipeline import MineOptions, division
from specminer.pipeline.mining import MiningResult
from specminer.specification import TransitionKind
from tests.support.mined import mined

ONE = 1.5
"""More than one interaction."""
SHORTEST = MineOptions(preset=replace(PRESETS["balanced"], enabling=False))
"""Descriptions that tell apart only what pays, to compare what pays."""


@cache
def shortest(name: str) -> MiningResult:
    """Return what is mined from a dataset with nothing told apart but what pays."""
    run: MiningResult = mined.__wrapped__(name, SHORTEST)
    return run


def figures(run: MiningResult) -> tuple[float, float]:
    """Return held-out acceptance and the agreement of halves."""
    halves = run.specification.confidence.halves
    assert halves is not None
    assert halves.agreement is not None
    return run.specification.metrics["held_out_acceptance"], halves.agreement


@pytest.mark.parametrize(
    "name", ["auction_house", "channel", "governance", "loans", "savings", "tender", "vaults"]
)
def test_what_was_not_seen_bears_the_deadlines_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    timed = shortest(name)
    with monkeypatch.context() as without:
        without.setattr(division, "deadlines", lambda table: ())
        plain = shortest.__wrapped__(name)  # not the one that is kept
    accepted, agreed = figures(timed)
    accepted_before, agreed_before = figures(plain)
    lost = max(0.01, ONE / (timed.specification.interactions.count or 1))
    assert accepted >= accepted_before - lost
    assert agreed >= agreed_before - 0.015
    assert (
        timed.specification.metrics["description_length"] <= plain.specification.metrics["description_length"]
    )


@pytest.mark.parametrize("name", ["channel", "escrow", "governance", "tender", "names", "lottery"])
def test_no_deadline_leads_from_one_end_to_another(name: str) -> None:
    specification = mined(name).specification
    told = [edge for edge in specification.transitions if edge.kind is TransitionKind.TIME]
    assert told, "the dataset shows a deadline"
    lively = {
        edge.source
        for edge in specification.transitions
        if edge.kind is TransitionKind.CALL and edge.outcome == "returned"
    }
    assert all({edge.source, edge.target} & lively for edge in told if edge.source != edge.target)


@pytest.mark.parametrize("name", ["escrow", "governance", "lottery", "names", "single_auction"])
def test_what_the_code_tells_apart_is_borne_out_as_well(name: str) -> None:
    accepted, agreed = figures(mined(name))
    accepted_before, agreed_before = figures(shortest(name))
    lost = max(0.01, ONE / (mined(name).specification.interactions.count or 1))
    assert accepted >= accepted_before - lost
    assert agreed >= agreed_before - 0.015
