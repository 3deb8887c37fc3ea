"""A damaged database is called that, whoever reads it; nothing is concluded from it, and nothing is written of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from specminer._support.errors import OutputError, SpecminerError, StoreError
from specminer.history.trace import Address
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.histories import export_history
from specminer.store import TraceStore

NAME = "single_auction"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "h.db"
    with TraceStore(str(path)) as store:
        import_traces(store, dataset(NAME).traces)
    return path


def damage(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def contract() -> Address:
    return Address(bytes.fromhex(dataset(NAME).address[2:]))


def mine(path: Path) -> None:
    with TraceStore(str(path)) as store:
        store.history(31337, [contract()])


DAMAGES = [
    "UPDATE invocation SET kind = 'nothing'",
    "UPDATE invocation SET kind = 5",
    "UPDATE invocation SET data = 2000000000",
    "UPDATE invocation SET data = 'text'",
    "UPDATE invocation SET sender_id = 99999",
    "UPDATE invocation SET sender_id = -1",
    "UPDATE invocation SET value_id = 4611686018427387904",
    "UPDATE invocation SET payments = x'5b5d'",
    "UPDATE invocation SET id = 4611686018427387904 WHERE id = 1",
    "UPDATE access SET slot_id = 99999",
    "UPDATE access SET slot_id = 'x'",
    "UPDATE word SET bytes = zeroblob(33) WHERE id = 1",
    "UPDATE address SET bytes = x'12' WHERE id = 2",
    "UPDATE transaction_ SET hash = x'12' WHERE id = 1",
    "UPDATE block SET timestamp = '?'",
    "UPDATE recording SET tracer = 'nobody'",
    "UPDATE preimage SET bytes = 7",
    "DELETE FROM word",
    "DELETE FROM address WHERE id > 1",
]


@pytest.mark.parametrize("statement", DAMAGES)
def test_a_damaged_history_is_refused(database: Path, statement: str) -> None:
    damage(database, statement)
    with pytest.raises(
        StoreError, match=r"is damaged: it holds what specminer does not write|holds nothing of"
    ):
        mine(database)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invocation SET gas = 'many'",
        "UPDATE invocation SET gas_used = -1",
        "UPDATE invocation SET output = 7",
        "UPDATE event SET topics = x'12'",
        "UPDATE access SET position = 1.5 WHERE position = 1",
        "UPDATE contract SET created_in_block = 'early'",
        "UPDATE transaction_ SET sender_id = 99999",
        "UPDATE transaction_ SET nonce = 0.5",
    ],
)
def test_no_trace_file_is_written_of_a_damaged_history(database: Path, statement: str) -> None:
    damage(database, statement)
    path = database.parent / "again.jsonl"
    with pytest.raises((StoreError, OutputError), match="damaged"):
        export_history(str(database), "0x" + contract().hex(), path)
    assert list(database.parent.glob("again*")) == []


def test_a_damaged_schema_is_an_error_of_the_database(database: Path) -> None:
    data = bytearray(database.read_bytes())
    at = data.index(b"CREATE TABLE")
    data[at + 7 : at + 9] = b"\xf9\xff"
    database.write_bytes(data)
    with pytest.raises(SpecminerError):
        mine(database)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invocation SET kind = CAST(x'f978' AS TEXT) WHERE id = 1",
        "UPDATE access SET write = CAST(x'ff' AS TEXT) WHERE position = 1",
    ],
)
def test_text_that_is_none_fails_where_rows_are_fetched(database: Path, statement: str) -> None:
    damage(database, statement)
    with pytest.raises(StoreError, match="failed: Could not decode to UTF-8"):
        mine(database)


def test_a_page_that_is_damaged_is_an_error_of_the_database(database: Path) -> None:
    with TraceStore(str(database)):
        pass
    data = database.read_bytes()
    refused = 0
    for page in range(2, len(data) // 4096):
        database.write_bytes(data[: page * 4096] + b"\xff" * 64 + data[page * 4096 + 64 :])
        try:
            mine(database)
        except StoreError:
            refused += 1
    assert refused > 3


def test_a_sound_history_is_none_of_that(database: Path) -> None:
    mine(database)
    path = database.parent / "again.jsonl"
    assert export_history(str(database), "0x" + contract().hex(), path) > 0
