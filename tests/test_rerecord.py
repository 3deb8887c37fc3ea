"""The shipped datasets can be made again from their sources, to the byte."""

from __future__ import annotations

import gzip
import tomllib
from pathlib import Path

import pytest

from specminer.datasets import Dataset, datasets
from tests.support.record import compiler_package, record, trace_files
from tests.support.solc import has_solc


@pytest.mark.parametrize("dataset", datasets(), ids=lambda item: str(item.name))
def test_recording_a_dataset_again_gives_the_same_bytes(
    tools: Path, tmp_path: Path, dataset: Dataset
) -> None:
    version = dataset.compiler.partition("+")[0]
    if compiler_package(dataset.compiler) == "solc" and not dataset.compiler.startswith("0.8."):
        assert not has_solc(f"solc-{version}")
        pytest.skip(f"missing part: solc {version}; run `make tools`")
    told = record(dataset.name, out=tmp_path)
    assert told.addresses[0] == dataset.address
    again = trace_files(tmp_path, len(told.addresses))
    assert [path.relative_to(tmp_path) for path in again] == [
        path.relative_to(dataset.folder) for path in dataset.trace_files
    ]
    for name in ("artifact.json", "intended.json"):
        assert (tmp_path / name).read_bytes() == (dataset.folder / name).read_bytes()
    for ours, theirs in zip(again, dataset.trace_files, strict=True):
        lines, stored = (gzip.decompress(path.read_bytes()).splitlines() for path in (ours, theirs))
        assert len(lines) == len(stored)
        for number, (line, kept) in enumerate(zip(lines, stored, strict=True), 1):
            assert line == kept, f"{ours.name}, line {number}"
        assert ours.read_bytes() == theirs.read_bytes()


def test_about_tells_what_the_recording_tells() -> None:
    for dataset in datasets():
        about = tomllib.loads((dataset.folder / "about.toml").read_text())
        assert about["name"] == dataset.folder.name
        assert about["licence"] == "MIT"
        assert [dataset.folder / name for name in about["files"]["sources"]] == list(dataset.sources)
        assert (dataset.folder / about["recorded_with"]["scenario"]).is_file()
        assert about["recorded_with"]["again"].endswith(f"tests.support.record {dataset.name}")
