"""How good the specifications are of contracts like those of the Azure benchmark that its data here does not hold.

The contracts are our own (``workbench/*.sol``), each with the protocol that its code allows, written down beforehand.
Histories are made as the benchmark's were, by calling at random, and executed again from the export.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from benchmarks.azure import Trial, imported, run
from tests.support.fuzzed import write_fuzzed

WORKBENCH: Final = Path(__file__).with_name("workbench")
CONTRACTS: Final = tuple(sorted(path.stem for path in WORKBENCH.glob("*.sol")))
LEAST: Final = 0.9
"""Some of what the code allows no random history of 70 instances shows."""


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_the_code_allows_is_found(name: str, tools: None, tmp_path: Path) -> None:
    folder = tmp_path / name
    write_fuzzed(WORKBENCH / f"{name}.sol", folder, instances=70)
    database = imported(folder, tmp_path)
    assert run(folder, Trial(name="70 instances"), database).repaired.f.mean >= LEAST


def test_there_are_contracts() -> None:
    assert len(CONTRACTS) == 6
