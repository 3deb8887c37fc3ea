"""The analysis finds the split that was written down beforehand: with the layout, without it, without the hashes."""

from __future__ import annotations

from typing import Final

import pytest

from benchmarks.intended_splits import EVIDENCE, split_f1
from specminer.pipeline.datasets import list_datasets

ENOUGH: Final = 0.98


@pytest.mark.parametrize("evidence", EVIDENCE)
@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_the_split_is_the_one_meant(name: str, evidence: str) -> None:
    assert split_f1(name, evidence) >= ENOUGH
