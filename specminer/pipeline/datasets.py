"""The shipped datasets: recorded histories that work without a node.

A dataset is a folder under ``datasets/`` with ``about.toml``, the recorded traces (``traces.jsonl.gz``, or a file for
each of several instances in ``traces/``), the ``artifact.json`` of its contract, its sources, and ``intended.json``,
the split into interactions that was meant when it was recorded.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from specminer._support.errors import UsageError, plain
from specminer._support.resources import shipped_folder
from specminer._support.text import suggest


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A recorded history with where it comes from."""

    name: str
    title: str
    summary: str
    purpose: str
    """What its history has that others do not."""
    contract: str
    address: str
    chain_id: int
    licence: str
    folder: Path
    node: str
    """The node it was recorded on."""
    compiler: str
    """The version of the Solidity compiler."""

    @property
    def traces(self) -> Path:
        """The trace file, or the first of them."""
        return self.trace_files[0]

    @property
    def trace_files(self) -> tuple[Path, ...]:
        """The trace files, one a contract; several are instances of the same code, in order of creation."""
        several = tuple(sorted((self.folder / "traces").glob("*.jsonl.gz")))
        return several or (self.folder / "traces.jsonl.gz",)

    @property
    def sources(self) -> tuple[Path, ...]:
        """The contracts' sources."""
        return tuple(sorted(self.folder.glob("*.sol")))


def list_datasets() -> list[Dataset]:
    """Return all shipped datasets, by name."""
    return [
        _read(folder)
        for folder in sorted(shipped_folder("datasets").iterdir())
        if (folder / "about.toml").is_file()
    ]


def dataset(name: str) -> Dataset:
    """Return one dataset.

    Raises:
        UsageError: there is none of this name.

    """
    datasets = {item.name: item for item in list_datasets()}
    if name not in datasets:
        raise UsageError(f"there is no dataset '{plain(name, 60)}'; {suggestion(name)}")
    return datasets[name]


def suggestion(name: str) -> str:
    """Return what to say about a name that no dataset has: the one that was probably meant, or where to look."""
    names = [item.name for item in list_datasets()]
    return suggest(name, names, "`specminer datasets list` shows what there is")


def _read(folder: Path) -> Dataset:
    about = tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))
    return Dataset(
        name=about["name"],
        title=about["title"],
        summary=" ".join(about["summary"].split()),
        purpose=about["purpose"],
        contract=about["contract"],
        address=about["address"],
        chain_id=about["chain_id"],
        licence=about["licence"],
        folder=folder,
        node=about["recorded_with"]["node"],
        compiler=about["recorded_with"]["compiler"],
    )
