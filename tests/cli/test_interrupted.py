"""Collecting may be stopped at any moment: what a later run completes equals what one run writes."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import till
from tests.support.anvil import Anvil
from tests.support.command import SECONDS, specminer, start
from tests.support.refusing_node import RefusingNode

pytestmark = pytest.mark.slow

DELAY: Final = 0.001
"""Seconds that each request takes here."""
POINTS: Final = 3
Tables = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A contract on a slow node, and what an uninterrupted run collects of it."""

    address: str
    url: str
    requests: int
    """How many HTTP requests that run made."""
    tables: Tables


def _dump(database: Path) -> Tables:
    connection = sqlite3.connect(database)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return tables


@pytest.fixture(scope="module")
def reference(
    tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Reference, RefusingNode]]:
    """Use a till some 400 times, which makes three chunks, collect it without interruption, and keep the node."""
    folder = tmp_path_factory.mktemp("reference")
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=25)
        with RefusingNode(anvil.url, lambda *_: None, delay=DELAY) as slow:
            done = specminer("collect", deployed.address, "--rpc", slow.url, "--db", "h.db", cwd=folder)
            assert done.code == 0, done.text
            yield (
                Reference(
                    address=deployed.address,
                    url=slow.url,
                    requests=len(slow.seen),
                    tables=_dump(folder / "h.db"),
                ),
                slow,
            )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("point", range(POINTS))
def test_a_run_that_was_stopped_is_completed_by_the_next(
    reference: tuple[Reference, RefusingNode], tmp_path: Path, number: signal.Signals, point: int
) -> None:
    expected, slow = reference
    arguments = ("collect", expected.address, "--rpc", expected.url, "--db", "h.db")
    chosen = random.Random(f"{number} {point}")
    share = (point + chosen.random()) / POINTS
    before = len(slow.seen)
    process = start(*arguments, cwd=tmp_path)
    while len(slow.seen) - before < share * expected.requests and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS)
    if number is signal.SIGINT and process.returncode != 0:
        assert process.returncode == 130
        assert err.splitlines()[-1].startswith("interrupted; what was collected is kept")
        assert "Traceback" not in err
        assert out == ""
    done = specminer(*arguments, cwd=tmp_path)
    assert done.code == 0, done.text
    again = specminer(*arguments, cwd=tmp_path)
    assert ": 0 new transactions" in again.out
    found = _dump(tmp_path / "h.db")
    assert found.keys() == expected.tables.keys()
    for table, rows in expected.tables.items():
        assert found[table] == rows, table


def test_runs_stopped_again_and_again_come_to_the_end(
    reference: tuple[Reference, RefusingNode], tmp_path: Path
) -> None:
    expected, slow = reference
    arguments = ("collect", expected.address, "--rpc", expected.url, "--db", "h.db")
    for share in (0.3, 0.6, 0.8):
        before = len(slow.seen)
        process = start(*arguments, cwd=tmp_path)
        while len(slow.seen) - before < share * expected.requests and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
    done = specminer(*arguments, cwd=tmp_path)
    assert done.code == 0, done.text
    assert _dump(tmp_path / "h.db") == expected.tables


def test_two_runs_at_the_same_time_collect_the_same(
    reference: tuple[Reference, RefusingNode], tmp_path: Path
) -> None:
    expected, _ = reference
    arguments = ("collect", expected.address, "--rpc", expected.url, "--db", "h.db")
    both = [start(*arguments, cwd=tmp_path) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, err
    assert _dump(tmp_path / "h.db") == expected.tables


def test_parts_collected_in_any_order_are_the_whole(
    reference: tuple[Reference, RefusingNode], tmp_path: Path
) -> None:
    expected, _ = reference
    arguments = ("collect", expected.address, "--rpc", expected.url, "--db", "h.db")
    for part in (("--from-block", "20", "--to-block", "25"), ("--to-block", "9"), ()):
        done = specminer(*arguments, *part, cwd=tmp_path)
        assert done.code == 0, done.text
    found = _dump(tmp_path / "h.db")
    for table in ("transaction_", "invocation", "access", "event", "block"):
        assert len(found[table]) >= len(expected.tables[table]), table
    for table in ("complete_range", "chain", "limitation"):
        assert found[table] == expected.tables[table]
    for table in ("transaction_", "invocation", "access", "event", "word", "address"):
        assert len(found[table]) == len(expected.tables[table]), table
