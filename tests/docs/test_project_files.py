"""What the files for contributors say agrees with the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GUIDES = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md"))]


def test_the_citation_names_the_version() -> None:
    assert f"\nversion: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_lock_file_satisfies_every_dependency() -> None:
    locked = dict(
        re.findall(
            r"^([\w.-]+)==(\S+)", (ROOT / "tools" / "requirements.lock").read_text(), flags=re.MULTILINE
        )
    )
    versions = {canonicalize_name(name): version for name, version in locked.items()}
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    for text in [item for group in groups for item in group]:
        requirement = Requirement(text)
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in tools/requirements.lock; run `make lock`"
        assert requirement.specifier.contains(version), (
            f"{requirement.name} {version} is locked, {requirement} is asked"
        )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_what_is_there(path: Path) -> None:
    text = path.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for words in re.findall(r"\bmake (?:PYTHON=\w+ )?([a-z -]+)$", text, flags=re.MULTILINE):
        assert set(words.split()) <= targets, f"{path.name}: make {words}"
    for module in re.findall(r"python -m (benchmarks\.\w+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), f"{path.name}: {module}"


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_guides_name_files_that_are_there(path: Path) -> None:
    text = path.read_text()
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (path.parent / link).exists(), f"{path.name}: {link}"
    # a name in capitals is for the reader to choose
    for name in re.findall(r"`((?:specminer|tests|docs|tools|benchmarks)/[\w/.-]*)`", text):
        assert re.search(r"[A-Z]+(_command)?\.py", name) or (ROOT / name).exists(), f"{path.name}: {name}"
