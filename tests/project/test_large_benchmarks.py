"""The large benchmarks run: the market is split by item, its rejections are explained, its calls are followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.coded_market import make_coded
from benchmarks.decision_cost import follow
from benchmarks.interactions import read_rows, split_all
from benchmarks.judging import judge
from benchmarks.market import ACCESSES, CHAIN, CONTRACT, make
from benchmarks.steps import PEAK, measured
from benchmarks.tuning import search
from benchmarks.unseen_parts import ROOT, measure
from specminer.pipeline.mining import STAGES
from specminer.store import TraceStore

pytestmark = pytest.mark.slow


def test_the_market_is_split_by_item(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    items = make(path, 3_000)
    with TraceStore(str(path)) as store:
        history = store.history(CHAIN, [CONTRACT])
    assert len(history) == 3_000
    assert read_rows(path)["count"] == len(history.access_slot) == ACCESSES * 3_000
    assert split_all(path)["count"] == items > 100


def test_what_the_market_rejects_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    make(path, 3_000)
    found = judge(path)
    assert found["rejected"] > 200
    assert found["explained"] == found["rejected"]
    assert found["invariant count"] > 5


def test_steps_are_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    items = make(path, 300)
    found = measured("benchmarks.interactions", "split", path)
    assert found["split"] > 0
    assert 20 < found[PEAK] < 2_000
    assert found["count"] == items


def test_all_calls_of_the_coded_market_are_followed_and_all_rejections_have_a_cause(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    make_coded(path, 3_000)
    found = follow(path)
    assert found["executed"] + found["matched"] == 3_000
    assert 0 < found["executed"] < 200
    assert found["caused"] == found["rejected"] > 200
    assert found["effects found"] > 5
    assert found["guards found"] > 3
    assert found["read MB"] <= found["guards MB"] < 2_000


def test_memory_is_measured_stage_by_stage(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    make_coded(path, 1_000)
    found = measured("benchmarks.stage_memory", "stages", path)
    names = ["read", *(stage.__name__ for stage in STAGES)]
    assert set(found) == {f"{name} {part}" for name in names for part in ("s", "peak", "own", "held")} | {
        PEAK
    }
    for name in names:
        assert 20 < found[f"{name} held"] <= found[f"{name} peak"] + 1
        assert found[f"{name} s"] >= 0
    assert max(found[f"{name} peak"] for name in names) < 2_000


def test_what_looks_at_every_event_is_told_from_the_search() -> None:
    spent = search(2_000)
    assert spent["events"] > 1_000
    assert min(spent["vocabulary"], spent["quotient"], spent["folds"], spent["search"]) > 0


def test_unseen_parts_are_measured_by_this_tree() -> None:
    borne = measure(ROOT / "datasets" / "channel")
    assert borne.held_out > 0.9
    assert borne.halves is not None
    assert borne.states > 2
