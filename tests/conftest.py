"""Fixtures for the tests that need a real node or a compiler, and the marks of what tests need.

What ``make tools`` installs, or an extra brings, may be missing on a developer's machine: such tests are skipped
with a reason that begins with ``missing part``, which CI takes for a failure.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.anvil import Anvil, MissingPart, anvil_binary, tools_dir
from tests.support.browser import chromium
from tests.support.extras import TestModule, reason_of
from tests.support.postgres import Database, PostgresServer, programs
from tests.support.real import RealDatabase, imported, real_data
from tests.support.solc import has_solc
from tests.support.third_party.recording import Recording, recorded

settings.register_profile(
    "specminer",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("specminer")
"""How long an example takes depends on what else the machine does; what must be fast is in benchmarks/.

A fixture that is shared by the examples of a test (a folder, a patched environment) is meant to be."""

_FIXTURES = {
    "anvil": "node",
    "browser": "browser",
    "postgres": "postgres",
    "real_database": "real",
    "third_party": "node",
    "tools": "node",
}
"""The mark of what uses a fixture."""


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell that starts the tests in the background tells them to ignore interruptions, and so the commands
    # that they start; those are tested as a terminal starts them
    signal.signal(signal.SIGINT, signal.default_int_handler)

_QUALITY = Path(__file__).parent / "quality"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they use, and put modules with slow tests first.

    ``-m 'not node'`` leaves out what needs a node. Two processes that take one module after the other end at the
    same time if the last modules are short.
    """
    for item in items:
        for fixture in _FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(_FIXTURES[fixture])
        if item.path.is_relative_to(_QUALITY):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    """Collect modules so that a missing extra skips them."""
    module: pytest.Module = TestModule.from_parent(parent, path=module_path)
    return module


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Skip a test that imports what a missing extra would bring."""
    try:
        return (yield)
    except ModuleNotFoundError as error:
        if (reason := reason_of(error)) is None:
            raise
        pytest.skip(reason)


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
def browser() -> str:
    """Return the program of a browser; skip the test where there is none."""
    try:
        return chromium()
    except MissingPart as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL server, which the process shares; skip the test where it is not installed."""
    try:
        programs()
    except MissingPart as error:
        pytest.skip(str(error))
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[Database]:
    """Give an empty database on a real PostgreSQL server."""
    with postgres_server.database() as database:
        yield database


@pytest.fixture(scope="session")
def real_database(tmp_path_factory: pytest.TempPathFactory) -> RealDatabase:
    """Return what gives the database of a real history by its name; skip the test where there are none."""
    real_data()
    shared = _shared(tmp_path_factory) / "real-histories"
    return lambda name: imported(name, shared)


@pytest.fixture(scope="session")
def third_party(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recording]:
    """Return what gives the recording of a third-party contract by its name; see ``tests/support/third_party``."""
    shared = _shared(tmp_path_factory) / "third-party"

    def recording(name: str) -> Recording:
        try:
            return recorded(name, shared)
        except MissingPart as error:
            pytest.skip(str(error))

    return recording


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of a test session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
