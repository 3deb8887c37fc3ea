"""Checks that every package that is imported is declared in ``pyproject.toml``, in a group its importer has.

    python -m tools.check_dependencies

What is installed only because another package needs it is not declared. Exit code 1 if something is missing.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the modules of a folder, or the files of a pattern, may import."""

    extras: tuple[str, ...]
    """The extras that are installed wherever the folder is used; the base dependencies always are."""
    neighbours: tuple[str, ...] = ()
    """Other folders of the repository."""


SCOPES: Final[Mapping[str, Scope]] = {
    "specminer": Scope(extras=()),
    "specminer/replay/reference_*.py": Scope(extras=("reference",), neighbours=("specminer",)),
    "specminer/sources/parquet_rows.py": Scope(extras=("parquet",), neighbours=("specminer",)),
    "specminer/presentation/paper.py": Scope(extras=("pdf",), neighbours=("specminer",)),
    "specminer/pipeline/cluster.py": Scope(extras=("dask",), neighbours=("specminer",)),
    "docs": Scope(extras=("docs",), neighbours=("specminer", "tools")),
    "tests": Scope(
        extras=("dask", "docs", "reference", "smt", "test"), neighbours=("specminer", "benchmarks", "tools")
    ),
    "benchmarks": Scope(
        extras=("benchmarks", "dask", "reference", "smt", "test"), neighbours=("specminer", "tests", "tools")
    ),
    "tools": Scope(extras=("smt", "test"), neighbours=("specminer", "tests", "benchmarks")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A package that a file imports from outside of the standard library."""

    package: str
    """The name in the import, up to the first dot."""
    path: Path
    line: int


def main() -> int:
    """Print each import that no dependency declares, and return the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    problems = [
        text
        for folder in SCOPES
        for text in undeclared(ROOT / folder, SCOPES[folder], project, apart=[ROOT / name for name in SCOPES])
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def undeclared(
    folder: Path, scope: Scope, project: Mapping[str, Any], *, apart: Sequence[Path] = ()
) -> list[str]:
    """Return a sentence for each package that files of a folder import without a declared dependency.

    Args:
        folder: the folder, or the pattern of files, whose Python files are read; a folder may import itself.
        scope: what else they may import.
        project: the table ``[project]`` of ``pyproject.toml``.
        apart: folders and patterns with a scope of their own; those inside ``folder`` are left out.
    """
    distributions = declared(project, scope.extras)
    own = {folder.name, *scope.neighbours}
    providers = packages_distributions()
    problems: dict[str, str] = {}
    inner = {path for other in apart if folder in other.parents for path in python_files(other)}
    for item in imports(folder):
        if item.path in inner:
            continue
        names = providers.get(item.package, [item.package])
        if item.package not in own and not distributions & {canonical(name) for name in names}:
            text = (
                f"imports {item.package}, but pyproject.toml does not have {' or '.join(sorted(set(names)))}"
            )
            problems.setdefault(
                item.package,
                f"{item.path.relative_to(folder.parent)}:{item.line}: {text} in {_groups(scope.extras)}",
            )
    return list(problems.values())


def python_files(folder: Path) -> list[Path]:
    """Return the Python files of a folder and those inside, or those of a pattern such as ``folder/name_*.py``."""
    return sorted(folder.parent.glob(folder.name) if folder.suffix == ".py" else folder.rglob("*.py"))


def imports(folder: Path) -> Iterator[Import]:
    """Yield what the Python files of a folder import, in order of their paths, wherever the import stands."""
    for path in python_files(folder):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                package = name.partition(".")[0]
                if package not in sys.stdlib_module_names:
                    yield Import(package=package, path=path, line=node.lineno)


def declared(project: Mapping[str, Any], extras: Sequence[str]) -> set[str]:
    """Return the canonical names of the distributions that a project and some of its extras require."""
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    return {
        canonical(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]) for requirement in requirements
    }


def canonical(name: str) -> str:
    """Return the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _groups(extras: Sequence[str]) -> str:
    return " or ".join(["`dependencies`", *(f"the extra `{extra}`" for extra in extras)])


if __name__ == "__main__":
    sys.exit(main())
