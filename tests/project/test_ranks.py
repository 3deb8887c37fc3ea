"""Data flows one way: a module imports only from packages of ranks below its own, or from its own package."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

import specminer

PACKAGE = Path(specminer.__file__).parent
DESIGN = Path(__file__).parent.parent.parent / "docs" / "design.md"

RANKS = {
    "_support": 0,
    "automaton": 1,
    "evm": 1,
    "history": 1,
    "contracts": 2,
    "shadow": 2,
    "specification": 2,
    "store": 2,
    "sources": 3,
    "replay": 4,
    "decoding": 5,
    "decision": 6,
    "predicate": 6,
    "export": 7,
    "interaction": 7,
    "learning": 8,
    "inference": 9,
    "comparison": 10,
    "explanation": 10,
    "monitoring": 10,
    "presentation": 11,
    "pipeline": 12,
    "cli": 13,
}


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
    public = found & (
        set(specminer.__all__) - {"__version__"}
    )  # the names of the public API come from `pipeline`
    return (found - public) | ({"pipeline"} if public else set())


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert own in RANKS, f"{own} has no rank; give it one here and in docs/design.md"
    for other in imported(path) - {own, "__version__"}:
        assert other in RANKS, f"{path} imports {other}, which has no rank"
        assert RANKS[other] < RANKS[own], f"{own} may not import {other}"


def test_no_package_lies_in_another() -> None:
    assert {len(path.relative_to(PACKAGE).parts) for path in modules()} == {2}


def test_no_module_name_is_used_twice() -> None:
    names = Counter(path.stem for path in modules() if path.stem != "__init__")
    assert [name for name, count in names.items() if count > 1] == []
    assert not set(names) & {path.name for path in PACKAGE.iterdir()}


def test_no_class_name_is_used_twice() -> None:
    names = Counter(
        node.name
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_automata_know_nothing_of_ethereum() -> None:
    for path in (PACKAGE / "automaton").glob("*.py"):
        assert imported(path) <= {"automaton", "_support"}


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
