"""Commands that only read neither create a database nor fill one with tables, and say so in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from specminer._support.errors import StoreError
from specminer.pipeline.inputs import open_existing
from specminer.store import TraceStore
from tests.support.command import Done, specminer
from tests.support.postgres import Database

HOUSE: Final = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
COMMANDS: Final[dict[str, Sequence[str]]] = {
    "mine": ["mine", HOUSE],
    "export": ["export", HOUSE],
    "interactions": ["interactions", HOUSE],
    "actors": ["actors", HOUSE],
    "db stats": ["db", "stats"],
    "db check": ["db", "check"],
    "db prune": ["db", "prune", "--yes"],
    "db vacuum": ["db", "vacuum"],
}


def run(name: str, location: str, folder: Path) -> Done:
    return specminer(*COMMANDS[name], "--db", location, cwd=folder)


def check_refused(done: Done, reason: str) -> None:
    assert done.code == 3, done.text
    assert reason in done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1, done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_file_stays_empty(name: str, tmp_path: Path) -> None:
    (tmp_path / "h.db").touch()
    check_refused(run(name, "h.db", tmp_path), "is empty")
    assert [(item.name, item.stat().st_size) for item in tmp_path.iterdir()] == [("h.db", 0)]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_database_of_another_program_stays_as_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
        connection.commit()
    before = path.read_bytes()
    check_refused(run(name, "h.db", tmp_path), "none of specminer's")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("location", ["gone.db", "sqlite:///gone.db"])
def test_a_database_that_is_not_there_is_not_made(name: str, location: str, tmp_path: Path) -> None:
    check_refused(run(name, location, tmp_path), "there is no database")
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_does_not_fill_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "h.db").touch()
    done = specminer("doctor", "--db", "h.db", cwd=tmp_path)
    assert "is empty" in done.text
    assert (tmp_path / "h.db").stat().st_size == 0


def test_a_database_on_a_server_stays_empty(postgres: Database) -> None:
    with pytest.raises(StoreError, match="is empty"):
        open_existing(postgres.url)
    with pytest.raises(StoreError, match="is empty"):
        open_existing(postgres.url)
    with TraceStore(postgres.url):
        pass
    with open_existing(postgres.url) as store:
        assert store.contracts() == []
