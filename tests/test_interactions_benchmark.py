"""The benchmark of splitting runs, splits its market by item, and reads the bare rows of the same database."""

from __future__ import annotations

from pathlib import Path

from benchmarks.interactions import CHAIN, CONTRACT, make, measured, read_rows, split_all
from specminer.store import TraceStore


def test_the_benchmark_splits_its_market_by_item(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    items = make(path, 3_000)
    with TraceStore(str(path)) as store:
        history = store.history(CHAIN, [CONTRACT])
    assert len(history) == 3_000
    assert read_rows(path) == len(history.access_slot) == 8 * 3_000
    assert split_all(path) == items > 100


def test_steps_are_measured_in_processes_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    items = make(path, 300)
    seconds, peak, count = measured("split", path)
    assert seconds > 0
    assert 20 < peak < 2_000
    assert count == items
