"""Drives contracts and records what became of it by the ordinary collector."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from specminer.contracts.artifact import Artifact, load
from specminer.history.trace import Transaction
from specminer.pipeline import collect, export_traces
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.sources.tracefile import TraceFile
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import address
from tests.support.third_party.catalogue import DRIVERS, SHARED_DRIVES
from tests.support.third_party.crowd import Crowd, Subject

VARIABLE: Final = "SPECMINER_THIRD_PARTY"
"""The environment's variable that names a folder with recordings of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A contract's history as it lies in a folder."""

    name: str
    trace_file: Path
    artifact_file: Path
    aims_file: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """All its files."""
        return self.trace_file, self.artifact_file, self.aims_file

    def artifact(self) -> Artifact:
        """Return the ABI and the storage layout."""
        return load(self.artifact_file)

    def aims(self) -> dict[str, str]:
        """Return what calls were meant to break, by hash of the transaction as ``0x...``."""
        aims: dict[str, str] = json.loads(self.aims_file.read_text())
        return aims

    def transactions(self) -> Iterator[Transaction]:
        """Yield the history from its file."""
        return TraceFile(self.trace_file).transactions()


def recorded(name: str, shared: Path) -> Recording:
    """Return a recording in a folder that all test processes share; the first that asks makes it.

    ``$SPECMINER_THIRD_PARTY`` names a folder with recordings of before; those that are there are taken as they are.
    """
    earlier = os.environ.get(VARIABLE)
    if earlier and (Path(earlier) / name).is_dir():
        return recording_in(Path(earlier) / name)
    shared.mkdir(exist_ok=True)
    driver = SHARED_DRIVES.get(name, name)
    with (shared / f"{driver}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / name).exists():
            partial = shared / f"{driver}.partial"
            for recording in record(driver, partial):
                (partial / recording.name).rename(shared / recording.name)
    return recording_in(shared / name)


def record(driver: str, folder: Path, *, seed: int = 0) -> list[Recording]:
    """Drive a contract on a fresh chain and write a folder for it, and for each other that belongs to it.

    Each folder has ``traces.jsonl.gz``, ``artifact.json`` and ``aims.json``. The same seed gives the same bytes.
    """
    with Anvil(automine=False) as anvil:
        crowd = Crowd(anvil, seed=seed)
        subjects = DRIVERS[driver](crowd)
        return [_record(anvil.url, subject, crowd.aims, folder / subject.name) for subject in subjects]


def _record(url: str, subject: Subject, aims: Mapping[str, str], folder: Path) -> Recording:
    folder.mkdir(parents=True, exist_ok=True)
    recording = recording_in(folder)
    recording.artifact_file.write_text(_artifact_text(subject))
    recording.aims_file.write_text(json.dumps(aims, indent=1) + "\n")
    contract = address(subject.address)
    with TraceStore("sqlite://") as store, Node(Endpoint(url)) as node:
        collected = collect(store, node, contract)
        export_traces(store, collected.chain_id, contract, recording.trace_file)
    return recording


def recording_in(folder: Path) -> Recording:
    """Return the recording that lies in a folder."""
    return Recording(
        name=folder.name,
        trace_file=folder / "traces.jsonl.gz",
        artifact_file=folder / "artifact.json",
        aims_file=folder / "aims.json",
    )


def _artifact_text(subject: Subject) -> str:
    """Return ABI and storage layout as JSON, those of Vyper in Vyper's own form."""
    fields: dict[str, Any] = {"contractName": subject.name, "abi": subject.artifact["abi"]}
    for name in ("storageLayout", "layout"):
        if name in subject.artifact:
            fields[name] = subject.artifact[name]
    return json.dumps(fields, separators=(",", ":")) + "\n"
