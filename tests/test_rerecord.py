"""The shipped datasets can be made again from their sources, to the byte."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from specminer.datasets import Dataset, datasets
from tests.support.record import record


@pytest.mark.parametrize("dataset", datasets(), ids=lambda item: str(item.name))
def test_recording_a_dataset_again_gives_the_same_bytes(
    tools: Path, tmp_path: Path, dataset: Dataset
) -> None:
    told = record(dataset.name, out=tmp_path)
    assert told["address"] == dataset.address
    assert (tmp_path / "artifact.json").read_bytes() == (dataset.folder / "artifact.json").read_bytes()
    again, shipped = ((folder / "traces.jsonl.gz").read_bytes() for folder in (tmp_path, dataset.folder))
    ours, theirs = gzip.decompress(again).splitlines(), gzip.decompress(shipped).splitlines()
    assert len(ours) == len(theirs)
    for number, (line, stored) in enumerate(zip(ours, theirs, strict=True), 1):
        assert line == stored, f"line {number}"
    assert again == shipped
