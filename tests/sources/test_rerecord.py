"""The shipped datasets can be made again from their sources, to the byte.

What is slow is tracing. A few datasets, one of each kind, are recorded again as a whole; of the others the chain is
made again, to the hash of the last recorded block, and the last eighth of its transactions traced.
"""

from __future__ import annotations

import gzip
import tomllib
from pathlib import Path
from typing import Final

import pytest

from specminer.contracts.artifact import load
from specminer.pipeline import collect
from specminer.pipeline.datasets import Dataset, list_datasets
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.sources.tracefile import TraceFile
from specminer.store import TraceStore
from tests.support.anvil import PROJECT
from tests.support.collecting import Notes, address
from tests.support.solc import has_solc
from tools.intended import intended_text
from tools.record import compiler_package, living, record, trace_files

pytestmark = pytest.mark.slow

WHOLLY: Final = {
    "auction_house": "one contract",
    "single_auction": "several contracts",
    "loans": "a proxy",
    "token": "no layout",
}


@pytest.fixture(params=list_datasets(), ids=lambda item: str(item.name))
def dataset(request: pytest.FixtureRequest, tools: Path) -> Dataset:
    item: Dataset = request.param
    version = item.compiler.partition("+")[0]
    if compiler_package(item.compiler) == "solc" and not item.compiler.startswith("0.8."):
        assert not has_solc(f"solc-{version}")
        pytest.skip(f"missing part: solc {version}; run `make tools`")
    return item


def test_recording_a_dataset_again_gives_the_same_bytes(tmp_path: Path, dataset: Dataset) -> None:
    if dataset.name in WHOLLY:
        wholly(dataset, tmp_path)
    else:
        in_part(dataset, tmp_path)
    assert (tmp_path / "artifact.json").read_bytes() == (dataset.folder / "artifact.json").read_bytes()


def wholly(dataset: Dataset, out: Path) -> None:
    """Record a dataset again and compare all of it."""
    told = record(dataset.name, out=out)
    again = trace_files(out, len(told.addresses))
    assert [path.relative_to(out) for path in again] == [
        path.relative_to(dataset.folder) for path in dataset.trace_files
    ]
    assert (out / "intended.json").read_bytes() == (dataset.folder / "intended.json").read_bytes()
    for ours, theirs in zip(again, dataset.trace_files, strict=True):
        lines, stored = (gzip.decompress(path.read_bytes()).splitlines() for path in (ours, theirs))
        assert len(lines) == len(stored)
        for number, (line, kept) in enumerate(zip(lines, stored, strict=True), 1):
            assert line == kept, f"{ours.name}, line {number}"


def in_part(dataset: Dataset, out: Path) -> None:
    """Live a dataset again and compare its chain, and the last eighth of what was traced."""
    with living(dataset.name, out) as (anvil, told):
        file = TraceFile(dataset.traces)
        stored = list(file.transactions())
        tip = file.header.tip
        assert tip is not None
        block = anvil.rpc("eth_getBlockByNumber", hex(tip.number), False)
        assert block["hash"] == f"0x{tip.hash.hex()}"
        assert anvil.block_number() == tip.number
        first = stored[-len(stored) // 8].block.number
        contract = address(told.addresses[0])
        with TraceStore("sqlite://") as store, Node(Endpoint(anvil.url)) as node:
            done = collect(store, node, contract, first=first, observer=Notes())
            again = list(store.transactions(done.chain_id, contract))
    assert again == [item for item in stored if item.block.number >= first]
    text = intended_text(dataset.trace_files, load(out / "artifact.json"), told.meant)
    assert text == (dataset.folder / "intended.json").read_text()


def test_about_tells_what_the_recording_tells() -> None:
    assert {item.name for item in list_datasets()} >= WHOLLY.keys()
    for item in list_datasets():
        about = tomllib.loads((item.folder / "about.toml").read_text())
        assert about["name"] == item.folder.name
        assert about["licence"] == "MIT"
        assert [item.folder / name for name in about["files"]["sources"]] == list(item.sources)
        assert (PROJECT / about["recorded_with"]["scenario"]).is_file()
        assert about["recorded_with"]["again"].endswith(f"tools.record {item.name}")
