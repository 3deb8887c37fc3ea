"""The benchmark of invariants tells those that hold on later transactions from those that fail there."""

from __future__ import annotations

from benchmarks.held_out_invariants import judge
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import list_datasets
from specminer.store import TraceStore


def test_what_held_in_the_first_transactions_is_judged_by_the_later_ones() -> None:
    dataset = next(item for item in list_datasets() if item.name == "escrow")
    with TraceStore("sqlite://") as store:
        records = [import_traces(store, path) for path in dataset.trace_files]
        history = store.history(records[0].chain_id, [item.address for item in records])
    verdicts = list(judge(history))
    tested = [item for item in verdicts if item.tested]
    assert len(tested) > 20
    assert all(item.later > 0 or item.failed < 0 for item in tested)
    assert not any(item.failed for item in tested)
