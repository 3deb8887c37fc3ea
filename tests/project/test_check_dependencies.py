"""An import that no dependency declares is noticed, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.check_dependencies import Scope, main, undeclared

PROJECT: dict[str, Any] = {
    "dependencies": ["click>=8.1", "PySMT >=0.9", "jinja2[i18n]>=3", "ethereum-execution>=2.20,<2.21"],
    "optional-dependencies": {"smt": ["z3-solver>=4.13"], "test": ["pytest"]},
}
BASE = Scope(extras=())
ALL = Scope(extras=("smt", "test"), neighbours=("tools",))


def problems(tmp_path: Path, source: str, scope: Scope) -> list[str]:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "module.py").write_text(source)
    return undeclared(folder, scope, PROJECT)


@pytest.mark.parametrize(
    ("source", "scope"),
    [
        ("import click\nimport pysmt.shortcuts\nfrom jinja2 import Template", BASE),
        ("import os, ast\nfrom collections.abc import Iterator", BASE),
        ("from ethereum.forks import cancun", BASE),  # the import has another name than the distribution
        ("import package.other\nfrom . import other\nfrom .other import name", BASE),
        ("import z3, pytest\nimport tools.golden", ALL),
    ],
)
def test_what_is_declared_passes(tmp_path: Path, source: str, scope: Scope) -> None:
    assert problems(tmp_path, source, scope) == []


@pytest.mark.parametrize(
    ("source", "scope", "line", "package"),
    [
        ("import click\nimport requests", BASE, 2, "requests"),
        ("import urllib3.exceptions", ALL, 1, "urllib3"),
        ("def lazy():\n    from eth_utils.crypto import keccak", BASE, 2, "eth-utils"),
        ("import z3", BASE, 1, "z3-solver"),  # declared, but in an extra that the folder may not count on
        ("import tools.golden", BASE, 1, "tools"),
        ("import nowhere_installed", ALL, 1, "nowhere_installed"),
    ],
)
def test_what_is_not_declared_is_named(
    tmp_path: Path, source: str, scope: Scope, line: int, package: str
) -> None:
    (problem,) = problems(tmp_path, source, scope)
    assert problem.startswith(f"package/module.py:{line}: imports ")
    assert f"does not have {package} in `dependencies`" in problem


def test_a_folder_with_a_scope_of_its_own_is_left_out(tmp_path: Path) -> None:
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    (inner / "module.py").write_text("import z3")
    assert undeclared(inner.parent, BASE, PROJECT)
    assert undeclared(inner.parent, BASE, PROJECT, apart=[inner.parent, inner]) == []
    assert undeclared(inner, ALL, PROJECT, apart=[inner.parent, inner]) == []


def test_a_package_is_named_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "import requests\nimport requests.exceptions\nimport urllib3", BASE)) == 2


def test_the_project_declares_what_it_imports(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(), capsys.readouterr().err) == (0, "")


def test_a_pattern_of_files_has_a_scope_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "solver_door.py").write_text("import z3")
    (folder / "other.py").write_text("import click")
    pattern = folder / "solver_*.py"
    assert undeclared(folder, BASE, PROJECT) != []
    assert undeclared(folder, BASE, PROJECT, apart=[pattern]) == []
    assert undeclared(pattern, ALL, PROJECT) == []
    assert len(undeclared(pattern, BASE, PROJECT)) == 1
