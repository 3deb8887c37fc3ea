"""Datasets mined in memory, once a test process."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from typing import Any

from specminer.pipeline import MineOptions, import_traces, mine
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import MiningResult
from specminer.pipeline.recording import Recording
from specminer.pipeline.reporting import report_from
from specminer.presentation.report_document import Report
from specminer.store import TraceStore


@cache
def mined(name: str, options: MineOptions | None = None) -> MiningResult:
    """Return what is mined from a dataset's one contract."""
    return mined_anew(name, options or MineOptions())


def mined_anew(name: str, options: MineOptions) -> MiningResult:
    """Return the same, mined again each time: for options with a definition."""
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        history = store.history(record.chain_id, [record.address])
    recording = Recording(
        chain_id=record.chain_id, contracts=(record.address,), files=(dataset(name).traces,)
    )
    return replace(mine(history, options), recording=recording)


def report_of(run: MiningResult) -> Report:
    """Return the report of what was just mined."""
    return report_from(run.specification, run)


def marked(name: str, what: str = "attack") -> set[str]:
    """Return the transactions that a dataset's scenario marks."""
    about: dict[str, Any] = tomllib.loads((dataset(name).folder / "about.toml").read_text())
    return set(about["intended"]["marked"][what])
