"""Fixtures for the tests that need a real node or a compiler.

What ``make tools`` installs may be missing on a developer's machine: such tests are skipped with a
reason that begins with ``missing part``, which CI takes for a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.anvil import Anvil, MissingPart, anvil_binary, tools_dir
from tests.support.real import RealDatabase, imported, real_data
from tests.support.solc import has_solc

settings.register_profile("specminer", deadline=None)
settings.load_profile("specminer")
"""How long an example takes depends on what else the machine does; what must be fast is in benchmarks/."""

_NODE_FIXTURES = {"anvil", "tools"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses these fixtures as ``node``, so that ``-m 'not node'`` leaves it out."""
    for item in items:
        if _NODE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.node)


@pytest.fixture(scope="session")
def tools() -> Path:
    """Return the folder with ``node_modules``, where both anvil and solc are; skip the test otherwise."""
    try:
        anvil_binary()
    except MissingPart as error:
        pytest.skip(str(error))
    if not has_solc():
        pytest.skip(f"missing part: solc: no node, or no {tools_dir()}/node_modules/solc; run `make tools`")
    return tools_dir()


@pytest.fixture
def anvil(tools: Path) -> Iterator[Anvil]:
    """Start a fresh chain with fixed times and 30 accounts, and stop it afterwards."""
    with Anvil() as node:
        yield node


@pytest.fixture(scope="session")
def real_database(tmp_path_factory: pytest.TempPathFactory) -> RealDatabase:
    """Return what gives the database of a real history by its name; skip the test where there are none."""
    real_data()
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "real-histories"
    return lambda name: imported(name, shared)
