"""What is installed: the wheel carries the package and data, and nothing that only makes or tests them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import PurePosixPath

import pytest

from tests.support.anvil import PROJECT
from tests.support.extras import require

SHIPPED = PurePosixPath("specminer/_shipped")
DATA = {".gz", ".json", ".sol", ".toml"}
"""Suffixes of what is shipped beside the package: recordings, artifacts, sources, descriptions."""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[PurePosixPath]:
    """Return the names of all files in a wheel that is built from the checkout, without the network."""
    require("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return {PurePosixPath(name) for name in zipfile.ZipFile(wheel).namelist()}


def test_only_the_package_and_its_description_are_in_the_wheel(names: set[PurePosixPath]) -> None:
    tops = {name.parts[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"specminer"}


def test_of_datasets_and_abstractions_the_wheel_has_data_only(names: set[PurePosixPath]) -> None:
    shipped = {name for name in names if name.is_relative_to(SHIPPED)}
    assert {name.suffix for name in shipped} == DATA
    assert {name.relative_to(SHIPPED).parts[0] for name in shipped} == {"abstractions", "datasets"}


@pytest.mark.parametrize("folder", ["abstractions", "datasets"])
def test_all_data_is_in_the_wheel(names: set[PurePosixPath], folder: str) -> None:
    files = [path.relative_to(PROJECT) for path in (PROJECT / folder).rglob("*") if path.suffix in DATA]
    assert files
    assert {SHIPPED / path for path in files} <= names
