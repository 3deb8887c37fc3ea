"""Drives contracts and records what became of it by the ordinary collector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specminer.chain.artifact import Artifact, parse
from specminer.chain.endpoint import Endpoint
from specminer.chain.node import Node
from specminer.pipeline import collect, export_traces
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import address
from tests.support.third_party.catalogue import DRIVERS
from tests.support.third_party.crowd import Crowd, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A contract's history as it lies in a folder."""

    name: str
    trace_file: Path
    artifact_file: Path
    aims_file: Path
    """What calls were meant to break, by hash of the transaction, where the driver was sure of it."""
    transactions: int

    def artifact(self) -> Artifact:
        """Return the ABI and the storage layout."""
        return parse(self.artifact_file.read_bytes(), self.artifact_file.name)


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
    traces, artifact, aimed = (folder / name for name in ("traces.jsonl.gz", "artifact.json", "aims.json"))
    artifact.write_text(_artifact_text(subject))
    aimed.write_text(json.dumps(aims, indent=1) + "\n")
    contract = address(subject.address)
    with TraceStore("sqlite://") as store, Node(Endpoint(url)) as node:
        collected = collect(store, node, contract)
        count = export_traces(store, collected.chain_id, contract, traces)
    return Recording(
        name=subject.name, trace_file=traces, artifact_file=artifact, aims_file=aimed, transactions=count
    )


def _artifact_text(subject: Subject) -> str:
    """Return ABI and storage layout as JSON, those of Vyper in Vyper's own form."""
    fields: dict[str, Any] = {"contractName": subject.name, "abi": subject.artifact["abi"]}
    for name in ("storageLayout", "layout"):
        if name in subject.artifact:
            fields[name] = subject.artifact[name]
    return json.dumps(fields, separators=(",", ":")) + "\n"
