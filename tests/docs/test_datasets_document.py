"""The table of the datasets says what their ``about.toml`` says."""

from __future__ import annotations

import tomllib
from pathlib import Path

from specminer.pipeline.datasets import list_datasets

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "datasets.md"


def test_the_table_lists_all_datasets() -> None:
    rows = []
    for item in list_datasets():
        meant = tomllib.loads((item.folder / "about.toml").read_text())["intended"]
        solc = item.compiler.partition("+")[0]
        split = f"{meant['entity']} ({meant['mode']})"
        rows.append(f"| `{item.name}` | {item.title} | {split} | {solc} | {item.purpose} |")
    table = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    assert table == rows
