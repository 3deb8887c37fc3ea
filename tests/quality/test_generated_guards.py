"""Guards mined of contracts that are drawn from a grammar predict calls that the miner has not seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.generated_guards import Scores, assembled_contracts, compiled_contracts, score
from benchmarks.guard_drawing import draw_contract
from tests.support.solc import has_solc

LEARNED, BOUNDARY = 0.99, 0.97
"""The share of calls predicted rightly: drawn as those of the history, and at boundary values."""
SEED = 7


@pytest.mark.parametrize("kind", ["solidity", "bytecode"])
def test_unseen_calls_end_as_the_mined_guards_say(kind: str, tmp_path: Path) -> None:
    if kind == "solidity" and not has_solc():
        pytest.skip("solc is not installed")
    contracts = [draw_contract(f"{kind.capitalize()}{number}", SEED) for number in range(3)]
    outputs = (compiled_contracts if kind == "solidity" else assembled_contracts)(contracts)
    total = Scores()
    for contract, (creation, document) in zip(contracts, outputs, strict=True):
        found = score(contract, creation, document, tmp_path, SEED)
        total.learned.join(contract.name, found.learned)
        total.boundary.join(contract.name, found.boundary)
    assert min(total.learned.calls, total.boundary.calls) > 300
    assert total.learned.base_rate < 0.95
    assert total.learned.accuracy >= LEARNED
    assert total.boundary.accuracy >= BOUNDARY
