"""The tests themselves: each module stands alone, and what several need is in ``tests/support``."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.extras import EXTRAS, reason_of
from tools.check_dependencies import canonical, declared

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
SUPPORT = "tests.support"
PURPOSES = {"node", "browser", "docs", "quality", "project"}
"""Folders of tests that are about no single package."""


def imports_of_tests(source: str) -> Iterator[str]:
    """Yield the modules of ``tests`` that a source text imports, wherever the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = "." * node.level + (node.module or "")
            names = (
                [f"{parent}.{alias.name}" for alias in node.names] if parent in ("tests", ".") else [parent]
            )
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ("tests", ""))


def from_test_modules(source: str) -> list[str]:
    """Return the imports that do not come from the support folder."""
    return [name for name in imports_of_tests(source) if f"{name}.".removeprefix(f"{SUPPORT}.") == f"{name}."]


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("from tests.test_help import COMMANDS", ["tests.test_help"]),
        ("import tests.quality.test_azure", ["tests.quality.test_azure"]),
        ("from tests import test_help", ["tests.test_help"]),
        ("from .test_help import COMMANDS", [".test_help"]),
        ("def lazy():\n    from tests.conftest import anvil", ["tests.conftest"]),
        ("from tests.supporters import x", ["tests.supporters"]),
        (
            "from tests.support import till\nfrom tests.support.anvil import Anvil\nimport tests.support.real",
            [],
        ),
        ("from testsuite import x", []),
    ],
)
def test_an_import_of_a_test_module_is_recognised(source: str, modules: list[str]) -> None:
    assert from_test_modules(source) == modules


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "tools"])
def test_no_module_imports_from_a_test_module(folder: str) -> None:
    imported = {
        str(path.relative_to(ROOT)): modules
        for path in (ROOT / folder).rglob("*.py")
        if (modules := from_test_modules(path.read_text(encoding="utf-8")))
    }
    assert not imported, f"move what several tests need to {SUPPORT}: {imported}"


def test_each_test_stands_in_the_folder_of_its_package_or_purpose() -> None:
    assert {path.name for path in TESTS.glob("*.py")} == {"conftest.py"}
    packages = {path.parent.name for path in (ROOT / "specminer").glob("*/__init__.py")}
    folders = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    assert folders <= packages | PURPOSES, f"tests/README.md says where tests stand: {folders}"


def test_folders_of_tests_have_only_tests() -> None:
    helpers = {
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path.parts[len(TESTS.parts)] not in ("support", "data") and not path.name.startswith("test_")
    }
    assert helpers == {"conftest.py"}, f"helpers belong in {SUPPORT}"


@pytest.mark.parametrize(("module", "extra"), EXTRAS.items())
def test_a_module_that_may_be_missing_is_in_the_extra_that_is_named(module: str, extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    distributions = {canonical(name) for name in packages_distributions().get(module, [module])}
    assert distributions & declared(project | {"dependencies": []}, [extra])


def test_only_what_an_extra_brings_is_excused_for_being_missing() -> None:
    reason = reason_of(ModuleNotFoundError("No module named 'z3.z3'", name="z3.z3"))
    assert reason == "missing part: z3, which the extra 'smt' brings; run `make setup`"
    assert reason_of(ModuleNotFoundError("No module named 'numpy'", name="numpy")) is None
    assert reason_of(ImportError("cannot import name 'x' from 'z3'", name="z3")) is None
    assert reason_of(None) is None
