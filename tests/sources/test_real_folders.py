"""The folders beside the project hold what tests expect of them, whatever lies there."""

from __future__ import annotations

import gzip
import json

import pytest

from specminer.sources.tracefile import TraceFile
from specminer.sources.txlist import read_transactions
from tests.support.real import attacks, entangled_histories

pytestmark = pytest.mark.real


def test_transactions_of_entangled_histories_are_read() -> None:
    paths = sorted(entangled_histories().glob("*/txlist.json.gz"))
    assert paths, "SPECMINER_REAL_HISTORIES names a folder without histories"
    for path in paths:
        assert len(read_transactions(path)) == len(json.loads(gzip.decompress(path.read_bytes()))), path


def test_recorded_attacks_are_in_their_traces() -> None:
    paths = sorted(attacks().glob("*.attack.json"))
    assert paths, "SPECMINER_ATTACKS names a folder without attacks"
    for path in paths:
        attack = set(json.loads(path.read_text())["attack"])
        traces = TraceFile(path.with_name(path.name.replace(".attack.json", ".jsonl.gz")))
        assert attack
        assert attack <= {f"0x{item.hash.hex()}" for item in traces.transactions()}, path
