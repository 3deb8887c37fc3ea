"""Data flows one way: a module imports only from ranks below its own, or from its own package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import specminer

PACKAGE = Path(specminer.__file__).parent
DESIGN = Path(__file__).parent.parent / "docs" / "design.md"

RANKS = {
    "_support": 0,
    "errors": 0,
    "nesting": 0,
    "resources": 0,
    "support": 0,
    "words": 0,
    "hashing": 0,
    "trace": 1,
    "flows": 1,
    "history": 1,
    "continuity": 1,
    "excerpt": 1,
    "probe": 1,
    "automaton": 1,
    "datasets": 1,
    "evm": 1,
    "chain": 2,
    "store": 2,
    "lives": 2,
    "location": 2,
    "declared": 2,
    "specification": 2,
    "decoding": 3,
    "quantity": 3,
    "decision": 4,
    "interaction": 5,
    "predicate": 5,
    "abstraction": 6,
    "metric": 7,
    "naming": 7,
    "tuning": 7,
    "score": 8,
    "confidence": 8,
    "guard": 8,
    "invariant": 8,
    "surprise": 8,
    "explanation": 9,
    "reasoning": 8,
    "comparison": 10,
    "export": 10,
    "monitoring": 10,
    "render": 10,
    "report": 10,
    "pipeline": 11,
    "api": 12,
    "cli": 13,
}

SIDEWAYS = {
    ("_support", "errors"),
    ("reasoning", "guard"),
    ("reasoning", "invariant"),
    ("render", "comparison"),
    ("report", "comparison"),
    ("report", "monitoring"),
    ("report", "render"),
    ("continuity", "history"),
    ("excerpt", "history"),
    ("flows", "trace"),
    ("hashing", "_support"),
    ("hashing", "words"),
    ("history", "flows"),
    ("history", "trace"),
    ("tuning", "metric"),
    ("tuning", "naming"),
}
"""Imports within a rank: a concept and what it is made of."""


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def imported(path: Path) -> set[str]:
    """Return the top-level modules of specminer that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            names.add(node.module or "")
            if node.module == "specminer":
                names |= {f"specminer.{alias.name}" for alias in node.names}
    found = {name.split(".")[1] for name in names if name.startswith("specminer.")}
    public = found & (set(specminer.__all__) - {"__version__"})  # the names of the public API come from `api`
    return (found - public) | ({"api"} if public else set())


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert own in RANKS, f"{own} has no rank; give it one here and in docs/design.md"
    for other in imported(path) - {own, "__version__"}:
        assert other in RANKS, f"{path} imports {other}, which has no rank"
        assert RANKS[other] < RANKS[own] or (own, other) in SIDEWAYS, f"{own} may not import {other}"


def test_automata_know_nothing_of_ethereum() -> None:
    for path in (PACKAGE / "automaton").glob("*.py"):
        assert imported(path) <= {"automaton", "errors"}


def test_only_one_module_is_the_door_to_the_solver() -> None:
    doors = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(
            name.split(".")[0] in ("pysmt", "z3")
            for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        )
    }
    assert doors == {"predicate/smt.py"}


def test_ranks_in_the_design_are_the_tested_ones() -> None:
    table = re.findall(r"^\| (\d+) \| (.+) \|$", DESIGN.read_text(), flags=re.MULTILINE)
    ranks = {name: int(rank) for rank, names in table for name in re.findall(r"`([a-z_]+)`", names)}
    assert ranks == RANKS
