"""The base install comes from wheels alone, on every Python and platform that is promised: no compiler is needed.

uv resolves for platforms other than this one, markers included, which pip does not. It asks the index that pip is set
up with.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from specminer.contracts.interface import (
    MAX_CODE,
    TOO_LONG,
    WITHOUT_CODE,
    WITHOUT_EVMOLE,
    WITHOUT_SELECTORS,
    from_code,
)
from tests.support.anvil import PROJECT

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
LINUX_ON_ARM: Final = "aarch64-manylinux_2_28"
PLATFORMS: Final = (
    "x86_64-manylinux_2_28",
    LINUX_ON_ARM,
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
Outcome = subprocess.CompletedProcess[str]


def setting(name: str) -> str | None:
    """Return one of pip's settings, the strongest where there are several."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = dict(re.findall(rf"^(:env:|[a-z]+)\.{name}='(.*)'$", listed, re.MULTILINE))
    return found.get(":env:") or found.get("install") or found.get("global")


def environment() -> Mapping[str, str]:
    """Return an environment in which uv asks the index that pip asks."""
    result = dict(os.environ)
    index, certificates = setting("index-url"), setting("cert")
    if index is not None:
        result["UV_DEFAULT_INDEX"] = index
    if certificates is not None:
        result["SSL_CERT_FILE"] = certificates
    return result


def resolve(requirements: Path, python: str, platform: str, variables: Mapping[str, str]) -> Outcome:
    """Resolve requirements for a Python and a platform, from wheels alone."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config", "--no-header"]
    command += ["--no-annotate", "--only-binary", ":all:", "--python-version", python]
    command += ["--python-platform", platform, str(requirements)]
    return subprocess.run(command, capture_output=True, text=True, env=dict(variables))


@pytest.fixture(scope="module")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Outcome]:
    """Return how the base install is resolved for each Python and platform."""
    if find_spec("uv") is None:
        pytest.skip("missing part: uv, which the extra 'test' brings; run `make setup`")
    folder, variables = tmp_path_factory.mktemp("requirements"), environment()
    (one := folder / "one.txt").write_text("click\n")
    answer = resolve(one, PYTHONS[0], PLATFORMS[0], variables)
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no answer"])[-1].strip()
        pytest.skip(f"missing part: a package index that answers ({reason})")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (base := folder / "base.txt").write_text("\n".join(project["dependencies"]) + "\n")
    wanted = list(product(PYTHONS, PLATFORMS))
    with ThreadPoolExecutor(4) as pool:
        outcomes = pool.map(lambda pair: resolve(base, pair[0], pair[1], variables), wanted)
        return dict(zip(wanted, outcomes, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_base_install_needs_no_compiler(
    resolved: dict[tuple[str, str], Outcome], python: str, platform: str
) -> None:
    outcome = resolved[python, platform]
    assert outcome.returncode == 0, outcome.stderr
    packages = {line.partition("==")[0] for line in outcome.stdout.splitlines()}
    assert {"web3", "numpy", "pygraphviz", "sqlalchemy"} <= packages
    assert ("evmole" in packages) == (platform != LINUX_ON_ARM), "Linux on ARM has no wheel of evmole"
    assert not packages & {"ethereum-execution", "coincurve"}, "the specification is an extra"


def test_without_evmole_functions_are_named_by_selectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evmole", None)
    interface = from_code([bytes.fromhex("6000")])
    assert interface.source == WITHOUT_EVMOLE
    assert not interface.functions


def test_without_bytecode_nothing_is_said_to_be_found_in_it() -> None:
    for codes in ([], [b""]):
        assert from_code(codes).source == WITHOUT_CODE
    assert "evmole" not in WITHOUT_CODE


@pytest.mark.parametrize(
    ("codes", "source"),
    [
        ([bytes.fromhex("6000")], WITHOUT_SELECTORS),
        ([b"", bytes.fromhex("ef0100") + bytes(20)], WITHOUT_SELECTORS),
        ([bytes(MAX_CODE + 1)], TOO_LONG),
        ([bytes(MAX_CODE + 1), bytes.fromhex("6000")], WITHOUT_SELECTORS),
    ],
)
def test_nothing_is_said_to_be_found_in_bytecode_where_nothing_was(codes: list[bytes], source: str) -> None:
    pytest.importorskip("evmole")
    interface = from_code(codes)
    assert interface.source == source
    assert "evmole found" not in interface.source
    assert not interface.functions
